"""NumPy and JSON Lines files as NumPy and Python's json write them give the report of the same data in memory."""
import gzip
import json

import bezoar
import numpy as np
import pytest


def summary(data, **options):
    report = json.loads(bezoar.scan(data, **options).to_json(without_run=True))
    return [(c["name"], c["type"], c["distinct"], c["missing"]) for c in report["data"]["columns"]], report["data"]["rows"]


@pytest.fixture(scope="module")
def numbers():
    draw = np.random.default_rng(3)
    return np.round(draw.normal(size=(3000, 5)), 3)


@pytest.mark.parametrize("dtype", ["<f8", ">f8", "<f4", "<i4", "<i8", "<u2", "?"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_npy(numbers, tmp_path, dtype, order):
    array = np.asarray(numbers * 10, dtype=dtype, order=order)
    np.save(tmp_path / "x.npy", array)
    assert summary(tmp_path / "x.npy") == summary(array)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_npz(numbers, tmp_path, save):
    labels = np.where(numbers[:, 0] > 0, "yes", "no")
    save(tmp_path / "x.npz", x=numbers, y=labels)
    seen, rows = summary(tmp_path / "x.npz", label="y")
    assert rows == len(numbers)
    assert [name for name, *_ in seen] == ["x.0", "x.1", "x.2", "x.3", "x.4", "y"]
    in_memory, _ = summary(numbers)
    assert [s[1:] for s in seen[:5]] == [s[1:] for s in in_memory]


def test_object_arrays_are_examined_as_pickles(tmp_path):
    """They run what the pickle in them says; an array of numbers is data."""
    np.save(tmp_path / "x.npy", np.array([{}, []], dtype=object), allow_pickle=True)
    assert not [f for f in bezoar.scan(tmp_path / "x.npy").findings if f.severity in ("error", "warning")]
    whole = (tmp_path / "x.npy").read_bytes()
    (tmp_path / "bad.npy").write_bytes(whole[:whole.index(b"\x80\x03" if b"\x80\x03" in whole else b"\x80\x04")] + b"cos\nsystem\n(S'id'\ntR.")
    report = bezoar.scan(tmp_path / "bad.npy")
    assert [f.rule for f in report.findings if f.severity == "error"] == ["BZ-M001"]


def test_jsonl_like_the_file_it_came_from(message_file, tmp_path):
    lines = message_file.read_bytes().decode("utf-8").split("\n")
    head = lines[0].split("\t")
    rows = [dict(zip(head, line.split("\t"), strict=True)) for line in lines[1:] if line]
    for ascii_only in (True, False):
        path = tmp_path / f"{ascii_only}.jsonl"
        path.write_text("".join(json.dumps(row, ensure_ascii=ascii_only) + "\n" for row in rows), encoding="utf-8")
        memory = {name: [row[name] for row in rows] for name in head}
        assert summary(path, label="Label", text="SMS") == summary(memory, label="Label", text="SMS")
        packed = tmp_path / f"{ascii_only}.jsonl.gz"
        packed.write_bytes(gzip.compress(path.read_bytes()))
        assert summary(packed, label="Label", text="SMS") == summary(path, label="Label", text="SMS")


def test_jsonl_nested(tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_text('{"a": {"b": 1, "c": [1, 2]}, "d": null}\n{"a": {"b": 2}, "e": true}\n')
    seen, rows = summary(path)
    assert rows == 2
    assert [(name, missing) for name, _, _, missing in seen] == [("a.b", 0), ("a.c", 1), ("d", 2), ("e", 1)]


def test_a_folder_of_pictures(tmp_path):
    """The helper that decodes pictures is found beside the extension module."""
    draw = np.random.default_rng(4)
    for i in range(12):
        place = tmp_path / "set" / f"c{i % 2}"
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{i}.ppm").write_bytes(b"P6 8 8 255\n" + draw.integers(0, 256, 192, dtype=np.uint8).tobytes())
    data = json.loads(bezoar.scan(tmp_path / "set").to_json())["data"]
    assert data["rows"] == 12 and len(data["files"]) == 12
