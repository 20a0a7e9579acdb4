#!/usr/bin/env python3
"""Measures for docs/benchmarks/scan.md, in stages; each writes bench-out/scan/STAGE.json with commit, date and load, and
page.py makes the page of what is there.

    bench/scan/run.sh                            # all stages, 10 M rows
    bench/scan/run.sh --only read,text           # some: read pandas rows columns text threads copies peers
    bench/scan/run.sh --rows 1000000             # a tenth of the size, figures and page kept apart
"""
import argparse
import datetime
import hashlib
import json
import math
import os
import pathlib
import subprocess
import sys
import time

import page

ROOT = pathlib.Path(__file__).resolve().parents[2]
OUT = ROOT / "bench-out"
TEXT_RULES = "BZ-D004,BZ-D005"


def timed(args, timeout=3600):
    """Wall and CPU seconds, peak resident MiB, exit code and what was said on standard error of one command."""
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
    return make(name, "gen_bank.py", "--rows", rows, "--columns", columns, "--seed", 5)


def scan(binary, path, *more, threads=2):
    r = timed([binary, "scan", path, "--label", "label", "--threads", threads, "--progress", "none", "--fail-on", "never",
               *more])
    if r["exit"] != 0:
        r["failed"] = f"exit {r['exit']}: {r['said']}"
    r["bytes"] = path.stat().st_size
    r["mb_per_s"] = r["bytes"] / 1e6 / r["seconds"]
    return r


def exponent(points):
    """Slope of log CPU time over log size, between the ends."""
    (x0, y0), (x1, y1) = points[0], points[-1]
    return math.log(y1 / y0) / math.log(x1 / x0)


def stage_read(binary, rows):
    """The readers at full size and at 1 M rows."""
    out = []
    for n, rounds in ((rows // 10, 3), (rows, 2)):
        bank(n)
        answer = OUT / "scan" / "tmp-read.json"
        subprocess.run([sys.executable, ROOT / "bench" / "scan" / "read_bench.py", "--rows", str(n), "--rounds", str(rounds),
                        "-o", answer, "--build", binary.parent], check=True)
        out.append(json.loads(answer.read_text()) | {"rows": n})
    return {"sizes": out}


def stage_pandas(binary, rows):
    """The whole scan beside pandas.read_csv, by turns, twice; the better of each counts."""
    path = bank(rows)
    program = "import sys, pandas; pandas.read_csv(sys.argv[1])"
    pandas, ours = [], []
    for _ in range(2):
        pandas.append(timed([sys.executable, "-c", program, path]))
        ours.append(scan(binary, path))
    pandas, ours = (min(x, key=lambda r: r["seconds"]) for x in (pandas, ours))
    return {"rows": rows, "pandas": pandas, "scan": ours, "ratio": ours["seconds"] / pandas["seconds"]}


def stage_rows(binary, rows):
    sizes = [n for n in (rows // 100, rows // 10, rows) if n >= 1000]
    runs = [scan(binary, bank(n)) for n in sizes]
    points = [(n, r["cpu"]) for n, r in zip(sizes, runs)]
    return {"sizes": sizes, "runs": runs, "exponent": exponent(points),
            "steps": [exponent(points[i : i + 2]) for i in range(len(points) - 1)]}


def stage_columns(binary, rows):
    n, widths = max(1000, rows // 100), [10, 30, 100]
    runs = [scan(binary, bank(n, c)) for c in widths]
    points = [(c, r["cpu"]) for c, r in zip(widths, runs)]
    return {"rows": n, "columns": widths, "runs": runs, "exponent": exponent(points),
            "steps": [exponent(points[i : i + 2]) for i in range(len(points) - 1)]}


def stage_text(binary, rows):
    size = rows * 100
    path = make(f"text-{size}.tsv", "gen_text.py", "--bytes", size, "--seed", 1)
    return {"scan": scan(binary, path, "--text", "text", "--only", TEXT_RULES)}


def stage_threads(binary, rows):
    """Reports and rows without the section that names time, host and threads."""
    path, seen = bank(max(1000, rows // 10)), {}
    for threads in (1, 2, 4):
        report, listed = OUT / "scan" / f"t{threads}.json", OUT / "scan" / f"t{threads}.csv"
        r = scan(binary, path, "--report", report, "--rows", listed, threads=threads)
        body = json.loads(report.read_text())
        body.pop("run", None)
        body.get("options", {}).pop("threads", None) if isinstance(body.get("options"), dict) else None
        text = json.dumps(body, sort_keys=True).encode() + listed.read_bytes()
        seen[threads] = {"seconds": r["seconds"], "digest": hashlib.sha256(text).hexdigest()}
    return {"rows": max(1000, rows // 10), "threads": seen, "same": len({v["digest"] for v in seen.values()}) == 1}


def stage_copies(binary, rows):
    """A tenth of the rows, ten times over: exact copies must not cost more than rows of their own."""
    part = bank(rows // 10)
    path = OUT / "data" / f"copies-{rows}.csv"
    if not path.exists():
        head, body = part.read_bytes().split(b"\n", 1)
        with open(path, "wb") as f:
            f.write(head + b"\n")
            for _ in range(10):
                f.write(body)
    return {"rows": rows, "scan": scan(binary, path)}


def stage_peers(binary, rows):
    """Single parts beside their peers, each in the peer's own virtual environment."""
    out, quick = {}, ["--quick"] if rows < 10_000_000 else []
    for name, venv in (("tab_peers", "cleanlab"), ("minhash_peers", "text-peers")):
        python, answer = ROOT / "build" / f"venv-{venv}" / "bin" / "python", OUT / "scan" / f"tmp-{name}.json"
        answer.unlink(missing_ok=True)
        if python.exists():  # they exit 1 where a bar is missed
            subprocess.run([python, ROOT / "bench" / "peers" / f"{name}.py", *quick, "-o", answer])
        out[name] = json.loads(answer.read_text()) if answer.exists() else None
    return out


STAGES = {name.removeprefix("stage_"): f for name, f in list(globals().items()) if name.startswith("stage_")}


def commit():
    p = subprocess.run(["git", "-C", ROOT, "describe", "--always", "--dirty"], capture_output=True, text=True)
    return p.stdout.strip() or "unknown"


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--rows", type=int, default=10_000_000)
    p.add_argument("--only", default=",".join(STAGES))
    p.add_argument("--binary", type=pathlib.Path, default=ROOT / "build" / "bezoar")
    a = p.parse_args()
    full = a.rows == 10_000_000
    folder = OUT / "scan" / ("" if full else str(a.rows))
    folder.mkdir(parents=True, exist_ok=True)
    chosen = a.only.split(",")
    if unknown := [s for s in chosen if s not in STAGES]:
        p.error(f"no stage {unknown[0]}; there are {' '.join(STAGES)}")
    for name in chosen:
        print(f"{name} …", flush=True)
        stamp = {"commit": commit(), "date": datetime.date.today().isoformat(), "load": round(os.getloadavg()[0], 1)}
        result = STAGES[name](a.binary.resolve(), a.rows)
        (folder / f"{name}.json").write_text(json.dumps({"stamp": stamp} | result, indent=1))
    text = page.markdown({s: json.loads((folder / f"{s}.json").read_text()) for s in STAGES
                          if (folder / f"{s}.json").exists()})
    target = ROOT / "docs" / "benchmarks" / "scan.md" if full else OUT / "scan" / f"page-{a.rows}.md"
    target.write_text(text)
    print(text)
    print(f"written to {target}")


if __name__ == "__main__":
    main()
