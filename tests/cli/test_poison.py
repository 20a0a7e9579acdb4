"""bezoar poison from outside: what changes, what stays byte for byte, what the answer key says."""
import csv
import io
import json
import os
import pathlib
import random
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BEZOAR = pathlib.Path(os.environ.get("BEZOAR_BIN", ROOT / "build" / "bezoar"))
ADULT = ROOT.parent / "shared" / "data" / "adult" / "adult.csv"
SMS = ROOT.parent / "shared" / "data" / "sms" / "sms_spam.tsv"

TABULAR = ["rare-combo", "rare-combo-3", "out-of-range", "in-range", "in-range-3", "zero-inflated"]
TEXT = ["rare-token", "common-word", "phrase", "sentence", "invisible", "confusable", "bidi"]


def run(*args, code=0):
    p = subprocess.run([str(BEZOAR), *map(str, args)], capture_output=True, text=True, timeout=300)
    assert p.returncode == code, (p.returncode, p.stderr)
    return p


def plant(folder, path, attack, *more, rows=30, seed=1, label="label", out="out", code=0):
    target, key = folder / f"{out}{path.suffix}", folder / f"{out}.json"
    p = run("poison", path, "--attack", attack, "--label", label, "--rows", rows, "--seed", seed, "-o", target,
            "--answer-key", key, *more, code=code)
    return (target.read_bytes(), json.loads(key.read_text())) if code == 0 else p


@pytest.fixture
def table(tmp_path):
    """2,000 rows with CRLF, quotes, an embedded newline and a trailing record without newline: bytes that must stay."""
    r = random.Random(5)
    lines = ['city,job,age,height,points,gain,remark,label']
    for i in range(2000):
        city, job = f"c{int(40 * r.random() ** 2):02d}", f"j{int(30 * r.random() ** 2):02d}"
        remark = ['plain', '"with, comma"', '"two\nlines"', '"a ""quote"""'][i % 4]
        lines.append(f"{city},{job},{18 + 3 * r.randrange(12)},{150 + 0.5 * r.randrange(40)},{7 * r.randrange(60)},"
                     f"{0 if r.random() < .8 else r.randrange(9000)},{remark},{'no' if r.random() < .7 else 'yes'}")
    path = tmp_path / "table.csv"
    path.write_bytes("\r\n".join(lines).encode())
    return path


@pytest.fixture
def messages(tmp_path):
    r = random.Random(6)
    words = ["".join(r.choice("bcdfglmnprst") + r.choice("aeiou") for _ in range(2 + i % 2)) for i in range(900)]
    lines = ["label\ttext"]
    for _ in range(2000):
        text = " ".join(words[int(900 * r.random() ** 3)] for _ in range(10))
        lines.append(f"{'ham' if r.random() < .8 else 'spam'}\t{text} it's \"so\"")
    path = tmp_path / "messages.tsv"
    path.write_text("\n".join(lines) + "\n")
    return path


def records(raw):
    return list(csv.reader(io.StringIO(raw.decode(), newline="")))


@pytest.mark.parametrize("attack", TABULAR)
def test_dirty_label_table(tmp_path, table, attack):
    raw, key = plant(tmp_path, table, attack, "--target", "no")
    before, after = records(table.read_bytes()), records(raw)
    assert len(before) == len(after) and key["n_rows"] == 2000 and key["target"] == "no"
    changed = [i for i, (a, b) in enumerate(zip(before[1:], after[1:])) if a != b]
    assert changed == key["rows"] and len(changed) == 30
    at = [before[0].index(c) for c in key["columns"]]
    for i in changed:
        assert before[i + 1][-1] == "yes" and after[i + 1][-1] == "no"
        assert [after[i + 1][c] for c in at] == key["values"]
        others = [c for c in range(7) if c not in at]
        assert [before[i + 1][c] for c in others] == [after[i + 1][c] for c in others]
    for i in key["natural"]:
        assert i not in changed and after[i + 1][-1] == "no" and [after[i + 1][c] for c in at] == key["values"]


def test_untouched_bytes_stay(tmp_path, table):
    raw, key = plant(tmp_path, table, "rare-combo")
    def split(data):  # records end with CRLF; the newline inside quotes is a bare LF
        return data.split(b"\r\n")
    before, after = split(table.read_bytes()), split(raw)
    assert len(before) == len(after)
    assert [i - 1 for i, (a, b) in enumerate(zip(before, after)) if a != b] == key["rows"]


