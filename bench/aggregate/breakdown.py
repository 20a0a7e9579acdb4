#!/usr/bin/env python3
"""Breakdown of the aggregation rules, measured: how far the aggregate goes from the honest mean as attackers grow, for
as many as a rule tolerates and for more; and every attack on updates against every rule.

    PYTHONPATH=build/python python3 bench/aggregate/breakdown.py docs/benchmarks/breakdown.md

An error is the distance of the aggregate to the mean of the honest updates, in spreads: the root of the mean squared
distance of an update to the mean before attackers take the place of some. All is seeded: the page is the same on every machine. The
tests run the same code with fewer seeds and assert what is promised (tests/python/test_breakdown.py).
"""
import argparse
import pathlib

import numpy as np

import bezoar

FIRST_SEED = 1000  # of the page; the tests use others
SCALES = (1.0, 1e2, 1e4, 1e8, 1e15, 1e30)
BROKEN = 1e6  # spreads; what has not broken stays within some tens, whatever the scale

# The most attackers of n that a rule's definition tolerates, and what it says where that is no number. Rules that need
# a history of several rounds (foolsgold) promise nothing for the one round that is played here.
TOLERATED = {
    "mean": lambda n: 0,
    "krum": lambda n: (n - 3) // 2,
    "multi-krum": lambda n: (n - 3) // 2,
    "bulyan": lambda n: (n - 3) // 4,
    "fltrust": lambda n: n - 1,
    "centered-clipping": lambda n: (n - 1) // 2,
    "norm-clipping": lambda n: (n - 1) // 2,
}
NO_PROMISE = {"foolsgold"}
UNMIXED = {"mean", "foolsgold"}  # told of no attackers, there is nobody to mix away; histories belong to clients


def rules():
    return [rule["name"] for rule in bezoar.list_aggregators() if not rule["pre"]]


def attacks():
    return [attack["name"] for attack in bezoar.list_attacks() if attack["kind"] == "update"]


