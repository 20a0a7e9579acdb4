#!/usr/bin/env python3
"""Side by side on the same poisoned inputs, one run each: ours, cleanlab's find_label_issues and Datalab, mlxtend's rules.
Peers live in build/venv-cleanlab and build/venv-mlxtend; what is not installed is reported as such."""
import json
import pathlib
import subprocess
import tempfile

import data
import score
from cells import Cell
from run import poison, scan

SEED = 1000
INPUTS = [Cell("", "adult", "rare-combo", 60, target="<=50K"), Cell("", "adult", "in-range-3", 60, target="<=50K"),
          Cell("", "sms", "rare-token", .01, target="ham"), Cell("", "adult", "flips", .05, kind="auc"),
          Cell("", "sms", "flips", .05, kind="flips")]
TOOLS = {"find_label_issues": "cleanlab", "datalab": "cleanlab", "mlxtend": "mlxtend"}


def judge(cell, rows, doubt, key):
    out = score.precision_recall(set(rows), key)
    if doubt is not None:
        listed = [{"rule": "BZ-D006", "row": i, "score": d} for i, d in enumerate(doubt)]
        out["auc"] = score.flip_auc(listed, key, key["n_rows"])
    return out


def peer(tool, cell, path, key, timeout):
    line = {"input": cell.name, "tool": tool}
    python = data.ROOT / "build" / f"venv-{TOOLS[tool]}" / "bin" / "python"
    if tool == "mlxtend" and cell.data == "sms":
        return line | {"error": "no rule mining over text"}
    if not python.exists():
        return line | {"error": "not installed"}
    try:
        p = subprocess.run([python, pathlib.Path(__file__).with_name("peers.py"), tool, path,
                            data.options(cell.data)[1]], capture_output=True, text=True, timeout=timeout)
    except subprocess.TimeoutExpired:
        return line | {"error": f"stopped after {timeout} s"}
    if p.returncode != 0:
        return line | {"error": (p.stderr.strip().splitlines() or [f"exit {p.returncode}"])[-1][:120]}
    answer = json.loads(p.stdout.strip().splitlines()[-1])
    return line | {"seconds": answer["seconds"]} | judge(cell, answer["rows"], answer["doubt"], key)


def ours(cell, path, key, folder, binary):
    seconds, rows, _ = scan(binary, cell, path, folder, 600)
    line = {"input": cell.name, "tool": "bezoar scan", "seconds": seconds}
    if cell.kind == "rows":
        return line | score.precision_recall(score.alarms(rows), key)
    return line | score.precision_recall(score.flip_rows(rows), key) | {"auc": score.flip_auc(rows, key, key["n_rows"])}


def run(binary, timeout=420):
    out = []
    for cell in INPUTS:
        with tempfile.TemporaryDirectory(dir=data.OUT / "tmp") as name:
            folder = pathlib.Path(name)
            path = folder / f"in{pathlib.Path(data.path_of(cell.data)).suffix}"
            key = poison(binary, cell, SEED, path, folder / "key.json", 600)
            out.append(ours(cell, path, key, folder, binary))
            out += [peer(tool, cell, path, key, timeout) for tool in TOOLS]
        for line in out[-4:]:
            print("  " + json.dumps(line), flush=True)
    (data.OUT / "detect" / "peers.json").write_text(json.dumps(out, indent=1))


if __name__ == "__main__":
    for folder in (data.OUT / "tmp", data.OUT / "detect"):
        folder.mkdir(parents=True, exist_ok=True)
    run(data.ROOT / "build" / "bezoar")
