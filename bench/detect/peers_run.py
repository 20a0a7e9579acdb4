#!/usr/bin/env python3
"""Side by side on the same poisoned inputs, one run each: ours, cleanlab's find_label_issues and Datalab, mlxtend's rules.
Peers live in build/venv-cleanlab and build/venv-mlxtend; what is not installed is reported as such. Skipped when this binary's
answers are there already.

    peers_run.py [--seed 1000]      # seeds below 1000 for development: prints, keeps nothing
"""
import argparse
import hashlib
import json
import multiprocessing
import pathlib
import subprocess
import tempfile

import data
import score
from cells import Cell
from run import poison, scan

SEED, LIMIT = 1000, 420  # seconds per peer and input
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


def one_input(job):
    cell, seed, binary = job
    with tempfile.TemporaryDirectory(dir=data.OUT / "tmp") as name:
        folder = pathlib.Path(name)
        path = folder / f"in{pathlib.Path(data.path_of(cell.data)).suffix}"
        key = poison(binary, cell, seed, path, folder / "key.json", 600)
        out = [ours(cell, path, key, folder, binary)]
        out += [peer(tool, cell, path, key, LIMIT) for tool in TOOLS]
    for line in out:
        print("  " + json.dumps(line), flush=True)
    return out


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--seed", type=int, default=SEED)
    p.add_argument("--binary", type=pathlib.Path, default=data.ROOT / "build" / "bezoar")
    a = p.parse_args()
    for folder in (data.OUT / "tmp", data.OUT / "detect"):
        folder.mkdir(parents=True, exist_ok=True)
    store = data.OUT / "detect" / "peers.json"
    digest = hashlib.sha256(a.binary.read_bytes()).hexdigest()[:12]
    if a.seed == SEED and store.exists() and json.loads(store.read_text()).get("binary") == digest:
        print("side by side: done before with this binary")
        return
    with multiprocessing.Pool(2) as pool:
        answers = [line for out in pool.map(one_input, [(c, a.seed, a.binary) for c in INPUTS], 1) for line in out]
    if a.seed >= SEED:
        store.write_text(json.dumps({"binary": digest, "seed": a.seed, "answers": answers}, indent=1))


if __name__ == "__main__":
    main()