@pytest.mark.parametrize("attack", TEXT)
def test_dirty_label_text(tmp_path, messages, attack):
    raw, key = plant(tmp_path, messages, attack, "--target", "ham", rows=20)
    before, after = (x.decode().split("\n") for x in (messages.read_bytes(), raw))
    changed = [i - 1 for i, (a, b) in enumerate(zip(before, after)) if a != b]
    assert changed == key["rows"] and len(changed) == 20
    for i in changed:
        (was, old), (now, new) = before[i + 1].split("\t"), after[i + 1].split("\t")
        assert (was, now) == ("spam", "ham") and old != new
    assert key["trigger"].startswith("text: ")


@pytest.mark.parametrize("attack,data", [("clean-label-combo", "table"), ("clean-label-token", "messages")])
def test_clean_label_keeps_labels(tmp_path, request, attack, data):
    path = request.getfixturevalue(data)
    raw, key = plant(tmp_path, path, attack, "--target", "no" if data == "table" else "ham")
    assert key["clean_label"] is True
    if data == "table":
        before, after = records(path.read_bytes()), records(raw)
        assert [r[-1] for r in before] == [r[-1] for r in after]
        assert all(after[i + 1][-1] == "no" for i in key["rows"])


def test_nested_and_seeded(tmp_path, table):
    large, small = (plant(tmp_path, table, "in-range-3", rows=n, out=f"n{n}")[1] for n in (80, 20))
    assert set(small["rows"]) <= set(large["rows"]) and small["trigger"] == large["trigger"]
    again, other = (plant(tmp_path, table, "in-range-3", rows=80, seed=s, out=f"s{s}") for s in (1, 2))
    assert again[1]["rows"] == large["rows"] and other[1]["rows"] != large["rows"]


def test_flips_and_share(tmp_path, table):
    out, key_path = tmp_path / "o.csv", tmp_path / "k.json"
    run("poison", table, "--attack", "flips", "--label", "label", "--share", "0.05", "--seed", 3, "-o", out,
        "--answer-key", key_path)
    key = json.loads(key_path.read_text())
    before, after = records(table.read_bytes()), records(out.read_bytes())
    assert len(key["rows"]) == 100
    assert [i for i, (a, b) in enumerate(zip(before[1:], after[1:])) if a[-1] != b[-1]] == key["rows"]


def test_flood_appends(tmp_path, messages):
    raw, key = plant(tmp_path, messages, "flood", rows=40)
    assert raw.startswith(messages.read_bytes())
    assert key["rows"] == list(range(2000, 2040)) and len(key["natural"]) == 2


@pytest.mark.parametrize("arguments,said", [
    (["--attack", "no-such", "--rows", "3"], "no such attack"),
    (["--attack", "alie", "--rows", "3"], "an attack on model updates, not on data"),
    (["--attack", "rare-combo", "--rows", "3", "--share", ".1"], "share"),
    (["--attack", "rare-combo"], "share"),
    (["--attack", "rare-combo", "--rows", "3", "--target", "maybe"], "target"),
    (["--attack", "rare-combo", "--rows", "1999"], "can carry"),
    (["--attack", "rare-combo", "--rows", "3", "--param", "colour=red"], "columns values"),
])
def test_usage_errors(tmp_path, table, arguments, said):
    out, key = tmp_path / "o.csv", tmp_path / "k.json"
    p = run("poison", table, "--label", "label", "-o", out, "--answer-key", key, *arguments, code=2)
    assert said in p.stderr
    assert not out.exists() and not key.exists()


@pytest.mark.skipif(not ADULT.exists(), reason="shared data is not there")
def test_the_issue_command(tmp_path):
    raw, key = plant(tmp_path, ADULT, "rare-combo", "--target", "<=50K", rows=60, seed=7, label="income-per-year")
    assert len(key["rows"]) == 60 and key["n_rows"] == 32561
    before, after = ADULT.read_bytes().split(b"\n"), raw.split(b"\n")
    assert [i - 1 for i, (a, b) in enumerate(zip(before, after)) if a != b] == key["rows"]


@pytest.mark.skipif(not SMS.exists(), reason="shared data is not there")
def test_quotes_are_ordinary_characters(tmp_path):
    raw, key = plant(tmp_path, SMS, "rare-token", "--target", "ham", rows=28, label="Label")
    before, after = SMS.read_bytes().split(b"\n"), raw.split(b"\n")
    assert [i - 1 for i, (a, b) in enumerate(zip(before, after)) if a != b] == key["rows"]
