#!/usr/bin/env python3
"""The truth table of pictures, embeddings and corpora: plants with `bezoar poison`, scans with all checks, scores row by row.

    bench/images/run.sh                        # everything, seeds from 1000 on, peers, speed; writes docs/benchmarks/images.md
    bench/images/run.sh --quick                # 2 seeds below 1000: for development
    bench/images/run.sh --cells 'mnist/*'      # only cells whose name matches a glob
    bench/images/run.sh --minutes 40           # stops then; a second run goes on where the first stopped
    bench/images/run.sh --speed                # the speed table alone
    bench/images/run.sh --list

Results are kept in bench-out/images/*.jsonl, one line per cell and seed, under the digest of the binary that made them. All cells
have their first seed before the first has its second, so that a run that is cut short has all of them.
"""
import argparse
import fnmatch
import hashlib
import json
import multiprocessing
import pathlib
import shutil
import time

import judge
import page
import sets
import table


def jobs_of(chosen, args, done):
    """(cell, seed) that have no result yet, in the order that fills all cells alike."""
    first, jobs = 0 if args.quick else table.FRESH, []
    for cell in chosen:
        n = args.seeds or (table.QUICK_SEEDS if args.quick else cell.seeds)
        jobs += [((i + .5) / n, cell, first + i) for i in range(n) if (cell.name, first + i) not in done]
    return [(cell, seed, args.binary, args.timeout, args.commit) for _, cell, seed in sorted(jobs, key=lambda j: j[0])]


def with_data(jobs):
    """The jobs whose data can be made; the others are named and left out."""
    missing = set()
    for name in sorted({j[0].data for j in jobs}):
        try:
            sets.paths_of(name)
        except Exception as e:  # no network, no apt: the rest of the table still runs
            missing.add(name)
            print(f"  {name}: cannot be made, left out: {type(e).__name__}: {e}", flush=True)
    return [j for j in jobs if j[0].data not in missing]


def run_all(chosen, args, store):
    done = judge.run.load(store)
    jobs = with_data(jobs_of(chosen, args, done))
    print(f"{len(done)} results kept, {len(jobs)} to go", flush=True)
    start, end = time.monotonic(), time.monotonic() + args.minutes * 60
    with open(store, "a", encoding="utf-8") as out, multiprocessing.Pool(args.jobs) as pool:
        for i, line in enumerate(pool.imap_unordered(judge.one, jobs), 1):
            out.write(json.dumps(line, ensure_ascii=False) + "\n")
            out.flush()
            done[line["cell"], line["seed"]] = line
            if "error" in line or args.verbose:
                print("  " + json.dumps({k: v for k, v in line.items() if k not in ("titles", "trigger")}), flush=True)
            if i % 50 == 0:
                print(f"  {i} of {len(jobs)} in {time.monotonic() - start:.0f} s", flush=True)
            if time.monotonic() > end:
                print(f"  stopped after {args.minutes:g} minutes: {i} of {len(jobs)}", flush=True)
                pool.terminate()
                break
    return done


def arguments():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--quick", action="store_true", help="2 seeds below 1000")
    p.add_argument("--cells", action="append", help="glob over cell names, may be repeated")
    p.add_argument("--seeds", type=int, help="seeds per cell instead of the cell's own number")
    p.add_argument("--jobs", type=int, default=2)
    p.add_argument("--minutes", type=float, default=1e6, help="stop then")
    p.add_argument("--timeout", type=float, default=1200, help="seconds per scan")
    p.add_argument("--binary", type=pathlib.Path, default=sets.ROOT / "build" / "bezoar")
    p.add_argument("--commit", help="what the binary was built from, where that is not this tree")
    p.add_argument("--sections", help="only these parts of the page, comma-separated: " + " ".join(sorted(
        {c.section for c in table.all_cells()})))
    p.add_argument("--beside", action="append", default=[], metavar="COMMIT",
                   help="cells that this binary has no result of are taken from the kept results of that commit's")
    p.add_argument("--verbose", action="store_true", help="print every result")
    p.add_argument("--page", action="store_true", help="run nothing, write the page of what is kept")
    p.add_argument("--list", action="store_true", help="print the cells and stop")
    return p.parse_args()


def kept_binary(args):
    """A copy that a rebuild does not change while this runs, and the commit it came from."""
    digest = hashlib.sha256(args.binary.read_bytes()).hexdigest()[:12]
    held = sets.FOLDER / f"bezoar-{digest}"
    made_at = held.with_suffix(".commit")
    if not held.exists():
        shutil.copy2(args.binary, held)
        for beside in args.binary.parent.glob("bezoar-decode*"):
            shutil.copy2(beside, sets.FOLDER / beside.name)
        made_at.write_text(args.commit or page.commit())
    return held, digest, made_at.read_text()


def beside(done, args):
    """The results, and those of other commits for the cells that have none."""
    out = dict(done)
    for commit in args.beside:
        for made_at in sets.FOLDER.glob("bezoar-*.commit"):
            store = sets.FOLDER / f"full-{made_at.stem.removeprefix('bezoar-')}.jsonl"
            if made_at.read_text() == commit:
                have = {name for name, _ in out}
                out |= {k: v for k, v in judge.run.load(store).items() if k[0] not in have}
    return out


def main():
    args = arguments()
    chosen = [c for c in table.all_cells() if not args.cells or any(fnmatch.fnmatch(c.name, g) for g in args.cells)]
    if args.sections:
        chosen = [c for c in chosen if c.section in args.sections.split(",")]
    if args.list:
        print("\n".join(c.name for c in chosen))
        return
    for folder in (sets.OUT / "tmp", sets.FOLDER):
        folder.mkdir(parents=True, exist_ok=True)
    args.binary, digest, args.commit = kept_binary(args)
    kind = "quick" if args.quick else "full"
    done = run_all([] if args.page else chosen, args, sets.FOLDER / f"{kind}-{digest}.jsonl")
    if not args.quick:
        done = beside(done, args)
    text = page.markdown(table.all_cells() if not args.quick else chosen, done, 0 if args.quick else table.FRESH)
    target = sets.FOLDER / "quick.md" if args.quick else sets.ROOT / "docs" / "benchmarks" / "images.md"
    target.write_text(text, encoding="utf-8")
    print(f"written to {target}")


if __name__ == "__main__":
    main()
