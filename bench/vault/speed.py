"""Speed of the vault beside SHA-256 and beside other tools that version data; docs/benchmarks/vault.md is made of it. Run
by bench/vault/run.sh, which installs the peers. All of a stage happens in one run, in turn: ratios count, not seconds."""
import argparse
import contextlib
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import time

import data
import peers

ROOT = pathlib.Path(__file__).resolve().parents[2]
BEZOAR = ROOT / "build" / "bezoar"
sys.path.insert(0, str(ROOT / "bench"))
from resident import peak  # noqa: E402


class Failed(Exception):
    pass


def run(command, cwd, env, watch=True):
    """Seconds of wall clock, seconds of CPU, peak resident MiB of the processes together, output."""
    log = cwd / ".out"
    started = time.monotonic()
    with log.open("wb") as out:
        child = subprocess.Popen([str(c) for c in command], cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT)
        most = 0
        while watch and os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            most = peak(child.pid, most)
            time.sleep(.02)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    text = log.read_text(errors="replace")
    log.unlink()
    if child.returncode != 0:
        raise Failed(f"{' '.join(map(str, command))}: exit {child.returncode}: {text[-500:]}")
    return {"seconds": time.monotonic() - started, "cpu": usage.ru_utime + usage.ru_stime, "mib": most or usage.ru_maxrss / 1024, "text": text}


def together(runs):
    return {"seconds": sum(r["seconds"] for r in runs), "cpu": sum(r["cpu"] for r in runs), "mib": max(r["mib"] for r in runs)}


def median(runs):
    return {"seconds": statistics.median(r["seconds"] for r in runs), "cpu": statistics.median(r["cpu"] for r in runs), "mib": max(r["mib"] for r in runs),
            "all": [round(r["seconds"], 3) for r in runs]}


def size_of(folder):
    return sum(f.stat().st_size for f in folder.rglob("*") if f.is_file() and not f.is_symlink())


class Vault:
    """A vault in a folder of its own, with a key of its own."""

    def __init__(self, folder):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        self.folder, self.env = folder, {**os.environ, "BEZOAR_HOME": str(folder / "home"), "HOME": str(folder)}
        self.env.pop("SSH_AUTH_SOCK", None)
        self("init")
        self("source", "add", "bench", "--uri", "https://example.org/bench", "--publisher", "bench")

    def __call__(self, *words, **more):
        return run([BEZOAR, "vault", *words], self.folder, self.env, **more)

    def commit(self, what, *more):
        return together([self("add", what, "--source", "bench", *more), self("commit", "-m", "one")])

    def bytes(self):
        return size_of(self.folder / ".bezoar")


@contextlib.contextmanager
def link(source, folder, name):
    """The data under the tool's folder, without copying a gigabyte each time."""
    target = folder / name
    target.unlink(missing_ok=True)
    os.link(source, target)
    yield target
    target.unlink()


def openssl(path, cwd):
    return run(["openssl", "dgst", "-sha256", path], cwd, dict(os.environ))


def peer_runs(scratch, source, name, rounds, leave_out=()):
    """Each tool on the same data, `rounds` times in a folder made anew."""
    tools, missing = peers.there(leave_out)
    found = {}
    for tool in tools:
        runs = []
        for _ in range(rounds):
            shutil.rmtree(scratch, ignore_errors=True)
            scratch.mkdir()
            env = peers.environment(scratch)
            try:
                for command in tool.prepare():
                    run(command, scratch, env, watch=False)
                (shutil.copytree(source, scratch / name) if source.is_dir() else shutil.copy(source, scratch / name))
                runs.append(together([run(c, scratch, env) for c in tool.add(name)]))
                runs[-1]["bytes"] = size_of(scratch / tool.store)
            except Failed as failed:
                missing.append(f"{tool.name} ({failed})"[:200])
                break
        if runs:
            found[tool.name] = {**median(runs), "bytes": runs[-1]["bytes"]}
    shutil.rmtree(scratch, ignore_errors=True)
    return found, missing


def made(path, make):
    if not path.exists():
        print(f"making {path.name}", flush=True)
        part = path.with_name("part." + path.name)
        make(part)
        part.rename(path)
    return path


def first_and_second(out, kind, old, new, rounds):
    """A cold vault, then a version 0.1 % apart, and what a plain SHA-256 of the same bytes takes, in turn."""
    first, second, sha, grown = [], [], [], []
    for _ in range(rounds):
        vault = Vault(out / "vault")
        with link(old, vault.folder, f"rows.{kind}"):
            sha.append(openssl(old, out))
            before = vault.bytes()
            first.append(vault.commit(f"rows.{kind}"))
            one = vault.bytes()
        with link(new, vault.folder, f"rows.{kind}"):
            second.append(vault.commit(f"rows.{kind}"))
        grown.append((one - before, vault.bytes() - one))
    return vault, {"first": median(first), "second": median(second), "openssl": median(sha), "first_bytes": grown[-1][0], "second_bytes": grown[-1][1]}


