"""docs/benchmarks/images.md out of the results."""
import datetime
import json
import subprocess

import sets

NOTES = sets.ROOT / "bench" / "images" / "notes.md"  # reasons for what is missed, written by people


def commit():
    p = subprocess.run(["git", "-C", str(sets.ROOT), "describe", "--always", "--dirty"], capture_output=True, text=True)
    return p.stdout.strip() or "unknown"


def mean(values):
    values = list(values)
    return sum(values) / len(values) if values else float("nan")


def number(x, digits=3):
    return f"{x:.{digits}f}".lstrip("0") if 0 < x < 1 else f"{x:g}"


def percent(x):
    return f"{100 * x:.2f} %" if x else "0"


def lines_of(cell, done, first):
    found = [done[cell.name, s] for s in range(first, first + 200) if (cell.name, s) in done]
    return [x for x in found if "error" not in x]


def verdict(cell, tpr, fpr):
    if cell.tpr is None:
        return ""
    met = round(tpr, 4) >= cell.tpr and (cell.fpr is None or round(fpr, 5) <= cell.fpr)
    return ("aim " if cell.aim else "") + ("met" if met else "not met")


def score_table(cells, done, first):
    out = ["| data, attack | share | TPR (worst) | FPR (worst) | asked | | with D014's list | seeds | CPU s |",
           "|---|---|---|---|---|---|---|---|---|"]
    for cell in cells:
        lines = lines_of(cell, done, first)
        if not lines:
            out.append(f"| {cell.group} | {shares(cell)} | not run | | | | | 0 | |")
            continue
        tpr, fpr = [x["tpr"] for x in lines], [x["fpr"] for x in lines]
        asked = "reported" if cell.tpr is None else f"{'aim ' if cell.aim else ''}≥ {number(cell.tpr)}, ≤ {100 * cell.fpr:g} %"
        listed = ("" if cell.kind == "flips" else
                  f"{number(mean(x['tpr_listed'] for x in lines))}, {percent(mean(x['fpr_listed'] for x in lines))}")
        out.append(f"| {cell.group} | {shares(cell)} | {number(mean(tpr))} ({number(min(tpr))}) | {percent(mean(fpr))} "
                   f"({percent(max(fpr))}) | {asked} | {verdict(cell, mean(tpr), mean(fpr))} | {listed} | {len(lines)} | "
                   f"{mean(x['seconds'] for x in lines):.1f} |")
    return out


def shares(cell):
    return " / ".join(f"{100 * s:g} %" for s in cell.sizes)


def text_table(cells, done, first):
    out = ["| data, attack | found | precision | asked | | seeds | CPU s |", "|---|---|---|---|---|---|---|"]
    for cell in cells:
        lines = lines_of(cell, done, first)
        if not lines:
            out.append(f"| {cell.group} | not run | | | | 0 | |")
            continue
        tpr, seconds = mean(x["tpr"] for x in lines), mean(x["seconds"] for x in lines)
        if cell.kind == "pairs":
            ranks = ", ".join(str(x["rank"] or "–") for x in lines)
            out.append(f"| {cell.group} | top 10 in {sum(x['tpr'] for x in lines):.0f} of {len(lines)} (ranks {ranks}) | | ≥ 9 of 10 | "
                       f"{'met' if tpr >= cell.tpr else 'not met'} | {len(lines)} | {seconds:.1f} |")
            continue
        precision = mean(x["precision"] for x in lines)
        met = round(tpr, 4) >= cell.tpr and round(precision, 4) >= cell.fpr
        out.append(f"| {cell.group} | recall {number(tpr)} (worst {number(min(x['tpr'] for x in lines))}) | {number(precision)} | "
                   f"≥ {number(cell.tpr)}, ≥ {number(cell.fpr)} | {'met' if met else 'not met'} | {len(lines)} | {seconds:.1f} |")
    return out


def clean_table(cells, done, first):
    out = ["| data | scans | with an error-level finding | warnings per scan | rules | CPU s |", "|---|---|---|---|---|---|"]
    for cell in cells:
        lines = lines_of(cell, done, first)
        if not lines:
            out.append(f"| {cell.data} | 0 | not run | | | |")
            continue
        rules = {}
        for x in lines:
            for rule, n in x["rules"].items():
                rules[rule] = rules.get(rule, 0) + n
        entries = f"; review of pairs: {max(x['entries'] for x in lines)} entries at the most" if cell.data == "pairs" else ""
        loud = ", ".join(f"{k} ×{v}" for k, v in sorted(rules.items())) or "–"
        out.append(f"| {cell.data} | {len(lines)} | {errors(lines)} | {warnings(lines):.2f} | {loud}{entries} | "
                   f"{mean(x['seconds'] for x in lines):.1f} |")
    return out


def errors(lines):
    return sum(x["findings"]["error"] > 0 for x in lines)


def warnings(lines):
    return mean(x["findings"]["warning"] for x in lines)


def count(cells, done, first, aim):
    """"12 of 15": bars (or aims) reached."""
    judged = []
    for cell in cells:
        lines = lines_of(cell, done, first)
        if lines and cell.tpr is not None and cell.aim == aim:
            judged.append(verdict(cell, mean(x["tpr"] for x in lines), mean(x["fpr"] for x in lines)).endswith("not met"))
    return f"{len(judged) - sum(judged)} of {len(judged)}"


