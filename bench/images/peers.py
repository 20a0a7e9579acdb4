#!/usr/bin/env python3
"""Side by side on the same poisoned inputs, one run: ours, ART's spectral signatures and activation clustering, cleanlab.

    peers.py [--seeds 1000 1001 1002]      # seeds below 1000 for development: prints, keeps nothing

Embeddings of poisoned GTSRB-8 (64 principal components of the pixels; the hidden layer of a small network trained on the poison):
one scan with all checks, its rows by rule, beside ART on the same vectors, which is told the true share of poison. Flips: the list
of BZ-D014 and of BZ-D020 beside cleanlab's find_label_issues on out-of-fold probabilities of a logistic regression on the same
principal components. ART and cleanlab live in build/venv-art and build/venv-cleanlab; what is not installed is reported as such.
"""
import argparse
import collections
import json
import pathlib
import subprocess
import tempfile

import numpy as np

import judge
import page
import sets
from table import Cell

RULES = {"BZ-D016": "spectral signatures", "BZ-D017": "SPECTRE", "BZ-D018": "activation clustering", "BZ-D019": "SCAn",
         "BZ-D020": "label disagreement", "BZ-D021": "KNN-Shapley, golden: the test part"}
INPUTS = [Cell("GTSRB-8, stop to 60, 5 %", "gtsrb", "badnets", (.05,), source="14", target="3"),
          Cell("GTSRB-8, all to one, 5 %", "gtsrb", "badnets", (.05,), target="3"),
          Cell("GTSRB-8, clean", "gtsrb", "clean", kind="clean"),
          Cell("GTSRB-8, flips 5 %", "gtsrb", "flips", (.05,), kind="flips"),
          Cell("MNIST, flips 5 %", "mnist", "flips", (.05,), kind="flips")]
LIMIT = 400


# --- vectors ------------------------------------------------------------------------------------------------------------

def vectors_of(kind, pictures, labels, others, seed):
    """Embeddings of the pictures and of others, by what was fitted on the pictures alone."""
    from sklearn.decomposition import PCA
    from sklearn.neural_network import MLPClassifier
    flat, more = (p.reshape(len(p), -1).astype(np.float32) / 255 for p in (pictures, others))
    if kind == "PCA":
        model = PCA(64, random_state=0).fit(flat)
        return model.transform(flat).astype(np.float32), model.transform(more).astype(np.float32)
    net = MLPClassifier((128,), max_iter=12, random_state=seed, batch_size=128, learning_rate_init=5e-4).fit(flat, labels)
    return tuple(np.maximum(x @ net.coefs_[0] + net.intercepts_[0], 0).astype(np.float32) for x in (flat, more))


# --- ours ---------------------------------------------------------------------------------------------------------------

def ours(binary, cell, key, path, labels, folder, kind, given):
    """One scan with everything; one line per rule that looks at vectors, and one for all of them."""
    golden, golden_labels = sets.paths_of("gtsrb-test")
    for name, x in zip(("vectors", "golden"), given):
        np.save(folder / f"{name}.npy", x)
    seconds, rows, _ = judge.scan(binary, cell, path, labels, folder, 600, "--embeddings", folder / "vectors.npy", "--golden", golden,
                                  "--golden-labels", golden_labels, "--golden-embeddings", folder / "golden.npy")
    by_rule, listed = collections.defaultdict(set), collections.defaultdict(set)
    for r in rows:
        (by_rule if r["severity"] in judge.score.ALARM else listed)[r["rule"]].add(int(r["row"]))
    for rule, what in RULES.items():
        yield {"tool": f"{rule} {what}, {kind}"} | judge.rates(by_rule[rule], key)
        if listed[rule]:
            yield {"tool": f"{rule} {what}, {kind}, its list too"} | judge.rates(by_rule[rule] | listed[rule], key)
    together = set().union(*(by_rule[r] for r in RULES))
    yield {"tool": f"BZ-D016 to D021 together, {kind}"} | judge.rates(together, key)
    yield {"tool": f"bezoar scan, all checks, {kind}", "seconds": seconds} | judge.rates(judge.alarms(rows), key)


def our_flips(binary, cell, key, path, labels, folder, given):
    np.save(folder / "vectors.npy", given)
    seconds, rows, _ = judge.scan(binary, cell, path, labels, folder, 600, "--embeddings", folder / "vectors.npy")
    for rule in ("BZ-D014", "BZ-D020"):
        flagged = {int(r["row"]) for r in rows if r["rule"] == rule}
        yield {"tool": f"bezoar scan, list of {rule}", "seconds": seconds} | judge.rates(flagged, key)


# --- theirs -------------------------------------------------------------------------------------------------------------

