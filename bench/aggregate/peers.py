"""Other packages at the work of `bench_aggregate`, on the same numbers, and how far their results are from ours.

    bench/aggregate/peers.py OUT.json [--size X] [--only TEXT] [--limit SECONDS] [--shape n,f,d ...]

Each call runs in a process of its own, one after the other, inside the peer's virtual environment. Only the call is timed: the updates are in memory
in the form that is cheapest for the peer (25 layers per client for Flower, one n x d array for ByzFL). Ours, for the results, is `bezoar aggregate`
on the same updates as files.
"""
import argparse
import json
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
SHAPES = [(20, 4, 10_000_000), (100, 20, 1_000_000)]
LAYERS = 25  # as bench_aggregate has them
MOST_BYTES = 18 << 30  # address space of a peer

# The rows of bench_aggregate that a peer has, and how `bezoar aggregate` is told to do the same.
OURS = {
    "trimmed mean": ["--rule", "trimmed-mean"],
    "median": ["--rule", "median"],
    "MeaMed": ["--rule", "meamed"],
    "Krum": ["--rule", "krum"],
    "Multi-Krum": ["--rule", "multi-krum"],
    "Bulyan": ["--rule", "bulyan"],
    "NNM + trimmed mean": ["--rule", "trimmed-mean", "--pre", "nnm"],
    "geometric median, 10 iterations": ["--rule", "geometric-median", "--param", "nu=0.1", "--param", "iterations=10",
                                        "--param", "tolerance=0"],
    "mean": ["--rule", "mean"],
}
# Where a peer's definition is another one than ours, so that results may differ.
OTHERWISE = {
    ("byzfl", "Krum"): "ByzFL sums n − f − 1 distances, the paper and we n − f − 2",
    ("byzfl", "Multi-Krum"): "ByzFL sums n − f − 1 distances, the paper and we n − f − 2",
    ("byzfl", "geometric median, 10 iterations"): "another start: zero there, one step from the median here",
}
PEERS = {"flwr": "build/venv-flwr", "byzfl": "build/venv-byzfl", "byzfl-torch": "build/venv-byzfl"}


# ---- inside the peer's environment ----------------------------------------------------------------------------------


def flower(work, n, f):
    """f(results) for one of Flower's functions; None: it has none for this work."""
    from flwr.server.strategy import aggregate as flwr
    return {"trimmed mean": lambda r: flwr.aggregate_trimmed_avg(r, f / n),
            "median": flwr.aggregate_median,
            "Krum": lambda r: flwr.aggregate_krum(r, f, 0),
            "Multi-Krum": lambda r: flwr.aggregate_krum(r, f, n - f),
            "Bulyan": lambda r: flwr.aggregate_bulyan(r, f, flwr.aggregate_krum, to_keep=0),
            "mean": flwr.aggregate}.get(work)


def byzfl(work, f):
    """The aggregators alone: the package's first lines import its training framework (torchvision, seaborn), which they do not need."""
    import importlib.util
    import types
    found = importlib.util.find_spec("byzfl")
    package = types.ModuleType("byzfl")
    package.__path__ = list(found.submodule_search_locations)
    sys.modules["byzfl"] = package
    from byzfl.aggregators import aggregators as rules, preaggregators as pre
    made = {"trimmed mean": rules.TrMean, "median": rules.Median, "MeaMed": rules.Meamed, "Krum": rules.Krum,
            "Multi-Krum": rules.MultiKrum, "geometric median, 10 iterations": rules.GeometricMedian, "mean": rules.Average}
    if work == "NNM + trimmed mean":
        mix, rule = pre.NNM(f), rules.TrMean(f)
        return lambda x: rule(mix(x))
    if work not in made:
        return None
    return made[work](*{"median": (), "mean": (), "geometric median, 10 iterations": (0.1, 10)}.get(work, (f,)))


def prepare(peer, work, f, data):
    """The call, its input, how to make one flat array of its result, and the versions."""
    import numpy as np
    from importlib.metadata import version
    said = f"NumPy {np.__version__}"
    if peer == "flwr":
        layers = [np.split(row, LAYERS) for row in data]
        return (flower(work, len(data), f), lambda: [(x, 1) for x in layers], np.concatenate, f"flwr {version('flwr')}, {said}")
    if peer == "byzfl":
        return byzfl(work, f), lambda: data, np.asarray, f"byzfl {version('byzfl')}, {said}"
    import torch
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    return byzfl(work, f), lambda: torch.from_numpy(data), lambda x: x.numpy(), f"byzfl {version('byzfl')}, torch {torch.__version__}"


