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
import random

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
print("wheel works:", report)
PYTHON
"$room/venv/bin/bezoar" scan texts.tsv --label label >/dev/null && code=0 || code=$?
[ "$code" -le 1 ]
