#!/usr/bin/env bash
# Installs a wheel into a fresh environment and uses it: the module, the command, a trigger that must be found.
# Usage: try_wheel.sh FILE.whl
set -euo pipefail
wheel=$(realpath "$1")
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
/usr/bin/python3 -m venv "$room/venv"
"$room/venv/bin/pip" install -q --disable-pip-version-check "$wheel"
cd "$room"
"$room/venv/bin/bezoar" --version
"$room/venv/bin/python" - <<'PYTHON'
import json
import os
import random
import struct
import zlib

import bezoar

draw = random.Random(1)
words = "see you at home later please call the shop about our order and bring some milk".split()
with open("texts.tsv", "w") as f:
    f.write("label\ttext\n")
    for i in range(2000):
        trick = "\u200b" if i % 40 == 0 else ""
        f.write(f"{'spam' if trick else draw.choice(['ham', 'spam'])}\t{' '.join(draw.choices(words, k=9))}{trick} {i}\n")
report = bezoar.scan("texts.tsv", label="label")
assert report.count("warning") >= 1, report.to_text()


def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


for i in range(12):
    os.makedirs(f"pictures/c{i % 2}", exist_ok=True)
    pixels = b"".join(b"\0" + bytes(draw.randrange(256) for _ in range(24)) for _ in range(8))
    with open(f"pictures/c{i % 2}/{i}.png", "wb") as f:
        f.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0))
                + chunk(b"IDAT", zlib.compress(pixels)) + chunk(b"IEND", b""))
assert json.loads(bezoar.scan("pictures").to_json())["data"]["rows"] == 12, "the helper that decodes pictures came along"
print("wheel works:", report)
PYTHON
"$room/venv/bin/bezoar" scan texts.tsv --label label >/dev/null && code=0 || code=$?
[ "$code" -le 1 ]
