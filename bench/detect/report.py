"""Means per cell, and the table in docs."""
import datetime
import json
import math
import subprocess

import data


def mean(values):
    values = list(values)
    return sum(values) / len(values) if values else math.nan


def lines_of(cell, done, first, seeds):
    return [done[cell.name, s] for s in range(first, first + seeds) if (cell.name, s) in done]


def judge(cell, out):
    """"met", "not met", or "" where nothing is asked."""
    bars = [(out.get(k), getattr(cell, k)) for k in ("recall", "precision", "auc") if getattr(cell, k) is not None]
    if not bars:
        return ""
    return "met" if all(v is not None and round(v, 4) >= bar for v, bar in bars) else "not met"


def summarise_cell(cell, lines):
    good = [x for x in lines if "error" not in x and "no_place" not in x]
    out = {"cell": cell.name, "group": cell.group, "kind": cell.kind, "aim": cell.aim, "seeds": len(good),
           "failed": sum("error" in x for x in lines), "no_place": sum("no_place" in x for x in lines), "seconds": mean(x["seconds"] for x in good)}
    if cell.kind == "clean":
        out["error_scans"] = sum(x["findings"]["error"] > 0 for x in good)
        out["warnings"] = mean(x["findings"]["warning"] for x in good)
        rules = {}
        for x in good:
            for rule, n in x["rules"].items():
                rules[rule] = rules.get(rule, 0) + n
        titles = sorted({t for x in good for t in x.get("titles", [])})
        return out | {"rules": rules, "titles": titles}
    if not good:
        return out | {"verdict": ""}
    for key in ("recall", "precision", "auc"):
        values = [x[key] for x in good if key in x]
        if values:
            out[key], out[key + "_least"] = mean(values), min(values)
    if cell.targets:  # which direction is the hard one
        out["recall_by_target"] = {t: mean(x["recall"] for x in good if x.get("target") == t and "recall" in x)
                                   for t in cell.targets}
    out["asked"] = {k: getattr(cell, k) for k in ("recall", "precision", "auc") if getattr(cell, k) is not None}
    out["verdict"] = judge(cell, out)
    return out


def commit():
    p = subprocess.run(["git", "-C", str(data.ROOT), "describe", "--always", "--dirty"], capture_output=True, text=True)
    return p.stdout.strip() or "unknown"


def summarise(cells, done, args):
    first = 0 if args.quick else 1000
    rows = []
    for cell in cells:
        n = args.seeds or (3 if args.quick else cell.seeds)
        lines = lines_of(cell, done, first, n)
        if lines:
            rows.append(summarise_cell(cell, lines))
    clean = [r for r in rows if r["group"].startswith("Clean")]
    scans = sum(r["seeds"] for r in clean)
    return {"commit": commit(), "date": datetime.date.today().isoformat(), "first_seed": first, "cells": rows,
            "clean": {"scans": scans, "with_error": sum(r["error_scans"] for r in clean),
                      "warnings_per_scan": mean(w for r in clean for w in [r["warnings"]] * r["seeds"])}}


def number(x):
    return "–" if x is None or math.isnan(x) else f"{x:.3f}".replace("1.000", "1").lstrip("0") or "0"


def score_row(r):
    size = r["cell"].split("/")[2] if r["cell"].count("/") >= 2 else ""
    tail = "/".join(r["cell"].split("/")[3:])
    name = r["group"] + (f" ({tail})" if tail and tail not in r["group"] else "")
    if "auc" in r:
        got, asked = f"AUC {number(r['auc'])}", f"AUC {r['asked'].get('auc', '')}"
        return f"| {name} | {size} | {got} | | {asked} | {r['verdict']} | {r['seconds']:.2f} |"
    asked = f"{r['asked']['recall']:g} / {r['asked']['precision']:g}" if r["asked"] else "reported"
    asked = ("aim " if r["aim"] else "") + asked
    return (f"| {name} | {size} | {number(r.get('recall'))} ({number(r.get('recall_least'))}) | "
            f"{number(r.get('precision'))} ({number(r.get('precision_least'))}) | {asked} | {r['verdict']} | "
            f"{r['seconds']:.2f} |")


