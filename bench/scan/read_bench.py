#!/usr/bin/env python3
"""Reading one large CSV file into memory: Bezoar's encoded table beside pandas.read_csv, DuckDB and Polars.

Each reader runs in a process of its own, in turn, several rounds; the best round counts (the file is in the page cache
from the first). Bezoar, DuckDB and Polars are given the same number of threads; DuckDB and Polars make a table in memory,
as Bezoar does. Wall seconds, CPU seconds and peak resident memory are taken from inside each process around the read
alone. Prints a Markdown table; -o writes the figures as JSON (whole.py makes its page of them).

    bench/scan/read_bench.py                       # 10 M bank transactions, 2 threads
    bench/scan/read_bench.py --rows 1000000 --rounds 2
    bench/scan/read_bench.py --file my.csv --only bezoar,pandas

The peers live in build/venv-read (made on first use from the package index).
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
OUT = ROOT / "bench-out"
VENV = ROOT / "build" / "venv-read"
PEERS = {
    "pandas": "import pandas as pd\nrun = lambda: len(pd.read_csv(PATH))",
    "duckdb": "import duckdb\nc = duckdb.connect(config={'threads': THREADS})\n"
              "def run():\n    c.execute(\"create table t as select * from read_csv(?)\", [PATH])\n"
              "    return c.execute('select count(*) from t').fetchone()[0]",
    "polars": "import os\nos.environ['POLARS_MAX_THREADS'] = str(THREADS)\nimport polars as pl\n"
              "run = lambda: pl.read_csv(PATH, try_parse_dates=True).height",
}
HARNESS = """
import json, resource, sys, time
PATH, THREADS = sys.argv[1], int(sys.argv[2])
{body}
before = resource.getrusage(resource.RUSAGE_SELF)
start = time.monotonic()
rows = run()
seconds = time.monotonic() - start
after = resource.getrusage(resource.RUSAGE_SELF)
cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
print(json.dumps(dict(seconds=seconds, cpu=cpu, peak_mib=after.ru_maxrss / 1024, rows=rows)))
"""


def peers_python():
    if not (VENV / "bin" / "python").exists():
        subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True)
        subprocess.run([str(VENV / "bin" / "pip"), "install", "-q", "pandas", "duckdb", "polars"], check=True)
    return str(VENV / "bin" / "python")


def build_reader(build):
    """The small program around bez_table_open, linked with the library that was built."""
    binary = OUT / "read_table"
    binary.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run([os.environ.get("CC", "cc"), "-O2", "-I", str(ROOT / "include"),
                    str(ROOT / "bench" / "scan" / "read_table.c"), "-o", str(binary), "-L", str(build), "-lbezoar",
                    f"-Wl,-rpath,{build}"], check=True)
    return binary


def measure(command):
    p = subprocess.run([str(c) for c in command], capture_output=True, text=True)
    if p.returncode:
        sys.exit(f"{command[0]}: {p.stderr[-500:]}")
    return json.loads(p.stdout.strip().splitlines()[-1])


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("--rows", type=int, default=10_000_000)
    a.add_argument("--file", type=pathlib.Path)
    a.add_argument("--threads", type=int, default=2)
    a.add_argument("--rounds", type=int, default=3)
    a.add_argument("--only", default="bezoar,pandas,duckdb,polars")
    a.add_argument("-o", "--output", type=pathlib.Path)
    a.add_argument("--build", type=pathlib.Path, default=ROOT / "build")
    o = a.parse_args()
    only = o.only.split(",")
    python = peers_python() if set(only) & set(PEERS) else sys.executable
    path = o.file
    if path is None:
        path = OUT / "data" / f"bank-{o.rows}.csv"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            subprocess.run([python, str(ROOT / "bench" / "gen_bank.py"), "--rows", str(o.rows), "--seed", "5",
                            "-o", str(path)], check=True)
    commands = {}
    if "bezoar" in only:
        commands["bezoar"] = [build_reader(o.build), path, o.threads]
        commands["bezoar, 1 thread"] = [build_reader(o.build), path, 1]
    for name in [n for n in PEERS if n in only]:
        commands[name] = [python, "-c", HARNESS.format(body=PEERS[name]), path, o.threads]
    best = {}
    for _ in range(o.rounds):
        for name, command in commands.items():
            got = measure(command)
            if name not in best or got["seconds"] < best[name]["seconds"]:
                best[name] = got
    size = path.stat().st_size
    print(f"{path.name}: {size / 1e6:.0f} MB, {o.threads} threads, best of {o.rounds} "
          f"(load average {os.getloadavg()[0]:.1f})\n")
    print("| reader | seconds | MB/s | CPU seconds | MB per CPU second | peak MiB | times Bezoar's seconds |")
    print("|---|---|---|---|---|---|---|")
    base = best.get("bezoar", next(iter(best.values())))["seconds"]
    for name, r in best.items():
        print(f"| {name} | {r['seconds']:.2f} | {size / 1e6 / r['seconds']:.0f} | {r['cpu']:.2f} | "
              f"{size / 1e6 / r['cpu']:.0f} | {r['peak_mib']:.0f} | {r['seconds'] / base:.2f} |")
    if o.output:
        o.output.parent.mkdir(parents=True, exist_ok=True)
        o.output.write_text(json.dumps({"file": path.name, "bytes": size, "threads": o.threads, "rounds": o.rounds,
                                        "readers": best}, indent=1))


if __name__ == "__main__":
    main()
