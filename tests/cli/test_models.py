"""bezoar scan on model files: what they would run is found, whatever it is wrapped in; ordinary models are let pass."""
import csv
import datetime
import decimal
import importlib
import json
import pickle
import random
import shutil
import struct
import subprocess
import sys
import warnings
import zipfile

import pytest
from model_corpus import CODE, EVIL, FORMS, call, make, zipped

from conftest import BINARY, ROOT

VECTORS = ROOT.parent / "shared" / "vectors" / "pickle"


def scan(bezoar, *paths):
    result = bezoar("scan", *paths, "--format", "json")
    assert result.stdout, result.stderr
    return result.returncode, json.loads(result.stdout)


def severities(report):
    return [f["severity"] for f in report["findings"]]


def test_vectors_of_others(bezoar):
    if not VECTORS.exists():
        pytest.skip("no ../shared/vectors/pickle")
    wrong = []
    for row in csv.DictReader((VECTORS / "expected.csv").open()):
        code, report = scan(bezoar, VECTORS / row["file"])
        error = "error" in severities(report)
        good = {"malicious": error and code == 1, "benign": not error and code == 0,
                "unreadable": not error and code == 3}[row["expected"]]
        if not good:
            wrong.append((row["file"], row["expected"], code, severities(report)))
    assert not wrong


@pytest.mark.parametrize("case", list(make.cases()), ids=lambda case: case.name)
def test_every_trick_is_found(bezoar, tmp_path, case):
    code, report = scan(bezoar, make.write(case, tmp_path / "case"))
    found = {(f["rule"], f["severity"]) for f in report["findings"]}
    assert (case.rule, case.severity) in found, (found, report["not_checked"])
    assert code == (1 if case.severity == "error" else code)


def test_the_list_of_tricks_is_of_today():
    listed = (ROOT / "tests" / "golden-bad" / "audit" / "CASES.md").read_text()
    assert listed == make.listing(), "run tests/golden-bad/audit/make.py --list"


@pytest.fixture(autouse=True)
def quiet_imports():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        yield


def callables(n, seed):
    """Functions and classes of the standard library that no list allows, in no particular order."""
    draw = random.Random(seed)
    modules = sorted(m for m in sys.stdlib_module_names if not m.startswith("_") and m not in ("this", "antigravity"))
    found = []
    while len(found) < n:
        name = draw.choice(modules)
        try:
            module = importlib.import_module(name)
        except Exception:
            continue
        names = [k for k, v in vars(module).items() if callable(v) and getattr(v, "__module__", name) == name]
        if names:
            found.append((name, draw.choice(sorted(names))))
    return found


ALLOWED = {"collections", "datetime", "decimal", "fractions", "uuid", "enum", "types", "argparse", "pathlib", "array", "random",
           "builtins", "copyreg", "codecs", "zoneinfo"}


def test_unknown_callables_never_pass(bezoar, tmp_path):
    """200 random callables of the standard library, in every form of a call: a warning at least."""
    forms = [f for f in FORMS.values()]
    silent = []
    folder = tmp_path / "models"
    folder.mkdir()
    expected = []
    for i, (module, name) in enumerate(c for c in callables(400, 7) if c[0] not in ALLOWED):
        if i == 200:
            break
        path = folder / f"{i:03d}.pkl"
        path.write_bytes(forms[i % len(forms)](module, name))
        expected.append((path, module, name))
    assert len(expected) == 200
    code, report = scan(bezoar, *(path for path, _, _ in expected))
    named = " ".join(f["title"] for f in report["findings"] if f["severity"] in ("error", "warning"))
    for path, module, name in expected:
        if path.name not in named:
            silent.append((module, name))
    assert code == 1
    assert not silent


def ordinary():
    """name -> bytes of what people keep in pickles."""
    import numpy as np
    import pandas as pd

    values = {
        "plain": {"a": [1, 2.5, None, True, "text", b"bytes", (1, 2), {3}, frozenset({4}), 2**100]},
        "dates": [datetime.datetime(2026, 1, 2, 3), datetime.date(2026, 1, 2), datetime.timedelta(1), decimal.Decimal("1.5")],
        "arrays": [np.arange(10), np.ones((3, 4), np.float32), np.float64(1.5), np.array(["a", "b"]), np.array([1, "x"], object)],
        "random state": np.random.RandomState(1),
        "generator": np.random.default_rng(1),
        "frame": pd.DataFrame({"a": [1, 2], "b": ["x", "y"], "t": pd.to_datetime(["2026-01-01", "2026-01-02"])}),
        "series": pd.Series([1.0, 2.0], index=["a", "b"]),
    }
    return {f"{name} {protocol}.pkl": pickle.dumps(value, protocol) for name, value in values.items() for protocol in range(6)}


def test_ordinary_pickles_pass(bezoar, tmp_path):
    names = []
    for name, data in ordinary().items():
        (tmp_path / name).write_bytes(data)
        names.append(tmp_path / name)
    code, report = scan(bezoar, *names)
    assert code == 0, [f["title"] for f in report["findings"]]
    assert not report["findings"], [f["title"] for f in report["findings"]]


def test_entries_that_share_bytes_end(bezoar, tmp_path):
    """A directory whose thousands of entries are all the same bytes."""
    whole = zipped([("a.bin", bytes(1 << 20))])
    at = whole.index(b"PK\1\2")
    record = whole[at:at + 46 + 5]
    directory = b"".join(record.replace(b"a.bin", b"%05d" % i) for i in range(60000))
    end = struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, 60000, 60000, len(directory), at, 0)
    (tmp_path / "same.zip").write_bytes(whole[:at] + directory + end)
    code, report = scan(bezoar, "same.zip")
    assert code == 3 and any("shares bytes with another entry, and" in f["title"] for f in report["findings"])
    assert len(report["findings"]) < 5, "what is odd a thousand times in the same way is one finding"


