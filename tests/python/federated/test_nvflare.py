"""bezoar.nvflare: its ModelAggregator, driven with FLModels as NVFlare's controllers do."""
import inspect
import json

import numpy as np
import pytest
from nvflare.apis.fl_constant import FLMetaKey, ReservedKey
from nvflare.apis.fl_context import FLContext
from nvflare.apis.shareable import ReservedHeaderKey
from nvflare.app_common.abstract.fl_model import FLModel, ParamsType
from nvflare.app_common.aggregators.model_aggregator import ModelAggregator
from nvflare.app_common.utils.fl_model_utils import FLModelUtils

import bezoar
from bezoar.nvflare import RobustAggregator

ones = np.ones((3, 2), np.float32)


def sent(i, params=None, kind=ParamsType.FULL, number=0, **meta):
    params = {"w": ones + np.float32(i / 100), "steps": np.array(3)} if params is None else params
    metrics = meta.pop("metrics", {"loss": float(i)})
    return FLModel(kind, params, metrics=metrics, current_round=number, meta={"client_name": f"site-{i}", **meta})


def feed(aggregator, n=10, change=lambda i: None, **options):
    aggregator.reset_stats()
    for i in range(n):
        model = change(i)
        aggregator.accept_model(sent(i, **options) if model is None else model)
    return aggregator.aggregate_model()


def test_a_robust_aggregate_with_verdicts(tmp_path):
    aggregator = RobustAggregator("trimmed-mean", f=2, log=tmp_path / "log.jsonl")
    assert isinstance(aggregator, ModelAggregator)
    lie = lambda i: sent(i, {"w": ones * 1e30, "steps": np.array(3)}, metrics={"loss": -1e30}) if i < 2 else None
    model = feed(aggregator, change=lie)
    values = sorted(np.float64(1e30) if i < 2 else 1 + i / 100 for i in range(10))
    assert model.params["w"] == pytest.approx(np.full((3, 2), np.mean(values[2:-2])), rel=1e-6)
    assert model.params["w"].dtype == np.float32 and model.params["steps"] == 3 and model.params_type == ParamsType.FULL
    assert 2 <= model.metrics["loss"] <= 9 and "bezoar" not in str(model.meta)
    rows = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [row["client"] for row in rows] == [f"site-{i}" for i in range(10)]
    assert rows[0]["trimmed"] > 0.8 and aggregator.reasons[0]["bezoar-clients"][0] == "site-0"
    assert FLModelUtils.to_shareable(model) is not None


BAD = {
    "not-finite": lambda: sent(0, {"w": ones * np.nan, "steps": np.array(3)}),
    "malformed": lambda: sent(0, {"w": ones}),
    "shape": lambda: sent(0, {"w": ones[:2], "steps": np.array(3)}),
    "text": lambda: sent(0, {"w": "x", "steps": np.array(3)}),
    "kind": lambda: sent(0, kind=ParamsType.DIFF),
    "none": lambda: FLModel(metrics={"loss": 1.0}, meta={"client_name": "site-0"}),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_model_is_left_out(case):
    aggregator = RobustAggregator("median", f=0.2)
    model = feed(aggregator, change=lambda i: BAD[case]() if i == 0 else None)
    row = next(row for row in aggregator.round.rows if row["client"] == "site-0")
    assert row["reason"] == (case if case == "not-finite" else "malformed") and not row["kept"]
    assert aggregator.round.n == 9 and aggregator.round.f == 1
    assert model.params["w"][0, 0] == pytest.approx(1.05)


def test_too_many_bad_models_keep_the_last_one():
    aggregator = RobustAggregator(f=2)
    bad = lambda i: sent(i, {"w": ones * np.nan, "steps": np.array(3)}) if i < 3 else None
    with pytest.raises(bezoar.UsageError, match="3 of 10"):
        feed(aggregator, change=bad)  # there is none yet
    first = feed(aggregator)
    second = feed(aggregator, change=bad, number=1)
    assert np.array_equal(first.params["w"], second.params["w"]) and aggregator.round.cause is not None
    with pytest.raises(bezoar.UsageError):
        feed(RobustAggregator(f=2, on_failure="raise"), change=bad)


def test_differences():
    aggregator = RobustAggregator("median", f=2)
    model = feed(aggregator, kind=ParamsType.DIFF)
    assert model.params_type == ParamsType.DIFF and model.params["w"][0, 0] == pytest.approx(1.045)
    bad = {"w": ones * np.inf, "steps": np.array(3)}
    lost = feed(aggregator, kind=ParamsType.DIFF, change=lambda i: sent(i, bad, ParamsType.DIFF) if i < 3 else None)
    assert not lost.params["w"].any() and aggregator.round.cause is not None  # a step of zeros: the model stays


def test_declared_steps_own_nothing():
    def boast(i):
        value, steps = (100, 10**9) if i == 0 else (1, 1)
        return sent(i, {"w": ones * value, "steps": np.array(3)}, **{FLMetaKey.NUM_STEPS_CURRENT_ROUND: steps})

    assert feed(RobustAggregator("mean", f=0), change=boast).params["w"][0, 0] == pytest.approx(10.9)
    capped = feed(RobustAggregator("mean", f=0, weights="declared", max_weight=0.2), change=boast)
    assert capped.params["w"][0, 0] == pytest.approx(0.2 * 100 + 0.8, rel=1e-5)


def test_one_client_with_two_models_is_left_out():
    aggregator = RobustAggregator("median", f=2)
    feed(aggregator, change=lambda i: sent(0) if i == 9 else None)
    assert [row["reason"] for row in aggregator.round.rows if not row["kept"]] == ["twice"]


def test_state_by_name_survives_a_restart(tmp_path):
    push = lambda i: sent(i, {"w": ones * 7, "steps": np.array(3)}) if i < 3 else None
    make = lambda name: RobustAggregator("foolsgold", f=0, state=str(tmp_path / name), reference=False)
    through = make("b")
    feed(make("a"), change=push), feed(through, change=push)
    again, straight = feed(make("a"), change=push, number=1), feed(through, change=push, number=1)
    assert np.array_equal(again.params["w"], straight.params["w"])


def test_names_come_from_the_server():
    """Through accept, as ScatterAndGather calls it: what a client writes into its meta does not count."""
    aggregator = RobustAggregator("median", f=0)
    context = FLContext()
    for i in range(5):
        shareable = FLModelUtils.to_shareable(sent(1))
        shareable.set_header(ReservedHeaderKey.PEER_PROPS, {ReservedKey.IDENTITY_NAME: f"real-{i}"})
        assert aggregator.accept(shareable, context)
    assert FLModelUtils.from_shareable(aggregator.aggregate(context)).params["w"].shape == (3, 2)
    assert [row["client"] for row in aggregator.round.rows] == [f"real-{i}" for i in range(5)]


def test_job_configs_find_every_parameter():
    """NVFlare writes a component into a job's config by the attributes that bear its parameters' names."""
    given = {"rule": "centered-clipping", "f": 0.1, "pre": ["nnm"], "parameters": {"tau": 3.0}, "seed": 4, "weights": "uniform"}
    aggregator = RobustAggregator(**given)
    for name, parameter in inspect.signature(RobustAggregator).parameters.items():
        assert getattr(aggregator, f"_{name}") == given.get(name, parameter.default)
    assert json.dumps(given)
    feed(aggregator)
    assert aggregator.round.cause is None


def test_wrong_options_are_errors_at_once():
    with pytest.raises(ValueError, match="no rule"):
        RobustAggregator("no-such-rule", f=1)
    with pytest.raises(TypeError):
        RobustAggregator()
