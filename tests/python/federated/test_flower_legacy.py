"""bezoar.flower on the legacy API (flwr.server.strategy), driven with made-up results."""
import inspect
import json
import warnings

import numpy as np
import pytest
from flwr.common import Code, EvaluateRes, FitRes, Parameters, Status, ndarrays_to_parameters, parameters_to_ndarrays
from flwr.server import strategy as legacy
from flwr.server.client_manager import SimpleClientManager
from flwr.server.client_proxy import ClientProxy

from bezoar.flower import robust, robust_legacy

OK = Status(Code.OK, "")


def _unused(self, *args, **kwargs):
    raise NotImplementedError


class Proxy(ClientProxy):
    """A client that is never called: results are made up."""

    def __init__(self, i):
        super().__init__(f"cid-{i}")
        self.node_id = 2**63 + i

    get_properties = get_parameters = fit = evaluate = reconnect = _unused


def model():
    return [np.zeros((3, 2), np.float32), np.zeros(4, np.float64)]


def manager(n):
    clients = SimpleClientManager()
    for i in range(n):
        clients.register(Proxy(i))
    return clients


def fit(strategy, number=1, n=10, change=lambda i: None, start=None, failures=()):
    """A round in which client i sends 1 + i/100, or what `change` returns for it; the arrays and the metrics."""
    asked = strategy.configure_fit(number, ndarrays_to_parameters(start or model()), manager(n))
    results = []
    for proxy, _ in asked:
        i = proxy.node_id - 2**63
        own = [(a + (1 + i / 100)).astype(a.dtype) for a in start or model()]
        reply = change(i)
        results.append((proxy, FitRes(OK, ndarrays_to_parameters(own), 10, {"loss": float(i)}) if reply is None else reply))
    parameters, metrics = strategy.aggregate_fit(number, [r for r in results if r[1] != "none"], list(failures))
    return parameters and parameters_to_ndarrays(parameters), metrics


def sends(value, count=10, status=OK, **metrics):
    arrays = [np.full_like(a, value) for a in model()]
    return FitRes(status, ndarrays_to_parameters(arrays), count, metrics)


def quiet(kind, *args, **kwargs):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return kind(*args, **kwargs)


start = ndarrays_to_parameters(model())
PLAIN = {
    "FedAvg": {}, "FedAdagrad": {"initial_parameters": start}, "FedAdam": {"initial_parameters": start},
    "FedYogi": {"initial_parameters": start}, "FedAvgM": {"initial_parameters": start, "server_momentum": 0.9},
    "FedProx": {"proximal_mu": 0.1}, "FedMedian": {}, "FedTrimmedAvg": {}, "Krum": {}, "Bulyan": {"num_malicious_clients": 1, "to_keep": 0},
    "FaultTolerantFedAvg": {},
}


@pytest.mark.parametrize("name", PLAIN)
def test_each_strategy_acts_on_the_robust_aggregate(name):
    kind = getattr(legacy, name)
    guarded, bare = robust_legacy(kind(**PLAIN[name]), "median", f=2), kind(**PLAIN[name])
    assert isinstance(guarded, kind)
    arrays, metrics = fit(guarded, change=lambda i: sends(1e6, count=10**9) if i < 2 else None)
    middle = np.median([1e6] * 2 + [1 + i / 100 for i in range(2, 10)])
    expected, _ = fit(bare, change=lambda i: sends(middle))
    for got, like, want in zip(arrays, model(), expected):
        assert got.dtype == like.dtype
        np.testing.assert_allclose(got, want, rtol=1e-5)
    assert metrics["bezoar-failed"] == 0 and metrics["bezoar-kept"] == 10


WRAPPERS = {
    "DifferentialPrivacyServerSideFixedClipping": (1e-6, 0.5, 10),
    "DifferentialPrivacyClientSideFixedClipping": (1e-6, 0.5, 10),
    "DifferentialPrivacyServerSideAdaptiveClipping": (1e-6, 10, 0.5),
    "DifferentialPrivacyClientSideAdaptiveClipping": (1e-6, 10, 0.5),
}


