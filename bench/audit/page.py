"""docs/benchmarks/audit.md out of the figures of speed.py's stages."""
import json
import os
import platform

HEAD = """# Speed of scanning models

Written by `make bench-audit` (bench/audit/). Times are wall clock, medians of rounds in which all programs take their turn; memory is the
resident memory of the command and its helpers together. "Load" is the machine's load average before and after the stage: where it is well
above the number of processors the ratios are of programs that had to share them.

Machine: {machine}, {cpus} processors.

| what | measured | asked for | | load | day |
|---|---|---|---|---|---|
"""


def verdict(good):
    return "met" if good else "not met"


def large(x):
    for row in x["figures"]:
        rate = lambda r: row["bytes"] / r["seconds"] / 1e6  # noqa: E731
        ours, theirs = row["bezoar"], row["openssl"]
        share = theirs["seconds"] / ours["seconds"]
        yield (f"hash and structural scan of {row['file']}, {row['bytes'] / 1e9:.1f} GB",
               f"{ours['seconds']:.2f} s, {rate(ours):.0f} MB/s; openssl dgst -sha256 {theirs['seconds']:.2f} s, {rate(theirs):.0f} MB/s: "
               f"{100 * share:.0f} %", "≥ 80 % of OpenSSL's rate", verdict(share >= .8))
        yield "… its resident memory", f"{ours['mib']:.0f} MiB", "≤ 200 MiB", verdict(ours["mib"] <= 200)


def small(x):
    figures = x["figures"]
    ours = figures["runs"]["bezoar"]
    for peer, least in (("picklescan", 10), ("modelscan", 20)):
        theirs = figures["runs"][peer]
        ratio = theirs["seconds"] / ours["seconds"]
        yield (f"{figures['files']:,} small pickles ({figures['mean_bytes'] / 1e3:.1f} kB each), beside {peer}",
               f"{ours['seconds']:.2f} s ({ours['cpu']:.2f} CPU s); {peer} {theirs['seconds']:.2f} s ({theirs['cpu']:.2f} CPU s): "
               f"{ratio:.1f} × as fast ({theirs['cpu'] / ours['cpu']:.1f} × by CPU time)", f"≥ {least} ×", verdict(ratio >= least))


def bombs(x):
    worst = max(x["figures"], key=lambda b: b["seconds"])
    most = max(x["figures"], key=lambda b: b["mib"])
    busy = max(x["figures"], key=lambda b: b["cpu"])
    yield (f"{len(x['figures'])} bombs (tests/golden-bad/audit/bombs.py), the slowest",
           f"{worst['seconds']:.2f} s ({worst['name']}); in CPU time {busy['cpu']:.2f} s ({busy['name']})", "< 1 s", verdict(worst["seconds"] < 1))
    yield "… the largest", f"{most['mib']:.0f} MiB ({most['name']})", "< 300 MiB", verdict(most["mib"] < 300)


def write(root, figures):
    lines = []
    for stage in (large, small, bombs):
        path = figures / f"{stage.__name__}.json"
        if path.exists():
            x = json.loads(path.read_text())
            lines += [f"| {' | '.join(row)} | {x['load'][0]}, {x['load'][1]} | {x['day']} |" for row in stage(x)]
    page = root / "docs" / "benchmarks" / "audit.md"
    marker = "\n## "
    rest = page.read_text().partition(marker) if page.exists() else ("", "", "")
    model = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), platform.machine())
    head = HEAD.format(machine=model, cpus=os.cpu_count())
    page.write_text(head + "\n".join(lines) + "\n" + rest[1] + rest[2])
