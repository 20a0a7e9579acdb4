"""docs/benchmarks/vault.md out of the figures that speed.py left behind."""
import json


def ratio(a, b):
    return f"{a / b:.2f}"


def bar(met):
    return "met" if met else "**not met**"


def load(out, stage):
    path = out / f"{stage}.json"
    return json.loads(path.read_text()) if path.exists() else None


def rows_of_table(kind, f):
    first, second, size = f["first"], f["second"], f["bytes"]
    speed = size / first["seconds"] / 1e6
    yield (f"commit {size / 1e9:.2f} GB {kind.upper()} ({f['rows'] / 1e6:.2f} M rows), cold vault", "≥ 150 MB/s, ≤ 512 MiB",
           f"{speed:.0f} MB/s, {first['mib']:.0f} MiB; {ratio(first['seconds'], f['openssl']['seconds'])} × `openssl dgst -sha256`", speed >= 150 and first["mib"] <= 512)
    share = f["second_bytes"] / f["first_bytes"]
    yield ("again after 0.1 % of rows changed, inserted, deleted", "≤ 0.35 × the first's time, new bytes ≤ 6 %",
           f"{ratio(second['seconds'], first['seconds'])} ×, {share:.1%} of {f['first_bytes'] / 1e6:.0f} MB", second["seconds"] <= .35 * first["seconds"] and share <= .06)
    yield ("status, unchanged", "≤ 0.1 s", f"{f['status']['seconds']:.3f} s", f["status"]["seconds"] <= .1)
    yield ("status --full", "at SHA-256 rate", f"{ratio(f['status_full']['seconds'], f['openssl_again']['seconds'])} × `openssl dgst`'s time",
           f["status_full"]["seconds"] <= 1.1 * f["openssl_again"]["seconds"])
    yield ("diff of the two versions", "≤ 2 s", f"{f['diff']['seconds']:.2f} s", f["diff"]["seconds"] <= 2)
    yield ("blame of one row", "≤ 50 ms", f"{f['blame']['seconds'] * 1e3:.0f} ms", f["blame"]["seconds"] <= .05)
    yield ("inclusion proof of one row", "≤ 50 ms, ≤ 4 KiB", f"{f['prove']['seconds'] * 1e3:.0f} ms, {f['proof_bytes']['row0']} bytes",
           f["prove"]["seconds"] <= .05 and f["proof_bytes"]["row0"] <= 4096)
    yield ("absence proof", "≤ 8 KiB", f"{f['proof_bytes']['absent']} bytes", f["proof_bytes"]["absent"] <= 8192)
    v, rate = f["verify"], f["bytes"] / f["openssl"]["seconds"]
    objects, rows = v["objects"]["stored_bytes"] / v["objects"]["seconds"], v["rows"]["bytes"] / v["rows"]["seconds"]
    yield ("verify --full, objects", "≥ 80 % of OpenSSL's rate on the stored bytes", f"{objects / rate:.0%}", objects >= .8 * rate)
    yield ("verify --full, row digests", "≥ 25 % of it on the raw bytes", f"{rows / rate:.0%}", rows >= .25 * rate)
    yield ("checkout, bit-exact", "", f"{size / f['checkout']['seconds'] / 1e6:.0f} MB/s", None)


def rows_of_pictures(f):
    ours = f["bezoar"]["seconds"]
    git, dvc = f["peers"].get("git add + commit"), f["peers"].get("dvc add")
    text = [f"{ours:.1f} s, {f['bezoar']['mib']:.0f} MiB"]
    met = True
    for name, peer, want in (("DVC", dvc, 10), ("git", git, 3)):
        if peer:
            text.append(f"{name} {peer['seconds'] / ours:.1f} × as long")
            met = met and peer["seconds"] >= want * ours
    yield (f"{f['n']:,} small pictures ({f['bytes'] / 1e6:.0f} MB)", "≥ 10 × `dvc add`, ≥ 3 × `git add`", "; ".join(text), met and bool(git and dvc))


def rows_of_reference(f):
    share, per_row = f["openssl"]["seconds"] / f["bezoar"]["seconds"], f["index_bytes"] / f["rows"]
    yield (f"add --by-reference of {f['bytes'] / 1e9:.1f} GB in 8 files ({f['rows'] / 1e6:.0f} M rows)", "≥ 80 % of the SHA-256 rate; ≤ 60 bytes per row",
           f"{share:.0%}; {per_row:.1f} bytes per row; {f['bezoar']['mib']:.0f} MiB", share >= .8 and per_row <= 60)


def peers_table(title, f, ours, size):
    lines = [f"### {title}", "", "| tool | seconds | × Bezoar | peak MiB | stored MB |", "|---|---|---|---|---|",
             f"| Bezoar `vault add` + `commit` | {ours['seconds']:.1f} | 1 | {ours['mib']:.0f} | {size / 1e6:.0f} |"]
    lines += [f"| {name} | {p['seconds']:.1f} | {p['seconds'] / ours['seconds']:.1f} | {p['mib']:.0f} | {p['bytes'] / 1e6:.0f} |" for name, p in f["peers"].items()]
    if f["missing"]:
        lines += ["", "Not measured: " + "; ".join(f["missing"]) + "."]
    return [*lines, ""]


def write(root, out):
    found = {stage: load(out, stage) for stage in ("csv", "jsonl", "pictures", "reference")}
    makers = {"csv": lambda f: rows_of_table("csv", f), "jsonl": lambda f: rows_of_table("jsonl", f), "pictures": rows_of_pictures, "reference": rows_of_reference}
    lines = ["# Speed of the vault", "", "Made by `make bench-vault` (`bench/vault/`); medians, each stage in one run, files in the page cache. Seconds are of this machine",
             "(2 cores); ratios are what counts. `commit` is `vault add` and `vault commit` together, everything on disk (fsync).", "",
             "| what | must reach | measured | |", "|---|---|---|---|"]
    for stage, kept in found.items():
        if kept:
            lines += [f"| {what} | {want} | {got} | {'' if met is None else bar(met)} |" for what, want, got, met in makers[stage](kept["figures"])]
    lines.append("")
    if found["csv"]:
        f = found["csv"]["figures"]
        lines += peers_table("One gigabyte of CSV", f, f["first"], f["first_bytes"])
    if found["pictures"]:
        f = found["pictures"]["figures"]
        lines += peers_table("Small pictures", f, f["bezoar"], f["vault_bytes"])
    lines += ["Runs: " + "; ".join(f"{stage} {kept['day']}, load {kept['load'][0]} to {kept['load'][1]}" for stage, kept in found.items() if kept) + ".", ""]
    notes = root / "bench/vault/notes.md"
    if notes.exists():
        lines.append(notes.read_text())
    (root / "docs/benchmarks/vault.md").write_text("\n".join(lines))
