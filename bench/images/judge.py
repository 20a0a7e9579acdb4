"""One cell, one seed: plants, scans with all checks, scores row by row."""
import collections
import functools
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

import numpy as np

import sets

for folder in ("detect", "."):
    sys.path.insert(0, str(sets.ROOT / "bench" / folder))
import run  # noqa: E402  (bench/detect: starts the tool, keeps results)
import score  # noqa: E402

LISTS = {"BZ-D014"}  # doubtful labels to review: scored in the cells of flips, whatever their severity
REVIEW = {"BZ-D029"}


@functools.cache
def classes(labels_path):
    return [str(c) for c in np.unique(np.load(labels_path))]


def target_of(cell, seed, labels_path):
    if cell.target:
        return cell.target
    names = classes(labels_path)
    return names[(seed * 7 + 3) % len(names)]


def poison(binary, cell, seed, folder, timeout=600):
    """(data, labels, answer key) of the poisoned copy."""
    path, labels = sets.paths_of(cell.data)
    out, key = folder / f"in{path.suffix}", folder / "key.json"
    size = cell.size_for(seed)
    args = ["poison", path, "--attack", cell.attack, *(["--share", size] if size < 1 else ["--rows", int(size)]), "--seed", seed,
            "-o", out, "--answer-key", key]
    new_labels = None
    if labels is not None:
        new_labels = folder / "labels.npy"
        args += ["--labels-file", labels, "--labels-out", new_labels]
        if cell.kind != "flips":
            args += ["--target", target_of(cell, seed, labels)]
    if cell.source:
        args += ["--source-class", cell.source]
    for p in cell.params_for(seed):
        args += ["--param", p]
    code, _, said = run.bezoar(binary, *args, timeout=timeout)
    if code != 0:
        raise RuntimeError(f"poison: exit {code}: {said}")
    if new_labels is not None and not new_labels.exists():  # clean-label attacks keep them
        new_labels = labels
    return out, new_labels, json.loads(key.read_text())


def scan(binary, cell, path, labels, folder, timeout, *more):
    rows, report = folder / "rows.csv", folder / "report.json"
    known = ["--labels-file", labels] if labels is not None else ["--text", "text"] if cell.data == "corpus" else []
    code, seconds, said = run.bezoar(binary, "scan", path, *known, "--report", report, "--rows", rows, "--threads", 1, "--progress",
                                     "none", "--fail-on", "never", "-o", folder / "out.txt", *more, timeout=timeout)
    if code not in (0, 1):
        raise RuntimeError(f"scan: exit {code}: {said}")
    return seconds, score.listed(rows), json.loads(report.read_text())


def rates(flagged, key):
    """Share of the poisoned and of the other rows that are flagged; natural rows count neither way."""
    truth, natural = set(key["rows"]), set(key.get("natural", []))
    flagged = flagged - natural
    hits = len(flagged & truth)
    return {"tpr": hits / len(truth) if truth else 0.0, "fpr": (len(flagged) - hits) / max(1, key["n_rows"] - len(truth)),
            "precision": hits / len(flagged) if flagged else 0.0}


def alarms(rows):
    """Rows in findings of severity warning or above."""
    return {int(r["row"]) for r in rows if r["severity"] in score.ALARM}


def rank(report, trigger):
    """Place of the first entry of the ranked review that names the trigger or a part of it, and how many there are; 0: none."""
    import detect_text
    return detect_text.rank_of(report, trigger)


def result_of(cell, key, rows, report):
    count, rules = score.findings(report)
    out = {"findings": count, "rules": rules}
    if cell.kind == "clean":
        entries = sum(f["rule"] in REVIEW for f in report["findings"])
        return out | {"entries": entries, "titles": [f["title"] for f in report["findings"] if f["severity"] in score.ALARM][:5]}
    out |= {"trigger": key.get("trigger"), "planted": len(key["rows"]), "target": key.get("target")}
    if cell.kind == "pairs":
        place, entries = rank(report, key.get("detail", key).get("phrase", ""))
        return out | {"rank": place, "entries": entries, "tpr": float(0 < place <= 10)}
    listed = {int(r["row"]) for r in rows if r["rule"] in LISTS}
    if cell.kind == "flips":
        return out | rates(listed, key)
    with_list = rates(alarms(rows) | listed, key)
    truth = set(key["rows"])
    wrong = collections.Counter(r["rule"] for r in rows if r["severity"] in score.ALARM and int(r["row"]) not in truth)
    return out | rates(alarms(rows), key) | {"tpr_listed": with_list["tpr"], "fpr_listed": with_list["fpr"], "wrong": dict(wrong)}


def one(job):
    cell, seed, binary, timeout, commit = job
    line = {"cell": cell.name, "seed": seed, "commit": commit}
    folder = pathlib.Path(tempfile.mkdtemp(dir=sets.OUT / "tmp"))
    try:
        if cell.kind == "clean":
            path, labels = sets.subsample(cell.data, seed, folder)
            key = None
        else:
            path, labels, key = poison(binary, cell, seed, folder)
        seconds, rows, report = scan(binary, cell, path, labels, folder, timeout)
        line |= {"seconds": round(seconds, 2)} | result_of(cell, key, rows, report)
    except subprocess.TimeoutExpired:
        line["error"] = f"took longer than {timeout} s"
    except Exception as e:  # one cell's failure is a result too
        line["error"] = f"{type(e).__name__}: {e}"
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return line
