"""What a reader has to decide: separators named in the file, labels that are words for "missing", kernels."""
import json
import random

import pytest
from conftest import table_text


def test_separator_line_stays_in_front(bezoar, tmp_path):
    body = table_text(planted=12).replace(",", ";")
    for name, text in (("plain.csv", "sep=;\n" + body), ("dos.csv", ("\ufeffsep=;\n" + body).replace("\n", "\r\n"))):
        (tmp_path / name).write_bytes(text.encode())
        result = bezoar("scan", name, "--label", "label", "--report", "r.json", "--format", "json", "-o", "all.json")
        report = json.loads((tmp_path / "all.json").read_text())
        assert [c["name"] for c in report["data"]["columns"]][:2] == ["size", "city"], result.stderr
        assert report["data"]["rows"] == 400
        done = bezoar("clean", name, "--from", "r.json", "-o", "c.csv", "--quarantine", "q.csv", "--at-least", "note")
        assert done.returncode == 0, done.stderr
        lines = text.encode().splitlines(keepends=True)
        kept, gone = ((tmp_path / x).read_bytes().splitlines(keepends=True) for x in ("c.csv", "q.csv"))
        assert kept[:2] == gone[:2] == lines[:2]
        assert len(kept) + len(gone) - 4 == 400 and sorted(kept[2:] + gone[2:]) == sorted(lines[2:])
        done = bezoar("poison", name, "--attack", "flips", "--label", "label", "--rows", "9", "-o", "p.csv",
                      "--answer-key", "k.json")
        assert done.returncode == 0, done.stderr
        poisoned = (tmp_path / "p.csv").read_bytes().splitlines(keepends=True)
        rows = json.loads((tmp_path / "k.json").read_text())["rows"]
        assert [i - 2 for i in range(402) if poisoned[i] != lines[i]] == sorted(rows)


def graded(word, rows=600):
    draw = random.Random(4)
    lines = ["age,dose,grade"]
    for _ in range(rows):
        grade = draw.choice(["Mild", "Severe", word])
        age, dose = {"Mild": (30, 2), "Severe": (70, 9)}.get(grade, (50, 5))
        lines.append(f"{draw.gauss(age, 5):.0f},{draw.gauss(dose, 1):.1f},{grade}")
    return "\n".join(lines) + "\n"


def test_a_label_that_is_called_none(bezoar, tmp_path):
    (tmp_path / "t.csv").write_text(graded("None"))
    report = json.loads(bezoar("scan", "t.csv", "--label", "grade", "--format", "json").stdout)
    label = next(c for c in report["data"]["columns"] if c["name"] == "grade")
    assert label["distinct"] == 3 and label["missing"] == 0
    said = [f for f in report["findings"] if f["rule"] == "BZ-F016"]
    assert len(said) == 1 and said[0]["severity"] == "note" and "None" in json.dumps(said[0])
    done = bezoar("poison", "t.csv", "--attack", "flips", "--label", "grade", "--target", "None", "--rows", "5", "-o",
                  "p.csv", "--answer-key", "k.json")
    assert done.returncode == 0, done.stderr


def test_rows_without_a_label_are_counted(bezoar, tmp_path):
    (tmp_path / "t.csv").write_text(graded("?"))
    result = bezoar("scan", "t.csv", "--label", "grade", "--format", "json")
    report = json.loads(result.stdout)
    label = next(c for c in report["data"]["columns"] if c["name"] == "grade")
    assert label["distinct"] == 2 and label["missing"] > 100 and result.returncode == 0
    assert any(f"{label['missing']} rows have no label" in item["reason"] for item in report["not_checked"])
    assert not [f for f in report["findings"] if f["rule"] == "BZ-F016"]


@pytest.mark.parametrize("command", ["scan", "list"])
def test_unknown_kernels_are_a_usage_error(bezoar, table, command):
    args = ("scan", table, "--label", "label") if command == "scan" else ("list", "detectors")
    for value in ("sse9", "AVX2", "plain,avx2"):
        result = bezoar(*args, env={"BEZOAR_CPU": value})
        assert result.returncode == 2 and result.stdout == ""
        assert f'BEZOAR_CPU: "{value}" is none of: plain avx2 avx512' in result.stderr
    for value in ("plain", "avx2", "avx512", ""):
        assert bezoar(*args, env={"BEZOAR_CPU": value}).returncode == 0
    assert bezoar("help", "scan", env={"BEZOAR_CPU": ""}).returncode == 0
