"""bezoar.attack_updates: trees of honest updates in, trees of the attackers' out."""
import importlib.util
import math
from collections import OrderedDict

import numpy as np
import pytest

import bezoar

ATTACKS = [attack["name"] for attack in bezoar.list_attacks() if attack["kind"] == "update"]


def matrix(n=12, d=30, seed=1, dtype="f8"):
    return np.random.default_rng(seed).normal(0.3, 1, size=(n, d)).astype(dtype)


def trees(n=9, seed=2):
    draw = np.random.default_rng(seed)
    return [
        OrderedDict(
            conv=[draw.normal(1, 0.1, (4, 3)).astype("f4"), draw.normal(1, 0.1, 5).astype("f2")],
            bn=(np.int64(7 + i), np.array([True, i % 2 == 0]), draw.normal(1, 0.1)),
        )
        for i in range(n)
    ]


@pytest.mark.parametrize("attack", ATTACKS)
def test_every_attack_has_the_form_of_the_honest(attack):
    honest = trees()
    before = repr(honest)
    crafted = bezoar.attack_updates(honest, attack, 2, seed=3)
    assert len(crafted) == 2 and repr(honest) == before
    for tree in crafted:
        assert type(tree) is OrderedDict and list(tree) == ["conv", "bn"] and type(tree["bn"]) is tuple
        assert tree["conv"][0].dtype == np.float32 and tree["conv"][0].shape == (4, 3)
        assert tree["conv"][1].dtype == np.float16
        assert tree["bn"][0].dtype == np.int64 and tree["bn"][1].dtype == bool
        if attack not in ("nan", "infinity"):
            assert all(np.isfinite(leaf).all() for leaf in [*tree["conv"], *tree["bn"]])


def test_values():
    honest = matrix()
    mean, sd = honest.mean(axis=0), honest.std(axis=0)
    assert np.allclose(bezoar.attack_updates(honest, "sign-flip", 3, scale=2), -2 * mean, rtol=1e-13)
    assert np.allclose(bezoar.attack_updates(honest, "alie", 3, z=1.5)[2], mean - 1.5 * sd, rtol=1e-12)
    assert np.isnan(bezoar.attack_updates(honest, "nan", 1, count=1)).sum() == 1
    assert any(np.array_equal(bezoar.attack_updates(honest, "mimic", 1)[0], row) for row in honest)
    far = bezoar.attack_updates(honest, "min-max", 1, deviation="unit")[0]
    pairs = np.linalg.norm(honest[:, None] - honest, axis=2).max()
    assert math.isclose(np.linalg.norm(honest - far, axis=1).max(), pairs, rel_tol=1e-4)


def test_matrix_and_trees_agree():
    honest = matrix(dtype="f4")
    crafted = bezoar.attack_updates(honest, "gaussian", 2, seed=5, sigma=1)
    assert crafted.shape == (2, 30) and crafted.dtype == np.float32
    as_trees = [{"a": row[:12].reshape(3, 4), "b": [row[12:]]} for row in honest[:, ::1]]
    for row, tree in zip(crafted, bezoar.attack_updates(as_trees, "gaussian", 2, seed=5, sigma=1)):
        assert np.array_equal(row, np.concatenate([tree["a"].ravel(), tree["b"][0]]))


def test_numbers_that_a_type_cannot_hold():
    honest = [{"h": np.ones(3, "f2"), "i": np.array([3, -3]), "u": np.array([5], "u1"), "b": np.array([True])}] * 3
    crafted = bezoar.attack_updates(honest, "huge", 1)[0]
    assert (crafted["h"] == np.float16(-65504)).all()
    assert crafted["i"][0] == np.iinfo("i8").min and crafted["i"][1] > 2**62
    assert crafted["u"][0] == 0 and not crafted["b"][0]
    crafted = bezoar.attack_updates(honest, "nan", 1)[0]
    assert np.isnan(crafted["h"]).all() and crafted["i"].tolist() == [0, 0]
    crafted = bezoar.attack_updates(honest, "infinity", 1)[0]
    assert (crafted["h"] == -np.inf).all() and crafted["u"][0] == 0


if importlib.util.find_spec("torch"):  # no skip where it is not installed: nothing but this needs it

    def test_torch():
        import torch

        honest = [{"w": torch.ones(2, 3, dtype=torch.bfloat16, requires_grad=True), "n": torch.tensor(4)}] * 4
        crafted = bezoar.attack_updates(honest, "huge", 1)[0]
        assert crafted["w"].dtype == torch.bfloat16 and torch.isfinite(crafted["w"]).all() and crafted["w"].max() < -1e38
        assert crafted["n"].dtype == torch.int64


@pytest.mark.parametrize("honest, attack, n, more", [
    (matrix(), "no-such", 1, {}),
    (matrix(), "badnets", 1, {}),
    (matrix(), "alie", 0, {}),
    (matrix(), "alie", -1, {}),
    (matrix(), "alie", 1, {"colour": 3}),
    (matrix(), "min-max", 1, {"deviation": "none"}),
    (matrix() * np.nan, "alie", 1, {}),
    (np.zeros((0, 3)), "alie", 1, {}),
    ([], "alie", 1, {}),
    ([np.zeros(3), np.zeros(4)], "alie", 1, {}),
    ([{"a": np.zeros(3)}, {"b": np.zeros(3)}], "alie", 1, {}),
])
def test_refusals(honest, attack, n, more):
    with pytest.raises(bezoar.UsageError):
        bezoar.attack_updates(honest, attack, n, **more)
