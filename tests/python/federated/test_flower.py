"""bezoar.flower on the Message API: the strategies of the installed Flower, driven with made-up replies."""
import json
import logging
import math

import flwr.serverapp.strategy as strategies
import numpy as np
import pytest
from flwr.app import Array, ArrayRecord, ConfigRecord, Error, Message, MetricRecord, RecordDict

import bezoar
from bezoar.flower import robust

try:  # what the runtime sets before it calls a ServerApp, where messages ask for it
    from flwr.supercore.task_identity import TaskIdentity

    TaskIdentity.run_id = TaskIdentity.task_id = TaskIdentity.node_id = 1
except ImportError:
    pass

FIRST = 2**63  # node ids are unsigned 64-bit numbers


class Nodes:
    """As much of a Grid as strategies need to choose nodes."""

    def __init__(self, n):
        self.n = n

    def get_node_ids(self):
        return [FIRST + i for i in range(self.n)]


def model(value=0.0, dtype=np.float32):
    return {"w": np.full((3, 2), value, dtype), "steps": np.array([3])}


def record(arrays):
    return ArrayRecord({name: Array(array) for name, array in arrays.items()})


def ask(strategy, arrays, number=1, n=10):
    """The messages of a round, in the order of the nodes."""
    messages = strategy.configure_train(number, record(arrays), ConfigRecord(), Nodes(n))
    return sorted(messages, key=lambda message: message.metadata.dst_node_id)


def answer(message, arrays, **metrics):
    metrics.setdefault("num-examples", 10)
    content = RecordDict({"arrays": record(arrays), "metrics": MetricRecord(metrics)})
    return Message(content, reply_to=message)


def step(strategy, number=1, n=10, change=lambda i, message: None, start=None):
    """A round in which node i sends the start plus 1 + i/100, or what `change` returns for it; arrays and metrics."""
    start = model() if start is None else start
    replies = []
    for i, message in enumerate(ask(strategy, start, number, n)):
        own = {name: start[name] + more for name, more in (("w", np.float32(1 + i / 100)), ("steps", 2)) if name in start}
        reply = change(i, message)
        replies.append(answer(message, own, loss=float(i)) if reply is None else reply)
    arrays, metrics = strategy.aggregate_train(number, [reply for reply in replies if reply != "none"])
    return arrays and {name: array.numpy() for name, array in arrays.items()}, metrics


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


# ---- each strategy's own step acts on the robust aggregate -------------------------------------------------------------


PLAIN = {
    "FedAvg": {}, "FedAdagrad": {}, "FedAdam": {}, "FedYogi": {}, "FedAvgM": {"server_momentum": 0.9},
    "FedProx": {"proximal_mu": 0.1}, "FedMedian": {}, "FedTrimmedAvg": {}, "Krum": {}, "MultiKrum": {},
    "Bulyan": {"num_malicious_nodes": 1},
}


@pytest.mark.parametrize("name", PLAIN)
def test_each_strategy_acts_on_the_robust_aggregate(name):
    """Two rounds with two attackers are the rounds of the bare strategy whose clients all send the robust aggregate."""
    kind = getattr(strategies, name)
    guarded, bare = robust(kind(**PLAIN[name]), "median", f=2), kind(**PLAIN[name])
    assert isinstance(guarded, kind)
    arrays = expected = model()
    for number in (1, 2):
        def attack(i, message):
            return answer(message, {"w": arrays["w"] + np.float32(1e6 * (-1) ** number), "steps": arrays["steps"] + 9}) if i < 2 else None

        sent = [arrays["w"] + np.float32(1e6 * (-1) ** number if i < 2 else 1 + i / 100) for i in range(10)]
        middle = {"w": np.median(sent, axis=0).astype(np.float32), "steps": arrays["steps"] + 2}
        replies = [answer(message, middle) for message in ask(bare, expected, number)]
        arrays, _ = step(guarded, number, change=attack, start=arrays)
        expected = {name: array.numpy() for name, array in bare.aggregate_train(number, replies)[0].items()}
        assert arrays["w"].dtype == np.float32 and arrays["steps"].dtype == np.int64  # as they were sent
        np.testing.assert_allclose(arrays["w"], expected["w"], rtol=1e-5)
        assert abs(arrays["steps"] - expected["steps"]).max() <= 0.5
        expected = {name: array.astype(arrays[name].dtype) for name, array in expected.items()}
        expected["steps"] = arrays["steps"]


