"""Tensors in files of torch.save: names, types, shapes and places are what torch itself loads."""
import base64
import json
import pickle
import struct
import subprocess
import zipfile

import pytest
from model_corpus import EVIL
from model_helper import ask, odd, unread

FAR = (1 << 64) - 1

WRITE = """
import base64, collections, json, sys, torch, torch.nn as nn
torch.manual_seed(1)
m = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.LSTM(8, 8), nn.Linear(8, 2))
optimizer = torch.optim.Adam(m.parameters())
sum(p.sum() for p in m.parameters()).backward()
optimizer.step()
kinds = [torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8,
         torch.bool, torch.complex64, torch.complex128]
base = torch.arange(40, dtype=torch.float32)
shared = {"a": base[4:10], "b": base.view(5, 8)[1:3], "turned": base.view(5, 8).t(), "spread": base[:5].view(5, 1).expand(5, 4),
          "scalar": torch.tensor(2.5), "nothing": torch.zeros(0, 3), "parameter": nn.Parameter(torch.ones(2, 2)), "one": base[3:4].view(1, 1)}
files = {"state.pt": m.state_dict(), "run.ckpt": {"state_dict": m.state_dict(), "optimizer": optimizer.state_dict(), "epoch": 3,
         "rng": torch.get_rng_state(), "history": [0.1] * 100}, "types.pt": [torch.arange(6).reshape(2, 3).to(k) for k in kinds],
         "shared.pt": shared, "tensor.pt": torch.ones(3), "tuple.pt": (torch.ones(2), {"x": [torch.zeros(1)]}),
         "many.pt": collections.OrderedDict((f"layer.{i}.weight", torch.full((2,), float(i))) for i in range(300))}
TYPES = {torch.float64: "F64", torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16", torch.int64: "I64", torch.int32: "I32",
         torch.int16: "I16", torch.int8: "I8", torch.uint8: "U8", torch.bool: "BOOL", torch.complex64: "C64", torch.complex128: "C128"}
def walk(value, name):
    if torch.is_tensor(value):
        raw = bytes(value.detach().contiguous().clone().storage().untyped()) if value.numel() else b""
        yield name, [TYPES[value.dtype], list(value.shape), base64.b64encode(raw).decode(), not value.is_contiguous()]
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, (list, tuple)) else ()
    for key, item in items:
        yield from walk(item, f"{name}.{key}" if name else str(key))
expected = {}
for name, value in files.items():
    for file, new in ((name, True), ("old-" + name, False)):
        torch.save(value, file, _use_new_zipfile_serialization=new)
        expected[file] = dict(walk(value, ""))
for file, new in (("whole.pt", True), ("old-whole.pt", False)):
    torch.save(m, file, _use_new_zipfile_serialization=new)
    expected[file] = dict(walk(m.state_dict(), ""))
json.dump(expected, open("expected.json", "w"))
torch.save({"w": torch.sparse_coo_tensor([[0, 1], [1, 0]], [1., 2.], (2, 2)), "q": torch.quantize_per_tensor(torch.ones(3), .1, 0, torch.qint8)},
           "strange.pt")
torch.jit.script(nn.Linear(2, 2)).save("script.pt")
"""


def have_torch():
    return subprocess.run(["/usr/bin/python3", "-c", "import torch"], capture_output=True, check=False).returncode == 0


