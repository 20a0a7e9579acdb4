"""Robust aggregation of updates in memory: trees of arrays in, the same tree and a verdict per client out."""

from __future__ import annotations

import json
import math
import operator
import os
import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from . import _core
from ._report import Report
from ._trees import allocate, read, rebuild

# ---- verdicts -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Verdict:
    """What became of one client's update. Numbers are NaN where the rule has none."""

    client: str
    kept: bool
    reason: str  # "kept", "not-finite", "not-selected", "far", "opposed", "too-alike"
    text: str  # the same in words
    weight: float  # share of the result, before clipping
    score: float  # the rule's own; `list_aggregators` says which
    distance: float  # Euclidean, of the update to the aggregate
    trimmed: float  # share of coordinates at which the value was beyond those kept


class Verdicts(Sequence):
    """One `Verdict` per client, in the order of the updates."""

    __slots__ = ("_all",)

    def __init__(self, verdicts):
        object.__setattr__(self, "_all", tuple(verdicts))

    def __setattr__(self, name, value):
        raise AttributeError("verdicts do not change")

    def __getitem__(self, index):
        return Verdicts(self._all[index]) if isinstance(index, slice) else self._all[index]

    def __len__(self):
        return len(self._all)

    def __eq__(self, other):
        return isinstance(other, Verdicts) and repr(self) == repr(other)  # NaN is equal to NaN here

    def __hash__(self):
        return hash(repr(self))

    def __reduce__(self):
        return Verdicts, (self._all,)

    @property
    def kept(self):
        """Names of the clients that took part with a weight above 0."""
        return [v.client for v in self._all if v.kept]

    @property
    def dropped(self):
        """Names of the others."""
        return [v.client for v in self._all if not v.kept]

    def to_dicts(self):
        """One dictionary per client."""
        return [asdict(v) for v in self._all]

    def to_json(self, **options):
        """As JSON; numbers that the rule has not are null. Options are those of `json.dumps`."""
        clean = [{key: None if isinstance(x, float) and math.isnan(x) else x for key, x in v.items()} for v in self.to_dicts()]
        return json.dumps(clean, **{"ensure_ascii": False, "allow_nan": False, **options})

    def __repr__(self):
        return f"Verdicts({list(self._all)!r})"

    def __str__(self):
        head = ("client", "weight", "score", "distance", "trimmed", "verdict")
        rows = [(_printable(v.client), *map(_figure, (v.weight, v.score, v.distance, v.trimmed)), v.text) for v in self._all]
        width = [max(len(row[k]) for row in [head, *rows]) for k in range(5)]
        lines = [[row[0].ljust(width[0]), *(row[k].rjust(width[k]) for k in range(1, 5)), row[5]] for row in [head, *rows]]
        return "\n".join("  ".join(line) for line in lines)


def _printable(name):
    return name if name.isprintable() else ascii(name)


def _figure(value):
    return "-" if math.isnan(value) else f"{value:.6g}"


# ---- memory of stateful rules ---------------------------------------------------------------------------------------


class AggregateState:
    """What stateful rules remember of clients from one round to the next. One state per rule and model."""

    def __init__(self):
        self._core = _core.state_create(None)
        self._lock = threading.Lock()  # one call at a time

    @classmethod
    def load(cls, path):
        """From a file that `save` wrote."""
        path = os.fsdecode(path)
        if not os.path.exists(path):
            _core.fail(_core.FileError, path, "there is no such file")
        self = cls()
        self._core = _core.state_create(path)
        return self

    def save(self, path):
        """Into a file, whole or not at all."""
        with self._lock:
            _core.state_save(self._core, os.fsdecode(path))

    def __len__(self):
        """How many vectors are remembered."""
        with self._lock:
            return _core.state_count(self._core)

    def __bool__(self):
        return True


# ---- calls ----------------------------------------------------------------------------------------------------------


def _whole(value, name, most):
    try:
        number = operator.index(value)
    except TypeError:
        _core.fail(_core.UsageError, name, f"{value!r} is no whole number")
    if not 0 <= number <= most:
        _core.fail(_core.UsageError, name, f"{number} is not within 0 and {most}")
    return number


def _number(value, name):
    try:
        return float(value)
    except (TypeError, ValueError):
        _core.fail(_core.UsageError, name, f"{value!r} is no number")


def _chain(rule, f, pre, declared, max_weight, integers, seed, threads, progress, parameters):
    """What the extension takes for a rule and how to run it."""
    pre = (pre,) if isinstance(pre, str) else tuple(pre)
    settings = [(name.replace("-", "_"), _number(value, name)) for name, value in parameters.items()]
    if progress is not None and not callable(progress):
        _core.fail(_core.UsageError, "progress", "is not callable")
    return (
        rule,
        pre,
        _whole(f, "f", 2**32 - 1),
        settings,
        declared,
        0.0 if max_weight is None else _number(max_weight, "max_weight"),
        integers,
        _whole(seed, "seed", 2**64 - 1),
        _whole(threads, "threads", 2**16),
        progress,
    )


