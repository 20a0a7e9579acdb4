"""Means per cell, and the table in docs."""
import datetime
import json
import math
import subprocess

import data
import eligible


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
    out = {"cell": cell.name, "group": cell.group, "section": cell.section, "kind": cell.kind, "aim": cell.aim,
           "seeds": len(good), "of_seeds": len(lines), "failed": sum("error" in x for x in lines),
           "no_place": sum("no_place" in x for x in lines), "seconds": mean(x["seconds"] for x in good)}
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
    rows, planned = [], {}
    for cell in cells:
        n = args.seeds or (3 if args.quick else cell.seeds)
        lines = lines_of(cell, done, first, n)
        planned[cell.name] = [len(lines), n]
        if lines:
            rows.append(summarise_cell(cell, lines))
    return {"planned": planned, "commit": commit(), "date": datetime.date.today().isoformat(), "first_seed": first, "cells": rows}


def clean_count(rows):
    """(scans, scans with an error-level finding, warnings per scan) of clean cells."""
    return (sum(r["seeds"] for r in rows), sum(r["error_scans"] for r in rows),
            mean(w for r in rows for w in [r["warnings"]] * r["seeds"]))


def number(x):
    return "–" if x is None or math.isnan(x) else f"{x:.3f}".replace("1.000", "1").lstrip("0") or "0"


def score_row(r, bars):
    size = r["cell"].split("/")[2] if r["cell"].count("/") >= 2 else ""
    tail = "/".join(r["cell"].split("/")[3:])
    name = r["group"] + (f" ({tail})" if tail and tail not in r["group"] else "")
    end = f"{r['seeds']} | {r['seconds']:.2f} |"
    if "auc" in r:
        got, asked = f"AUC {number(r['auc'])}", f"AUC {r['asked'].get('auc', '')}"
        return f"| {name} | {size} | {got} | | {asked} | {r['verdict']} | {end}"
    got = (f"| {name} | {size} | {number(r.get('recall'))} ({number(r.get('recall_least'))}) | "
           f"{number(r.get('precision'))} ({number(r.get('precision_least'))}) | ")
    if not bars:
        return got + end
    asked = f"{r['asked']['recall']:g} / {r['asked']['precision']:g}" if r["asked"] else "reported"
    return got + f"{'aim ' if r['aim'] else ''}{asked} | {r['verdict']} | {end}"


def score_table(rows, bars=True):
    head = "| data, attack | rows or share | recall (worst seed) | precision (worst seed) | "
    more = "asked R / P | | seeds | CPU s per scan |" if bars else "seeds | CPU s per scan |"
    return [head + more, "|---|---|---|---|" + "---|" * (4 if bars else 2)] + [score_row(r, bars) for r in rows if r["seeds"]]


def clean_table(rows):
    out = ["| data | scans | with an error-level finding | warnings per scan | rules | CPU s per scan |", "|---|---|---|---|---|---|"]
    for r in rows:
        rules = ", ".join(f"{k} ×{v}" for k, v in sorted(r["rules"].items())) or "–"
        out.append(f"| {r['cell'].split('/')[0]} | {r['seeds']} | {r['error_scans']} | {r['warnings']:.2f} | {rules} | "
                   f"{r['seconds']:.2f} |")
    return out


def peers_table():
    path = data.OUT / "detect" / "peers.json"
    if not path.exists():
        return ["Not run."]
    stored = json.loads(path.read_text())
    out = [f"Seed {stored['seed']}; CPU seconds. cleanlab is given the out-of-fold probabilities of a logistic regression, as its users "
           "do, and its clock includes them; mlxtend is given binned numbers and asked for each label's top rule of up to two columns. "
           "Flips in Adult are a ranked list of ours, not a verdict per row: its AUC is what counts.",
           "", "| input | tool | recall | precision | AUC of the ranking | CPU s |", "|---|---|---|---|---|---|"]
    for r in stored["answers"]:
        if "error" in r:
            out.append(f"| {r['input']} | {r['tool']} | {r['error']} | | | |")
            continue
        out.append(f"| {r['input']} | {r['tool']} | {number(r.get('recall'))} | {number(r.get('precision'))} | "
                   f"{number(r.get('auc'))} | {r['seconds']:.1f} |")
    return out


def count(rows):
    """"12 of 15", bars met and asked; aims are left out."""
    asked = [r for r in rows if r["kind"] != "clean" and r.get("verdict") and not r["aim"]]
    return f"{sum(r['verdict'] == 'met' for r in asked)} of {len(asked)}"


