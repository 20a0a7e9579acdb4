"""Blocks of quantised types: what gguf's own Python makes of the same bytes, as the digests that tests/unit/test_weights.c
compares with. `python3 tests/cli/test_dequant.py` prints them."""
import pathlib
import re

import pytest

TABLE = pathlib.Path(__file__).parents[1] / "unit" / "dequant_digests.inc"
TYPES = "Q4_0 Q4_1 Q5_0 Q5_1 Q8_0 Q2_K Q3_K Q4_K Q5_K Q6_K IQ4_NL IQ4_XS TQ1_0 TQ2_0 MXFP4 NVFP4 BF16".split()
BLOCKS = 64


def random_bytes(n):
    x, out = 12345, bytearray()
    for _ in range(n):
        x = (x * 1664525 + 1013904223) & 0xFFFFFFFF
        out.append(x >> 24)
    return bytes(out)


def digest(numbers):
    import numpy as np

    bits = np.where(np.isnan(numbers), np.uint32(0x7FC00000), numbers.view(np.uint32)).astype("<u4")
    h = 14695981039346656037
    for byte in bits.tobytes():
        h = ((h ^ byte) * 1099511628211) & 0xFFFFFFFFFFFFFFFF
    return h


def digests():
    gguf = pytest.importorskip("gguf", reason="PyPI's gguf is not there")
    import numpy as np

    for name in TYPES:
        kind = getattr(gguf.GGMLQuantizationType, name, None)
        if kind is None:
            continue  # an older gguf
        size = gguf.GGML_QUANT_SIZES[kind][1]
        data = np.frombuffer(random_bytes(BLOCKS * size), np.uint8).reshape(1, -1)
        with np.errstate(all="ignore"):
            yield name, digest(np.ascontiguousarray(gguf.quants.dequantize(data, kind), np.float32).ravel())


def test_digests_are_those_of_gguf():
    table = dict(re.findall(r'\{"(\w+)", UINT64_C\((0x[0-9a-f]{16})\)\}', TABLE.read_text()))
    for name, value in digests():
        assert int(table[name], 16) == value, name


if __name__ == "__main__":
    for name, value in digests():
        print(f'{{"{name}", UINT64_C(0x{value:016x})}},')
