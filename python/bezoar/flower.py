"""Robust aggregation in Flower: wraps a strategy so that a minority of clients cannot steer the model.

    from flwr.serverapp.strategy import FedAvg
    from bezoar.flower import robust

    strategy = robust(FedAvg(), rule="trimmed-mean", pre="nnm", f=0.2, log="verdicts.jsonl")

Needs Flower 1.22 or newer (`pip install "bezoar[flower]"`).
"""

import copy
import logging
import types

import numpy as np

try:
    from flwr.app import Array, ArrayRecord, ConfigRecord, MetricRecord, RecordDict
    from flwr.serverapp.strategy import Strategy
except ImportError as error:
    raise ImportError('bezoar.flower needs Flower 1.22 or newer: pip install "bezoar[flower]"') from error

from ._federated import (
    REASONS,
    Desk,
    Federation,
    Malformed,
    Update,
    check,
    examples_of,
    median_metrics,
    read_npy,
    restored,
)

__all__ = ["robust", "robust_legacy"]

LOGGER = logging.getLogger("flwr")

# Strategies that do not average models, or weigh clients by what these declare about themselves.
UNSUITABLE = {
    "FedXgbBagging": "it collects trees, not numbers",
    "FedXgbCyclic": "it passes one client's trees on",
    "FedXgbNnAvg": "it collects trees, not numbers",
    "QFedAvg": "it weighs clients by the losses they declare",
    "QFedAvgLegacy": "it weighs clients by the losses they declare",
}


def robust(strategy, rule="trimmed-mean", *, f, pre=(), reference=True, state=None, log=None, weights="uniform",
           max_weight=None, failures="absent", on_failure="keep", root=None, seed=0, threads=0, integers="median",
           **parameters):
    """A copy of a Flower strategy whose average is a robust rule. Its own step on the server (FedAdam's, FedAvgM's, the
    noise of the DP wrappers) then acts on the robust aggregate: it gets one reply, the aggregate.

    strategy    any strategy of the Message API, or of the legacy API (flwr.server.strategy), that averages models.
                The DP wrappers are opened: they clip each reply first, and their noise comes after the rule.
    rule, pre   names of `bezoar.list_aggregators()`; parameters of theirs as further keywords (tau=1.0).
    f           how many clients may be malicious; or, between 0 and 0.5, what share of a round's valid replies.
    reference   whether distances are taken on differences from the model that was sent (keeps the digits of small steps).
    state       file of what a stateful rule remembers of every node; read where it is there, replaced after each round.
    log         file of verdicts, one line of JSON per client and round, appended.
    weights     "uniform", or "declared": by the num-examples that clients state, each capped at max_weight of the total.
    failures    "absent": nodes that answer with an error or not at all are not there; "faulty": they count against f.
    on_failure  "keep": a round that cannot be aggregated keeps the old model, as the strategy does without replies, and is
                reported as an error; "raise": it raises.
    root        for fltrust: a function (server_round, arrays by name) that returns the server's own new arrays.

    The numbers of the verdicts are in the round's MetricRecord (`bezoar-…`), the reasons in `strategy.bezoar.reasons[round]`
    (a ConfigRecord), because Flower returns no ConfigRecord from a round. Metrics of clients become medians over the
    clients kept; functions that aggregate metrics get these as those of one client. What else clients declare is not used.
    """
    federation = Federation(
        rule, f, pre=pre, reference=reference, state=state, log=log, weights=weights, max_weight=max_weight,
        failures=failures, on_failure=on_failure, root=root, seed=seed, threads=threads, integers=integers, **parameters)
    if isinstance(strategy, Strategy):
        return _wrap(strategy, _Desk(federation), (_Screen,), _Seat, Strategy)
    from . import _flower_legacy as legacy  # Flower may drop its old API: only who uses it needs it

    if isinstance(strategy, legacy.Strategy):
        return _wrap(strategy, legacy.Desk(federation), (legacy.Screen,), legacy.Seat, legacy.Strategy)
    raise TypeError(f"a Flower strategy is needed, not {type(strategy).__name__}")


robust_legacy = robust  # the same function: it sees which API the strategy is of


def _wrap(strategy, desk, outside, inside, base):
    """A strategy's copy with `outside` before it and `inside` at its average: at the innermost's, for wrappers of others."""
    for kind in type(strategy).__mro__:
        if kind.__name__ in UNSUITABLE:
            raise TypeError(f"{kind.__name__} cannot take a robust average: {UNSUITABLE[kind.__name__]}")
    if hasattr(strategy, "bezoar"):
        raise TypeError("this strategy is robust already")
    inner = getattr(strategy, "strategy", None)
    if not isinstance(inner, base):
        desk.weight_key = getattr(strategy, "weighted_by_key", desk.weight_key)
        return _dressed(strategy, desk, (*outside, inside))
    if getattr(strategy, "accountant", None) is not None and desk.federation.rule != "mean":
        raise ValueError("the privacy accountant counts the mean of clipped updates; another rule has another sensitivity")
    desk.opened = True
    if "ClientSideAdaptive" in type(strategy).__name__:
        desk.needs = ("norm_bit",)  # a single reply without it would end the round of this wrapper
    outer = _dressed(strategy, desk, outside)
    outer.strategy = _wrap(inner, desk, (), inside, base)
    return outer