def clean_words(rows):
    scans, errors, warnings = clean_count(rows)
    return f"{errors} of {scans} scans with an error-level finding, {number(warnings)} warnings per scan"


def means(rows):
    """One line per attack over all data sets of a section."""
    out = ["| attack | data sets | recall | precision | cells that reach the bar |", "|---|---|---|---|---|"]
    for attack in dict.fromkeys(r["cell"].split("/")[1] for r in rows):
        part = [r for r in rows if r["cell"].split("/")[1] == attack and r["seeds"]]
        out.append(f"| {attack} | {len(part)} | {number(mean(r['recall'] for r in part))} | "
                   f"{number(mean(r['precision'] for r in part))} | {count(part)} |")
    return out


def head(summary, part):
    failed = sum(r["failed"] for r in summary["cells"])
    return ["# Truth: what the detectors find", "",
            f"Commit `{summary['commit']}`, {summary['date']}, seeds from {summary['first_seed']} on. "
            "`make bench-detect` makes this page.", "",
            "Row level, mean over seeds. Flagged are the rows of findings of severity warning or error, ranked lists "
            "left out; natural rows that equal pattern and target are scored neither way; a scan that flags nothing has "
            "precision 0. Targets alternate between the labels where none is named. What each attack writes: "
            "`bezoar list attacks`; the data sets not used while tuning are poisoned by `bench/planter.py` at .2 and .5 % "
            "by turns (sets below 10,000 rows: .5 %).", "",
            f"**Data tuned on: {count(part('tuned'))} cells reach what the table asks. Data not used while tuning: "
            f"{count(part('unused'))}.**", "",
            f"Clean data of the table: {clean_words(part('tuned', True))} (asked: at most 3 of 200, at most .5). Clean data not "
            f"used while tuning: {clean_words(part('unused', True))} (asked: no error-level finding)."
            + (f" {failed} runs failed." if failed else ""), *unfinished(summary)]


def unfinished(summary):
    """What a run that was cut short did not get to."""
    planned = summary["planned"]
    short = [v for v in planned.values() if 0 < v[0] < v[1]]
    none = [k for k, v in planned.items() if v[0] == 0]
    if not short and not none:
        return []
    out = (f"This run was cut short: {sum(v[0] for v in planned.values())} of {sum(v[1] for v in planned.values())} scans are "
           f"in, {len(short)} cells have fewer seeds than planned (the column `seeds`)")
    by_data = {}
    for name in none:
        by_data.setdefault(name.split("/")[0], []).append(name.split("/")[1])
    rest = "; ".join(f"{name}: {', '.join(attacks)}" for name, attacks in by_data.items())
    return ["", out + (f". Not begun: {rest}." if none else ".")]


def markdown(summary, args):
    def part(section, clean=False):
        return [r for r in summary["cells"] if r["section"] == section and (r["kind"] == "clean") == clean]
    out = [*head(summary, part), "", "## Data tuned on", "", *score_table(part("tuned"))]
    if part("unused"):
        nowhere = [f"{r['cell']} ({r['no_place']} of {r['of_seeds']} seeds)" for r in part("unused") + part("weak") if r["no_place"]]
        out += ["", "## Data not used while tuning (asked: the bars above less five points)", "",
                "What a set had to fulfil stands in `bench/detect/unused.py`, written before the first scan; AUC is that of "
                "an independent model (`bench/detect/eligible.py`). The last rows, below .8, are the weak labels.", "",
                *eligible.table(), "", *means(part("unused")), "", *score_table(part("unused"))]
        if nowhere:
            out += ["", "Nothing in the data that the attack could use: " + ", ".join(nowhere) + "."]
    if part("weak"):
        out += ["", "## Weak labels, not used while tuning (reported, outside the count)", "", *score_table(part("weak"), False)]
    if part("looked-at"):
        out += ["", "## The unused data of an earlier table, looked at since (reported, outside the count)", "",
                *score_table(part("looked-at"), False)]
    out += ["", "## Clean data", "",
            "The asked 200 scans are Adult, SMS, what scikit-learn bundles, and two generated bank tables.", "",
            *clean_table(part("tuned", True))]
    for section, title in (("unused", "Not used while tuning:"), ("weak", "Weak labels, not used while tuning:"),
                           ("more", "More tables and texts that false alarms were looked at on:"), ("looked-at", "Looked at since:")):
        if part(section, True):
            out += ["", title, "", *clean_table(part(section, True))]
    return "\n".join([*out, "", "## Side by side, one run", "", *peers_table(), ""])