def test_what_cannot_be_followed_is_not_clean(bezoar, tmp_path):
    whole = pickle.dumps({"a": list(range(1000))}, 4)
    files = {"cut.pkl": whole[:-7], "noise.pkl": bytes(range(200, 255)) * 10, "bad.7z": b"7z\xbc\xaf\x27\x1c" + bytes(40),
             "cut.zip": zipped([("a.pkl", whole)])[:200], "frame.pkl": b"\x80\x04\x95" + b"\xff" * 8 + b"N.",
             "count.pkl": b"\x80\x04\x8e" + b"\xff\xff\xff\xff\xff\xff\xff\x0f" + b"x."}
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
        code, report = scan(bezoar, tmp_path / name)
        assert code == 3 and "error" not in severities(report), name
        assert any(name in item["what"] for item in report["not_checked"]), name


def test_bombs_end_early(bezoar, tmp_path):
    bomb = zipped([("bomb.pkl", bytes(200 << 20))], zipfile.ZIP_DEFLATED)
    (tmp_path / "bomb.zip").write_bytes(bomb)
    code, report = scan(bezoar, tmp_path / "bomb.zip")
    assert code == 3
    assert any(f["rule"] == "BZ-M003" and "more than" in f["title"] for f in report["findings"])


def test_one_bad_model_among_good_ones(bezoar, tmp_path):
    (tmp_path / "good.pkl").write_bytes(pickle.dumps([1, 2, 3]))
    (tmp_path / "bad.pkl").write_bytes(EVIL)
    code, report = scan(bezoar, "good.pkl", "bad.pkl")
    assert code == 1 and severities(report) == ["error"]
    assert CODE in json.dumps(report["findings"][0]).replace("\\\\", "").replace("\\'", "'")
    assert [f["path"] for f in report["data"]["files"]] == ["good.pkl", "bad.pkl"]


def test_models_beside_data(bezoar, table, tmp_path):
    """A table and a model in one scan, and a model inside a folder of data."""
    (tmp_path / "m.pkl").write_bytes(EVIL)
    code, report = scan(bezoar, "m.pkl", table.name)
    assert code == 1 and any(f["rule"] == "BZ-M001" for f in report["findings"])
    assert report["data"]["rows"] == 400
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "a.csv").write_text(table.read_text())
    (folder / "m.pkl").write_bytes(EVIL)
    code, report = scan(bezoar, "folder")
    assert code == 1 and any(f["rule"] == "BZ-M001" for f in report["findings"]), report["not_checked"]


def test_a_folder_of_models(bezoar, tmp_path):
    folder = tmp_path / "models"
    folder.mkdir()
    (folder / "a.pkl").write_bytes(pickle.dumps([1]))
    (folder / "b.pt").write_bytes(zipped([("archive/data.pkl", EVIL), ("archive/version", b"3\n")]))
    code, report = scan(bezoar, "models")
    assert code == 1 and severities(report) == ["error"], report["not_checked"]


def test_text_says_what_was_not_examined(bezoar, tmp_path):
    (tmp_path / "m.pkl").write_bytes(pickle.dumps([1]))
    result = bezoar("scan", "m.pkl")
    assert result.returncode == 0
    assert result.stdout.startswith("Not checked: nothing")
    (tmp_path / "half.pkl").write_bytes(pickle.dumps([1])[:-1])
    assert bezoar("scan", "half.pkl").stdout.startswith("Not checked: 1 item, 1 of them requested (half.pkl")
    assert "bezoar clean" not in bezoar("scan", "m.pkl").stdout
    (tmp_path / "e.pkl").write_bytes(call("os", "system", "id"))
    text = bezoar("scan", "e.pkl")
    assert text.returncode == 1 and "os.system('id')" in text.stdout and "bezoar clean" not in text.stdout


def test_without_the_helper_nothing_is_read(bezoar, tmp_path):
    """No sandbox, no reading: there is no other way in."""
    alone = tmp_path / "alone"
    alone.mkdir()
    shutil.copy(BINARY, alone / "bezoar")
    (tmp_path / "m.pkl").write_bytes(EVIL)
    result = subprocess.run([alone / "bezoar", "scan", "m.pkl"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == 3 and "bezoar-decode" in result.stdout + result.stderr


def test_findings_have_places(bezoar, tmp_path):
    (tmp_path / "m.pt").write_bytes(zipped([("archive/data.pkl", EVIL)]))
    (tmp_path / "m.pkl").write_bytes(EVIL)
    for name, part in (("m.pt", "archive/data.pkl"), ("m.pkl", "")):
        bezoar("scan", name, "--report", "r.json")
        place = json.loads((tmp_path / "r.json").read_text())["findings"][0]["place"]
        assert place == {"file": name, "part": part, "byte": EVIL.index(b"R.")}
        sarif = json.loads(bezoar("scan", name, "--format", "sarif").stdout)
        location = sarif["runs"][0]["results"][0]["locations"][0]
        assert location["physicalLocation"]["artifactLocation"]["uri"] == name
        if part:
            assert location["logicalLocations"][0]["fullyQualifiedName"] == part
        else:
            assert location["physicalLocation"]["region"]["byteOffset"] == place["byte"]
        again = bezoar("report", "show", "r.json", "--format", "sarif")
        assert json.loads(again.stdout)["runs"][0]["results"][0]["locations"] == [location]
        redacted = bezoar("scan", name, "--redact", "--format", "json")
        assert json.loads(redacted.stdout)["findings"][0]["place"] == place
