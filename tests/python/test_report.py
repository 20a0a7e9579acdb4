"""Scanning a poisoned file from Python: findings, rows, renderings, splitting, errors."""
import json
import threading
from concurrent.futures import ThreadPoolExecutor

import bezoar
import numpy as np
import pytest


@pytest.fixture(scope="module")
def report(tricked_file):
    return bezoar.scan(tricked_file[0], label="Label")


def planted(tricked_file):
    return json.loads(tricked_file[1].read_text())["rows"]


def test_findings_name_the_planted_rows(report, tricked_file):
    finding = next(f for f in report.findings if f.rule == "BZ-D005")
    assert finding.severity == "error"
    assert len(finding.fingerprint) == 64
    assert finding.remedy
    assert finding.n_rows == len(finding.rows) == 60
    assert list(finding.rows) == sorted(planted(tricked_file))
    assert len(report) == len(report.findings) == len(list(report))
    assert report.count("error") >= 1
    assert report.count("note") == len(report.findings)


def test_rows_are_a_structured_array(report, tricked_file):
    rows = report.rows
    assert rows.dtype.names == (
        "row", "rule", "severity", "score", "q", "label", "suggested_label", "incident", "file")
    tricked = rows[rows["rule"] == "BZ-D005"]
    assert set(tricked["row"]) == set(planted(tricked_file))
    assert set(tricked["file"]) == {str(tricked_file[0])}
    assert set(rows["label"]) <= {"ham", "spam", ""}
    with pytest.raises(ValueError):
        rows["row"][0] = 0


def test_exit_codes(report, message_file):
    assert report.exit_code() == 1
    assert report.exit_code("never") == 0
    assert report.unexamined == 0
    clean = bezoar.scan(message_file, label="Label", only=["BZ-D005"])
    assert clean.exit_code("error") == 0
    with pytest.raises(ValueError, match="severity"):
        report.exit_code("loud")


def test_renderings(report, tmp_path):
    assert json.loads(report.to_json())["schema"] == "urn:bezoar:report:1"
    assert json.loads(report.to_sarif())["version"] == "2.1.0"
    assert report.to_html().lstrip().lower().startswith("<!doctype html")
    assert "BZ-D005" in report.to_text()
    assert "tag characters" in report.to_markdown()
    assert "testsuite" in report.to_junit()
    frame = report._repr_html_()
    assert frame.startswith("<iframe") and "<script" not in frame and "\n<" not in frame.replace("&lt;", "")
    assert "error" in repr(report)
    for name in ("r.json", "r.html", "r.sarif", "r.md"):
        report.write(tmp_path / name)
        assert (tmp_path / name).stat().st_size > 100
    assert report.to_html(tmp_path / "page.html") == (tmp_path / "page.html").read_text(encoding="utf-8")
    with pytest.raises(bezoar.UsageError):
        report.write(tmp_path / "r.unknown")
    with pytest.raises(bezoar.UsageError):
        report.render("nonsense")


def test_reports_load_again(report, tmp_path):
    path = tmp_path / "r.json"
    report.write(path)
    again = bezoar.load(path)
    assert again.to_json() == report.to_json()
    assert [f.fingerprint for f in again] == [f.fingerprint for f in report]
    path.write_text("{")
    with pytest.raises(bezoar.FormatError):
        bezoar.load(path)


def test_redacted_reports_hold_no_value(report):
    assert "ham" not in report.to_text(redact=True).split()


def test_clean_splits_byte_for_byte(report, tricked_file, tmp_path):
    only = bezoar.scan(tricked_file[0], label="Label", only="BZ-D005")
    out, bad = tmp_path / "clean.tsv", tmp_path / "bad.tsv"
    result = bezoar.clean(tricked_file[0], only, out, bad)
    original = tricked_file[0].read_bytes()
    assert result.quarantined == 60
    assert result.rows == result.kept + 60
    assert len(out.read_bytes()) + len(bad.read_bytes()) == len(original) + len(original.split(b"\n")[0]) + 1
    path = tmp_path / "r.json"
    only.write(path)
    assert bezoar.clean(tricked_file[0], path, tmp_path / "again.tsv") == result


def test_same_bytes_for_any_number_of_threads(tricked_file):
    texts = {bezoar.scan(tricked_file[0], label="Label", threads=n).to_json(without_run=True) for n in (1, 2, 4)}
    assert len(texts) == 1


def test_scans_run_side_by_side(tricked_file):
    with ThreadPoolExecutor(4) as pool:
        reports = list(pool.map(lambda _: bezoar.scan(tricked_file[0], label="Label", threads=1), range(4)))
    assert len({r.to_json(without_run=True) for r in reports}) == 1
    shared, results = reports[0], []
    readers = [threading.Thread(target=lambda: results.append((len(shared.rows), shared.to_text()))) for _ in range(4)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    assert len(set(results)) == 1


def test_progress_can_stop_the_scan(tricked_file):
    seen = []

    def watch(stage, unit, done, total):
        seen.append((stage, unit, done, total))

    def stop(*_):
        return False

    def fail(*_):
        raise RuntimeError("on purpose")

    bezoar.scan(tricked_file[0], label="Label", progress=watch)
    assert seen
    with pytest.raises(bezoar.CancelledError):
        bezoar.scan(tricked_file[0], label="Label", progress=stop)
    with pytest.raises(RuntimeError, match="on purpose"):
        bezoar.scan(tricked_file[0], label="Label", progress=fail)


def test_errors_say_where(tmp_path):
    with pytest.raises(bezoar.FileError) as caught:
        bezoar.scan(tmp_path / "missing.csv")
    assert isinstance(caught.value, (bezoar.Error, OSError))
    assert caught.value.subject.endswith("missing.csv")
    broken = tmp_path / "broken.jsonl"
    broken.write_text('{"a": 1}\n{"a": 2\n')
    with pytest.raises(bezoar.FormatError) as caught:
        bezoar.scan(broken)
    error = caught.value
    assert (error.line, error.offset) == (2, 16)
    assert error.code == "malformed input"
    assert f"{broken}:2: " in str(error)
    with pytest.raises(bezoar.UsageError):
        bezoar.scan({"a": [1, 2], "b": [3, 4]}, label="c")
    with pytest.raises(bezoar.UsageError):
        bezoar.scan({"a": [1, 2]}, only=["BZ-X999"])
    with pytest.raises(TypeError):
        bezoar.scan(12)


def test_catalogues_come_from_the_tables():
    rules = {d["id"]: d for d in bezoar.list_detectors()}
    assert rules["BZ-D005"]["null_hypothesis"]
    assert {"invisible", "rare-combo"} <= {a["name"] for a in bezoar.list_attacks()}
    assert {"csv", "jsonl", "npy", "npz"} <= {f["name"] for f in bezoar.list_formats()}
    assert {"json", "html", "sarif"} <= {w["name"] for w in bezoar.list_writers()}
    assert bezoar.__version__.count(".") == 2


def test_numpy_integers_are_options(tricked_file):
    bezoar.scan(tricked_file[0], label="Label", seed=int(np.int64(3)), sample=500)
