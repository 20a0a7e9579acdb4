"""docs/benchmarks/aggregate.md out of the figures of bench_aggregate and peers.py.

    bench/aggregate/page.py BENCH.json PEERS.json

What is missed and why is written by people, in notes.md beside this file, and put into the page as it stands there.
"""
import datetime
import json
import os
import pathlib
import platform
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
NOTES = HERE / "notes.md"
PAGE = ROOT / "docs" / "benchmarks" / "aggregate.md"
PEER_BARS = {("flwr", "trimmed mean"): 100, ("flwr", "median"): 100, ("byzfl", "trimmed mean"): 20, ("byzfl", "median"): 20}
PEER_SHAPE = 20  # clients of the shape that the bars beside peers are asked at
NAMES = {"flwr": "Flower", "byzfl": "ByzFL (NumPy)", "byzfl-torch": "ByzFL (torch)"}


def load(path):
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def commit():
    done = subprocess.run(["git", "-C", str(ROOT), "describe", "--always", "--dirty"], capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def machine():
    """Processor, cores, widest registers, memory."""
    info = {}
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as lines:
        for line in lines:
            key, _, value = line.partition(":")
            info.setdefault(key.strip(), value.strip())
    flags = info.get("flags", "").split()
    wide = next((text for flag, text in (("avx512f", "AVX-512"), ("avx2", "AVX2")) if flag in flags), "plain registers")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 30
    return f"{info.get('model name', platform.machine())}, {os.cpu_count()} processors, {wide}, {memory} GiB"


def verdict(met):
    return "" if met is None else "met" if met else "**not met**"


def short(x):
    return f"{x:.4f}" if x < 0.1 else f"{x:.3f}" if x < 10 else f"{x:.1f}"


def shapes(rows):
    return list(dict.fromkeys((r["n"], r["f"], r["d"]) for r in rows))


def shape_table(rows, shape):
    n, f, d = shape
    of = [r for r in rows if (r["n"], r["f"], r["d"]) == shape]
    floor = sorted(r["floor_seconds"] for r in of)[len(of) // 2]
    out = [f"## {n} clients, f = {f}, {d:,} coordinates", "",
           f"{n * d * 4 / 1e6:,.0f} MB of f32; the floor takes {short(floor)} s, {n * d * 4 / floor / 1e9:.1f} GB/s.", "",
           "| work | s | CPU s | × floor | asked | of what was asked | |", "|---|---|---|---|---|---|---|"]
    for r in of:
        asked = r["bar"].replace(" x ", " × ").replace("ssyrk / 0.7", "≥ 70 % of ssyrk's speed")
        share = f"{r['seconds'] / r['bar_seconds']:.2f}" if r["bar_seconds"] else ""
        out.append(f"| {r['work'].replace(' x ', ' × ')} | {short(r['seconds'])} | {short(r['cpu_seconds'])} | {r['ratio']:.2f} | {asked} | "
                   f"{share} | {verdict(r['met'])} |")
    return [*out, ""]


def own_seconds(rows, peer):
    return next((r["seconds"] for r in rows if (r["work"], r["n"], r["d"]) == (peer["work"], peer["n"], peer["d"])), None)


def peer_met(peer, seconds):
    """Whether the bar beside this peer is met; None where none is asked or nothing was measured."""
    bar = PEER_BARS.get((peer["peer"], peer["work"])) if peer["n"] == PEER_SHAPE else None
    return None if not bar or not seconds or "seconds" not in peer else peer["seconds"] >= bar * seconds


def peer_line(peer, rows):
    seconds = own_seconds(rows, peer)
    place = f"| {peer['n']} × {peer['d']:,} | {peer['work']} | {NAMES[peer['peer']]} |"
    bar = PEER_BARS.get((peer["peer"], peer["work"])) if peer["n"] == PEER_SHAPE else None
    asked = f"≥ {bar} ×" if bar else ""
    if "seconds" not in peer:
        return f"{place} {peer['failed']} | | | {short(seconds) if seconds else ''} | | {asked} | | |"
    times = f"{peer['seconds'] / seconds:.0f} ×" if seconds else ""
    difference = "" if peer["difference"] is None else f"{peer['difference']:.1g}"
    if peer["difference"] is None or peer["difference"] > 1e-5:
        difference = f"{difference} {peer['said']}".strip()
    return (f"{place} {short(peer['seconds'])} | {short(peer['cpu_seconds'])} | {peer['mib']:,.0f} | {short(seconds) if seconds else ''} | "
            f"{times} | {asked} | {verdict(peer_met(peer, seconds))} | {difference} |")


def peer_table(peers, rows):
    if not peers:
        return ["## Beside other packages", "", "Not run.", ""]
    versions = dict.fromkeys(p["version"] for p in peers if "version" in p)
    return ["## Beside other packages", "", "; ".join(versions) + ".", "",
            "The same numbers, written once; each call in a process of its own. Theirs is the call alone, the updates in memory in the form that is "
            "cheapest for them; MiB is what the process needed beyond the updates. The difference is the largest of any coordinate to the result of "
            "`bezoar aggregate` (f32; values lie within ±1).", "",
            "| clients × coordinates | work | package | s | CPU s | MiB | ours, s | slower by | asked | | difference |",
            "|---|---|---|---|---|---|---|---|---|---|---|", *[peer_line(p, rows) for p in peers], ""]


def memory_table(memory):
    if not memory:
        return ["## Memory", "", "Not measured.", ""]
    out = ["## Memory beyond inputs and output", "", "Anonymous memory; mapped pages of files do not count.", "",
           "| work | updates | clients × coordinates | MiB | asked | | s |", "|---|---|---|---|---|---|---|"]
    for m in memory:
        out.append(f"| {m['work']} | {m['where']} | {m['n']} × {m['d']:,} | {m['mib']:.1f} | ≤ {m['bar_mib']} | {verdict(m['met'])} | "
                   f"{short(m['seconds'])} |")
    return [*out, ""]


def growth_table(growth, over):
    lines = [g for g in growth if g["over"] == over]
    if not lines:
        return []
    heads = " | ".join(f"{x:,.0f}" for x, _ in lines[0]["points"])
    fixed = "20 clients" if over == "d" else "100,000 coordinates"
    out = [f"{fixed}; seconds for {over} =", "", f"| rule | {heads} | exponent |", "|---|" + "---|" * (len(lines[0]["points"]) + 1)]
    out += [f"| {g['rule']} | {' | '.join(short(s) for _, s in g['points'])} | {g['exponent']:.2f} |" for g in lines]
    return [*out, ""]


def markdown(bench, peers):
    rows, memory, growth = bench.get("rows", []), bench.get("memory", []), bench.get("growth", [])
    judged = [r["met"] for r in rows] + [m["met"] for m in memory] + [peer_met(p, own_seconds(rows, p)) for p in peers]
    judged = [x for x in judged if x is not None]
    out = ["# Speed of aggregation", "", "    make bench-aggregate      # bench/aggregate/run.sh; wants a quiet machine, 12 GB of memory and 5 GB of disk", "",
           f"{datetime.date.today().isoformat()}, commit `{commit()}`. {machine()}; {bench.get('threads', '?')} threads, medians of "
           f"{bench.get('rounds', '?')} rounds. {bench.get('blas', '')}.", "",
           "The floor is a plain sum over the same bytes by as many threads, with the widest registers, measured right before every single call it is "
           "held against. Everything is f32, in memory, 25 layers per client.", "",
           f"**{sum(judged)} of {len(judged)} bars met.**", ""]
    if NOTES.exists():
        out += [NOTES.read_text(encoding="utf-8").strip(), ""]
    for shape in shapes(rows):
        out += shape_table(rows, shape)
    out += [*peer_table(peers, rows), *memory_table(memory), "## Growth", "",
            *growth_table(growth, "d"), *growth_table(growth, "n")]
    return "\n".join(out)


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    bench, peers = load(pathlib.Path(sys.argv[1])), load(pathlib.Path(sys.argv[2]))
    PAGE.write_text(markdown(bench, peers.get("peers", [])), encoding="utf-8")
    print(f"{PAGE.relative_to(ROOT)} written")


if __name__ == "__main__":
    main()
