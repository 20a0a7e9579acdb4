"""The report as Python sees it."""

from __future__ import annotations

import html
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from . import _core

_COLUMNS = ("row", "rule", "severity", "score", "q", "label", "suggested_label", "incident", "file")


class CleanResult(NamedTuple):
    """How `clean` split a file."""

    rows: int
    kept: int
    quarantined: int


@dataclass(frozen=True)
class Finding:
    """One thing that was found. Numbers are None where the detector has none; `rows` are 0-based data rows (of their
    file, see `Report.rows` for which)."""

    rule: str
    severity: str
    title: str
    target: str | None
    fingerprint: str
    remedy: str
    score: float | None
    p_value: float | None
    q_value: float | None
    n_rows: int
    incident: int
    suppressed: bool
    is_new: bool
    rows: object = field(repr=False, compare=False)


class Report:
    """What `scan` found. Reports do not change; equal data, options and seed give equal reports."""

    def __init__(self, core):
        self._core = core
        self._table = None
        self._list = None

    @property
    def rows(self):
        """Every listed row, as a NumPy structured array: row, rule, severity, score, q, label, suggested_label,
        incident, file."""
        if self._table is None:
            self._table = _as_array(self._core.rows())
        return self._table

    @property
    def findings(self):
        """The findings, most severe first."""
        if self._list is None:
            self._list = self._make_findings()
        return self._list

    def _make_findings(self):
        table, out, at = self.rows["row"], [], 0
        active = _active_counts(self._core.findings(), len(table))
        for values, n in active:
            out.append(Finding(**values, rows=table[at : at + n]))
            at += n
        return tuple(out)

    def count(self, at_least="note"):
        """Unsuppressed findings at or above a severity."""
        return self._core.count(at_least)

    @property
    def unexamined(self):
        """Requested inputs or checks that could not be examined."""
        return self._core.unexamined()

    def exit_code(self, fail_on="error"):
        """What the command would return: 1 findings at or above `fail_on`, else 3 where something requested could not
        be examined, else 0."""
        return self._core.exit_code(fail_on)

    def render(self, format, **options):
        """The report as bytes in any format of `list_writers`. Options: redact, color, ascii, width, without_run."""
        return self._core.render(format, **options)

    def _to(self, format, path, options):
        data = self.render(format, **options)
        if path is not None:
            Path(path).write_bytes(data)
        return data.decode("utf-8", "replace")

    def to_text(self, path=None, **options):
        """As the command prints it. Written to `path` too where one is given."""
        return self._to("text", path, options)

    def to_json(self, path=None, **options):
        """By the published schema; what `load` reads back. Written to `path` too where one is given."""
        return self._to("json", path, options)

    def to_html(self, path=None, **options):
        """One self-contained page. Written to `path` too where one is given."""
        return self._to("html", path, options)

    def to_sarif(self, path=None, **options):
        """SARIF 2.1.0, for code-scanning views. Written to `path` too where one is given."""
        return self._to("sarif", path, options)

    def to_markdown(self, path=None, **options):
        """A short comment for pull requests. Written to `path` too where one is given."""
        return self._to("md", path, options)

    def to_junit(self, path=None, **options):
        """For the test view of CI systems. Written to `path` too where one is given."""
        return self._to("junit", path, options)

    def write(self, path, format=None, **options):
        """Write to a file, in the format of its extension unless one is named."""
        Path(path).write_bytes(self.render(format or _format_of(str(path)), **options))

    def __len__(self):
        return len(self.findings)

    def __iter__(self):
        return iter(self.findings)

    def __repr__(self):
        parts = [f"{self._by_severity(s)} {s}{'s' if self._by_severity(s) != 1 else ''}" for s in ("error", "warning", "note")]
        return f"<bezoar.Report: {', '.join(parts)}, {self.unexamined} not examined>"

    def _by_severity(self, severity):
        return sum(f.severity == severity and not f.suppressed for f in self.findings)

    def _repr_html_(self):
        """In notebooks: the whole page, in a frame of its own so that styles stay apart."""
        page = html.escape(self.to_html(), quote=True)
        return f'<iframe srcdoc="{page}" sandbox="allow-scripts" style="width:100%;height:40em;border:1px solid #ccc"></iframe>'


def _format_of(path):
    extension = path.rpartition(".")[2].lower()
    for writer in _core.writers():
        if extension in writer["extensions"].split():
            return writer["name"]
    raise _core.UsageError(f"{path}: no report format has this extension")


def _active_counts(findings, listed):
    """(finding, listed rows): suppressed findings, and old ones of a report of new ones only, list none."""
    total = sum(f["n_rows"] for f in findings)
    shown = [f for f in findings if not f["suppressed"]]
    if sum(f["n_rows"] for f in shown) != listed:
        shown = [f for f in shown if f["is_new"]]
    ids = {id(f) for f in (findings if total == listed else shown)}
    return [(f, f["n_rows"] if id(f) in ids else 0) for f in findings]


def _as_array(tuples):
    import numpy as np

    columns = list(zip(*tuples)) if tuples else [()] * len(_COLUMNS)
    texts = {name: ["" if v is None else v for v in column]
             for name, column in zip(_COLUMNS, columns) if name in ("rule", "severity", "label", "suggested_label", "file")}
    width = {name: max(map(len, values), default=1) or 1 for name, values in texts.items()}
    kinds = {"row": "u8", "score": "f8", "q": "f8", "incident": "u4"}
    dtype = [(name, kinds.get(name) or f"U{width[name]}") for name in _COLUMNS]
    table = np.zeros(len(tuples), dtype=dtype)
    for name, column in zip(_COLUMNS, columns):
        table[name] = texts.get(name, column)
    table.setflags(write=False)
    return table
