#!/usr/bin/env python3
"""Whole scans: against pandas.read_csv, growth with rows and columns, a gigabyte of text, the same bytes for 1, 2 and 4
threads. Writes bench-out/scan/whole.json and the table that docs/benchmarks/scan.md holds.

    bench/scan/whole.py                    # everything; needs 3 GB of disk and a few minutes
    bench/scan/whole.py --rows 1000000     # the same at a tenth of the size
    bench/scan/whole.py --only pandas,rows # parts: pandas rows columns text threads
"""
import argparse
import datetime
import json
import math
import os
import pathlib
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
OUT = ROOT / "bench-out"
PARTS = ("pandas", "rows", "columns", "text", "threads")
TEXT_RULES = "BZ-D004,BZ-D005"


def timed(args, timeout=3600):
    """(seconds, CPU seconds, peak resident MiB, exit code, what it said) of one command."""
    start = time.monotonic()
    p = subprocess.Popen([str(a) for a in args], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    said = p.stderr.read()
    _, status, usage = os.wait4(p.pid, 0)
    p.returncode = os.waitstatus_to_exitcode(status)
    return {"seconds": time.monotonic() - start, "cpu": usage.ru_utime + usage.ru_stime,
            "peak_mib": usage.ru_maxrss / 1024, "exit": p.returncode, "said": said[-300:]}


def make(name, script, *args):
    """A generated file, made once."""
    path = OUT / "data" / name
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        subprocess.run([sys.executable, ROOT / "bench" / script, *map(str, args), "-o", part], check=True)
        part.rename(path)
    return path


def bank(rows, columns=12):
    name = f"bank-{rows}.csv" if columns == 12 else f"bank-{rows}-{columns}.csv"
    return make(name, "gen_bank.py", "--rows", rows, "--columns", columns, "--seed", 1)


def scan(binary, path, *more, threads=2):
    r = timed([binary, "scan", path, "--label", "label", "--threads", threads, "--progress", "none", "--fail-on", "never",
               *more])
    if r["exit"] != 0:
        r["failed"] = f"exit {r['exit']}: {r['said']}"
    r["bytes"] = path.stat().st_size
    r["mb_per_s"] = r["bytes"] / 1e6 / r["seconds"]
    return r


def exponent(points):
    """Slope of log time over log size, between the ends."""
    (x0, y0), (x1, y1) = points[0], points[-1]
    return math.log(y1 / y0) / math.log(x1 / x0)


def part_pandas(binary, rows):
    path = bank(rows)
    path.read_bytes()[:1]  # both find the file in the page cache
    program = "import sys, pandas; pandas.read_csv(sys.argv[1])"
    pandas = timed([sys.executable, "-c", program, path])
    ours = scan(binary, path)
    return {"rows": rows, "pandas": pandas, "scan": ours, "ratio": ours["seconds"] / pandas["seconds"]}


def part_rows(binary, rows):
    sizes = [n for n in (rows // 100, rows // 10, rows) if n >= 1000]
    runs = [scan(binary, bank(n)) for n in sizes]
    steps = [exponent([(sizes[i], runs[i]["cpu"]), (sizes[i + 1], runs[i + 1]["cpu"])]) for i in range(len(sizes) - 1)]
    return {"sizes": sizes, "runs": runs, "exponent": exponent([(n, r["cpu"]) for n, r in zip(sizes, runs)]),
            "exponent_cpu_steps": steps}


def part_columns(binary, rows):
    n, widths = max(1000, rows // 100), [10, 30, 100]
    runs = [scan(binary, bank(n, c)) for c in widths]
    return {"rows": n, "columns": widths, "runs": runs,
            "exponent": exponent([(c, r["cpu"]) for c, r in zip(widths, runs)])}


def part_text(binary, rows):
    size = rows * 100
    path = make(f"text-{size}.tsv", "gen_text.py", "--bytes", size, "--seed", 1)
    return {"phrase_and_characters": scan(binary, path, "--text", "text", "--only", TEXT_RULES)}


def part_threads(binary, rows):
    """Reports and rows without the section that names time, host and threads."""
    path, seen = bank(max(1000, rows // 10)), {}
    for threads in (1, 2, 4):
        report, listed = OUT / "scan" / f"t{threads}.json", OUT / "scan" / f"t{threads}.csv"
        r = scan(binary, path, "--report", report, "--rows", listed, threads=threads)
        body = json.loads(report.read_text())
        body.pop("run", None)
        body.get("options", {}).pop("threads", None) if isinstance(body.get("options"), dict) else None
        seen[threads] = {"seconds": r["seconds"], "digest": hash_of(json.dumps(body, sort_keys=True), listed.read_bytes())}
    return {"threads": seen, "same": len({v["digest"] for v in seen.values()}) == 1}


def hash_of(text, more):
    import hashlib
    return hashlib.sha256(text.encode() + more).hexdigest()


def row(work, figure, asked, met):
    return f"| {work} | {figure} | {asked} | {'met' if met else 'not met'} |"


def markdown(result, rows):
    commit = subprocess.run(["git", "-C", ROOT, "describe", "--always", "--dirty"], capture_output=True, text=True).stdout
    out = ["# Speed: whole scans", "",
           f"Commit `{commit.strip()}`, {datetime.date.today()}, {os.cpu_count()} processors, {rows:,} rows at the most; one "
           "run; `make bench-scan` makes this page.", "", "| work | measured | asked | |", "|---|---|---|---|"]
    if "pandas" in result:
        p = result["pandas"]
        s = p["scan"]
        out.append(row(f"whole scan, {p['rows']:,} rows × 12 columns ({s['bytes'] / 1e6:.0f} MB), 2 threads",
                       f"{s['seconds']:.1f} s ({s['cpu']:.1f} CPU s); pandas.read_csv {p['pandas']['seconds']:.1f} s "
                       f"({p['pandas']['cpu']:.1f} CPU s): ×{p['ratio']:.2f}",
                       "≤ 2× pandas.read_csv", p["ratio"] <= 2 and "failed" not in s))
        out.append(row("its peak resident memory", f"{s['peak_mib']:.0f} MiB", "≤ 1,024 MiB", s["peak_mib"] <= 1024))
    if "rows" in result:
        r = result["rows"]
        times = ", ".join(f"{n:,}: {x['cpu']:.2f} CPU s" for n, x in zip(r["sizes"], r["runs"]))
        out.append(row("growth with rows", f"exponent {r['exponent']:.2f} ({times})", "≤ 1.1", r["exponent"] <= 1.1))
    if "columns" in result:
        r = result["columns"]
        times = ", ".join(f"{n}: {x['cpu']:.2f} CPU s" for n, x in zip(r["columns"], r["runs"]))
        out.append(f"| growth with columns, {r['rows']:,} rows | exponent {r['exponent']:.2f} ({times}) | printed | |")
    if "text" in result:
        t = result["text"]["phrase_and_characters"]
        out.append(row(f"{t['bytes'] / 1e6:.0f} MB of text, phrases and characters, 2 threads",
                       f"{t['mb_per_s']:.1f} MB/s, {t['peak_mib']:.0f} MiB", "≥ 25 MB/s",
                       t["mb_per_s"] >= 25 and "failed" not in t))
    if "threads" in result:
        t = result["threads"]
        times = ", ".join(f"{k}: {v['seconds']:.2f} s" for k, v in t["threads"].items())
        out.append(row("1, 2 and 4 threads", f"{'same bytes' if t['same'] else 'DIFFERENT'} ({times})", "same bytes",
                       t["same"]))
    failures = [x["failed"] for x in walk(result) if isinstance(x, dict) and "failed" in x]
    return "\n".join(out + [""] + [f"Failed: {f}" for f in failures]) + "\n"


def walk(x):
    yield x
    for child in (x.values() if isinstance(x, dict) else x if isinstance(x, list) else []):
        yield from walk(child)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--rows", type=int, default=10_000_000)
    p.add_argument("--only", default=",".join(PARTS))
    p.add_argument("--binary", type=pathlib.Path, default=ROOT / "build" / "bezoar")
    p.add_argument("--markdown", type=pathlib.Path)
    a = p.parse_args()
    (OUT / "scan").mkdir(parents=True, exist_ok=True)
    result = {}
    for part in a.only.split(","):
        print(f"{part} …", flush=True)
        result[part] = globals()[f"part_{part}"](a.binary, a.rows)
        (OUT / "scan" / "whole.json").write_text(json.dumps(result, indent=1))
    text = markdown(result, a.rows)
    (a.markdown or OUT / "scan" / "whole.md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
