#!/usr/bin/env python3
"""Speed of the checks of pictures and corpora: 5,000 to 100,000 pictures, 1 GB of text, threads.

    speed.py [--only pictures,threads,text] [--sizes 5000,50000,100000] [--bytes 1000000000]

Pictures: GTSRB-8 and, behind it, copies of it that are lighter or darker, shifted by a pixel or two and noisier, every copy of
a track by the same amounts, so that tracks stay tracks. Figures are of one run, on two threads; CPU seconds tell on a busy machine.
"""
import argparse
import hashlib
import json
import math
import os
import pathlib
import subprocess
import sys
import time

import numpy as np

import page
import sets

STAGES = ("pictures", "threads", "text")


def timed(args, log):
    """Wall and CPU seconds, peak resident MiB of one command."""
    load, start = os.getloadavg()[0], time.monotonic()
    with open(log, "w", encoding="utf-8") as said:
        p = subprocess.Popen([str(a) for a in args], stdout=subprocess.DEVNULL, stderr=said)
    _, status, usage = os.wait4(p.pid, 0)
    code = os.waitstatus_to_exitcode(status)
    if code not in (0, 1):
        raise SystemExit(f"exit {code}: {pathlib.Path(log).read_text()[-300:]}")
    return {"wall": time.monotonic() - start, "cpu": usage.ru_utime + usage.ru_stime, "peak_mib": usage.ru_maxrss / 1024,
            "load": load}


def tiled(n):
    """n pictures of 32 × 32 × 3 and their labels; the same n gives the same bytes."""
    path, labels_path = sets.FOLDER / f"tiled-{n}.npy", sets.FOLDER / f"tiled-{n}-labels.npy"
    if path.exists():
        return path, labels_path
    pictures, labels = sets.gtsrb("train")
    group = sets.groups_of(pictures)
    out = np.empty((n, *pictures.shape[1:]), np.uint8)
    for copy, start in enumerate(range(0, n, len(pictures))):
        part = pictures[: min(len(pictures), n - start)]
        out[start : start + len(part)] = part if copy == 0 else altered(part, group, copy)
    np.save(labels_path, np.resize(labels, n))
    np.save(path, out)
    return path, labels_path


def altered(pictures, group, copy):
    rng, n_groups = sets.rng_of("tiled", copy), group.max() + 1
    light, shift, noise = rng.uniform(.7, 1.3, n_groups), rng.integers(-2, 3, (n_groups, 2)), rng.uniform(1, 5, n_groups)
    out = np.empty_like(pictures)
    for i, picture in enumerate(pictures):
        g = group[i]
        moved = np.roll(picture, tuple(shift[g]), (0, 1)).astype(np.float32) * light[g]
        out[i] = np.clip(moved + rng.normal(0, noise[g], moved.shape), 0, 255)
    return out


def scan(binary, path, labels, threads, *more):
    known = ["--labels-file", labels] if labels else ["--text", "text"]
    return timed([binary, "scan", path, *known, "--threads", threads, "--progress", "none", "--fail-on", "never", *more],
                 sets.FOLDER / "speed.err")


def verdict(r):
    """Where the machine is busy the CPU seconds, which two threads share, tell what the wall clock cannot."""
    words = "asked ≤ 60 s, ≤ 1,536 MiB: "
    if r["peak_mib"] > 1536 or r["cpu"] > 120:
        return words + "not met"
    if r["wall"] <= 60:
        return words + "met"
    return words + ("memory met; 60 s not shown, the machine was busy" if r["load"] > 1 else "not met")


def pictures(a, said):
    points = []
    for n in map(int, a.sizes.split(",")):
        r = scan(a.binary, *tiled(n), 2)
        points.append((n, r["cpu"]))
        yield {"what": f"{n:,} pictures of 32 × 32 × 3, all checks, 2 threads", "verdict": verdict(r) if n == 50_000 else ""} | r
    if len(points) > 1:
        (x0, y0), (x1, y1) = points[0], points[-1]
        slope = math.log(y1 / y0) / math.log(x1 / x0)
        said.append(f"CPU seconds grow with the {slope:.2f}th power from {x0:,} to {x1:,} pictures (asked: 1.2 at most): "
                    f"{'met' if slope <= 1.2 else 'not met'}.")


def threads(a, said):
    """Reports and rows without the section that names time, host and threads."""
    path, labels = sets.paths_of("gtsrb")
    poisoned, new = sets.FOLDER / "speed-in.npy", sets.FOLDER / "speed-labels.npy"
    subprocess.run([a.binary, "poison", path, "--labels-file", labels, "--attack", "badnets", "--share", ".02", "--target", "3", "-o",
                    poisoned, "--labels-out", new, "--answer-key", sets.FOLDER / "speed-key.json"], check=True, capture_output=True)
    digests = set()
    for n in (1, 2, 4):
        report, rows = sets.FOLDER / "speed-report.json", sets.FOLDER / "speed-rows.csv"
        r = scan(a.binary, poisoned, new, n, "--report", report, "--rows", rows)
        body = json.loads(report.read_text())
        body.pop("run", None)
        if isinstance(body.get("options"), dict):
            body["options"].pop("threads", None)
        digests.add(hashlib.sha256(json.dumps(body, sort_keys=True).encode() + rows.read_bytes()).hexdigest())
        yield {"what": f"poisoned GTSRB-8, all checks, {n} thread{'s' if n > 1 else ''}", "verdict": ""} | r
    said.append(f"Reports and rows of 1, 2 and 4 threads: {'the same bytes' if len(digests) == 1 else 'DIFFERENT bytes'}.")


def text(a, said):
    """BZ-D028 alone on documentation, the pool of the truth table over and over."""
    path, pool = sets.FOLDER / f"text-{a.bytes}.jsonl", sets.paths_of("corpus")[0]
    with open(path, "wb") as out:
        while out.tell() < a.bytes:
            out.write(pool.read_bytes())
    size = path.stat().st_size / 1e6
    r = scan(a.binary, path, None, 2, "--only", "BZ-D028")
    rate = size / r["wall"]
    met = "met" if rate >= 20 else "not shown, the machine was busy" if r["load"] > 1 else "not met"
    yield {"what": f"{size:,.0f} MB of text, BZ-D028 with reading, 2 threads",
           "verdict": f"{rate:.1f} MB/s, {size / r['cpu']:.1f} MB per CPU s (asked ≥ 20 MB/s): {met}"} | r
    if not a.keep:
        path.unlink()


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--only", default=",".join(STAGES))
    p.add_argument("--sizes", default="5000,50000,100000")
    p.add_argument("--bytes", type=int, default=1_000_000_000)
    p.add_argument("--binary", type=pathlib.Path, default=sets.ROOT / "build" / "bezoar")
    p.add_argument("--commit")
    p.add_argument("--keep", action="store_true", help="keep the generated text")
    a = p.parse_args()
    sets.FOLDER.mkdir(parents=True, exist_ok=True)
    store = sets.FOLDER / "speed.json"
    kept = json.loads(store.read_text()).get("stages", {}) if store.exists() else {}
    for stage in a.only.split(","):
        said = []
        runs = []
        for r in {"pictures": pictures, "threads": threads, "text": text}[stage](a, said):
            runs.append(r)
            print(json.dumps(r), flush=True)
        kept[stage] = {"runs": runs, "said": said}
        stages = [kept[s] for s in STAGES if s in kept]
        store.write_text(json.dumps({"commit": a.commit or page.commit(), "stages": kept, "runs": [r for s in stages for r in s["runs"]],
                                     "said": [x for s in stages for x in s["said"]]}, indent=1))


if __name__ == "__main__":
    main()
