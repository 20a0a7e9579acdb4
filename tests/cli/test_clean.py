"""bezoar clean, and the whole way from planting to cleaning."""
import csv
import gzip
import json

import pytest


def test_every_kept_byte_stays(bezoar, messages, tmp_path):
    original = messages.read_bytes().splitlines(keepends=True)
    assert bezoar("scan", messages, "--label", "label", "--report", "r.json").returncode == 1
    result = bezoar("clean", messages, "--from", "r.json", "-o", "c.tsv", "--quarantine", "q.tsv")
    assert result.returncode == 0
    assert "288 of 300 rows kept" in result.stdout and "12 rows quarantined" in result.stdout
    bad = {1 + i for i in range(0, 36, 3)}
    assert (tmp_path / "c.tsv").read_bytes() == b"".join(x for i, x in enumerate(original) if i not in bad)
    assert (tmp_path / "q.tsv").read_bytes() == original[0] + b"".join(original[i] for i in sorted(bad))
    assert messages.read_bytes() == b"".join(original)
    assert bezoar("scan", "c.tsv", "--label", "label").returncode == 0
    without = bezoar("clean", messages, "--from", "r.json", "-o", "d.tsv")
    assert without.returncode == 0 and "dropped" in without.stdout
    assert (tmp_path / "d.tsv").read_bytes() == (tmp_path / "c.tsv").read_bytes()


def test_what_a_baseline_knew_leaves_too(bezoar, messages, tmp_path):
    """--new-only is about the exit code: poison that is old is poison."""
    assert bezoar("scan", messages, "--label", "label", "--report", "old.json").returncode == 1
    result = bezoar("scan", messages, "--label", "label", "--baseline", "old.json", "--new-only", "--report", "r.json",
                    "--rows", "rows.csv")
    assert result.returncode == 0
    assert len((tmp_path / "rows.csv").read_text().splitlines()) == 1, "--rows lists what is new"
    result = bezoar("clean", messages, "--from", "r.json", "-o", "c.tsv", "--quarantine", "q.tsv")
    assert result.returncode == 0 and "288 of 300 rows kept" in result.stdout
    for command in ("clean", "scan"):
        assert "--new-only" in bezoar("help", command).stdout
    assert "their rows leave, too" in " ".join(bezoar("help", "clean").stdout.split())


def test_to_standard_output(bezoar, messages):
    bezoar("scan", messages, "--label", "label", "--report", "r.json")
    result = bezoar("clean", messages, "--from", "r.json", "-o", "-")
    assert result.returncode == 0
    assert len(result.stdout.splitlines()) == 289 and result.stdout.startswith("label\ttext\n")


def test_packed_files(bezoar, messages, tmp_path):
    packed = tmp_path / "m.tsv.gz"
    packed.write_bytes(gzip.compress(messages.read_bytes()))
    assert bezoar("scan", packed, "--label", "label", "--report", "r.json").returncode == 1
    result = bezoar("clean", packed, "--from", "r.json", "-o", "c.tsv.gz")
    assert result.returncode == 0, result.stderr
    content = (tmp_path / "c.tsv.gz").read_bytes()
    text = gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
    assert len(text.splitlines()) == 289


def test_usage(bezoar, messages, table):
    bezoar("scan", messages, "--label", "label", "--report", "r.json")
    original = messages.read_bytes()
    for args in [(), ("--from", "r.json"), ("-o", "c.tsv"), ("--from", "r.json", "-o", messages),
                 ("--from", "r.json", "-o", "c.tsv", "--quarantine", "c.tsv"),
                 ("--from", "r.json", "-o", "c.tsv", "--quarantine", messages),
                 ("--from", "r.json", "-o", "r.json"), ("--from", "r.json", "-o", "nowhere/c.tsv"),
                 ("--from", "r.json", "-o", "c.tsv", "--at-least", "never")]:
        result = bezoar("clean", messages, *args)
        assert result.returncode == 2, (args, result.stderr)
    assert bezoar("clean", table, "--from", "r.json", "-o", "c.tsv").returncode == 2, "another file than was scanned"
    assert messages.read_bytes() == original
    assert bezoar("clean", "missing.tsv", "--from", "r.json", "-o", "c.tsv").returncode == 3


def test_file_that_changed_since_the_scan(bezoar, messages):
    bezoar("scan", messages, "--label", "label", "--report", "r.json")
    messages.write_text(messages.read_text() + "ham\tone more\n")
    result = bezoar("clean", messages, "--from", "r.json", "-o", "c.tsv")
    assert result.returncode == 2 and "not the file that was scanned" in result.stderr


