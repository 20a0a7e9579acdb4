"""GGUF files: what the sandboxed reader lists is what the library writes, and what loaders take differently is reported."""
import json
import struct

import pytest
from model_helper import about, ask, odd, unread

U32, F32, TEXT, ARRAY = 4, 6, 8, 9


def text(value):
    value = value.encode() if isinstance(value, str) else value
    return struct.pack("<Q", len(value)) + value


def key(name, kind, value):
    return text(name) + struct.pack("<I", kind) + value


def info(name, shape, kind, offset):
    return text(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *reversed(shape), kind, offset)


def gguf(keys=(), infos=(), data=b"", version=3, alignment=32, counts=None):
    n_tensors, n_keys = counts or (len(infos), len(keys))
    head = b"GGUF" + struct.pack("<IQQ", version, n_tensors, n_keys) + b"".join(keys) + b"".join(infos)
    return head + bytes(-len(head) % alignment) + data


def say(tmp_path, data, name="m.gguf"):
    (tmp_path / name).write_bytes(data)
    return ask(tmp_path / name)[0]


TEMPLATE = "{% for m in messages %}{{ m.content }}{% endfor %}"
KEYS = [key("general.architecture", TEXT, text("llama")), key("general.name", TEXT, text("Tiny")),
        key("general.file_type", U32, struct.pack("<I", 15)), key("adapter.lora.alpha", F32, struct.pack("<f", 16)),
        key("general.base_model.0.repo_url", TEXT, text("https://huggingface.co/owner/base")),
        key("tokenizer.ggml.tokens", ARRAY, struct.pack("<IQ", TEXT, 2) + text("a") + text("b")),
        key("tokenizer.chat_template", TEXT, text(TEMPLATE)), key("tokenizer.chat_template.tool_use", TEXT, text("{{ x }}"))]


@pytest.mark.parametrize("version", [2, 3])
def test_what_a_file_says(tmp_path, version):
    data = gguf(KEYS, [info("a", (2, 256), 12, 0), info("b", (3, 5), 0, 288)], bytes(288 + 60), version)
    said = say(tmp_path, data)
    assert not odd(said)
    have = about(said)
    want = {"architecture": "llama", "name": "Tiny", "quantization": "Q4_K_M", "lora.alpha": "16", "base_model": "owner/base"}
    assert {k: have.get(k) for k in want} == want
    a, b = said["tensors"]
    assert (a["name"], a["dtype"], a["shape"], a["bytes"]) == ("a", "Q4_K", (2, 256), 288)
    assert (b["name"], b["dtype"], b["shape"], b["bytes"]) == ("b", "F32", (3, 5), 60)
    assert a["at"] == len(data) - 348 and b["at"] == len(data) - 60
    parts = {p["name"]: p for p in said["parts"]}
    for name, value in (("tokenizer.chat_template.jinja", TEMPLATE), ("tokenizer.chat_template.tool_use.jinja", "{{ x }}")):
        assert data[parts[name]["at"]:][:parts[name]["size"]].decode() == value


ONE = [info("a", (8,), 0, 0)]
ODD = {
    "twice": gguf(KEYS[:2] + KEYS[:1]),
    "twice.": gguf([], [info("a", (8,), 0, 0), info("a", (8,), 0, 32)], bytes(64)),
    "alignment": gguf([key("general.alignment", U32, struct.pack("<I", 0))], ONE, bytes(32)),
    "alignment.": gguf([key("general.alignment", U32, struct.pack("<I", 48))], ONE, bytes(32)),
    "alignment..": gguf([key("general.alignment", TEXT, text("32"))], ONE, bytes(32)),
    "trailing": gguf([], ONE, bytes(65)),
    "gguf": gguf([], [info("a", (8,), 0, 0), info("b", (8,), 0, 16)], bytes(64)),
    "gguf.": gguf([], [info("a", (8,), 0, 0), info("b", (8,), 0, 64)], bytes(96)),
    "gguf..": gguf([], [info("a", (8,), 0, 64)], bytes(64)),
    "gguf...": gguf([], [info("a", (8,), 12, 0)], bytes(64)),
    "gguf....": gguf([], [info("a", (1 << 60, 1 << 60), 0, 0)], bytes(64)),
    "count": gguf([], ONE, bytes(32), counts=(1 << 60, 0)),
    "count.": gguf([], ONE, bytes(32), counts=(1, 1 << 60)),
    "name": gguf([], [info("a" * 64, (8,), 0, 0)], bytes(32)),
    "nested-arrays": gguf([key("a", ARRAY, struct.pack("<IQIQ", ARRAY, 1, U32, 0))]),
}


