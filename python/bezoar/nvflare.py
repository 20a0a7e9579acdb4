"""Robust aggregation in NVFlare: a ModelAggregator that a minority of clients cannot steer.

    from nvflare.app_common.workflows.fedavg import FedAvg
    from bezoar.nvflare import RobustAggregator

    controller = FedAvg(num_clients=20, num_rounds=10, aggregator=RobustAggregator(rule="trimmed-mean", f=0.2))

Needs NVFlare 2.7 or newer (`pip install "bezoar[nvflare]"`).
"""

import collections

import numpy as np

try:
    from nvflare.apis.fl_constant import FLMetaKey, ReservedKey
    from nvflare.app_common.abstract.fl_model import FLModel, ParamsType
    from nvflare.app_common.aggregators.model_aggregator import ModelAggregator
    from nvflare.app_common.utils.fl_model_utils import FLModelUtils
except ImportError as error:
    raise ImportError('bezoar.nvflare needs NVFlare 2.7 or newer: pip install "bezoar[nvflare]"') from error

from ._federated import Desk, Federation, Malformed, Update, check, examples_of

__all__ = ["RobustAggregator"]

CLIENT = "client_name"  # what the controllers of NVFlare write into a model's meta, after the client's own


def _array(value, name):
    """A layer as a NumPy array; torch tensors lend their memory."""
    if hasattr(value, "detach"):
        try:
            value = value.detach().cpu().numpy()
        except TypeError as error:  # bfloat16, which NumPy does not know
            raise Malformed(f'layer "{name}": {error}') from None
    if not isinstance(value, (np.ndarray, np.generic, float, int)):
        raise Malformed(f'layer "{name}" is of type {type(value).__name__}')
    value = np.asarray(value)
    if value.dtype.kind not in "fiub":
        raise Malformed(f'layer "{name}" has numbers of type {value.dtype}')
    return value


def _arrays(model):
    if not isinstance(model.params, dict) or not model.params:
        raise Malformed("no parameters")
    return {str(name): _array(value, name) for name, value in model.params.items()}


class _Desk(Desk):
    """The desk for FLModels."""

    kind = None  # FULL or DIFF, what most clients sent

    def decode(self, client, model):
        if model.params_type != self.kind:
            raise Malformed(f"sent parameters of type {model.params_type}, the others {self.kind}")
        examples = examples_of(model.meta.get(FLMetaKey.NUM_STEPS_CURRENT_ROUND), self.federation.weights)
        return Update(client, check(_arrays(model), self.model), dict(model.metrics or {}), examples)


class _Logger:
    """The log of a component, as the desk writes to it."""

    def __init__(self, component):
        self.component = component

    def info(self, text, *values):
        self.component.info(text % values)

    def error(self, text, *values):
        self.component.error(text % values)


def _common(values):
    """What most of them are; the first of several as frequent."""
    return collections.Counter(values).most_common(1)[0][0]


class RobustAggregator(ModelAggregator):
    """Aggregates FLModels by a robust rule. Parameters as in `bezoar.flower.robust`, but plain values all, as job configs
    need them: those of the rule and the pre-aggregators are a dict, `parameters`. There is no `root`.

    Clients are known by the names that the server gives them. Where they send whole models (FULL), the reference of a round
    is the aggregate of the round before; the first has none, unless `reset_model(params)` was called. Differences (DIFF)
    need none. A round that cannot be aggregated gives the last model again (FULL) or a step of zeros (DIFF), and an error in
    the log; with on_failure="raise", or before there is a model, it raises.
    The verdicts go to the log file (`log`), to `reasons[round]` and `round`; never into the model's meta, which clients get.
    """

    def __init__(self, rule="trimmed-mean", *, f, pre=(), reference=True, state=None, log=None, weights="uniform", max_weight=None,
                 failures="absent", on_failure="keep", seed=0, threads=0, integers="median", parameters=None):
        super().__init__()
        options = {
            "pre": pre, "reference": reference, "state": state, "log": log, "weights": weights, "max_weight": max_weight,
            "failures": failures, "on_failure": on_failure, "seed": seed, "threads": threads, "integers": integers}
        self._desk = _Desk(Federation(rule, f, **options, **(parameters or {})))
        own = {"rule": rule, "f": f, "parameters": parameters, **options}
        self.__dict__.update({f"_{name}": value for name, value in own.items()})  # job configs are written from these
        self._received, self._last, self._rounds = [], None, 0

    @property
    def reasons(self):
        """Clients, reasons and sentences of each round."""
        return self._desk.reasons

    @property
    def round(self):
        """The last round: `numbers()`, `texts()`, `rows`, `metrics`; None before the first."""
        return self._desk.round

    def reset_model(self, params):
        """Tells the model that was sent, where it is not the last aggregate."""
        self._last = {str(name): _array(value, name) for name, value in params.items()}

    def accept(self, shareable, fl_ctx):
        """Called by ScatterAndGather: the client's name is the server's word for it, not the client's."""
        self.fl_ctx = fl_ctx
        model = FLModelUtils.from_shareable(shareable, fl_ctx)
        model.meta[CLIENT] = shareable.get_peer_prop(ReservedKey.IDENTITY_NAME, model.meta.get(CLIENT))
        self.accept_model(model)
        return True

    def accept_model(self, model):
        """Keeps a client's model for the aggregation."""
        self._received.append((str(model.meta.get(CLIENT, "?")), model))

    def reset_stats(self):
        """Forgets the models of the round; what a stateful rule remembers of clients stays."""
        self._received = []

    def aggregate_model(self):
        """The aggregate of the models received, as an FLModel; they are forgotten."""
        received, self._received = self._received, []
        self._rounds += 1
        number = next((m.current_round for _, m in received if m.current_round is not None), self._rounds)
        desk = self._desk
        desk.kind = _common([model.params_type for _, model in received if model.params] or [ParamsType.FULL])
        whole = desk.kind == ParamsType.FULL
        layout = self._last if whole and self._last is not None else self._layout(received)
        desk.begin(layout, {client for client, _ in received})
        desk.screen(received)
        if not whole or self._last is None:
            desk.model = None  # a layout without numbers to refer to
        desk.combine(number)
        out = desk.close(number, _Logger(self))
        desk.reasons[number] = out.texts()
        arrays = out.arrays if out.cause is None else self._unchanged(whole, layout, out.cause)
        arrays = {name: np.asarray(array) for name, array in arrays.items()}
        if whole:
            self._last = arrays
        tensors = any(hasattr(value, "detach") for _, model in received for value in dict(model.params or {}).values())
        return FLModel(params_type=desk.kind, params=_tensors(arrays) if tensors else dict(arrays),
                       metrics=out.metrics or None, current_round=number)

    def _layout(self, received):
        """Names, shapes and types that most clients share."""
        layouts, models = [], {}
        for _, model in received:
            try:
                arrays = _arrays(model)
            except Malformed:
                continue
            layouts.append(tuple(sorted((name, array.shape, array.dtype.str) for name, array in arrays.items())))
            models.setdefault(layouts[-1], arrays)
        return models[_common(layouts)] if layouts else {}

    def _unchanged(self, whole, layout, cause):
        if whole and self._last is not None:
            return self._last
        if whole or not layout:
            raise cause
        return {name: np.zeros_like(array) for name, array in layout.items()}


def _tensors(arrays):
    import torch  # the clients sent tensors

    return {name: torch.from_numpy(array) for name, array in arrays.items()}
