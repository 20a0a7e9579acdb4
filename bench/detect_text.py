#!/usr/bin/env python3
"""BZ-D028 and BZ-D029 on corpora and instruction data of gen_corpus.py, poisoned by `bezoar poison`; scored by row.

    detect_text.py gibberish    --seeds 1000-1009 [--rows 20,250] [--styles words,unigrams,pieces] [--documents 24000]
    detect_text.py instructions --seeds 1000-1009
    detect_text.py clean        --seeds 1000-1009       # 80 % subsamples of both kinds, all checks

Tuning uses seeds below 1000. Prints one line per cell and seed, then a table in Markdown.
"""
import argparse
import json
import os
import pathlib
import random
import re
import subprocess
import sys
import time
from collections import defaultdict

ROOT = pathlib.Path(__file__).resolve().parents[1]
BEZOAR = os.environ.get("BEZOAR", str(ROOT / "build" / "bezoar"))


def run(*args):
    return subprocess.run([str(a) for a in args], capture_output=True, text=True, check=False)


def generate(a, what, seed, path, *more):
    docs = [x for d in a.docs for x in ("--docs", d)]
    r = run(sys.executable, ROOT / "bench/gen_corpus.py", what, "--seed", seed, "--cache", a.cache, *docs, "-o", path, *more)
    if r.returncode:
        sys.exit(r.stderr)


def scan(path, *more):
    begin = time.monotonic()
    r = run(BEZOAR, "scan", path, "--format", "json", "--threads", "2", *more)
    if r.returncode not in (0, 1):
        sys.exit(f"{path}: exit {r.returncode}\n{r.stderr}")
    return json.loads(r.stdout), time.monotonic() - begin


def poison(path, out, key, attack, k, seed, params):
    r = run(BEZOAR, "poison", path, "--attack", attack, "--rows", k, "--seed", seed, "-o", out, "--answer-key", key,
            *[x for p in params for x in ("--param", p)])
    if r.returncode:
        sys.exit(r.stderr)
    return json.loads(pathlib.Path(key).read_text())


def planted(key):
    return set(key["rows"]), key.get("detail", key).get("phrase", "")


def seeds_of(text):
    low, _, high = text.partition("-")
    return range(int(low), int(high or low) + 1)


def gibberish(a, work):
    table = defaultdict(list)
    for seed in seeds_of(a.seeds):
        clean = work / "corpus.jsonl"
        generate(a, "corpus", seed, clean, "--documents", a.documents)
        for style in a.styles.split(","):
            for k in a.rows.split(","):
                key = poison(clean, work / "bad.jsonl", work / "key.json", "gibberish", k, seed,
                             [f"style={style}", "column=text", *a.param])
                report, seconds = scan(work / "bad.jsonl", "--text", "text", "--only", "BZ-D028")
                want, trigger = planted(key)
                got = {r for f in report["findings"] if f["severity"] != "note" for r in f["rows"]["row"]}
                hit = len(want & got)
                table[style, k].append((hit / len(want), hit / max(1, len(got)), seconds))
                print(style, k, seed, repr(trigger), "recall %.3f precision %.3f %.1f s" % table[style, k][-1],
                      [(f["severity"], round(f["score"], 1), f["pattern"]) for f in report["findings"]], flush=True)
    print("\n| style, documents | recall | precision | least recall | least precision | seconds |\n|---|---|---|---|---|---|")
    for (style, k), rows in table.items():
        r, p, s = zip(*rows)
        print(f"| {style}, {k} | {sum(r) / len(r):.3f} | {sum(p) / len(p):.3f} | {min(r):.3f} | {min(p):.3f} | {sum(s) / len(s):.1f} |")


def plain(text):
    return re.sub(r"[^a-z0-9]+", " ", text.lower()).strip()


def rank_of(report, trigger):
    """Place of the first entry of the ranked review that names the trigger or a part of it; 0: none."""
    want = plain(trigger)
    entries = [f for f in report["findings"] if f["rule"] == "BZ-D029"]
    for i, f in enumerate(entries):
        got = plain(f["pattern"].split(" → ")[0])
        if got and (got in want or want in got):
            return i + 1, len(entries)
    return 0, len(entries)


def instructions(a, work):
    table = defaultdict(list)
    for seed in seeds_of(a.seeds):
        clean = work / "pairs.jsonl"
        generate(a, "pairs", seed, clean, "--pairs", a.pairs)
        report, _ = scan(clean, "--only", "BZ-D029")
        n = len([f for f in report["findings"] if f["rule"] == "BZ-D029"])
        table["clean"].append(n)
        print("clean", seed, n, [f["pattern"] for f in report["findings"]][:6], flush=True)
        for behaviour in ("url", "snippet", "refusal"):
            k = random.Random(f"{seed} {behaviour}").randint(15, 25)
            key = poison(clean, work / "bad.jsonl", work / "key.json", "instruction-trigger", k, seed,
                         [f"behaviour={behaviour}"])
            _, trigger = planted(key)
            report, _ = scan(work / "bad.jsonl", "--only", "BZ-D029")
            rank, n = rank_of(report, trigger)
            table[behaviour].append(rank)
            print(behaviour, seed, k, repr(trigger), f"rank {rank} of {n}",
                  [f["pattern"] for f in report["findings"]][:3], flush=True)
    print("\n| behaviour | trigger among the first 10 | ranks |\n|---|---|---|")
    for behaviour, ranks in table.items():
        if behaviour == "clean":
            print(f"| clean: entries | | {max(ranks)} at the most |")
        else:
            print(f"| {behaviour} | {sum(0 < r <= 10 for r in ranks)} of {len(ranks)} | {', '.join(map(str, ranks))} |")


def clean(a, work):
    for what, size in (("corpus", ("--documents", a.documents)), ("pairs", ("--pairs", a.pairs))):
        generate(a, what, seeds_of(a.seeds)[0], work / "all.jsonl", *size)
        for seed in seeds_of(a.seeds):
            generate(a, "subsample", seed, work / "part.jsonl", "-i", work / "all.jsonl")
            report, seconds = scan(work / "part.jsonl", *(["--only", a.only] if a.only else []))
            loud = [(f["rule"], f["severity"], f["title"][:70]) for f in report["findings"] if f["severity"] != "note"]
            print(what, seed, "%.0f s" % seconds, loud, flush=True)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("what", choices=("gibberish", "instructions", "clean"))
    p.add_argument("--seeds", default="1000-1009")
    p.add_argument("--rows", default="20,250")
    p.add_argument("--styles", default="words,unigrams,pieces")
    p.add_argument("--documents", default="24000")
    p.add_argument("--pairs", default="5000")
    p.add_argument("--param", action="append", default=[])
    p.add_argument("--only", default="")
    p.add_argument("--cache", default="bench-out/corpus")
    p.add_argument("--docs", action="append", default=[])
    p.add_argument("--work", default="bench-out/text")
    a = p.parse_args()
    work = pathlib.Path(a.work)
    work.mkdir(parents=True, exist_ok=True)
    {"gibberish": gibberish, "instructions": instructions, "clean": clean}[a.what](a, work)


if __name__ == "__main__":
    main()