@pytest.mark.parametrize("name", ODD)
def test_what_loaders_take_differently(tmp_path, name):
    assert odd(say(tmp_path, ODD[name])) == [name.rstrip(".")]


UNREAD = {
    "version 1": gguf(version=1), "version 4": gguf(version=4), "big-endian": gguf(version=3 << 24), "cut": gguf(KEYS)[:-50],
    "dimensions": gguf([], [info("a", (1,) * 5, 0, 0)], bytes(32)), "type": gguf([], [info("a", (32,), 4, 0)], bytes(32)),
    "array": gguf([key("a", ARRAY, struct.pack("<IQ", TEXT, 1 << 60))]), "value": gguf([key("a", 99, b"")]),
    "far": gguf([key("general.alignment", U32, struct.pack("<I", 1 << 31))], ONE, bytes(32)),
    "deep": gguf([key("a", ARRAY, struct.pack("<IQ", ARRAY, 1) * 9 + struct.pack("<IQ", U32, 0))]),
}


@pytest.mark.parametrize("name", UNREAD)
def test_what_is_not_read_is_said(bezoar, tmp_path, name):
    assert unread(say(tmp_path, UNREAD[name]))
    result = bezoar("scan", "m.gguf", "--format", "json")
    assert result.returncode == 3 and not [f for f in json.loads(result.stdout)["findings"] if f["severity"] == "error"]


def test_files_of_the_library(tmp_path):
    np = pytest.importorskip("numpy")
    library = pytest.importorskip("gguf")
    draw = np.random.default_rng(5)
    path = tmp_path / "m.gguf"
    writer = library.GGUFWriter(path, "llama")
    writer.add_name("tiny")
    writer.add_custom_alignment(64)
    writer.add_chat_template(TEMPLATE)
    plain = {f"blk.{i}.weight": draw.standard_normal((3, i + 1)).astype(t) for i, t in enumerate(("f4", "f2", "f8"))}
    plain |= {f"count.{t}": draw.integers(0, 99, (2, 3)).astype(t) for t in ("i1", "i2", "i4", "i8")}
    kinds = [k for k in ("Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "BF16", "TQ1_0", "TQ2_0", "MXFP4")]
    for name, array in plain.items():
        writer.add_tensor(name, array)
    packed = {}
    for kind in kinds:
        kind = library.GGMLQuantizationType[kind]
        packed[kind.name] = library.quants.quantize(draw.standard_normal((4, 512)).astype("f4"), kind)
        writer.add_tensor(kind.name, packed[kind.name], raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    reader = {t.name: t for t in library.GGUFReader(path).tensors}
    (said,) = ask(path)
    assert not odd(said) and not unread(said)
    assert about(said)["architecture"] == "llama" and about(said)["name"] == "tiny"
    have = {t["name"]: t for t in said["tensors"]}
    assert set(have) == set(reader)
    data = path.read_bytes()
    for name, t in have.items():
        r = reader[name]
        assert t["dtype"] == r.tensor_type.name and t["shape"] == tuple(int(d) for d in reversed(r.shape))
        assert (t["at"], t["bytes"]) == (r.data_offset, r.n_bytes)
        assert data[t["at"]:t["at"] + t["bytes"]] == (plain | packed)[name].tobytes()


def test_types_are_the_library_s(tmp_path):
    library = pytest.importorskip("gguf")
    sizes = {k: v for k, v in library.GGML_QUANT_SIZES.items() if k.name != "Q8_1"}  # 36 bytes in ggml itself
    infos, at = [], 0
    for kind, (items, size) in sizes.items():
        infos.append(info(kind.name, (2, items), kind.value, at))
        at += 2 * size + -2 * size % 32
    said = say(tmp_path, gguf([], infos, bytes(at)))
    assert not odd(said) and not unread(said)
    assert {t["name"]: (t["dtype"], t["bytes"]) for t in said["tensors"]} == {k.name: (k.name, 2 * v[1]) for k, v in sizes.items()}