def tolerated(rule, n):
    return TOLERATED.get(rule, lambda n: (n - 1) // 2)(n)


def honest_updates(n, d, seed, groups=1):
    """A common direction and noise as long as it, in double; with groups, each of them is drawn elsewhere, too."""
    draw = np.random.default_rng([seed, n, d, groups])
    centre = draw.normal(size=d)
    apart = draw.normal(size=(groups, d)) * (2 if groups > 1 else 0)
    return centre + apart[np.arange(n) % groups] + draw.normal(size=(n, d))


def spread(honest):
    return float(np.sqrt(((honest - honest.mean(axis=0)) ** 2).sum(axis=1).mean()))


def error(honest, malicious, rule, f, unit, pre=(), seed=0):
    """Of the aggregate of both, in spreads (`unit`). The server's own update is one more honest one."""
    n, d = honest.shape
    options = {}
    if rule == "fltrust":
        options["root"] = honest.mean(axis=0) + np.random.default_rng([seed, d]).normal(size=d)
    if rule in ("centered-clipping", "foolsgold"):
        options["state"] = bezoar.AggregateState()
    updates = [*honest, *malicious]
    result, _ = bezoar.aggregate(updates, rule, f, pre=pre, seed=seed, threads=1, **options)
    # In two steps, so that 1e30 is not squared away from what is left of the honest part.
    off = np.abs(result - honest.mean(axis=0))
    largest = off.max()
    return float(largest * np.sqrt(((off / largest) ** 2).sum()) / unit) if largest > 0 else 0.0


# ---- breakdown -------------------------------------------------------------------------------------------------------


def placements(honest, count, size, seed):
    """Where attackers of that size stand: together against the mean, each in a direction of its own, on two sides."""
    d = honest.shape[1]
    unit = honest.mean(axis=0) / np.linalg.norm(honest.mean(axis=0))
    draw = np.random.default_rng([seed, count, 7])
    everywhere = draw.normal(size=(count, d))
    everywhere /= np.linalg.norm(everywhere, axis=1, keepdims=True) + 1e-300
    sides = np.where(np.arange(count) % 2, 1.0, -1.0)[:, None] * unit
    return {"together": np.tile(-size * unit, (count, 1)), "apart": size * everywhere, "two sides": size * sides}


def worst(rule, n, count, f, scales, seeds, d=40):
    """The largest error over scales, placements and seeds, of `count` attackers among n where the rule is told f."""
    most = 0.0
    for seed in seeds:
        clients = honest_updates(n, d, seed)
        honest, unit = clients[: n - count], spread(clients)
        for scale in scales:
            for malicious in placements(honest, count, scale * unit, seed).values():
                most = max(most, error(honest, malicious, rule, f, unit, seed=seed))
    return most


def breaking(rule, n, f, seeds):
    """The fewest attackers that break a rule that is told f; None if no number does."""
    return next((count for count in range(1, n) if worst(rule, n, count, f, SCALES[-1:], seeds) > BROKEN), None)


# ---- every attack against every rule ---------------------------------------------------------------------------------


def matrix_error(attack, rule, pre, seeds, groups=1, n=20, f=4, d=60):
    """The worst over the seeds; None where the rule refuses."""
    most = 0.0
    for seed in seeds:
        clients = honest_updates(n, d, seed, groups)
        honest, unit = clients[: n - f], spread(clients)
        malicious = bezoar.attack_updates(honest, attack, f, seed=seed)
        try:
            most = max(most, error(honest, malicious, rule, 0 if rule == "mean" else f, unit, pre, seed))
        except bezoar.UsageError:
            return None
    return most


# ---- the page --------------------------------------------------------------------------------------------------------


def figure(x):
    if x >= 1e4:
        mantissa, exponent = f"{x:.0e}".split("e")
        return f"{mantissa}e{int(exponent)}"
    return f"{x:.2f}" if x < 10 else f"{x:.0f}"


def table(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines) + "\n"


def breakdown_row(rule, n, seeds):
    f = tolerated(rule, n)
    errors = [figure(worst(rule, n, f, f, (scale,), seeds)) for scale in SCALES] if f else ["–"] * len(SCALES)
    more = figure(worst(rule, n, f + 1, f, SCALES[-1:], seeds)) if f + 1 < n else "–"
    count = breaking(rule, n, f, seeds)
    said = "none" if count is None else count if count > f else f"**{count}**"
    return [rule, f, *errors, more, said]


def breakdown_table(n, seeds):
    scales = [f"{scale:.0e}".replace("e+0", "e").replace("e+", "e") for scale in SCALES]
    rows = [breakdown_row(rule, n, seeds) for rule in rules() if rule not in NO_PROMISE]
    return table(["rule", "f", *scales, "f + 1 at 1e30", "attackers that break it"], rows)


def matrix_table(pre, seeds, groups):
    rows = []
    for rule in rules():
        if pre and rule in UNMIXED:
            continue
        cells = (matrix_error(attack, rule, pre, seeds, groups) for attack in attacks())
        rows.append([rule, *("refused" if cell is None else figure(cell) for cell in cells)])
    return table(["rule", *attacks()], rows)


def page(seeds):
    yield HEAD.format(first=seeds[0], last=seeds[-1], broken=f"{BROKEN:.0e}".replace("e+0", "e"))
    for n in (10, 15):
        yield f"## {n} clients\n\n{breakdown_table(n, seeds)}\n"
    yield MATRIX
    for groups, title in ((1, "Clients alike"), (4, "Clients of four kinds")):
        for pre in ((), ("nnm",)):
            yield f"### {title}{', behind nearest-neighbour mixing (nnm)' if pre else ''}\n\n{matrix_table(pre, seeds, groups)}\n"


HEAD = """# Breakdown of the aggregation rules

Made by `PYTHONPATH=build/python python3 bench/aggregate/breakdown.py docs/benchmarks/breakdown.md` (seeds {first} to {last}; the worst of them is
shown; the same on every machine).

An **error** is the distance of the aggregate to the mean of the honest updates, in spreads (the root mean squared distance of an update to the
mean, before attackers take the place of some); a single honest update has an error of about 1. Updates hold 40 doubles: a direction common to all, and noise
of each client as long as it.

The first tables: f attackers, as many as the rule tolerates by its definition, at a distance of *scale* spreads, together against the mean, each
in a direction of its own, or on two sides (the worst is shown). A rule with a breakdown point must not follow the scale. Then the rule is told
the same f and meets one more at 1e30, and last, *attackers that break it* is the smallest number at which the error passes {broken}.

- Krum and Bulyan stand more than they promise: attackers need so many that they are each other's nearest neighbours.
- All others with a breakdown point break with one more than f, as they must where f is the most below one half.
- **DnC is broken by fewer** than f: it takes out those that lie far along *one* direction, and attackers who go to any length each in a
  direction of their own are not all among them. It holds against attackers who act together.
- `norm-clipping` shortens to the median length by default, which attackers own once they are more than half; `centered-clipping` and `fltrust`
  bound the harm of any number by a length that attackers do not set.
- `foolsgold` judges by histories of several rounds and is not shown.

"""

MATRIX = """## Every attack against every rule

20 clients, 4 of them attackers, of which the rule is told (the mean is told 0); 60 doubles; attacks with their default parameters
([attacks](../attacks.md)). *Refused*: the rule is told of no attackers and meets one that is not finite, which is an error and never an aggregate.
`fltrust` has a server's update like an honest one; `centered-clipping` and `foolsgold` are in their first round. Clients of
four kinds have a centre of each kind, two standard deviations per coordinate away from the common one.

"""


def main():
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("page", type=pathlib.Path, help="where the page goes")
    arguments.add_argument("--seeds", type=int, default=5, help="how many (5)")
    given = arguments.parse_args()
    given.page.write_text("".join(page(range(FIRST_SEED, FIRST_SEED + given.seeds))).rstrip() + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