def table(out, kind, o):
    old = made(out / f"rows-{o.gigabytes:g}.{kind}", lambda p: data.table(p, int(o.gigabytes * 1e9)))
    new = made(out / f"rows-{o.gigabytes:g}-changed.{kind}", lambda p: data.change(old, p, .001))
    run(["cat", old, new], out, dict(os.environ), watch=False)
    vault, figures = first_and_second(out, kind, old, new, o.rounds)
    figures.update(bytes=old.stat().st_size, rows=int(subprocess.run(["wc", "-l", old], capture_output=True, text=True, check=True).stdout.split()[0]))
    name = f"rows.{kind}"
    with link(new, vault.folder, name):
        time.sleep(2.5)  # a link changes the time of the file: one status looks at it anew, as it must
        vault("status")
        figures["status"] = median([vault("status") for _ in range(5)])
        figures["status_full"] = median([vault("status", "--full") for _ in range(o.rounds)])
        figures["openssl_again"] = median([openssl(new, out) for _ in range(o.rounds)])
    figures["diff"] = median([vault("diff", f"{name}@1", f"{name}@2", "--json") for _ in range(o.rounds)])
    middle = str(figures["rows"] // 2)
    figures["blame"] = median([vault("blame", name, middle) for _ in range(5)])
    figures["prove"] = median([vault("prove", name, middle, "-o", f"row{i}.proof") for i in range(5)])
    vault("prove", name, "--digest", "ab" * 32, "-o", "absent.proof")
    figures["proof_bytes"] = {p: (vault.folder / f"{p}.proof").stat().st_size for p in ("row0", "absent")}
    full = [json.loads(vault("verify", "--full", "--json")["text"]) for _ in range(o.rounds)]
    figures["verify"] = full[-1]
    figures["verify_runs"] = [{k: v for k, v in f.items() if not isinstance(v, (list, dict))} for f in full]
    figures["checkout"] = median([vault("checkout", f"{name}@2", "-o", f"back{i}") for i in range(o.rounds)])
    shutil.rmtree(vault.folder)
    if kind == "csv":
        figures["peers"], figures["missing"] = peer_runs(out / "peer", old, name, o.peer_rounds)
    return figures


def pictures(out, o):
    def make(path):
        path.mkdir()
        data.pictures(path, o.pictures)
    folder = made(out / f"pictures-{o.pictures}", make)
    runs = []
    for _ in range(o.rounds):
        vault = Vault(out / "vault")
        subprocess.run(["cp", "-rl", folder, vault.folder / "pictures"], check=True)
        runs.append(vault.commit("pictures"))
    size = vault.bytes()
    figures = {"n": o.pictures, "bytes": size_of(folder), "bezoar": median(runs), "vault_bytes": size, "again": median([vault("status")])}
    shutil.rmtree(vault.folder)
    figures["peers"], figures["missing"] = peer_runs(out / "peer", folder, "pictures", o.peer_rounds, [peers.Annex])  # half an hour for 60,000
    return figures


def reference(out, o):
    """Eight files that stay where they are."""
    folder = out / "eight"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    rows = 0
    piece = made(out / f"piece-{o.reference:g}.csv", lambda p: data.table(p, int(o.reference * 1e9 / 8), seed=9))
    for i in range(8):  # eight copies would be one set of leaves eight times: each file's numbers begin with another digit
        number = str(i + 1).encode()
        with piece.open("rb") as source, (folder / f"part{i}.csv").open("wb") as target:
            target.write(source.readline())
            while block := source.readlines(16 << 20):
                rows += len(block)
                target.write(b"".join(number + line for line in block))
    total = size_of(folder)
    vault = Vault(out / "vault")
    before = vault.bytes()
    sha, ours = [], []
    for i in range(o.rounds):
        sha.append(together([openssl(p, out) for p in sorted(folder.iterdir())]))
        vault = Vault(out / "vault")
        ours.append(vault.commit(str(folder), "--by-reference", "--name", "eight"))
    figures = {"bytes": total, "rows": rows, "bezoar": median(ours), "openssl": median(sha), "index_bytes": vault.bytes() - before}
    shutil.rmtree(vault.folder)
    shutil.rmtree(folder)
    return figures


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gigabytes", type=float, default=1)
    parser.add_argument("--pictures", type=int, default=200_000)
    parser.add_argument("--reference", type=float, default=20, help="gigabytes by reference")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peer-rounds", type=int, default=1)
    parser.add_argument("--only", default="csv,jsonl,pictures,reference")
    o = parser.parse_args()
    out = ROOT / "bench-out" / "vault"
    out.mkdir(parents=True, exist_ok=True)
    stages = {"csv": lambda: table(out, "csv", o), "jsonl": lambda: table(out, "jsonl", o), "pictures": lambda: pictures(out, o), "reference": lambda: reference(out, o)}
    for stage, go in stages.items():
        if stage in o.only.split(","):
            before = os.getloadavg()[0]
            figures = {"figures": go(), "load": [round(before, 1), round(os.getloadavg()[0], 1)], "day": time.strftime("%Y-%m-%d")}
            (out / f"{stage}.json").write_text(json.dumps(figures, indent=1))
    import vault_page
    vault_page.write(ROOT, out)


if __name__ == "__main__":
    main()
