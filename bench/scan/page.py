"""docs/benchmarks/scan.md out of the figures of whole.py's stages."""
import os
import platform


def row(work, figure, asked, met, stamp):
    verdict = "" if met is None else "met" if met else "not met"
    return f"| {work} | {figure} | {asked} | {verdict} | {stamp['load']} |"


def times(sizes, runs):
    return ", ".join(f"{n:,}: {r['cpu']:.2f} CPU s ({r['seconds']:.2f} s)" for n, r in zip(sizes, runs))


def read_rows(r):
    for part in r["sizes"]:
        b, got = part["readers"], part["bytes"] / 1e6
        base, one = b["bezoar"], b["bezoar, 1 thread"]
        yield row(f"reading {part['rows']:,} rows × 12 columns ({got:.0f} MB), 2 threads",
                  f"{base['seconds']:.2f} s; {got / one['seconds']:.0f} MB/s on one thread, {base['peak_mib']:.0f} MiB",
                  "≥ 500 MB/s per core", got / one["seconds"] >= 500, r["stamp"])
        yield row("… beside pandas.read_csv", f"{b['pandas']['seconds']:.2f} s: ×{b['pandas']['seconds'] / base['seconds']:.1f}",
                  "≥ 8 × faster", b["pandas"]["seconds"] >= 8 * base["seconds"], r["stamp"])
        for name in ("duckdb", "polars"):
            yield row(f"… beside {name}, 2 threads",
                      f"{b[name]['seconds']:.2f} s ({b[name]['cpu']:.2f} CPU s, {b[name]['peak_mib']:.0f} MiB): "
                      f"×{b[name]['seconds'] / base['seconds']:.1f}", "not slower", b[name]["seconds"] >= base["seconds"], r["stamp"])


def pandas_rows(p):
    s = p["scan"]
    yield row(f"whole scan, {p['rows']:,} rows × 12 columns, 2 threads",
              f"{s['seconds']:.1f} s ({s['cpu']:.1f} CPU s); pandas.read_csv {p['pandas']['seconds']:.1f} s: ×{p['ratio']:.2f}",
              "≤ 2 × pandas.read_csv (aim 1 ×)", p["ratio"] <= 2 and "failed" not in s, p["stamp"])
    yield row("its peak resident memory", f"{s['peak_mib']:.0f} MiB", "≤ 1,024 MiB", s["peak_mib"] <= 1024, p["stamp"])


def growth_rows(r):
    steps = " and ".join(f"{e:.2f}" for e in r["steps"])
    yield row("growth with rows, whole scan", f"exponent {r['exponent']:.2f} (steps {steps}); {times(r['sizes'], r['runs'])}",
              "≤ 1.1", r["exponent"] <= 1.1, r["stamp"])


def columns_rows(r):
    steps = " and ".join(f"{e:.2f}" for e in r["steps"])
    yield row(f"growth with columns, {r['rows']:,} rows",
              f"exponent {r['exponent']:.2f} (steps {steps}); {times(r['columns'], r['runs'])}", "printed", None, r["stamp"])


def text_rows(r):
    t = r["scan"]
    yield row(f"{t['bytes'] / 1e6:,.0f} MB of text, phrases and characters, reading included, 2 threads",
              f"{t['seconds']:.1f} s ({t['cpu']:.1f} CPU s): {t['mb_per_s']:.1f} MB/s, {t['peak_mib']:.0f} MiB", "≥ 25 MB/s",
              t["mb_per_s"] >= 25 and "failed" not in t, r["stamp"])


def threads_rows(r):
    spent = ", ".join(f"{k}: {v['seconds']:.2f} s" for k, v in r["threads"].items())
    yield row(f"1, 2 and 4 threads, {r['rows']:,} rows", f"{'same bytes' if r['same'] else 'DIFFERENT'} ({spent})",
              "same bytes of report", r["same"], r["stamp"])


def copies_rows(r):
    s = r["scan"]
    yield row(f"a tenth of the rows ten times over, {r['rows']:,} rows",
              f"{s['seconds']:.1f} s ({s['cpu']:.1f} CPU s), {s['peak_mib']:.0f} MiB", "reported", None, r["stamp"])


def peers_rows(r):
    for x in r["tab_peers"] or []:
        same = (f"{x['different']} differing rows" if "different" in x else f"{100 * x['same_index']:.3f} % same neighbours")
        yield row(x["work"], f"{x['ours_s']:.3f} s; {x['peer']} {x['peer_s']:.3f} s: ×{x['ratio']:.1f}; {same}",
                  f"≥ {x['bar']} ×", x["ratio"] >= x["bar"], r["stamp"])
    if m := r["minhash_peers"]:
        yield row(f"MinHash, 128 permutations, 32 bands, {m['sets']:,} sets",
                  f"{m['seconds']['bezoar']:.3f} s; datasketch {m['seconds']['datasketch']:.2f} s: ×{m['ratio']:.0f} "
                  f"(one thread ×{m['ratio_one_thread']:.0f}); recall {m['recall']['bezoar']:.3f} and "
                  f"{m['recall']['datasketch']:.3f}", "≥ 10 ×", m["ratio"] >= 10, r["stamp"])


def walk(x):
    yield x
    for child in (x.values() if isinstance(x, dict) else x if isinstance(x, list) else []):
        yield from walk(child)


def processor():
    try:
        with open("/proc/cpuinfo", encoding="ascii", errors="replace") as f:
            return next(line.split(":", 1)[1].strip() for line in f if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.machine()


def markdown(results):
    makers = {"read": read_rows, "pandas": pandas_rows, "rows": growth_rows, "columns": columns_rows, "text": text_rows,
              "threads": threads_rows, "copies": copies_rows, "peers": peers_rows}
    stamps = sorted({(r["stamp"]["date"], r["stamp"]["commit"]) for r in results.values()})
    out = ["# Speed of scanning", "", "    make bench-scan        # bench/scan/run.sh; `--only STAGE,…` repeats some stages", "",
           f"Machine: {processor()}, {os.cpu_count()} processors. Commits: " + ", ".join(f"`{c}` ({d})" for d, c in stamps) + ". "
           "Transactions and texts are generated (`bench/gen_bank.py --seed 5`, `bench/gen_text.py --seed 1`). Load is the load "
           "average when the stage began: above about .5 other work ran, and CPU seconds and their ratios say more than the clock.",
           "", "| work | measured | asked | | load |", "|---|---|---|---|---|"]
    for name, result in results.items():
        out += makers[name](result)
    failures = [x["failed"] for x in walk(results) if isinstance(x, dict) and "failed" in x]
    missing = [name for name in makers if name not in results]
    if missing:
        out += ["", "Not measured yet: " + ", ".join(missing) + "."]
    return "\n".join(out + [""] + [f"Failed: {f}" for f in failures]) + "\n"
