#!/usr/bin/env python3
"""The truth harness: plants with `bezoar poison` (or bench/planter.py), scans with `bezoar scan`, scores row by row.

    bench/detect/run.sh                        # everything, seeds from 1000 on; writes docs/benchmarks/detect.md
    bench/detect/run.sh --quick                # 3 seeds below 1000, data tuned on: for development
    bench/detect/run.sh --cells 'sms/*/ham'    # only cells whose name matches a glob
    bench/detect/run.sh --list

Results are kept in bench-out/detect/*.jsonl, one line per cell and seed, under the digest of the binary that made them: a
run that was stopped goes on where it stopped, and results of another binary are never mixed in.
"""
import argparse
import fnmatch
import hashlib
import json
import multiprocessing
import pathlib
import resource
import shutil
import subprocess
import tempfile
import time

import cells as table
import data
import score

ROOT = data.ROOT


def bezoar(binary, *args, timeout):
    """Runs the tool; (exit code, CPU seconds, what it said on standard error)."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    p = subprocess.run([str(binary), *map(str, args)], capture_output=True, text=True, timeout=timeout)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return p.returncode, seconds, p.stderr.strip()[-400:]


class NoPlace(Exception):
    """The data set has nothing that this attack could use: no result, and no failure."""


def poison(binary, cell, seed, out, key_path, timeout):
    size, target = cell.size_for(seed), cell.target_for(seed)
    if cell.planter:
        import planter
        header, rows = data.read_rows(data.path_of(cell.data))
        k = round(size * len(rows)) if size < 1 else int(size)
        try:
            rows, key = planter.plant(header, rows, "label", cell.attack, k, seed)
        except planter.CannotPlant as e:
            raise NoPlace(e) from e
        data.write_rows(out, header, rows)
        key["n_rows"] = len(rows)
        return key
    amount = ["--share", size] if size < 1 else ["--rows", int(size)]
    args = ["poison", data.path_of(cell.data), "--attack", cell.attack, *amount, "--seed", seed, "-o", out,
            "--answer-key", key_path, *data.options(cell.data)]
    if target:
        args += ["--target", target]
    for p in cell.params:
        args += ["--param", p]
    code, _, said = bezoar(binary, *args, timeout=timeout)
    if code != 0:
        raise RuntimeError(f"poison: exit {code}: {said}")
    return json.loads(pathlib.Path(key_path).read_text())


def scan(binary, cell, path, folder, timeout):
    rows, report = folder / "rows.csv", folder / "report.json"
    code, seconds, said = bezoar(binary, "scan", path, *data.options(cell.data), "--report", report, "--rows", rows,
                                 "--threads", 1, "--progress", "none", "--fail-on", "never",
                                 *(["--skip", ",".join(cell.skip)] if cell.skip else []), timeout=timeout)
    if code not in (0, 1):
        raise RuntimeError(f"scan: exit {code}: {said}")
    return seconds, score.listed(rows), json.loads(report.read_text())


def result_of(cell, key, rows, report, seconds):
    count, rules = score.findings(report)
    out = {"seconds": round(seconds, 3), "findings": count, "rules": rules}
    if cell.kind == "clean":
        return out | {"titles": [f["title"] for f in report["findings"] if f["severity"] in score.ALARM][:5]}
    out |= {"trigger": key.get("trigger"), "planted": len(key["rows"]), "target": key["target"]}
    if cell.kind == "auc":
        return out | {"auc": score.flip_auc(rows, key, key["n_rows"])}
    flagged = score.flip_rows(rows) if cell.kind == "flips" else score.alarms(rows)
    return out | score.precision_recall(flagged, key)


def run_one(job):
    cell, seed, binary, timeout = job
    line = {"cell": cell.name, "seed": seed}
    folder = pathlib.Path(tempfile.mkdtemp(dir=data.OUT / "tmp"))
    try:
        path = folder / f"in{pathlib.Path(data.path_of(cell.data)).suffix}"
        if cell.kind == "clean":
            key = None
            data.subsample(data.path_of(cell.data), path, seed)
        else:
            key = poison(binary, cell, seed, path, folder / "key.json", timeout)
        seconds, rows, report = scan(binary, cell, path, folder, timeout)
        line |= result_of(cell, key, rows, report, seconds)
    except subprocess.TimeoutExpired:
        line["error"] = f"took longer than {timeout} s"
    except NoPlace as e:
        line["no_place"] = str(e)
    except Exception as e:  # one cell's failure is a result too
        line["error"] = f"{type(e).__name__}: {e}"
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return line


def load(path):
    done = {}
    if path.exists():
        for text in path.read_text().splitlines():
            try:
                line = json.loads(text)
            except ValueError:
                continue  # the last line of a run that was killed
            if "error" not in line:
                done[line["cell"], line["seed"]] = line
    return done


def jobs_for(chosen, args, done):
    first = 0 if args.quick else table.FRESH
    for cell in chosen:
        n = args.seeds or (table.QUICK_SEEDS if args.quick else cell.seeds)
        for seed in range(first, first + n):
            if (cell.name, seed) not in done:
                yield cell, seed, args.binary, args.timeout


def with_data(jobs):
    """The jobs whose data sets are there or can be made; the others are named and left out."""
    missing = set()
    for name in sorted({j[0].data for j in jobs}):
        try:
            data.path_of(name)
        except Exception as e:  # no network, no apt, no npm: the rest of the table still runs
            missing.add(name)
            print(f"  {name}: cannot be made, left out: {type(e).__name__}: {e}", flush=True)
    return [j for j in jobs if j[0].data not in missing]


def run_all(chosen, args, store):
    done = load(store)
    jobs = list(jobs_for(chosen, args, done))
    print(f"{len(done)} results kept, {len(jobs)} to go", flush=True)
    jobs = with_data(jobs)
    start, large = time.monotonic(), {j[0].name for j in jobs if j[0].large}
    with open(store, "a", encoding="utf-8") as out:
        def take(line):
            out.write(json.dumps(line, ensure_ascii=False) + "\n")
            out.flush()
            done[line["cell"], line["seed"]] = line
            if "error" in line:
                print(f"  {line['cell']} seed {line['seed']}: {line['error']}", flush=True)
        # Every cell's first seed, then the next: a run that is cut short has all cells. Large files and what counts for no
        # bar come last.
        jobs.sort(key=lambda j: (j[0].slow, j[0].section == "looked-at", j[0].large, j[1]))
        with multiprocessing.Pool(args.jobs) as pool:
            for i, line in enumerate(pool.imap_unordered(run_one, jobs), 1):
                take(line)
                if i % 50 == 0 or line["cell"] in large:
                    print(f"  {i} of {len(jobs)} in {time.monotonic() - start:.0f} s", flush=True)
    return done


def arguments():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--quick", action="store_true", help="3 seeds below 1000, only data tuned on")
    p.add_argument("--cells", action="append", help="glob over cell names, may be repeated")
    p.add_argument("--seeds", type=int, help="seeds per cell instead of the cell's own number")
    p.add_argument("--jobs", type=int, default=2)
    p.add_argument("--timeout", type=float, default=1800, help="seconds per command")
    p.add_argument("--binary", type=pathlib.Path, default=ROOT / "build" / "bezoar")
    p.add_argument("--markdown", type=pathlib.Path, help="where the table goes")
    p.add_argument("--list", action="store_true", help="print the cells and stop")
    return p.parse_args()


def main():
    args = arguments()
    chosen = [c for c in table.all_cells() if c.quick or not args.quick]
    if args.cells:
        chosen = [c for c in table.all_cells() if any(fnmatch.fnmatch(c.name, g) for g in args.cells)]
    if args.list:
        print("\n".join(c.name for c in chosen))
        return
    import report  # after --list, which needs no packages
    for folder in (data.OUT / "tmp", data.OUT / "detect"):
        folder.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256(args.binary.read_bytes()).hexdigest()[:12]
    held = data.OUT / "detect" / f"bezoar-{digest}"  # a rebuild must not change the binary while this runs
    made_at = held.with_suffix(".commit")
    if not held.exists():
        shutil.copy2(args.binary, held)
        made_at.write_text(report.commit())
    args.binary = held
    kind = "quick" if args.quick else "full"
    done = run_all(chosen, args, data.OUT / "detect" / f"{kind}-{digest}.jsonl")
    summary = report.summarise(chosen, done, args)
    summary["binary_sha256_12"] = digest
    if made_at.exists():  # the tree may have moved on since
        summary["commit"] = made_at.read_text()
    text = report.markdown(summary, args)
    (data.OUT / "detect" / f"{kind}.json").write_text(json.dumps(summary, indent=1, ensure_ascii=False))
    target = args.markdown or (data.OUT / "detect" / f"{kind}.md")
    target.write_text(text)
    print(text)
    print(f"written to {target}")


if __name__ == "__main__":
    import sys
    sys.path.insert(0, str(ROOT / "bench"))
    main()