WRAPPERS = {
    "DifferentialPrivacyServerSideFixedClipping": (1e-6, 0.5, 10),
    "DifferentialPrivacyClientSideFixedClipping": (1e-6, 0.5, 10),
    "DifferentialPrivacyServerSideAdaptiveClipping": (1e-6, 10, 0.5),
    "DifferentialPrivacyClientSideAdaptiveClipping": (1e-6, 10, 0.5),
}


@pytest.mark.parametrize("name", WRAPPERS)
def test_privacy_wrappers_clip_each_client_and_add_noise_after_the_rule(name):
    wrapper = getattr(strategies, name)(strategies.FedAvg(), *WRAPPERS[name])
    guarded = robust(wrapper, f=0.3)
    assert not hasattr(wrapper, "bezoar") and not hasattr(wrapper.strategy, "bezoar")  # the caller's own are left alone

    def one_of_each(i, message):
        if i == 0:
            return answer(message, {"w": np.full((3, 2), np.nan, np.float32)}, norm_bit=1)
        if i == 1:
            return Message(Error(code=0, reason="crashed"), reply_to=message)
        if i == 2:  # without the bit that one of the wrappers needs
            return answer(message, {"w": np.ones((3, 2), np.float32)})
        return answer(message, {"w": np.full((3, 2), -1e30 if i == 3 else 1 + i / 100, np.float32)}, norm_bit=1)

    arrays, metrics = step(guarded, change=one_of_each, start={"w": np.zeros((3, 2), np.float32)})
    assert metrics["bezoar-failed"] == 0 and metrics["bezoar-valid"] == (7 if "ClientSideAdaptive" in name else 8)
    clipped = "ServerSide" in name
    norm = np.linalg.norm(arrays["w"])
    assert norm == pytest.approx(0.5, rel=0.01) if clipped else norm == pytest.approx(1.06 * 6**0.5, rel=0.02)


def test_a_wrapper_without_any_usable_reply_keeps_the_model():
    for name in WRAPPERS:
        guarded = robust(getattr(strategies, name)(strategies.FedAvg(), *WRAPPERS[name]), f=2)
        arrays, metrics = step(guarded, change=lambda i, m: Message(Error(code=0, reason="crashed"), reply_to=m))
        assert arrays is None and metrics["bezoar-failed"] == 1


def test_strategies_that_cannot_take_an_average_are_refused():
    with pytest.raises(TypeError, match="trees"):
        robust(strategies.FedXgbBagging(), f=1)
    with pytest.raises(TypeError, match="declare"):
        robust(strategies.QFedAvg(client_learning_rate=0.1), f=1)
    with pytest.raises(TypeError, match="already"):
        robust(robust(strategies.FedAvg(), f=1), f=1)
    with pytest.raises(TypeError, match="Flower strategy"):
        robust(object(), f=1)


# ---- f ------------------------------------------------------------------------------------------------------------------


def test_a_share_counts_valid_replies_only():
    """floor(0.29 × 100) is 29 although 0.29 * 100 is 28.999…; errors and broken replies leave the count."""
    guarded = robust(strategies.FedAvg(), f=0.29)
    assert step(guarded, n=100)[1]["bezoar-f"] == 29

    def some(i, message):
        if i < 20:
            return Message(Error(code=0, reason="crashed"), reply_to=message)
        return "none" if i < 30 else answer(message, {"w": np.zeros(7)}) if i < 40 else None

    metrics = step(guarded, n=100, change=some)[1]
    assert metrics["bezoar-valid"] == 60 and metrics["bezoar-f"] == 17