ART = """
import sys, json, numpy as np
from art.defences.detector.poison import ActivationDefence, SpectralSignatureDefense
class Given:  # what ART takes for a network: one whose activations are the vectors
    layer_names = ["given"]
    def __init__(self, classes): self.nb_classes = classes
    def get_activations(self, x, layer=0, batch_size=0, framework=False): return x
"""
SPECTRAL = """
def detect(x, y, share):
    return SpectralSignatureDefense(Given(y.max() + 1), x, y, expected_pp_poison=share).detect_poison()[1]
"""
CLUSTERING = """
def detect(x, y, share):
    return ActivationDefence(Given(y.max() + 1), x, np.eye(y.max() + 1)[y]).detect_poison(nb_clusters=2, nb_dims=10, reduce="PCA")[1]
"""
CLEANLAB = """
import sys, json, numpy as np
from cleanlab.filter import find_label_issues
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
def detect(x, y, share):
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=300))
    return ~find_label_issues(y, cross_val_predict(model, x, y, cv=5, method="predict_proba"), n_jobs=1)
"""
TAIL = """
import resource
x, y = np.load(sys.argv[1]), np.load(sys.argv[2])
def cpu(): u = resource.getrusage(resource.RUSAGE_SELF); return u.ru_utime + u.ru_stime
start = cpu()
clean = np.asarray(detect(x, y, float(sys.argv[3])), bool)
print(json.dumps({"rows": np.flatnonzero(~clean).tolist(), "seconds": cpu() - start}))
"""
TOOLS = {"ART SpectralSignatureDefense": ("art", ART + SPECTRAL), "ART ActivationDefence": ("art", ART + CLUSTERING),
         "cleanlab find_label_issues": ("cleanlab", CLEANLAB)}


def theirs(tool, vectors, labels, key, folder, share):
    venv, program = TOOLS[tool]
    python = sets.ROOT / "build" / f"venv-{venv}" / "bin" / "python"
    if not python.exists():
        return {"error": "not installed"}
    np.save(folder / "x.npy", vectors)
    np.save(folder / "y.npy", np.unique(labels, return_inverse=True)[1])
    try:
        p = subprocess.run([python, "-c", program + TAIL, folder / "x.npy", folder / "y.npy", str(share)], capture_output=True,
                           text=True, timeout=LIMIT)
    except subprocess.TimeoutExpired:
        return {"error": f"stopped after {LIMIT} s"}
    if p.returncode != 0:
        return {"error": (p.stderr.strip().splitlines() or [f"exit {p.returncode}"])[-1][:100]}
    answer = json.loads(p.stdout.strip().splitlines()[-1])
    return {"seconds": answer["seconds"]} | judge.rates(set(answer["rows"]), key)


# --- one run ------------------------------------------------------------------------------------------------------------

def one_input(binary, cell, seed, folder):
    path, labels_path = sets.paths_of(cell.data)
    key = {"rows": [], "n_rows": len(np.load(labels_path))}
    if cell.kind != "clean":
        path, labels_path, key = judge.poison(binary, cell, seed, folder)
    pictures, labels = np.load(path), np.load(labels_path)
    if cell.kind == "flips":
        given = vectors_of("PCA", pictures, labels, pictures[:1], seed)[0]
        yield from our_flips(binary, cell, key, path, labels_path, folder, given)
        yield {"tool": "cleanlab find_label_issues"} | theirs("cleanlab find_label_issues", given, labels, key, folder, .05)
        return
    for kind in ("PCA", "network"):
        given = vectors_of(kind, pictures, labels, np.load(sets.paths_of("gtsrb-test")[0]), seed)
        yield from ours(binary, cell, key, path, labels_path, folder, kind, given)
        for tool in ("ART SpectralSignatureDefense", "ART ActivationDefence"):
            yield {"tool": f"{tool}, {kind}"} | theirs(tool, given[0], labels, key, folder, .05)


def averaged(lines):
    """Mean over the seeds of each input and tool; an error where every seed has one."""
    table = collections.defaultdict(list)
    for line in lines:
        table[line["input"], line["tool"]].append(line)
    for (name, tool), found in table.items():
        good = [x for x in found if "error" not in x]
        out = {"input": name, "tool": tool, "seeds": len(good)}
        if not good:
            yield out | {"error": found[0]["error"]}
            continue
        for field in ("tpr", "fpr", "seconds"):
            values = [x[field] for x in good if field in x]
            if values:
                out[field] = float(np.mean(values))
        yield out


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--seeds", type=int, nargs="+", default=[1000, 1001, 1002])
    p.add_argument("--binary", type=pathlib.Path, default=sets.ROOT / "build" / "bezoar")
    p.add_argument("--commit")
    a = p.parse_args()
    (sets.OUT / "tmp").mkdir(parents=True, exist_ok=True)
    lines = []
    for seed in a.seeds:
        for cell in INPUTS:
            if cell.kind == "clean" and seed != a.seeds[0]:
                continue
            with tempfile.TemporaryDirectory(dir=sets.OUT / "tmp") as name:
                for line in one_input(a.binary, cell, seed, pathlib.Path(name)):
                    lines.append({"input": cell.group, "seed": seed} | line)
                    print(json.dumps(lines[-1]), flush=True)
        if min(a.seeds) >= 1000:  # what is in after every seed
            seeds = sorted({x["seed"] for x in lines})
            (sets.FOLDER / "peers.json").write_text(json.dumps(
                {"commit": a.commit or page.commit(), "seeds": seeds, "answers": list(averaged(lines))}, indent=1))


if __name__ == "__main__":
    main()