def _dressed(strategy, desk, mixins):
    """A copy of the strategy whose class has the mixins before its own: still an instance of its class."""
    kind = type(strategy)
    if mixins:
        kind = types.new_class(f"Robust{kind.__name__}", (*mixins, kind))
    out = object.__new__(kind)
    out.__dict__.update(strategy.__dict__, **({"bezoar": desk} if mixins else {}))
    return out


class _Desk(Desk):
    """The desk for messages. `reasons`: a ConfigRecord per round."""

    def decode(self, client, message):
        if message.has_error():
            raise Malformed(f"{REASONS['error']}: {message.error.reason}", "error")
        if not message.has_content() or len(message.content.array_records) != 1:
            raise Malformed("not exactly one ArrayRecord")
        record = next(iter(message.content.array_records.values()))
        odd = next((name for name, array in record.items() if array.stype != "numpy.ndarray"), None)
        if odd is not None:
            raise Malformed(f'layer "{odd}" is serialized as {record[odd].stype}')
        metrics = metrics_of(message)
        arrays = check({name: read_npy(array.data) for name, array in record.items()}, self.model)
        return Update(client, arrays, metrics, examples_of(metrics.get(self.weight_key), self.federation.weights))

    def message(self, like, arrays, metrics):
        """A reply like another, with these arrays and metrics, and a weight that nobody declared."""
        out = copy.copy(like)
        whole = ArrayRecord({name: a if isinstance(a, Array) else Array(a) for name, a in arrays.items()})
        out.content = RecordDict({"arrays": whole, "metrics": MetricRecord({**metrics, self.weight_key: 1.0})})
        return out

    def ordered(self, message, update):
        """A client's own arrays in the model's order: wrappers go by order, not by name."""
        record = next(iter(message.content.array_records.values()))
        return self.message(message, {name: record[name] for name in self.model}, update.metrics)

    def aggregate(self, server_round, messages, copies):
        """Runs the rule; the replies for the strategy: none where the round failed, else the aggregate."""
        if self.opened:
            messages = self.again([(_node(message), message) for message in messages])
        if not self.combine(server_round):
            return []
        arrays = {name: Array(np.asarray(array)) for name, array in self.round.arrays.items()}
        count = max(1, len(self.updates)) if copies else 1
        return [self.message(messages[0], arrays, self.round.metrics) for _ in range(count)]

    def results(self, server_round, arrays, metrics):
        """The round's result for Flower: arrays in the model's types, metrics with the numbers of the verdicts."""
        out = self.close(server_round, LOGGER)
        self.reasons[server_round] = ConfigRecord(out.texts())
        if arrays is not None and out.cause is None:
            whole = restored({name: array.numpy() for name, array in arrays.items()}, self.model)
            arrays = ArrayRecord({name: Array(array) for name, array in whole.items()})
        return arrays if out.cause is None else None, MetricRecord({**dict(metrics or {}), **out.numbers()})


def _node(message):
    return str(message.metadata.src_node_id)


def metrics_of(message):
    """All metrics of a reply as one dict."""
    return {key: value for record in message.content.metric_records.values() for key, value in record.items()}


class _Screen:
    """Goes before a strategy: keeps what no strategy should see from it, and completes what it returns."""

    def summary(self):
        LOGGER.info("\t├──> Bezoar: %s", self.bezoar.federation)
        super().summary()

    def configure_train(self, server_round, arrays, config, grid):
        messages = list(super().configure_train(server_round, arrays, config, grid))
        model = {name: array.numpy() for name, array in arrays.items()}
        self.bezoar.begin(model, (str(message.metadata.dst_node_id) for message in messages))
        return messages

    def aggregate_train(self, server_round, replies):
        desk = self.bezoar
        usable = desk.screen((_node(message), message) for message in replies)
        messages = [desk.ordered(message, update) for _, message, update in usable]
        if messages or not desk.opened:
            arrays, metrics = super().aggregate_train(server_round, messages)
        else:  # wrappers divide by the number of replies
            arrays, metrics = None, None
            desk.combine(server_round)
        return desk.results(server_round, arrays, metrics)

    def aggregate_evaluate(self, server_round, replies):
        """Clients' metrics become medians: weighted by what they declare, one client could own them."""
        first = {}
        for message in replies:
            if message.has_content():
                first.setdefault(_node(message), message)
        medians = median_metrics([metrics_of(message) for message in first.values()])
        if not medians:
            return super().aggregate_evaluate(server_round, [])
        like = copy.copy(next(iter(first.values())))
        like.content = RecordDict({"metrics": MetricRecord({**medians, self.bezoar.weight_key: 1.0})})
        return super().aggregate_evaluate(server_round, [like])


class _Seat:
    """Sits where a strategy averages: hands it the robust aggregate as the only reply."""

    def aggregate_train(self, server_round, replies):
        counts = hasattr(self, "num_malicious_nodes")  # Bulyan refuses few replies: it gets as many, all the same
        return super().aggregate_train(server_round, self.bezoar.aggregate(server_round, list(replies), counts))