def test_a_number_is_lowered_by_proven_faults_not_by_crashes():
    guarded = robust(strategies.FedAvg(), f=3)

    def some(i, message):
        if i < 2:
            return Message(Error(code=0, reason="crashed"), reply_to=message)
        return answer(message, {"w": np.zeros(7)}) if i == 2 else None

    assert step(guarded, n=12, change=some)[1]["bezoar-f"] == 2
    metrics = step(robust(strategies.FedAvg(), f=3, failures="faulty"), n=12, change=some)[1]
    assert metrics["bezoar-f"] == 0 and metrics["bezoar-failed"] == 0


@pytest.mark.parametrize("f, error", [(0.5, ValueError), (-1, ValueError), (True, TypeError), ("2", TypeError), (0.0, ValueError)])
def test_wrong_f(f, error):
    with pytest.raises(error):
        robust(strategies.FedAvg(), f=f)


def test_what_can_never_work_is_an_error_at_once():
    with pytest.raises(ValueError, match="trimmed-mean"):
        robust(strategies.FedAvg(), "no-such-rule", f=1)
    with pytest.raises(bezoar.UsageError, match="no such parameter"):
        robust(strategies.FedAvg(), f=1, tau=3.0)
    with pytest.raises(bezoar.UsageError, match="root"):
        robust(strategies.FedAvg(), "fltrust", f=1)
    with pytest.raises(TypeError):
        robust(strategies.FedAvg())  # f has no default: a trimmed mean of nothing would be the mean


# ---- bad replies ----------------------------------------------------------------------------------------------------------


def arrays_of(w, steps=5, **more):
    return {"w": np.asarray(w), "steps": np.array([steps]), **more}


def raw(data, stype="numpy.ndarray"):
    return ArrayRecord({"w": Array("float32", (3, 2), stype, data), "steps": Array(np.array([5]))})


def packed(w, **metrics):
    return RecordDict({"arrays": w, "metrics": MetricRecord({"num-examples": 1, **metrics})})


