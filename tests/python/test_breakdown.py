"""Breakdown of the aggregation rules, and every attack against every rule: what is promised is asserted here, on the
code that makes docs/benchmarks/breakdown.md."""
import math
import pathlib
import sys

import numpy as np
import pytest

import bezoar

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bench" / "aggregate"))

import breakdown  # noqa: E402

SEEDS = range(3)
FAR = (1e2, 1e15, 1e30)


def kappa(rule, n, f):
    """Allouah, Farhadkhani, Guerraoui, Gupta, Pinot, Stephan, Fixing by Mixing, AISTATS 2023, table 1: the squared error
    is at most this times the mean squared distance of honest updates to their mean. None: the paper has no figure."""
    lean = 1 + f / (n - 2 * f)
    return {"trimmed-mean": 6 * f / (n - 2 * f) * lean, "krum": 6 * lean, "median": 4 * lean**2,
            "geometric-median": 4 * lean**2}.get(rule)


def bound(rule, n, f):
    """In spreads; where no figure is proven, one that does not grow with the attackers' scale."""
    return math.sqrt(kappa(rule, n, f) or 1e4)


# Tolerates attackers that act together only.
PROMISED = [rule for rule in breakdown.rules() if rule not in breakdown.NO_PROMISE | {"mean", "dnc"}]


@pytest.mark.parametrize("rule", PROMISED)
@pytest.mark.parametrize("n", [10, 11])
def test_error_is_bounded_up_to_the_tolerance(rule, n):
    for seed in SEEDS:
        most = breakdown.tolerated(rule, n)
        for f in {1, most}:
            clients = breakdown.honest_updates(n, 20, seed)
            honest, unit = clients[: n - f], breakdown.spread(clients)
            for scale in FAR:
                for malicious in breakdown.placements(honest, f, scale * unit, seed).values():
                    error = breakdown.error(honest, malicious, rule, f, breakdown.spread(honest) or unit, seed=seed)
                    assert error <= bound(rule, n, f), (seed, f, scale)


def test_dnc_holds_against_attackers_who_act_together():
    clients = breakdown.honest_updates(10, 20, 1)
    honest, unit = clients[:6], breakdown.spread(clients)
    for scale in FAR:
        malicious = breakdown.placements(honest, 4, scale * unit, 1)["together"]
        assert breakdown.error(honest, malicious, "dnc", 4, unit) < 10


@pytest.mark.parametrize("n", [5, 10])
def test_one_attacker_breaks_the_mean(n):
    assert breakdown.worst("mean", n, 1, 0, (1e30,), SEEDS) > 1e30 / n / 2
    assert breakdown.breaking("mean", n, 0, SEEDS) == 1


@pytest.mark.parametrize("rule", ["trimmed-mean", "median", "geometric-median", "meamed", "mda"])
@pytest.mark.parametrize("n, f", [(9, 4), (10, 4)])
def test_half_of_the_clients_break_any_rule(rule, n, f):
    """f + 1 who act together are the majority of 9; of 10 they are half, and each half can claim to be the honest one."""
    assert breakdown.worst(rule, n, f + 1, f, (1e30,), SEEDS) > breakdown.BROKEN


@pytest.mark.parametrize("pre", [(), ("nnm",)], ids=["plain", "nnm"])
@pytest.mark.parametrize("attack", breakdown.attacks())
def test_every_attack_against_every_rule(attack, pre):
    for rule in breakdown.rules():
        if rule in breakdown.NO_PROMISE | {"mean"}:
            continue
        for groups in (1, 4):
            error = breakdown.matrix_error(attack, rule, pre, [5], groups, n=15, f=3, d=24)
            assert error is not None and error <= 100, (rule, groups)


def test_the_mean_falls_to_the_attacks_that_go_far():
    for attack in ("gaussian", "huge"):
        assert breakdown.matrix_error(attack, "mean", (), [5]) > 5
    for attack in ("nan", "infinity"):
        assert breakdown.matrix_error(attack, "mean", (), [5]) is None
    # it goes to the opposite of the honest mean, or nearly: further than any rule that is told lets it
    assert breakdown.matrix_error("model-replacement", "mean", (), [5]) > 1
    assert breakdown.matrix_error("model-replacement", "median", (), [5]) < 1


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("rule", ["flame", "fltrust"])
def test_length_does_not_buy_a_direction(rule, dtype):
    """At 1e16 times the honest length the product with a short update drowns in the square of the long one, and what is
    left is any cosine at all."""
    for seed in range(8):
        draw = np.random.default_rng(seed)
        centre = draw.normal(size=300)
        honest = [(centre + draw.normal(size=300)).astype(dtype) for _ in range(9)]
        against = draw.normal(size=300) - centre
        scores = []
        for ratio in (1, 1e8, 1e16, 3e16, 1e17, 1e30):
            root = {"root": honest[0]} if rule == "fltrust" else {}
            _, verdicts = bezoar.aggregate([*honest, (ratio * against).astype(dtype)], rule, 1, **root)
            assert not verdicts[9].kept
            scores.append(verdicts[9].score)
        assert np.allclose(scores, scores[0], atol=1e-6)


def test_attackers_that_are_not_finite_count_against_f():
    honest = breakdown.honest_updates(8, 10, 1)
    malicious = bezoar.attack_updates(honest, "nan", 3)
    assert breakdown.error(honest, malicious, "trimmed-mean", 3, 1.0) < 1e-9
    with pytest.raises(bezoar.UsageError):
        breakdown.error(honest, malicious, "trimmed-mean", 2, 1.0)


def test_the_page_is_made(tmp_path, monkeypatch):
    monkeypatch.setattr(breakdown, "rules", lambda: ["mean", "median"])
    page = "".join(breakdown.page(range(1, 2)))
    assert "| median | 4 |" in page and "| mean | 0 | – |" in page and "refused" in page and "nnm" in page
