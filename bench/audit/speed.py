"""Speed of scanning models, beside SHA-256 and beside picklescan and modelscan; docs/benchmarks/audit.md is made of it.
Run by bench/audit/run.sh, which installs the peers."""
import argparse
import json
import os
import pathlib
import statistics
import struct
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BEZOAR = ROOT / "build" / "bezoar"
TENSOR = 256 << 20  # bytes
sys.path.insert(0, str(ROOT / "bench"))
from resident import peak  # noqa: E402


def run(*command, watch=False):
    """Seconds of wall clock, seconds of CPU, peak MiB, exit code."""
    started = time.monotonic()
    child = subprocess.Popen([str(c) for c in command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    most = 0
    while watch and os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        most = peak(child.pid, most)
        time.sleep(.05)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    return {"seconds": time.monotonic() - started, "cpu": usage.ru_utime + usage.ru_stime, "mib": max(most, usage.ru_maxrss / 1024),
            "code": child.returncode}


def median(runs):
    return {"seconds": statistics.median(r["seconds"] for r in runs), "cpu": statistics.median(r["cpu"] for r in runs),
            "mib": max(r["mib"] for r in runs), "codes": sorted({r["code"] for r in runs})}


def fill(out, total):
    """Random bytes, a block of them again and again: nothing that a file system could leave out."""
    block = os.urandom(64 << 20)
    while total > 0:
        out.write(block[:total])
        total -= len(block)


def make_safetensors(path, total):
    n = max(1, total // TENSOR)
    names = {f"layers.{i}.weight": {"dtype": "BF16", "shape": [TENSOR // 8192, 4096], "data_offsets": [i * TENSOR, (i + 1) * TENSOR]} for i in range(n)}
    header = json.dumps({"__metadata__": {"format": "pt"}, **names}).encode()
    header += b" " * (-len(header) % 8)
    with path.open("wb") as out:
        out.write(struct.pack("<Q", len(header)) + header)
        fill(out, n * TENSOR)


def make_gguf(path, total):
    text = lambda s: struct.pack("<Q", len(s)) + s.encode()  # noqa: E731
    n = max(1, total // TENSOR)
    keys = text("general.architecture") + struct.pack("<I", 8) + text("llama")
    infos = b"".join(text(f"blk.{i}.weight") + struct.pack("<IQQIQ", 2, 4096, TENSOR // 8192, 1, i * TENSOR) for i in range(n))
    head = b"GGUF" + struct.pack("<IQQ", 3, n, 1) + keys + infos
    with path.open("wb") as out:
        out.write(head + bytes(-len(head) % 32))
        fill(out, n * TENSOR)


def large(folder, gigabytes, rounds):
    """Scans beside OpenSSL over the same file, in turn, the file in the page cache where it fits."""
    rows = []
    for name, make in (("model.safetensors", make_safetensors), ("model.gguf", make_gguf)):
        path = folder / name
        make(path, int(gigabytes * 1e9))
        run("cat", path)
        ours, theirs = [], []
        for _ in range(rounds):
            theirs.append(run("openssl", "dgst", "-sha256", path))
            ours.append(run(BEZOAR, "scan", path, "--only", "BZ-M001,BZ-M002,BZ-M003,BZ-M004", watch=True))
        size = path.stat().st_size
        rows.append({"file": name, "bytes": size, "bezoar": median(ours), "openssl": median(theirs)})
        path.unlink()
    return rows


def small(folder, n, rounds):
    subprocess.run([ROOT / "build/venv-audit-small/bin/python", ROOT / "bench/audit/small.py", folder / "small", str(n)], check=True)
    bins = ROOT / "build"
    commands = {"bezoar": [BEZOAR, "scan", folder / "small"], "picklescan": [bins / "venv-picklescan/bin/picklescan", "-p", folder / "small"],
                "modelscan": [bins / "venv-modelscan/bin/modelscan", "-p", folder / "small"]}
    runs = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            runs[name].append(run(*command))
    sizes = [p.stat().st_size for p in (folder / "small").iterdir()]
    return {"files": len(sizes), "mean_bytes": sum(sizes) / len(sizes), "runs": {name: median(r) for name, r in runs.items()}}


def bombs(folder):
    sys.path.insert(0, str(ROOT / "tests/golden-bad/audit"))
    import bombs as makers
    makers.write(folder / "bombs")
    return [{"name": p.name, **run(BEZOAR, "scan", p, watch=True)} for p in sorted((folder / "bombs").iterdir())]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gigabytes", type=float, default=10)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="large,small,bombs")
    o = parser.parse_args()
    out = ROOT / "bench-out" / "audit"
    out.mkdir(parents=True, exist_ok=True)
    for stage, go in (("large", lambda: large(out, o.gigabytes, o.rounds)), ("small", lambda: small(out, o.files, o.rounds)), ("bombs", lambda: bombs(out))):
        if stage in o.only.split(","):
            before = os.getloadavg()[0]
            figures = {"load": [round(before, 1), 0], "figures": go(), "day": time.strftime("%Y-%m-%d")}
            figures["load"][1] = round(os.getloadavg()[0], 1)
            (out / f"{stage}.json").write_text(json.dumps(figures, indent=1))
    import page
    page.write(ROOT, out)


if __name__ == "__main__":
    main()