def stored(name):
    path = sets.FOLDER / f"{name}.json"
    return json.loads(path.read_text()) if path.exists() else None


def side_by_side():
    found = stored("peers")
    if not found:
        return ["Not run."]
    out = [f"Seed {', '.join(map(str, found['seeds']))}; commit `{found['commit']}`. CPU seconds; ours with reading, all its checks "
           "and the report, theirs without reading. ART is told the true share of poison; cleanlab gets out-of-fold probabilities of a "
           "logistic regression on 64 principal components, whose training its seconds include. \"Its list too\": with the rows of the "
           "detector's ranked list, a note.", "", "| input | tool | TPR | FPR | CPU s |", "|---|---|---|---|---|"]
    for a in found["answers"]:
        tpr = "–" if a["input"].endswith("clean") else number(a.get("tpr", 0))
        rates = f"{tpr} | {percent(a['fpr'])}" if "tpr" in a else f"{a['error']} | "
        out.append(f"| {a['input']} | {a['tool']} | {rates} | {format(a['seconds'], '.1f') if 'seconds' in a else ''} |")
    return [*out, "", best_line(found["answers"])]


def best_line(answers):
    """The bar of the embeddings: the best of the detectors on stop to 60, 5 %."""
    out = []
    for kind in ("PCA", "network"):
        good = [a for a in answers if a["input"].startswith("GTSRB-8, stop") and a["tool"].startswith("BZ-D0") and "tpr" in a
                and a["tool"].endswith(f", {kind}") and " to " not in a["tool"] and a["fpr"] <= .01]
        best = max(good, key=lambda a: (a["tpr"], -a["fpr"]), default=None)
        if best:
            out.append(f"{best['tool']} {number(best['tpr'])} at {percent(best['fpr'])}: {'met' if best['tpr'] >= .9 else 'not met'}")
    return "Asked of the best detector of embeddings on stop to 60, 5 %: ≥ .9 at FPR ≤ 1 %. " + "; ".join(out) + "."


def speed():
    found = stored("speed")
    if not found:
        return ["Not run."]
    out = ["| work | wall s | CPU s | peak MiB | load before | |", "|---|---|---|---|---|---|"]
    for r in found["runs"]:
        out.append(f"| {r['what']} | {r['wall']:.1f} | {r['cpu']:.1f} | {r['peak_mib']:.0f} | {r['load']:.1f} | {r['verdict']} |")
    return [f"Commit `{found['commit']}`.", "", *out, "", *found["said"]]


def commits(cells, done, first):
    """The commits that the results of these cells were made with, in words."""
    found = dict.fromkeys(x["commit"] for c in cells for x in lines_of(c, done, first))
    return ", ".join(f"`{c}`" for c in found) or "none"


def markdown(cells, done, first):
    def part(*sections):
        return [c for c in cells if c.section in sections]
    must, clean = part("tuned", "large"), part("clean")
    scans = [x for c in clean for x in lines_of(c, done, first)]
    failed = sum("error" in x for x in done.values())
    short = [c.name for c in cells if len(lines_of(c, done, first)) < c.seeds]
    out = ["# Truth and speed: pictures, embeddings, corpora", "",
           f"{datetime.date.today().isoformat()}, commit {commits(cells, done, first)}, seeds from {first} on; thresholds were fixed "
           "before. `make bench-detect` makes this page (`bench/images/run.sh`).", "",
           "Whole scans, all checks, one thread. Flagged are the rows of findings of severity warning or error; label flips are scored "
           "on the list of BZ-D014 whatever its severity. TPR is the share of the poisoned rows that are flagged, FPR that of all "
           "others; means over seeds, the worst seed in brackets. Shares take turns with the seeds. Targets go with the seed.", "",
           f"**Bars met: {count(must, done, first, False)}; aims: {count(must, done, first, True)}; sets not used while tuning: "
           f"{count(part('unused'), done, first, False)} (bars less five points). Clean data: {errors(scans)} of {len(scans)} scans with "
           f"an error-level finding (asked: 2 at most), {warnings(scans):.2f} warnings per scan (asked: .5).**"
           + (f" {failed} runs failed." if failed else ""), ""]
    if short:
        out += [f"This run was cut short: {len(short)} of {len(cells)} cells have fewer seeds than planned (the column `seeds`).", ""]
    if NOTES.exists():
        out += [NOTES.read_text(encoding="utf-8").strip(), ""]
    for title, cells_of in (("Pictures", part("tuned")), ("Larger pictures", part("large")),
                            ("Not used while tuning (`bench/images/sets.py` says by what rule)", part("unused"))):
        out += [f"## {title}", "", f"Commit {commits(cells_of, done, first)}.", "", *score_table(cells_of, done, first), ""]
    out += ["## Corpora and instruction data", "", f"Commit {commits(part('text'), done, first)}.", "",
            *text_table(part("text"), done, first), "", "## Clean data", "",
            *clean_table(part("clean", "clean-pairs", "unused-clean"), done, first), "",
            "## Embeddings, and side by side", "", *side_by_side(), "", "## Speed", "", *speed(), ""]
    return "\n".join(out)