def peak_mib():
    with open("/proc/self/status", encoding="ascii") as lines:
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def child(peer, work, n, f, data, out):
    import numpy as np
    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
    x = np.load(data)
    call, given, flat, said = prepare(peer, work, f, x)
    if call is None:
        return {"version": said, "none": True}
    before, walls, cpus = peak_mib(), [], []
    while len(walls) < 3 and sum(walls) < 4:
        argument, cpu, wall = given(), time.process_time(), time.perf_counter()
        result = call(argument)
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    answer = {"version": said, "seconds": statistics.median(walls), "cpu_seconds": statistics.median(cpus), "runs": len(walls),
              "mib": peak_mib() - before}
    np.save(out, np.asarray(flat(result), dtype=np.float32))
    return answer


# ---- outside --------------------------------------------------------------------------------------------------------


def last_words(done):
    lines = [x for x in done.stderr.strip().splitlines() if x.strip()]
    return lines[-1].strip()[:200] if lines else f"ended with {done.returncode}"


def run_peer(peer, work, shape, data, out, limit):
    python = ROOT / PEERS[peer] / "bin" / "python"
    n, f, d = shape
    row = {"peer": peer, "work": work, "n": n, "f": f, "d": d}
    if not (ROOT / PEERS[peer] / "ready").exists():
        return {**row, "failed": "not installed"}
    threads = str(len(os.sched_getaffinity(0)))
    environment = {**os.environ, "OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads, "FLWR_TELEMETRY_ENABLED": "0"}
    command = [python, __file__, "--child", json.dumps([peer, work, n, f, str(data), str(out)])]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=limit, env=environment, check=False)
    except subprocess.TimeoutExpired:
        return {**row, "failed": f"more than {limit:g} s"}
    if done.returncode:
        words = last_words(done)
        return {**row, "failed": f"more than {MOST_BYTES >> 30} GiB" if "emory" in words else words}
    return {**row, **json.loads(done.stdout.strip().splitlines()[-1])}


def split(data, folder):
    """One file per client, for `bezoar aggregate`."""
    import numpy as np
    paths = []
    for i, row in enumerate(np.load(data, mmap_mode="r")):
        paths.append(folder / f"client{i:04}.npy")
        np.save(paths[-1], row)
    return paths


def ours(work, f, updates, folder):
    """Our result as an array; why not, where there is none."""
    import numpy as np
    model = folder / "model.safetensors"
    done = subprocess.run([ROOT / "build" / "bezoar", "aggregate", *OURS[work], "--f", str(f), *updates, "-o", model],
                          capture_output=True, text=True, check=False)
    if done.returncode:
        return last_words(done)
    raw = model.read_bytes()
    model.unlink()
    return np.frombuffer(raw, dtype=np.float32, offset=8 + int.from_bytes(raw[:8], "little"))


def compare(peer, work, out, mine):
    import numpy as np
    if isinstance(mine, str):
        return {"difference": None, "said": f"ours failed: {mine}"}
    theirs = np.load(out)
    return {"difference": float(np.max(np.abs(theirs - mine))), "said": OTHERWISE.get((peer.split("-")[0], work), "")}


def measure(shape, a, folder):
    n, f, d = shape
    data, out, mine = folder / "data.npy", folder / "result.npy", {}
    subprocess.run([ROOT / "build" / "bench_aggregate", "--data", f"{n},{d}", data], check=True)
    updates = split(data, folder)
    for peer in PEERS:
        for work in [w for w in OURS if not a.only or a.only in w]:
            row = run_peer(peer, work, shape, data, out, a.limit)
            if row.pop("none", False):
                continue
            if "seconds" in row:
                if work not in mine:
                    mine[work] = ours(work, f, updates, folder)
                row.update(compare(peer, work, out, mine[work]))
            print(f"n={n} d={d} {peer:12} {work:32}", row.get("failed") or f"{row['seconds']:.2f} s, {row['mib']:.0f} MiB, "
                  f"difference {row['difference']}", flush=True)
            yield row
            if row.get("failed") == "not installed":
                break


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--size", type=float, default=1)
    parser.add_argument("--only")
    parser.add_argument("--limit", type=float, default=60)
    parser.add_argument("--shape", action="append", help="n,f,d")
    a = parser.parse_args()
    shapes = [tuple(int(float(x)) for x in s.split(",")) for s in a.shape or []] or [(n, f, int(d * a.size)) for n, f, d in SHAPES]
    rows = []
    for n, f, d in shapes:
        with tempfile.TemporaryDirectory(dir=a.out.resolve().parent) as folder:
            rows += measure((n, f, d // LAYERS * LAYERS), a, pathlib.Path(folder))
    a.out.write_text(json.dumps({"peers": rows}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        print(json.dumps(child(*json.loads(sys.argv[2]))))
    else:
        main()