def _client_names(clients, n):
    if clients is None:
        return [str(i) for i in range(n)]
    names = [client if isinstance(client, str) else str(operator.index(client)) for client in clients]
    if len(names) != n:
        _core.fail(_core.UsageError, "clients", f"{len(names)} names for {n} updates")
    seen = set()
    for name in names:
        if not name or "\0" in name:
            _core.fail(_core.UsageError, "clients", "a client has no name" if not name else "a name holds a NUL")
        if name in seen:
            _core.fail(_core.UsageError, name, "is the name of two clients")
        seen.add(name)
    return names


def _declared(examples, names, rule):
    if examples is None:
        return [0.0] * len(names)
    if any(known["name"] == rule and not known["weighted"] for known in _core.aggregators()):
        _core.fail(_core.UsageError, "examples", f"{rule} does not weigh clients")
    counts = list(examples)
    if len(counts) != len(names):
        _core.fail(_core.UsageError, "examples", f"{len(counts)} counts for {len(names)} updates")
    return [_number(count, name) for count, name in zip(counts, names)]


def aggregate(
    updates,
    rule="trimmed-mean",
    f=0,
    *,
    pre=(),
    reference=None,
    root=None,
    clients=None,
    examples=None,
    max_weight=None,
    integers="median",
    state=None,
    seed=0,
    threads=0,
    progress=None,
    **parameters,
):
    """Aggregate the updates of n clients by a rule that a minority cannot steer: (aggregate, `Verdicts`).

    updates   one per client: an array or tensor, or dicts, lists and tuples of them, nested as you like. NumPy arrays,
              torch tensors and whatever else has a buffer or ``__dlpack__`` are read where they lie, never copied and
              never written to; dicts are matched by name
    rule, pre    see `list_aggregators`; `parameters` are theirs (``tau=1.0``)
    f         clients that may be malicious
    reference the global model: distances are taken on differences from it
    root      the server's own update (fltrust)
    clients   names or whole numbers, by default "0", "1" …; stateful rules know clients by them
    examples  declared counts: clients weigh by them, none more than `max_weight` of all (1 / (n - f)); only with rules
              that are "weighted". None: all the same
    integers  what becomes of integer and boolean layers: "median", "maximum" or "reference"
    state     an `AggregateState` for stateful rules, changed only when the call succeeds
    seed, threads    same updates and seed give the same bytes for any number of threads (0: all processors)
    progress  function(stage, unit, done, total); return False to stop (CancelledError)

    The aggregate has the containers of the reference (else of the first update whose layers most clients share), its
    leaves are new NumPy arrays, or torch tensors where the leaf there is one. Updates with NaN or infinity are left out
    and count against f; whatever else does not fit is a UsageError that names client and layer.
    """
    if isinstance(updates, (Mapping, str, bytes)):
        _core.fail(_core.UsageError, "updates", "are to be a sequence, one update per client")
    updates = list(updates)
    names = _client_names(clients, len(updates))
    counts = _declared(examples, names, rule)
    chain = _chain(rule, f, pre, examples is not None, max_weight, integers, seed, threads, progress, parameters)
    if state is not None and not isinstance(state, AggregateState):
        _core.fail(_core.UsageError, "state", "is to be an AggregateState")
    given = [read(*each) for each in zip(updates, names, counts)]
    base = None if reference is None else read(reference, "reference model")
    own = None if root is None else read(root, "server's own update")
    result = []

    def make_out(index, layers):
        like = base[1] if index < 0 else given[index][1]
        new = [allocate(leaf, *layer) for leaf, layer in zip(like, layers)]
        result.extend((reference if index < 0 else updates[index], new))
        return read(new, "result")[0]

    what = ([each[0] for each in given], base and base[0], own and own[0], make_out)
    if state is None:
        verdicts = _core.aggregate(*what, None, chain)
    else:
        with state._lock:
            verdicts = _core.aggregate(*what, state._core, chain)
    return rebuild(result[0], iter(result[1])), Verdicts(Verdict(name, *v) for name, v in zip(names, verdicts))


def _optional_path(path):
    return None if path is None else os.fsdecode(path)


def aggregate_files(
    paths,
    out,
    rule="trimmed-mean",
    f=0,
    *,
    pre=(),
    reference_model=None,
    root=None,
    state=None,
    examples=None,
    max_weight=None,
    integers="median",
    seed=0,
    threads=0,
    progress=None,
    **parameters,
):
    """The same for files (safetensors, npy, npz), which are mapped and read tile by tile: the new model goes to `out` as
    safetensors, the verdicts are findings of the `Report`. `reference_model`, `root`, `state` (read where
    it is there, and written) and `examples` (a JSON object of declared counts by path or file name) are paths. The client
    of an update is its path."""
    if isinstance(paths, (str, os.PathLike)):
        paths = [paths]
    chain = _chain(rule, f, pre, False, max_weight, integers, seed, threads, progress, parameters)
    files = (_optional_path(reference_model), _optional_path(root), _optional_path(state), _optional_path(examples))
    return Report(_core.aggregate_files([os.fsdecode(path) for path in paths], os.fsdecode(out), *files, chain))


def list_aggregators():
    """The catalogue of rules and pre-aggregators: name, title, parameters, tolerance, cost, score, source …"""
    return _core.aggregators()
