"""NumPy files: arrays of objects are models, and what they would run is found; arrays of numbers stay data."""
import io
import json
import pickle
import struct
import zipfile

import pytest
from model_corpus import EVIL
from model_helper import ask, odd, unread

FAR = (1 << 64) - 1


def npy(descr, shape=(2,), data=b"", version=1, header=None, fortran=False):
    text = header if header is not None else f"{{'descr': {descr}, 'fortran_order': {fortran}, 'shape': {shape}, }}"
    size = "<H" if version == 1 else "<I"
    text = text.ljust(-(10 + len(text) + 1) % 64 + len(text)) + "\n"
    return b"\x93NUMPY" + bytes((version, 0)) + struct.pack(size, len(text)) + text.encode() + data


def npz(method=zipfile.ZIP_STORED, **arrays):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as z:
        for name, data in arrays.items():
            z.writestr(name + ".npy", data)
    return out.getvalue()


NUMBERS = struct.pack("<6f", *range(6))
PLAIN = npy("'<f4'", (2, 3), NUMBERS)
OBJECTS = {"1.npy": npy("'|O'", (1,), EVIL), "2.npy": npy("'O'", (1,), EVIL, 2), "3.npy": npy("'|O8'", (1,), EVIL, 3),
           "records.npy": npy("[('a', '<f4'), ('b', '|O')]", (1,), EVIL), "deep.npy": npy("[('a', [('b', '|O', (2,))])]", (1,), EVIL),
           "protocol 0.npy": npy("'|O'", (1,), b"cposix\nsystem\n(S'x'\ntR."),
           "twice.npy": npy("", header="{'descr': '<f4', 'descr': '|O', 'fortran_order': False, 'shape': (1,)}", data=EVIL),
           "second.npz": npz(a=PLAIN, b=npy("'|O'", (1,), EVIL)), "packed.npz": npz(zipfile.ZIP_DEFLATED, a=PLAIN, b=npy("'|O'", (1,), EVIL))}


@pytest.mark.parametrize("name", OBJECTS)
def test_objects_that_run_code(bezoar, tmp_path, name):
    (tmp_path / name).write_bytes(OBJECTS[name])
    result = bezoar("scan", name, "--format", "json")
    assert result.returncode == 1, result.stderr
    found = json.loads(result.stdout)["findings"]
    assert [f["rule"] for f in found if f["severity"] == "error"] == ["BZ-M001"]


def test_harmless_objects_pass(bezoar, tmp_path):
    (tmp_path / "o.npy").write_bytes(npy("'|O'", (2,), pickle.dumps([1, "x"])))
    (tmp_path / "o.npz").write_bytes(npz(a=PLAIN, b=npy("'|O'", (2,), pickle.dumps([1, "x"], 0))))
    for name in ("o.npy", "o.npz"):
        result = bezoar("scan", name, "--format", "json")
        assert result.returncode == 0 and not json.loads(result.stdout)["findings"], result.stdout


def test_numbers_stay_data(bezoar, tmp_path):
    rows = npy("'<f4'", (200, 3), struct.pack("<600f", *range(600)))
    (tmp_path / "n.npy").write_bytes(rows)
    (tmp_path / "n.npz").write_bytes(npz(a=rows))
    for name in ("n.npy", "n.npz"):
        assert json.loads(bezoar("scan", name, "--format", "json").stdout)["data"]["rows"] == 200


def test_numbers_as_tensors(tmp_path):
    files = {"a.npy": PLAIN, "two.npy": PLAIN + npy("'<i8'", (), struct.pack("<q", 7)), "z.npz": npz(w=PLAIN, b=npy("'|b1'", (2,), b"\0\1")),
             "fortran.npy": npy("'<f4'", (2, 3), NUMBERS, fortran=True), "big.npy": npy("'>f4'", (2, 3), NUMBERS),
             "text.npy": npy("'<U2'", (1,), bytes(8)), "complex.npy": npy("'<c16'", (1,), bytes(16)),
             "records.npy": npy("[('a', '<f4'), ('b', '<i2')]", (2,), bytes(12))}
    said = {}
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
        (said[name],) = ask(tmp_path / name)
        assert not unread(said[name]), name
    assert not any(odd(s) for n, s in said.items() if n not in ("complex.npy", "records.npy"))

    def first(name):
        return said[name]["tensors"][0]

    assert (first("a.npy")["name"], first("a.npy")["dtype"], first("a.npy")["shape"]) == ("", "F32", (2, 3))
    for name in ("a.npy", "two.npy", "z.npz"):
        assert files[name][first(name)["at"]:][:24] == NUMBERS and first(name)["bytes"] == 24
    second = said["two.npy"]["tensors"][1]
    assert (second["dtype"], second["shape"]) == ("I64", ()) and files["two.npy"][second["at"]:] == struct.pack("<q", 7)
    assert [(t["name"], t["dtype"]) for t in said["z.npz"]["tensors"]] == [("w", "F32"), ("b", "BOOL")]
    assert first("fortran.npy")["strided"] and first("big.npy")["at"] == FAR and first("big.npy")["dtype"] == "F32"
    assert first("text.npy")["at"] == FAR and first("complex.npy")["dtype"] == "<c16"


def test_what_is_broken_is_said(tmp_path):
    files = {"cut": PLAIN[:-3], "count": npy("'<f4'", (1 << 60, 1 << 60), NUMBERS), "long": npy("'<f4'", (1 << 60,), NUMBERS),
             "code": npy("", header="__import__('os').system('x')", data=NUMBERS), "version": npy("'<f4'", version=9),
             "header": PLAIN[:40], "objects": npy("'|O'", (1,), b"\0" * 40)}
    for name, data in files.items():
        (tmp_path / "a.npy").write_bytes(data)
        (said,) = ask(tmp_path / "a.npy")
        assert unread(said), name
        assert odd(said) == {"code": ["npy-header"], "cut": ["beyond"], "count": ["beyond"], "long": ["beyond"]}.get(name, []), name
    (tmp_path / "a.npy").write_bytes(PLAIN + b"more")
    assert odd(ask(tmp_path / "a.npy")[0]) == ["trailing"]


def test_arrays_of_the_library(tmp_path):
    np = pytest.importorskip("numpy")
    arrays = {k: np.arange(12).reshape(3, 4).astype(k) for k in ("f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "?")}
    np.savez(tmp_path / "a.npz", **arrays)
    np.save(tmp_path / "o.npy", np.array([{"a": 1}, [1, 2]], object))
    plain, objects = ask(tmp_path / "a.npz", tmp_path / "o.npy")
    data = (tmp_path / "a.npz").read_bytes()
    assert not odd(plain) and not unread(plain) and len(plain["tensors"]) == len(arrays)
    for t in plain["tensors"]:
        assert t["shape"] == (3, 4) and data[t["at"]:t["at"] + t["bytes"]] == arrays[t["name"]].tobytes()
    assert not odd(objects) and not unread(objects) and [p["kind"] for p in objects["parts"]] == ["npy", "pickle"]