ones = np.ones((3, 2), np.float32)
pickled = np.lib.format.magic(1, 0) + b"v\x00" + b"{'descr': '|O', 'fortran_order': False, 'shape': (3, 2), }".ljust(117) + b"\n"
vast = pickled.replace(b"'|O'", b"'<f4'").replace(b"(3, 2)", b"(99999999999, 2)")
BAD = {
    "nan": (RecordDict({"arrays": record(arrays_of([[1, 2], [3, np.nan], [5, 6]]))}), "not-finite"),
    "infinity": (RecordDict({"arrays": record(arrays_of(np.float32([[1, 2], [3, np.inf], [5, 6]])))}), "not-finite"),
    "too large for the type": (RecordDict({"arrays": record(arrays_of(np.full((3, 2), 1e300)))}), "not-finite"),
    "shape": (packed(record(arrays_of(np.ones((2, 3), np.float32)))), "malformed"),
    "kind": (packed(record(arrays_of(np.ones((3, 2), np.complex64)))), "malformed"),
    "float for integer": (packed(record({"w": ones, "steps": np.array([5.5])})), "malformed"),
    "missing layer": (packed(record({"w": ones})), "malformed"),
    "unknown layer": (packed(record(arrays_of(ones, more=ones))), "malformed"),
    "terminal codes": (packed(record(arrays_of(ones, **{"\x1b[2Jx" * 99: ones}))), "malformed"),
    "broken header": (packed(raw(pickled.replace(b"{", b"(") + bytes(48))), "malformed"),
    "no arrays": (RecordDict({"metrics": MetricRecord({"num-examples": 1})}), "malformed"),
    "two records": (RecordDict({"a": record(arrays_of(ones)), "b": record(arrays_of(ones))}), "malformed"),
    "no npy": (packed(raw(b"no array at all")), "malformed"),
    "empty": (packed(raw(b"")), "malformed"),
    "pickle": (packed(raw(pickled + bytes(48))), "malformed"),
    "vast shape": (packed(raw(vast + bytes(24))), "malformed"),
    "serialization": (packed(raw(b"abc", "torch.save")), "malformed"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_reply_is_left_out_and_told(case, tmp_path):
    content, reason = BAD[case]
    log = tmp_path / "log.jsonl"
    guarded = robust(strategies.FedAvg(), f=2, log=log)
    arrays, metrics = step(guarded, change=lambda i, m: Message(content, reply_to=m) if i == 4 else None)
    rows = {row["client"]: row for row in lines(log)}
    assert rows[str(FIRST + 4)]["reason"] == reason and not rows[str(FIRST + 4)]["kept"] and rows[str(FIRST + 4)]["text"].isprintable()
    assert sum(row["kept"] for row in rows.values()) == 9 and metrics["bezoar-valid"] == 9 and metrics["bezoar-f"] == 1
    sent = [1 + i / 100 for i in range(10) if i != 4]
    assert arrays["w"] == pytest.approx(np.full((3, 2), np.mean(sent[1:-1])), rel=1e-6)


def test_nodes_that_were_not_asked_and_double_replies(tmp_path):
    guarded = robust(strategies.FedAvg(), f=3, log=tmp_path / "log.jsonl")
    messages = ask(guarded, model(), n=8)
    replies = [answer(message, {"w": ones, "steps": np.array([5])}) for message in messages]
    stranger = Message(RecordDict(), dst_node_id=77, message_type="train")
    replies += [answer(messages[0], {"w": -ones, "steps": np.array([5])}), answer(stranger, {"w": ones * 9, "steps": np.array([5])})]
    arrays, metrics = guarded.aggregate_train(1, replies)
    reasons = {row["client"]: row["reason"] for row in lines(tmp_path / "log.jsonl")}
    assert reasons["77"] == "not-asked" and reasons[str(FIRST)] == "twice" and metrics["bezoar-f"] == 1
    assert np.array_equal(arrays["w"].numpy(), ones)


def test_float_types_may_differ_and_column_order_may():
    """Flower's own strategies widen float32 under NumPy 2, and clients send what their framework likes."""
    def other(i, message):
        w = np.full((3, 2), 1.5, ">f8" if i == 1 else "f8")
        w[0, 1] = 7
        return answer(message, {"steps": np.array([5], np.int32), "w": np.asfortranarray(w)})

    arrays, metrics = step(robust(strategies.FedAvg(), "median", f=2), change=other)
    assert metrics["bezoar-kept"] == 10 and arrays["w"].dtype == np.float32
    assert arrays["w"].tolist() == [[1.5, 7], [1.5, 1.5], [1.5, 1.5]]


def test_too_many_bad_replies_fail_the_round_loudly(tmp_path, caplog):
    bad = lambda i, m: answer(m, {"w": ones * np.nan, "steps": np.array([5])}) if i < 3 else None
    logger = logging.getLogger("flwr")
    logger.propagate = True
    try:
        for f in (2, 0.2):
            caplog.clear()
            guarded = robust(strategies.FedAdam(), f=f, log=tmp_path / "log.jsonl")
            arrays, metrics = step(guarded, change=bad)
            assert arrays is None and metrics["bezoar-failed"] == 1  # the old model stays
            assert "not aggregated" in caplog.text and "3 of 10" in caplog.text
            assert "3 of 10" in guarded.bezoar.reasons[1]["bezoar-failure"]
            assert guarded.m_t is None  # the optimiser did not step
            arrays, metrics = step(guarded, 2)
            assert arrays is not None and metrics["bezoar-failed"] == 0
    finally:
        logger.propagate = False
    assert {row["failure"] is None for row in lines(tmp_path / "log.jsonl")} == {True, False}
    with pytest.raises(bezoar.UsageError, match="3 of 10"):
        step(robust(strategies.FedAvg(), f=2, on_failure="raise"), change=bad)
    arrays, metrics = step(robust(strategies.FedAvg(), "krum", f=2), n=4)
    assert arrays is None and metrics["bezoar-failed"] == 1  # too few for the rule: never the mean in its place


def test_replies_before_a_round_was_configured():
    with pytest.raises(RuntimeError, match="not known"):
        robust(strategies.FedAvg(), f=1).aggregate_train(1, [])


# ---- what clients declare ---------------------------------------------------------------------------------------------------


def test_declared_counts_own_nothing():
    boast = lambda i, m: answer(m, {"w": ones * 100, "steps": np.array([5])}, **{"num-examples": 10**9}) if i == 0 else None
    arrays, _ = step(robust(strategies.FedAvg(), "mean", f=1), change=boast)
    assert arrays["w"][0, 0] == pytest.approx((100 + sum(1 + i / 100 for i in range(1, 10))) / 10, rel=1e-6)
    arrays, metrics = step(robust(strategies.FedAvg(), "mean", f=1, weights="declared", max_weight=0.2), change=boast)
    assert max(metrics["bezoar-client-weight"]) == pytest.approx(0.2)
    assert arrays["w"][0, 0] == pytest.approx(0.2 * 100 + 0.8 * np.mean([1 + i / 100 for i in range(1, 10)]), rel=1e-5)


@pytest.mark.parametrize("count", [0, -5, math.nan, math.inf])
def test_an_impossible_count_is_a_bad_reply(count):
    lie = lambda i, m: answer(m, {"w": ones, "steps": np.array([5])}, **{"num-examples": count}) if i == 0 else None
    _, metrics = step(robust(strategies.FedAvg(), "mean", f=1, weights="declared", max_weight=0.2), change=lie)
    assert metrics["bezoar-kept"] == 9


def test_metrics_are_medians_over_kept_clients():
    def lie(i, message):
        own = {"w": ones, "steps": np.array([5])}
        lies = {"loss": -1e30, "curve": [math.inf, 0.0], "extra": 1.0, "num-examples": 10**9}
        return answer(message, own, **(lies if i < 3 else {"loss": float(i), "curve": [float(i), 2.0]}))

    _, metrics = step(robust(strategies.FedAvg(), f=3), change=lie)
    assert 3 <= metrics["loss"] <= 9 and metrics["curve"][1] == 2 and "extra" not in metrics
    assert 3 <= metrics["curve"][0] <= 9


def test_evaluation_metrics_are_medians():
    guarded = robust(strategies.FedAvg(), f=2)
    messages = list(guarded.configure_evaluate(1, record(model()), ConfigRecord(), Nodes(9)))
    replies = []
    for i, message in enumerate(messages):
        lie = {"accuracy": 1e9, "num-examples": 10**12} if i < 2 else {"accuracy": 0.5 + i / 100, "num-examples": 5}
        lie = {"accuracy": math.nan, "num-examples": 1} if i == 2 else lie
        replies.append(Message(RecordDict({"metrics": MetricRecord(lie)}), reply_to=message))
    replies.append(Message(Error(code=0, reason="crashed"), reply_to=messages[0]))
    assert 0.53 <= guarded.aggregate_evaluate(1, replies)["accuracy"] <= 0.58
    assert guarded.aggregate_evaluate(1, []) is None


def test_own_functions_for_metrics_get_the_medians():
    seen = []
    own = lambda contents, key: seen.append((len(contents), contents[0]["metrics"][key])) or MetricRecord({"x": 1})
    _, metrics = step(robust(strategies.FedAvg(train_metrics_aggr_fn=own), f=1))
    assert seen == [(1, 1.0)] and metrics["x"] == 1 and metrics["bezoar-kept"] == 10


# ---- state, verdicts, log ---------------------------------------------------------------------------------------------------


def sybils(i, message):
    """Nodes 0 to 2 push one way in every round; FoolsGold knows them by their history."""
    draw = np.random.default_rng([i, message.metadata.dst_node_id % 1000])
    w = np.full((3, 2), 5.0) if i < 3 else draw.normal(0, 1, (3, 2))
    return answer(message, {"w": w.astype(np.float32), "steps": np.array([3])})


def test_stateful_rules_survive_a_restart(tmp_path):
    state = tmp_path / "state.bezoar"
    make = lambda path: robust(strategies.FedAvg(), "foolsgold", f=0, state=path)
    first = make(state)
    step(first, 1, change=sybils)
    assert state.exists()
    resumed, through = make(state), make(tmp_path / "other.bezoar")
    step(through, 1, change=sybils)
    again, straight = step(resumed, 2, change=sybils), step(through, 2, change=sybils)
    assert np.array_equal(again[0]["w"], straight[0]["w"])
    assert again[1]["bezoar-client-weight"] == straight[1]["bezoar-client-weight"]
    assert [path.name for path in tmp_path.iterdir() if "part" in path.name] == []
    known = bezoar.AggregateState.load(state)
    assert len(known) == 10


def test_the_state_belongs_to_nodes_not_to_places(tmp_path):
    """The same nodes in another order of replies: the same verdict for each."""
    results = []
    for flip in (False, True):
        guarded = robust(strategies.FedAvg(), "foolsgold", f=0, state=tmp_path / f"{flip}.bezoar")
        for number in (1, 2):
            messages = ask(guarded, model(), number)
            replies = [sybils(i, message) for i, message in enumerate(messages)]
            guarded.aggregate_train(number, replies[::-1] if flip and number == 2 else replies)
        names, weights = guarded.bezoar.reasons[2]["bezoar-clients"], guarded.bezoar.round.numbers()["bezoar-client-weight"]
        results.append(dict(zip(names, weights)))
    assert results[0] == pytest.approx(results[1])


def test_a_broken_state_file_is_an_error(tmp_path):
    (tmp_path / "state").write_bytes(b"nothing of the kind")
    with pytest.raises(bezoar.Error):
        robust(strategies.FedAvg(), "foolsgold", f=0, state=tmp_path / "state")


def test_verdicts_in_records_and_log(tmp_path):
    log = tmp_path / "log.jsonl"
    log.write_text('{"torn": ')  # a crash of the server in the middle of a line
    guarded = robust(strategies.FedAvg(), "multi-krum", f=2, log=log)
    for number in (1, 2):
        _, metrics = step(guarded, number, change=lambda i, m: answer(m, {"w": ones * 50, "steps": np.array([5])}) if i < 2 else None)
    texts = guarded.bezoar.reasons[2]
    assert isinstance(texts, ConfigRecord) and isinstance(metrics, MetricRecord)
    assert texts["bezoar-clients"] == [str(FIRST + i) for i in range(10)]
    assert metrics["bezoar-client-kept"] == [0, 0] + [1] * 8 and texts["bezoar-reasons"][:3] == ["not-selected", "not-selected", "kept"]
    assert len(metrics["bezoar-client-distance"]) == 10 and sum(metrics["bezoar-client-weight"]) == pytest.approx(1)
    text = log.read_text().splitlines()
    assert text[0] == '{"torn": ' and len(text) == 21
    rows = [json.loads(line) for line in text[1:]]
    assert [row["round"] for row in rows] == [1] * 10 + [2] * 10 and rows[0]["rule"] == "multi-krum" and rows[0]["f"] == 2


def test_the_server_may_train_for_fltrust():
    calls = []

    def own(number, arrays):
        calls.append(number)
        return {"w": arrays["w"] + np.float32(1), "steps": arrays["steps"] + 2}

    guarded = robust(strategies.FedAvg(), "fltrust", f=2, root=own)
    arrays, metrics = step(guarded, change=lambda i, m: answer(m, {"w": -ones * 9, "steps": np.array([5])}) if i < 2 else None)
    assert calls == [1] and arrays["w"] == pytest.approx(np.ones((3, 2)), rel=0.1)
    assert metrics["bezoar-client-kept"][:2] == [0, 0]


def test_attributes_and_own_start_stay():
    class Mine(strategies.FedAvg):
        def start(self, *args, **kwargs):
            return "mine", super().start

    guarded = robust(Mine(fraction_train=0.5), f=1)
    assert guarded.start()[0] == "mine" and guarded.fraction_train == 0.5
    guarded.summary()