def test_same_size_and_rows_but_other_content(bezoar, messages, tmp_path):
    """Row numbers of one file mean nothing in another, even where size and number of rows agree."""
    bezoar("scan", messages, "--label", "label", "--report", "r.json")
    lines = messages.read_bytes().splitlines(keepends=True)
    (tmp_path / "same.tsv").write_bytes(b"".join(lines))
    assert bezoar("clean", "same.tsv", "--from", "r.json", "-o", "c.tsv").returncode == 0, "a copy is the same file"
    messages.write_bytes(b"".join(lines[:1] + lines[:0:-1]))
    result = bezoar("clean", messages, "--from", "r.json", "-o", "d.tsv", "--quarantine", "q.tsv")
    assert result.returncode == 2 and "content has changed" in result.stderr
    assert not (tmp_path / "d.tsv").exists() and not (tmp_path / "q.tsv").exists()


def test_a_refused_clean_leaves_older_outputs_alone(bezoar, messages, tmp_path):
    packed = tmp_path / "m.tsv.gz"
    packed.write_bytes(gzip.compress(messages.read_bytes()))
    bezoar("scan", packed, "--label", "label", "--report", "r.json")
    report = json.loads((tmp_path / "r.json").read_text())
    for file in report["data"]["files"]:
        del file["digest"]  # a report of another program: the rows alone tell
    (tmp_path / "old.json").write_text(json.dumps(report))
    packed.write_bytes(gzip.compress(messages.read_bytes() + b"ham\tone more\n"))
    (tmp_path / "c.tsv").write_text("precious")
    for name in ("r.json", "old.json"):
        result = bezoar("clean", packed, "--from", name, "-o", "c.tsv", "--quarantine", "q.tsv")
        assert result.returncode == 2 and "not the file that was scanned" in result.stderr
        assert (tmp_path / "c.tsv").read_text() == "precious" and not (tmp_path / "q.tsv").exists()


def test_one_file_of_a_folder(bezoar, messages, tmp_path):
    lines = messages.read_text().splitlines(keepends=True)
    parts = tmp_path / "parts"
    parts.mkdir()
    (parts / "a.tsv").write_text("".join(lines[:21]))
    (parts / "b.tsv").write_text(lines[0] + "".join(lines[21:]))
    assert bezoar("scan", parts, "--label", "label", "--report", "r.json", "--rows", "rows.csv").returncode == 1
    rows = [r for r in csv.DictReader((tmp_path / "rows.csv").open()) if r["rule"] == "BZ-D005"]
    assert {r["file"] for r in rows} == {str(parts / "a.tsv"), str(parts / "b.tsv")}
    assert bezoar("clean", parts / "a.tsv", "--from", "r.json", "-o", "a", "--quarantine", "qa").returncode == 0
    assert bezoar("clean", parts / "b.tsv", "--from", "r.json", "-o", "b", "--quarantine", "qb").returncode == 0
    assert len((tmp_path / "qa").read_text().splitlines()) == 1 + 7
    assert len((tmp_path / "qb").read_text().splitlines()) == 1 + 5


def test_plant_scan_clean_on_real_data(bezoar, adult, tmp_path):
    planted = bezoar("poison", adult, "--attack", "rare-combo", "--label", "income-per-year", "--rows", "60", "--seed",
                     "7", "--target", "<=50K", "-o", "p.csv", "--answer-key", "k.json")
    assert planted.returncode == 0, planted.stderr
    key = json.loads((tmp_path / "k.json").read_text())
    result = bezoar("scan", "p.csv", "--label", "income-per-year", "--report", "r.html", "--report", "r.json", "--rows",
                    "r.csv")
    assert result.returncode == 1, result.stdout
    flagged = {int(r["row"]) for r in csv.DictReader((tmp_path / "r.csv").open())
               if r["severity"] in ("error", "warning")}
    hit = flagged & set(key["rows"])
    assert len(hit) >= 0.95 * len(key["rows"])
    cleaned = bezoar("clean", "p.csv", "--from", "r.json", "-o", "c.csv", "--quarantine", "q.csv")
    assert cleaned.returncode == 0
    kept = len((tmp_path / "c.csv").read_text().splitlines())
    taken = len((tmp_path / "q.csv").read_text().splitlines())
    assert kept + taken == 32561 + 2


def test_clean_real_data_is_clean(bezoar, sms, adult):
    for path, label in [(sms, "Label"), (adult, "income-per-year")]:
        result = bezoar("scan", path, "--label", label)
        assert result.returncode == 0, result.stdout
        assert "No sign of poison" in result.stdout


@pytest.mark.parametrize("missing", ["--attack", "-o", "--answer-key", "--rows"])
def test_poison_needs_its_arguments(bezoar, table, missing):
    args = {"--attack": "flips", "-o": "p.csv", "--answer-key": "k.json", "--rows": "5"}
    del args[missing]
    result = bezoar("poison", table, "--label", "label", *[x for pair in args.items() for x in pair])
    assert result.returncode == 2
    assert bezoar("poison", table, "--attack", "flips", "--rows", "5", "--share", "0.1", "-o", "p.csv", "--answer-key",
                  "k.json").returncode == 2