def score_table(rows):
    head = ["| data, attack | rows or share | recall (worst seed) | precision (worst seed) | asked R / P | | CPU s per scan |",
            "|---|---|---|---|---|---|---|"]
    return head + [score_row(r) for r in rows]


def clean_table(rows):
    out = ["| data | scans | with an error-level finding | warnings per scan | rules | CPU s per scan |", "|---|---|---|---|---|---|"]
    for r in rows:
        rules = ", ".join(f"{k} ×{v}" for k, v in sorted(r["rules"].items())) or "–"
        name = r["cell"].split("/")[0] + (" (unused)" if r["group"].startswith("Unused") else "")
        out.append(f"| {name} | {r['seeds']} | {r['error_scans']} | {r['warnings']:.2f} | {rules} | "
                   f"{r['seconds']:.2f} |")
    return out


def peers_table():
    path = data.OUT / "detect" / "peers.json"
    if not path.exists():
        return ["Not run."]
    out = ["| input | tool | recall | precision | AUC of the ranking | CPU s |", "|---|---|---|---|---|---|"]
    for r in json.loads(path.read_text()):
        if "error" in r:
            out.append(f"| {r['input']} | {r['tool']} | {r['error']} | | | |")
            continue
        out.append(f"| {r['input']} | {r['tool']} | {number(r.get('recall'))} | {number(r.get('precision'))} | "
                   f"{number(r.get('auc'))} | {r['seconds']:.1f} |")
    return out


def markdown(summary, args):
    rows = summary["cells"]
    attacks = [r for r in rows if r["kind"] != "clean"]
    tuned = [r for r in attacks if not r["group"].startswith("Unused")]
    unused = [r for r in attacks if r["group"].startswith("Unused") and r["seeds"]]
    nowhere = [r["cell"] for r in attacks if not r["seeds"] and r["no_place"]]
    clean = [r for r in rows if r["kind"] == "clean"]
    c = summary["clean"]
    met = sum(r["verdict"] == "met" and not r["aim"] for r in attacks)
    asked = sum(r["verdict"] != "" and not r["aim"] for r in attacks)
    failed = sum(r["failed"] for r in rows)
    out = ["# Truth: what the detectors find", "",
           f"Commit `{summary['commit']}`, {summary['date']}, seeds from {summary['first_seed']} on. "
           "`make bench-detect` makes this page.", "",
           "Row level, mean over seeds. Flagged are the rows of findings of severity warning or error, ranked lists "
           "left out; natural rows that equal pattern and target are scored neither way; a scan that flags nothing has "
           "precision 0. Targets alternate between the labels where none is named. What each attack writes: "
           "`bezoar list attacks`; the data sets not used while tuning are poisoned by `bench/planter.py` at .2 and .5 % "
           "by turns (sets below 10,000 rows: .5 %).", "",
           f"**{met} of {asked} cells reach what the table asks.** Clean data: {c['with_error']} of {c['scans']} scans "
           f"with an error-level finding (asked: at most 3 of 200), {c['warnings_per_scan']:.2f} warnings per scan (asked: "
           "at most .5)." + (f" {failed} runs failed." if failed else ""), "", "## Data tuned on", "", *score_table(tuned)]
    if unused:
        out += ["", "## Data not used while tuning (asked: the bars above less five points)", "", *score_table(unused)]
        if nowhere:
            out += ["", "Nothing in the data that the attack could use: " + ", ".join(nowhere) + "."]
    out += ["", "## Clean data", "",
            "The asked 200 scans are Adult, SMS, what scikit-learn bundles, and two generated bank tables; below them more "
            "real tables.", "", *clean_table(clean), "", "## Side by side, one run", "", *peers_table(), ""]
    return "\n".join(out)
