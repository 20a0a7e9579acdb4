"""The functions people call: keyword arguments in, a Report out."""

from __future__ import annotations

import os

from . import _core
from ._adapt import as_source
from ._report import CleanResult, Report


def _names(value):
    """One name or several, as a list; None stays None."""
    if value is None:
        return None
    return [value] if isinstance(value, str) else list(value)


def _path(value):
    return None if value is None else os.fsdecode(value)


def _types(value):
    if value is None:
        return None
    return [f"{column}={kind}" for column, kind in dict(value).items()]


def scan(
    data,
    *,
    label=None,
    text=None,
    source=None,
    id=None,
    types=None,
    columns=None,
    exclude=None,
    only=None,
    skip=None,
    sample=0,
    max_time=0.0,
    memory=0,
    seed=0,
    threads=0,
    guess=True,
    suppress=None,
    baseline=None,
    new_only=False,
    ruleset=0,
    name=None,
    progress=None,
    max_download=0,
    net_timeout=0.0,
    base=None,
    bank=None,
    known=None,
    sandbox=True,
):
    """Examine a data set, a model or a folder of them, and return a `Report`.

    data      a path, folder, glob or URL (https, s3, gs, hf), a list of them; a pandas, Polars or PyArrow table or anything else with
              ``__arrow_c_stream__``; a NumPy array (1-D, 2-D, structured); a dict of equally long columns
    label     the label column's name, or (for data in memory) the labels themselves, one per row
    text, source, id    column names (text: one or several); id columns are left out of detection
    types     {"column": "numeric" | "categorical" | "text" | "identifier" | "time"}
    columns   read these columns and those named above, no others; None: all
    only, skip          rule ids or names, see `list_detectors`
    sample    keep this many rows; seed, threads: same data and seed give the same report for any number of threads
    guess     False: a label column that would be guessed is a UsageError
    suppress, baseline  paths of a suppression file and of an earlier JSON report
    name      what to call data in memory in the report
    progress  function(stage, unit, done, total); return False to stop (CancelledError)
    base, bank, known    of models: path of the model that this one was made from, of a reference bank of adapters, of a list of
              known-good digests
    sandbox   False: models are read even where no sandbox can be had; the report says so
    max_download, net_timeout    bytes that URLs may bring in all (0: 64 GiB); seconds without a byte (0: 60)
    """
    labels = None
    if label is not None and not isinstance(label, str):
        labels, label = label, "label"
    origin, kept = as_source(data, labels)
    options = {
        "label": label,
        "text": _names(text),
        "source": source,
        "id": id,
        "types": _types(types),
        "columns": _names(columns),
        "exclude": _names(exclude),
        "only": _names(only),
        "skip": _names(skip),
        "sample": sample,
        "max_time": max_time,
        "memory": memory,
        "seed": seed,
        "threads": threads,
        "no_guess": not guess,
        "suppressions": _path(suppress),
        "baseline": _path(baseline),
        "new_only": new_only,
        "ruleset": ruleset,
        "progress": progress,
        "max_download": max_download,
        "net_timeout": net_timeout,
        "base": _path(base),
        "bank": _path(bank),
        "known": _path(known),
        "sandbox_off": not sandbox,
    }
    report = Report(_core.scan(origin, name or "data", options))
    del kept  # what the stream borrows from lived until here
    return report


def outliers(X, *, method="isolation-forest", seed=0, threads=0, trees=100, sample=256, support=None):
    """Outlier scores of the rows of a numeric matrix, one per row, higher is odder.

    X         2-D array (or what NumPy makes one of); NaN is a missing value. A 1-D array is one column
    method    "isolation-forest", "ecod", "copod" or "robust-covariance" (squared distances under the reweighted MCD)
    seed      of the forest and of the starts of robust covariance; ECOD and COPOD draw nothing
    threads   0: all processors; never changes the scores
    trees, sample    of the isolation forest
    support   robust covariance: the share of the rows that is fitted; None: a little over one half
    """
    import numpy as np

    matrix = np.ascontiguousarray(X, dtype=np.float64)
    if matrix.ndim == 1:
        matrix = matrix.reshape(-1, 1)
    if matrix.ndim != 2:
        raise ValueError(f"X must have two dimensions, not {matrix.ndim}")
    scores = np.empty(matrix.shape[0])
    _core.outliers(matrix, scores, *matrix.shape, method, seed, threads, trees, sample, support or 0.0)
    return scores


def load(path):
    """Read a report that was written as JSON."""
    return Report(_core.load(os.fsdecode(path)))


def clean(path, report, out, quarantine=None, *, at_least="error", with_lists=False, labels_file=None, labels_out=None,
          embeddings=None, embeddings_out=None):
    """Split a file by a report (a `Report`, or the path of one in JSON): kept rows go to `out`, byte for byte, rows of
    findings at or above `at_least` to `quarantine`; `labels_file` and `embeddings` lose the same rows. Parquet, npz and
    WebDataset: `out` receives a keep-mask. A folder of pictures or texts: `out` receives a list of files."""
    if not isinstance(report, Report):
        report = load(report)
    counts = _core.clean(os.fsdecode(path), report._core, at_least, with_lists, os.fsdecode(out), _path(quarantine),
                         _path(labels_file), _path(labels_out), _path(embeddings), _path(embeddings_out))
    return CleanResult(*counts)


def poison(
    path,
    out,
    answer_key=None,
    *,
    attack,
    rows=0,
    share=0.0,
    target=None,
    source_class=None,
    seed=0,
    label=None,
    labels_file=None,
    labels_out=None,
    text=None,
    types=None,
    **params,
):
    """Poison a copy of a file on purpose, to measure detectors. Exactly one of `rows` and `share` is given; `params`
    are the attack's own (see `list_attacks`). Labels of pictures come from `labels_file` and go to `labels_out`;
    `source_class` is the only label whose rows are poisoned."""
    options = {
        "label": label,
        "labels_file": _path(labels_file),
        "text": _names(text),
        "types": _types(types),
        "seed": seed,
    }
    settings = [f"{key.replace('_', '-')}={value}" for key, value in params.items()]
    _core.poison(
        os.fsdecode(path),
        attack,
        target,
        source_class,
        rows,
        share,
        settings,
        options,
        os.fsdecode(out),
        _path(labels_out),
        _path(answer_key),
    )


def list_detectors():
    """The catalogue of detectors: dictionaries with id, name, title, summary, null hypothesis, cost …"""
    return _core.detectors()


def list_attacks():
    """The catalogue of attacks for measuring."""
    return _core.attacks()


def list_formats():
    """The formats that files may have."""
    return _core.formats()


def list_writers():
    """The formats that a report can be rendered in."""
    return _core.writers()
