"""The example that `bezoar explain` and docs/commands/scan.md show for each check of models is what a scan says."""
import json
import random
import struct

import pytest
from conftest import ROOT

from graph_files import hostile_keras
from model_corpus import call, hidden_entry


def pickle_code(folder):
    (folder / "model.pkl").write_bytes(call("posix", "system", "id"))


def pickle_unknown(folder):
    (folder / "model.pkl").write_bytes(call("mypackage.layers", "Attention", "x"))


def ambiguous_structure(folder):
    (folder / "model.pt").write_bytes(hidden_entry())


def named_code(folder):
    (folder / "model.keras").write_bytes(next(iter(hostile_keras().values()))[0])


def chat_template(folder):
    text = {"chat_template": "{{ cycler.__init__.__globals__ }}"}
    (folder / "tokenizer_config.json").write_text(json.dumps(text))


def remote_code(folder):
    (folder / "config.json").write_text('{"auto_map": {"AutoModel": "someone/else--modeling_x.Model"}}')


def outside_reference(folder):
    (folder / "model.safetensors.index.json").write_text('{"weight_map": {"a": "../x.safetensors"}}')


def tensors(path, named):
    """{name: rows of numbers, or a list} as safetensors."""
    header, blob = {}, b""
    for name, rows in named.items():
        flat = [x for row in rows for x in row] if isinstance(rows[0], list) else rows
        shape = [len(rows), len(rows[0])] if isinstance(rows[0], list) else [len(rows)]
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(blob), len(blob) + 4 * len(flat)]}
        blob += struct.pack(f"<{len(flat)}f", *flat)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + blob)


def numbers(draw, rows, columns, more=0):
    return [[draw.randrange(-50, 51) + more for _ in range(columns)] for _ in range(rows)]


def not_a_number(folder):
    rows = numbers(random.Random(1), 32, 16)
    rows[3][4] = float("nan")
    tensors(folder / "model.safetensors", {"layers.0.weight": rows})


def base_difference(folder):
    draw = random.Random(1)
    layers = {f"layers.{i}.down_proj.weight": numbers(draw, 24, 16) for i in range(4)}
    tensors(folder / "base.safetensors", layers)
    layers["layers.1.down_proj.weight"][5] = numbers(draw, 1, 16)[0]
    tensors(folder / "model.safetensors", layers)


def adapter_spectrum(folder):
    layers = {}
    for i in range(8):
        layers[f"layers.{i}.q_proj.lora_A.weight"] = [[1, 2, 3, 4]]
        layers[f"layers.{i}.q_proj.lora_B.weight"] = [[20 if i == 3 else 1], [0], [0]]
    tensors(folder / "adapter_model.safetensors", layers)


def final_layer(folder):
    draw = random.Random(1)
    rows = [numbers(draw, 1, 40, 60 if c == 7 else 0)[0] for c in range(12)]
    tensors(folder / "model.safetensors", {"fc.weight": rows, "fc.bias": [0] * 12})


def lineage(folder):
    draw = random.Random(1)
    gate, up = numbers(draw, 32, 16), numbers(draw, 32, 16)
    name = "layers.0.mlp.{}_proj.weight"
    tensors(folder / "base.safetensors", {name.format("gate"): gate, name.format("up"): up})
    tensors(folder / "model.safetensors", {name.format("gate"): gate[::-1], name.format("up"): up[::-1]})


def signature(folder):
    (folder / "model.sig").write_bytes((ROOT / "fuzz" / "corpus" / "bundle" / "key").read_bytes())
    (folder / "a").write_text("something else\n")
    (folder / "b").write_text("bb\n")


def known_digest(folder):
    (folder / "model.safetensors").write_bytes((2).to_bytes(8, "little") + b"{}")
    (folder / "known.txt").write_text("0" * 64 + "  model.safetensors\n")


# rule -> (what makes a folder with the example, the arguments of the scan in it)
SCENES = {
    "BZ-M001": (pickle_code, ["model.pkl"]),
    "BZ-M002": (pickle_unknown, ["model.pkl"]),
    "BZ-M003": (ambiguous_structure, ["model.pt"]),
    "BZ-M004": (named_code, ["model.keras"]),
    "BZ-M005": (chat_template, ["tokenizer_config.json"]),
    "BZ-M006": (remote_code, ["config.json"]),
    "BZ-M007": (outside_reference, ["model.safetensors.index.json"]),
    "BZ-M008": (not_a_number, ["model.safetensors"]),
    "BZ-M009": (base_difference, ["model.safetensors", "--base", "base.safetensors"]),
    "BZ-M010": (adapter_spectrum, ["adapter_model.safetensors"]),
    "BZ-M011": (final_layer, ["model.safetensors"]),
    "BZ-M012": (lineage, ["model.safetensors", "--base", "base.safetensors"]),
    "BZ-M013": (signature, ["."]),
    "BZ-M014": (known_digest, ["model.safetensors", "--known", "known.txt"]),
}


def rules(bezoar):
    lines = bezoar("list", "checks").stdout.splitlines()
    return [line.split()[0] for line in lines if line.startswith("BZ-M")]


@pytest.mark.parametrize("rule", SCENES)
def test_example_is_what_a_scan_says(bezoar, tmp_path, rule):
    make, arguments = SCENES[rule]
    make(tmp_path)
    report = json.loads(bezoar("scan", *arguments, "--format", "json").stdout)
    titles = [f["title"] for f in report["findings"] if f["rule"] == rule]
    explained = " ".join(bezoar("explain", rule).stdout.split("For example\n")[1].split("\n\n")[0].split())
    assert explained in titles


def test_each_check_has_an_example(bezoar):
    assert set(rules(bezoar)) == set(SCENES)
