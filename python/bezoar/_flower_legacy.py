"""The same for Flower's legacy API (flwr.server.strategy): see `bezoar.flower.robust`."""

import json
import logging

from flwr.common import Code, EvaluateRes, FitRes, Parameters, ndarrays_to_parameters, parameters_to_ndarrays
from flwr.server.strategy import Strategy

from ._federated import REASONS, Desk as _Desk, Malformed, Update, check, examples_of, median_metrics, read_npy, restored

__all__ = ["Desk", "Screen", "Seat", "Strategy"]

LOGGER = logging.getLogger("flwr")


def _client(proxy):
    """The node's id, which stays when a client comes back; else what the strategy calls it."""
    return str(getattr(proxy, "node_id", proxy.cid))


def _counts(strategy):
    """Whether a strategy refuses few results: it gets as many as there were, all the same."""
    return hasattr(strategy, "num_malicious_clients") or hasattr(strategy, "completion_rate_fit")


def _named(arrays):
    """Layers have no names here: their places serve."""
    return {f"[{i}]": array for i, array in enumerate(arrays)}


class Desk(_Desk):
    """The desk for fit results, which are pairs of proxy and FitRes."""

    def decode(self, client, result):
        reply = result[1] if isinstance(result, tuple) else None  # what failed comes without its proxy
        if not isinstance(reply, FitRes) or reply.status.code != Code.OK:
            text = f": {reply.status.message}" if isinstance(reply, FitRes) else ""
            raise Malformed(REASONS["error"] + text, "error")
        if not isinstance(reply.parameters, Parameters) or reply.parameters.tensor_type != "numpy.ndarray":
            raise Malformed("no parameters of NumPy arrays")
        arrays = check(_named(read_npy(data) for data in reply.parameters.tensors), self.model)
        return Update(client, arrays, dict(reply.metrics), examples_of(reply.num_examples, self.federation.weights))

    def aggregate(self, server_round, results, copies):
        if self.opened:
            results = self.again([(_client(result[0]), result) for result in results])
        if not self.combine(server_round):
            return []
        proxy, like = results[0]
        parameters = ndarrays_to_parameters(list(self.round.arrays.values()))
        reply = FitRes(like.status, parameters, 1, self.round.metrics)
        return [(proxy, reply)] * (max(1, len(self.updates)) if copies else 1)

    def results(self, server_round, parameters, metrics):
        out = self.close(server_round, LOGGER)
        self.reasons[server_round] = out.texts()
        numbers = {key: value for key, value in out.numbers().items() if not isinstance(value, list)}
        numbers["bezoar-verdicts"] = json.dumps(out.plain_rows())  # no lists in these metrics
        if parameters is not None and out.cause is None:
            whole = restored(_named(parameters_to_ndarrays(parameters)), self.model)
            parameters = ndarrays_to_parameters(list(whole.values()))
        return parameters if out.cause is None else None, {**(metrics or {}), **numbers}


class Screen:
    """Goes before a strategy."""

    def configure_fit(self, server_round, parameters, client_manager):
        asked = list(super().configure_fit(server_round, parameters, client_manager))
        self.bezoar.begin(_named(parameters_to_ndarrays(parameters)), (_client(proxy) for proxy, _ in asked))
        return asked

    def aggregate_fit(self, server_round, results, failures):
        desk = self.bezoar
        known = [(_client(item[0]), item) for item in failures if isinstance(item, tuple)]
        usable = desk.screen([*((_client(result[0]), result) for result in results), *known])
        usable = [result for _, result, _ in usable]
        if usable or not desk.opened:  # wrappers give a round up for one failure, which one client could cause
            failures = [] if desk.opened else failures
            parameters, metrics = super().aggregate_fit(server_round, usable, failures)
        else:
            parameters, metrics = None, None
            desk.combine(server_round)
        return desk.results(server_round, parameters, metrics)

    def aggregate_evaluate(self, server_round, results, failures):
        """Loss and metrics become medians: weighted by what clients declare, one client could own them."""
        valid = {_client(proxy): (proxy, reply) for proxy, reply in results if reply.status.code == Code.OK}
        records = [{**reply.metrics, "loss ": reply.loss} for _, reply in valid.values()]
        medians = median_metrics(records)
        loss = medians.pop("loss ", None)
        if loss is None:
            return super().aggregate_evaluate(server_round, [], failures)
        proxy, like = next(iter(valid.values()))
        replies = [(proxy, EvaluateRes(like.status, loss, 1, medians))] * (len(valid) if _counts(self) else 1)
        return super().aggregate_evaluate(server_round, replies, failures)


class Seat:
    """Sits where a strategy averages."""

    def aggregate_fit(self, server_round, results, failures):
        return super().aggregate_fit(server_round, self.bezoar.aggregate(server_round, results, _counts(self)), failures)