@pytest.fixture(scope="module")
def torch_files(tmp_path_factory):
    if not have_torch():
        pytest.skip("no python3-torch")
    folder = tmp_path_factory.mktemp("torch")
    done = subprocess.run(["/usr/bin/python3", "-W", "ignore", "-c", WRITE], cwd=folder, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder


def same(path, said, want):
    assert not odd(said) and not unread(said), (path.name, odd(said), unread(said))
    have = {t["name"]: t for t in said["tensors"]}
    assert set(have) == set(want) and len(have) == len(said["tensors"]), path.name
    data = path.read_bytes()
    for name, (dtype, shape, raw, strided) in want.items():
        t, raw = have[name], base64.b64decode(raw)
        assert (t["dtype"], list(t["shape"]), t["strided"]) == (dtype, shape, strided), (path.name, name)
        if not strided:
            assert t["bytes"] == len(raw) and data[t["at"]:t["at"] + len(raw)] == raw, (path.name, name)


def test_files_of_torch(torch_files):
    expected = json.loads((torch_files / "expected.json").read_text())
    assert len(expected) == 16
    for name, said in zip(expected, ask(*(torch_files / n for n in expected)), strict=True):
        same(torch_files / name, said, expected[name])


def test_what_has_no_plain_numbers(torch_files):
    strange, script = ask(torch_files / "strange.pt", torch_files / "script.pt")
    assert {t["name"]: (t["dtype"], t["at"]) for t in strange["tensors"]} == {"w": ("sparse", FAR), "q": ("quantized", FAR)}
    assert {t["name"]: t["shape"] for t in script["tensors"]} == {"weight": (2, 2), "bias": (2,)}
    assert not unread(strange) and not unread(script)


# ---- without torch: the same, written by hand ----------------------------------------------------------------------

class Global:
    """Pickled as the name of something that is not there."""

    def __init__(self, module, name):
        self.module, self.name = module, name


class Storage:
    def __init__(self, key, items, kind="FloatStorage"):
        self.id = ("storage", Global("torch", kind), key, "cpu", items)


class Call:
    """Pickled as a call of module.name."""

    def __init__(self, module, name, *arguments):
        self.module, self.name, self.arguments = module, name, arguments


class Tensor(Call):
    def __init__(self, storage, offset, shape, stride):
        super().__init__("torch._utils", "_rebuild_tensor_v2", storage, offset, shape, stride, False, None)


def dumps(value, protocol=2, old=False):
    """As torch.save would, for the classes above."""
    import io

    class Pickler(pickle._Pickler):
        def persistent_id(self, value):
            if isinstance(value, Storage):
                return (*value.id, None) if old else value.id
            return None

        def save_global_name(self, value):
            self.write(b"c" + value.module.encode() + b"\n" + value.name.encode() + b"\n")

        def save_call(self, value):
            self.save_global_name(value)
            self.save(value.arguments)
            self.write(b"R")

        dispatch = dict(pickle._Pickler.dispatch)
        dispatch[Global], dispatch[Tensor], dispatch[Call] = save_global_name, save_call, save_call

    out = io.BytesIO()
    Pickler(out, protocol).dump(value)
    return out.getvalue()


def archive(path, value, storages, byteorder=b"little", method=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", method) as z:
        z.writestr("m/data.pkl", dumps(value))
        z.writestr("m/byteorder", byteorder)
        for key, data in storages.items():
            z.writestr(f"m/data/{key}", data)
        z.writestr("m/version", b"3\n")


NUMBERS = struct.pack("<12f", *range(12))
VALUE = {"model": {"w": Tensor(Storage("0", 12), 2, (2, 3), (3, 1)), "t": Tensor(Storage("0", 12), 0, (2, 3), (1, 2)),
                   "b": Tensor(Storage("1", 12), 0, (3, 4), (4, 1))}, "step": 7}


def check_numbers(path, said):
    have = {t["name"]: t for t in said["tensors"]}
    assert set(have) == {"model.w", "model.t", "model.b"} and have["model.t"]["strided"]
    data = path.read_bytes()
    assert data[have["model.w"]["at"]:][:24] == NUMBERS[8:32] and data[have["model.b"]["at"]:][:48] == NUMBERS


def test_an_archive(tmp_path):
    path = tmp_path / "m.pt"
    archive(path, VALUE, {"0": NUMBERS, "1": NUMBERS})
    (said,) = ask(path)
    assert not odd(said) and not unread(said)
    check_numbers(path, said)


def test_the_older_format(tmp_path):
    path = tmp_path / "m.pt"
    system = {"protocol_version": 1001, "little_endian": True, "type_sizes": {"short": 2}}
    head = [pickle.dumps(0x1950A86A20F9469CFC6C, 2), pickle.dumps(1001, 2), pickle.dumps(system, 2), dumps(VALUE, old=True),
            pickle.dumps(["1", "0"], 2)]
    block = struct.pack("<Q", 12) + NUMBERS
    path.write_bytes(b"".join(head) + block * 2)
    (said,) = ask(path)
    assert not odd(said) and not unread(said)
    check_numbers(path, said)
    path.write_bytes(b"".join(head) + block + block[:30])
    (said,) = ask(path)
    assert unread(said)
    path.write_bytes(b"".join(head) + struct.pack("<Q", 1 << 60) + NUMBERS)
    (said,) = ask(path)
    assert unread(said) and odd(said) == ["beyond"] and all(t["at"] == FAR for t in said["tensors"])
    system["little_endian"] = False
    head[2] = pickle.dumps(system, 2)
    path.write_bytes(b"".join(head) + block * 2)
    assert all(t["at"] == FAR for t in ask(path)[0]["tensors"])


def test_other_ways_to_a_tensor(tmp_path):
    """What later versions write, and what Python 2 wrote."""
    path, utils = tmp_path / "m.pt", "torch._utils"
    raw = Storage("0", 48, "UntypedStorage")
    plain = Tensor(Storage("1", 12), 0, (12,), (1,))
    value = {"u16": Call(utils, "_rebuild_tensor_v3", raw, 3, (2, 2), (2, 1), False, None, Global("torch", "uint16")),
             "f8": Call(utils, "_rebuild_tensor_v3", raw, 8, (40,), (1,), False, None, Global("torch", "float8_e4m3fn")),
             "new": Call(utils, "_rebuild_tensor_v3", raw, 0, (4,), (1,), False, None, Global("torch", "int1")),
             "parameter": Call(utils, "_rebuild_parameter", plain, True, None),
             "typed": Call("torch._tensor", "_rebuild_from_type_v2", Global(utils, "_rebuild_tensor_v2"), Global("torch", "Own"), plain.arguments, {}),
             "size": Tensor(Storage("1", 12), 0, Call("torch", "Size", (3, 4)), (4, 1)),
             "pairs": Call("collections", "OrderedDict", [["a", plain], ["b", plain]]),
             "meta": Call(utils, "_rebuild_meta_tensor_no_storage", Global("torch", "float32"), (2,), (1,), False)}
    archive(path, value, {"0": NUMBERS, "1": NUMBERS})
    (said,) = ask(path)
    assert not odd(said) and not unread(said)
    have = {t["name"]: t for t in said["tensors"]}
    assert set(have) == {"u16", "f8", "new", "parameter", "typed", "size", "pairs.a", "pairs.b", "meta"}
    data = path.read_bytes()
    at, start = data.index(NUMBERS), have["typed"]["at"]
    assert (have["u16"]["dtype"], have["u16"]["at"], have["u16"]["bytes"]) == ("U16", at + 6, 8)
    assert (have["f8"]["dtype"], have["f8"]["at"], have["f8"]["bytes"]) == ("F8_E4M3", at + 8, 40)
    assert have["new"]["dtype"] == "unknown" and have["meta"]["at"] == FAR and have["size"]["shape"] == (3, 4)
    assert all(have[n]["at"] == start and data[start:start + 48] == NUMBERS for n in ("parameter", "size", "pairs.a", "pairs.b"))


def test_numbers_out_of_reach(tmp_path):
    path = tmp_path / "m.pt"
    for how in ({"byteorder": b"big"}, {"method": zipfile.ZIP_DEFLATED}, {"storages": {}}):
        archive(path, VALUE, **({"storages": {"0": NUMBERS, "1": NUMBERS}} | how))
        (said,) = ask(path)
        assert len(said["tensors"]) == 3 and all(t["at"] == FAR for t in said["tensors"]) and not odd(said)


def test_sizes_that_do_not_match(tmp_path):
    path = tmp_path / "m.pt"
    archive(path, VALUE, {"0": NUMBERS[:40], "1": NUMBERS})
    assert odd(ask(path)[0]) == ["storage"]
    archive(path, {"w": Tensor(Storage("0", 12), 7, (2, 3), (3, 1))}, {"0": NUMBERS})
    assert odd(ask(path)[0]) == ["beyond"]
    archive(path, {"w": Tensor(Storage("0", 1 << 60), 1 << 60, (1 << 40, 1 << 40), (1 << 40, 1))}, {"0": NUMBERS})
    assert "storage" in odd(ask(path)[0])


def test_numbers_are_no_pickles(bezoar, tmp_path):
    """Any few bytes come up in storages: neither two of a pickle nor a zlib header makes them one; a whole pickle does."""
    storages = {"0": b"\x82\x38." + bytes(5), "1": b"\x78\x9c\x03" + bytes(5), "2": b"\x80\x02cos\nsystem\n" + bytes(8), "3": b"cos\nN0" + bytes(2)}
    value = {k: Tensor(Storage(k, len(v), "ByteStorage"), 0, (len(v),), (1,)) for k, v in storages.items()}
    archive(tmp_path / "m.pt", value, storages)
    result = bezoar("scan", "m.pt", "--format", "json")
    assert result.returncode == 0, result.stdout
    archive(tmp_path / "m.pt", value, storages | {"3": EVIL})
    found = json.loads(bezoar("scan", "m.pt", "--format", "json").stdout)["findings"]
    assert any(f["rule"] == "BZ-M001" for f in found)


def test_names_that_go_round_in_circles(tmp_path):
    path = tmp_path / "m.pt"
    circle = {"w": VALUE["model"]["b"]}
    circle["self"] = circle
    archive(path, circle, {"1": NUMBERS})
    (said,) = ask(path)
    assert unread(said) and said["tensors"][0]["name"] == "w"
    wide = VALUE["model"]
    for _ in range(40):
        wide = {"a": wide, "b": wide}
    archive(path, wide, {"0": NUMBERS, "1": NUMBERS})
    assert unread(ask(path)[0])


def test_ten_thousand_tensors(tmp_path):
    path = tmp_path / "m.pt"
    archive(path, {f"layer.{i}.weight": Tensor(Storage(str(i), 12), 0, (3, 4), (4, 1)) for i in range(10000)},
            {str(i): NUMBERS for i in range(10000)})
    (said,) = ask(path)
    assert not unread(said) and len(said["tensors"]) == 10000
    data = path.read_bytes()
    assert all(data[t["at"]:t["at"] + 48] == NUMBERS for t in said["tensors"])