@pytest.mark.parametrize("name", WRAPPERS)
def test_privacy_wrappers_clip_each_client(name):
    guarded = robust(quiet(getattr(legacy, name), legacy.FedAvg(), *WRAPPERS[name]), f=2)
    bad = lambda i: sends(np.nan, norm_bit=True) if i == 0 else sends(-1e30, norm_bit=True) if i == 1 else sends(1, norm_bit=True)
    arrays, metrics = fit(guarded, change=bad, failures=[RuntimeError("crashed")])
    assert metrics["bezoar-failed"] == 0 and metrics["bezoar-valid"] == 9
    norm = np.linalg.norm(np.concatenate([array.ravel() for array in arrays]))
    assert norm == pytest.approx(0.5 if "ServerSide" in name else 10**0.5, rel=0.01)


BAD = {
    "not-finite": sends(np.nan),
    "malformed": FitRes(OK, ndarrays_to_parameters([np.zeros(3)]), 1, {}),
    "error": sends(5, status=Status(Code.FIT_NOT_IMPLEMENTED, "cannot")),
    "no-reply": "none",
}


@pytest.mark.parametrize("reason", [*BAD, "torch"])
def test_bad_results_are_left_out_and_told(reason, tmp_path):
    bad = FitRes(OK, Parameters([b"x", b"y"], "torch"), 1, {}) if reason == "torch" else BAD[reason]
    reason = "malformed" if reason == "torch" else reason
    guarded = robust(legacy.FedAvg(), f=0.25, log=tmp_path / "log.jsonl")
    arrays, metrics = fit(guarded, change=lambda i: bad if i == 3 else None)
    assert metrics["bezoar-valid"] == 9 and metrics["bezoar-f"] == 2
    rows = {row["client"]: row for row in map(json.loads, (tmp_path / "log.jsonl").read_text().splitlines())}
    assert rows[str(2**63 + 3)]["reason"] == reason and rows[str(2**63 + 4)]["kept"]
    told = {row["client"]: row["reason"] for row in json.loads(metrics["bezoar-verdicts"])}
    assert told[str(2**63 + 3)] == reason
    assert np.isfinite(arrays[0]).all()


def test_a_round_that_fails_keeps_the_model():
    arrays, metrics = fit(robust(legacy.FedAvg(), f=2), change=lambda i: sends(np.nan) if i < 3 else None)
    assert arrays is None and metrics["bezoar-failed"] == 1


def test_a_strategy_that_accepts_no_failures_still_does_not():
    arrays, _ = fit(robust(legacy.FedAvg(accept_failures=False), f=2), failures=[RuntimeError("crashed")])
    assert arrays is None


def test_completion_rates_count_the_real_results():
    guarded = robust(quiet(legacy.FaultTolerantFedAvg, min_completion_rate_fit=0.7), f=1)
    failures = [RuntimeError("crashed")] * 3
    assert fit(guarded, failures=failures)[0] is not None  # 10 of 13
    assert fit(guarded, change=lambda i: "none" if i < 6 else None, failures=failures)[0] is None  # 4 of 7


def test_loss_and_metrics_of_evaluation_are_medians():
    own = lambda metrics: {"accuracy": metrics[0][1]["accuracy"], "clients": len(metrics)}
    guarded = robust(legacy.FedAvg(evaluate_metrics_aggregation_fn=own), f=2)
    results = [(Proxy(i), EvaluateRes(OK, 1.0 + i / 10, 5, {"accuracy": 0.5 + i / 100})) for i in range(7)]
    results += [(Proxy(i), EvaluateRes(OK, 1e30, 10**9, {"accuracy": -1e30})) for i in (7, 8)]
    loss, metrics = guarded.aggregate_evaluate(1, results, [])
    assert 1 <= loss <= 1.6 and 0.5 <= metrics["accuracy"] <= 0.56 and metrics["clients"] == 1
    assert guarded.aggregate_evaluate(1, [], []) == (None, {})


def test_state_by_node_survives_a_restart(tmp_path):
    make = lambda name: robust(legacy.FedAvg(), "foolsgold", f=0, state=tmp_path / name)
    push = lambda i: sends(7) if i < 3 else None
    first, through = make("a"), make("b")
    fit(first, 1, change=push), fit(through, 1, change=push)
    again, straight = fit(make("a"), 2, change=push), fit(through, 2, change=push)
    assert all(np.array_equal(*pair) for pair in zip(again[0], straight[0]))


def test_trees_are_refused():
    if inspect.isclass(getattr(legacy, "FedXgbBagging", None)):
        with pytest.raises(TypeError, match="trees"):
            robust(legacy.FedXgbBagging(), f=1)
