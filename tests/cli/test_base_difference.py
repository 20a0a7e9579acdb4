"""A model beside its base through the command: copies in other types are no finding, an edit is one in any of them."""
import json
import random
import struct

import pytest

from test_model_gguf import gguf, info
from test_models_examples import tensors

LAYERS, ROWS, COLUMNS = 6, 24, 64
HF, GGUF_NAME = "model.layers.{}.mlp.down_proj.weight", "blk.{}.ffn_down.weight"


def weights(seed=1):
    draw = random.Random(seed)
    return [[[draw.gauss(0, 0.05) for _ in range(COLUMNS)] for _ in range(ROWS)] for _ in range(LAYERS)]


def edited(layers):
    draw = random.Random(9)
    u, v = ([draw.gauss(0, 1) for _ in range(n)] for n in (ROWS, COLUMNS))
    out = [[list(row) for row in layer] for layer in layers]
    for r in range(ROWS):
        for c in range(COLUMNS):
            out[2][r][c] += 0.05 * u[r] * v[c]
    return out


def as_safetensors(path, layers):
    tensors(path, {HF.format(i): layer for i, layer in enumerate(layers)})


def as_gguf(path, layers):
    """Blocks of 32 numbers with a half as scale (Q8_0)."""
    infos, blob = [], b""
    for i, layer in enumerate(layers):
        infos.append(info(GGUF_NAME.format(i), (ROWS, COLUMNS), 8, len(blob)))
        flat = [x for row in layer for x in row]
        for at in range(0, len(flat), 32):
            block = flat[at:at + 32]
            scale = struct.unpack("<e", struct.pack("<e", max(map(abs, block)) / 127))[0]
            blob += struct.pack("<e32b", scale, *(max(-127, min(127, round(x / scale))) for x in block))
        blob += bytes(-len(blob) % 32)
    path.write_bytes(gguf([], infos, blob))


def compare(bezoar, model, base):
    report = json.loads(bezoar("scan", model, "--base", base, "--only", "BZ-M009", "--format", "json").stdout)
    return [f for f in report["findings"] if f["rule"] == "BZ-M009"]


@pytest.mark.parametrize("write, ending", [(as_safetensors, "safetensors"), (as_gguf, "gguf")])
def test_copy_and_edit(bezoar, tmp_path, write, ending):
    base, copy, edit = tmp_path / "base.safetensors", tmp_path / f"copy.{ending}", tmp_path / f"edit.{ending}"
    as_safetensors(base, weights())
    write(copy, weights())
    write(edit, edited(weights()))
    only, = compare(bezoar, copy, base)
    assert only["severity"] == "note" and f"of {LAYERS} tensors" in only["title"]
    warning, = (f for f in compare(bezoar, edit, base) if f["severity"] != "note")
    assert warning["severity"] == "warning" and ".2." in warning["title"]


def test_nothing_in_common(bezoar, tmp_path):
    as_safetensors(tmp_path / "base.safetensors", weights())
    tensors(tmp_path / "other.safetensors", {"conv.weight": weights()[0]})
    done = bezoar("scan", tmp_path / "other.safetensors", "--base", tmp_path / "base.safetensors", "--only", "BZ-M009")
    assert done.returncode == 3 and "no tensor has the name and shape" in done.stdout
