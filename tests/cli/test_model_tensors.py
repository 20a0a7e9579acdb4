"""Tensors in model files as the sandboxed reader lists them: names, types, shapes, and the place where their numbers lie."""
import json
import struct

import pytest
from model_corpus import EVIL, zipped
from model_helper import about, ask, odd, unread

FAR = (1 << 64) - 1


def safetensors(header, data=b"", length=None):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def entry(dtype, shape, begin, end):
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


def test_safetensors_of_all_types(tmp_path):
    types = {"F64": 64, "F32": 32, "F16": 16, "BF16": 16, "F8_E4M3": 8, "F8_E5M2": 8, "F8_E8M0": 8, "F4": 4, "I64": 64, "I32": 32,
             "I16": 16, "I8": 8, "U8": 8, "U16": 16, "U32": 32, "U64": 64, "BOOL": 8, "C64": 64}
    header, at = {"__metadata__": {"format": "pt", "ss_network_dim": "8", "ss_network_alpha": "4.0"}}, 0
    for name, bits in types.items():
        header[name.lower()] = entry(name, [2, 3, 4], at, at + 3 * bits)
        at += 3 * bits
    path = tmp_path / "all.safetensors"
    path.write_bytes(safetensors(header, bytes(at)))
    (said,) = ask(path)
    assert not odd(said) and not unread(said)
    assert about(said) == {"format": "pt", "lora.r": "8", "lora.alpha": "4.0"}
    begin = path.stat().st_size - at
    for t in said["tensors"]:
        want = header[t["name"]]
        assert (t["dtype"], list(t["shape"])) == (want["dtype"], want["shape"])
        assert (t["at"] - begin, t["at"] - begin + t["bytes"]) == tuple(want["data_offsets"])
    assert len(said["tensors"]) == len(types)


BROKEN = {
    "overlap": safetensors({"a": entry("U8", [4], 0, 4), "b": entry("U8", [4], 2, 6)}, bytes(6)),
    "hole": safetensors({"a": entry("U8", [4], 0, 4), "b": entry("U8", [4], 5, 9)}, bytes(9)),
    "trailing": safetensors({"a": entry("U8", [4], 0, 4)}, bytes(9)),
    "twice": safetensors(b'{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}', b"x"),
    "shape": safetensors({"a": entry("F32", [4], 0, 4)}, bytes(4)),
    "beyond": safetensors({"a": entry("U8", [1 << 60], 0, 1 << 60)}, bytes(4)),
    "count": safetensors({"a": entry("F64", [1 << 31, 1 << 31, 1 << 31], 0, 4)}, bytes(4)),
    "length": safetensors({"a": entry("U8", [4], 0, 4)}, bytes(4), 1 << 60),
    "longer": safetensors({"a": entry("U8", [4], 0, 4)}, bytes(4), 5000),
    "metadata": safetensors({"__metadata__": {"a": 1}}),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_safetensors(bezoar, tmp_path, name):
    path = tmp_path / "m.safetensors"
    path.write_bytes(BROKEN[name])
    (said,) = ask(path)
    assert odd(said) == ["huge-header" if name == "length" else "safetensors"] and unread(said)
    result = bezoar("scan", path, "--format", "json")
    assert result.returncode == 3 and [f["rule"] for f in json.loads(result.stdout)["findings"]] == ["BZ-M003"]


def test_two_files_in_one(bezoar, tmp_path):
    """A safetensors file with an archive behind it is reported as both, and what the archive would run as well."""
    path = tmp_path / "m.safetensors"
    path.write_bytes(safetensors({"a": entry("U8", [4], 0, 4)}, bytes(4)) + zipped([("archive/data.pkl", EVIL)]))
    (said,) = ask(path)
    assert sorted(odd(said)) == ["polyglot", "prefix", "safetensors"]
    found = json.loads(bezoar("scan", path, "--format", "json").stdout)["findings"]
    assert {f["rule"] for f in found if f["severity"] == "error"} == {"BZ-M001"}


def test_safetensors_of_the_library(tmp_path):
    np = pytest.importorskip("numpy")
    library = pytest.importorskip("safetensors.numpy")
    draw = np.random.default_rng(3)
    want = {f"layer.{i}.weight": draw.integers(0, 100, (i + 1, 3)).astype(t)
            for i, t in enumerate(("f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "?"))}
    want["scalar"], want["nothing"] = np.array(2.5, "f4"), np.zeros((0, 4), "f4")
    path = tmp_path / "m.safetensors"
    library.save_file(want, path, {"format": "np"})
    compare(path, want)


def compare(path, want, names=None):
    """The numbers at the places that were told are the library's."""
    import numpy as np
    types = {"F16": "<f2", "F32": "<f4", "F64": "<f8", "I8": "i1", "I16": "<i2", "I32": "<i4", "I64": "<i8", "U8": "u1", "U16": "<u2",
             "U32": "<u4", "U64": "<u8", "BOOL": "?", "C64": "<c8", "C128": "<c16"}
    (said,) = ask(path)
    assert not odd(said) and not unread(said), (odd(said), unread(said))
    data = path.read_bytes()
    have = {t["name"]: t for t in said["tensors"]}
    assert len(have) == len(said["tensors"]) and set(have) == set(want)
    for name, array in want.items():
        t = have[name]
        assert t["shape"] == array.shape, name
        assert np.dtype(types[t["dtype"]]) == array.dtype, name
        if not t["strided"]:
            assert t["bytes"] == array.nbytes, name
            assert data[t["at"]:t["at"] + t["bytes"]] == np.ascontiguousarray(array).tobytes(), name
    return said
