"""One round of robust federated averaging, whatever the framework: what the Flower and the NVFlare adapters share.

An adapter turns what its framework received into `Update` and `Lost` objects, one per client; `Federation.run` applies the
rule, keeps the state, writes the log and says what became of every client. Nothing a client declares is taken on trust.
"""

import io
import json
import math
import operator
import os
import pathlib
import sys
import time
from dataclasses import dataclass, field

import numpy as np

import bezoar

CHUNK = 1 << 20  # numbers looked at in one go for NaN and infinity: the temporary stays small
REASONS = {
    "error": "sent an error in place of an update",
    "malformed": "sent something that is no update of this model",
    "not-finite": "sent NaN or infinity",
    "not-asked": "was not asked for an update this round",
    "twice": "sent more than one update this round",
    "no-reply": "was asked and did not answer",
}
FAULTS = ("malformed", "not-finite", "not-asked", "twice")  # proof of a fault; an error may be an honest crash


class Malformed(ValueError):
    """A reply that cannot be taken as an update of the model; says why."""

    def __init__(self, text, reason="malformed"):
        super().__init__(text)
        self.reason = reason


@dataclass(frozen=True)
class Update:
    """What a client sent, checked: its arrays by name in the model's order, and what it declares."""

    client: str
    arrays: dict
    metrics: dict = field(default_factory=dict)
    examples: object = None


@dataclass(frozen=True)
class Lost:
    """A client without a usable update: a short reason (of REASONS) and a sentence."""

    client: str
    reason: str
    text: str


@dataclass(frozen=True)
class Round:
    """What came of a round: the new arrays (None where the round failed, with the cause), and a row per client."""

    number: int
    arrays: dict | None
    metrics: dict
    rows: list
    n: int
    f: int
    cause: Exception | None = None

    def numbers(self):
        """The verdicts as numbers, lists in the order of `texts()["bezoar-clients"]`."""
        kept = [int(row["kept"]) for row in self.rows]
        out = {
            "bezoar-failed": int(self.cause is not None),
            "bezoar-valid": self.n,
            "bezoar-f": self.f,
            "bezoar-kept": sum(kept),
            "bezoar-dropped": len(kept) - sum(kept),
            "bezoar-client-kept": kept,
        }
        for name in ("weight", "score", "distance", "trimmed"):
            out[f"bezoar-client-{name}"] = [math.nan if row[name] is None else row[name] for row in self.rows]
        return out

    def plain_rows(self):
        """The rows for JSON, which knows no NaN and no infinity."""
        return [{key: value if not isinstance(value, float) or math.isfinite(value) else None for key, value in row.items()}
                for row in self.rows]

    def texts(self):
        """Clients, reasons and sentences, as lists of strings."""
        out = {f"bezoar-{name}s": [row[name] for row in self.rows] for name in ("client", "reason", "text")}
        return out | {"bezoar-failure": "" if self.cause is None else str(self.cause)}


def read_npy(data):
    """The array in the bytes of a .npy file, as a view: nothing is copied, nothing is unpickled."""
    stream = io.BytesIO(data)
    try:
        version = np.lib.format.read_magic(stream)
        if version not in ((1, 0), (2, 0)):
            raise Malformed(f"npy version {version}")
        reader = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, by_column, dtype = reader(stream)
    except Malformed:
        raise
    except Exception as error:  # whatever a hostile header makes of NumPy's parser: one client must not end the round
        raise Malformed(f"bytes that are no npy array: {type(error).__name__}") from None
    if dtype.kind not in "fiub":
        raise Malformed(f"numbers of type {dtype}")
    start, count = stream.tell(), math.prod(shape)
    if any(size < 0 for size in shape) or len(data) - start != count * dtype.itemsize:
        raise Malformed(f"{len(data) - start} bytes for an array of {shape} {dtype}")
    flat = np.frombuffer(data, dtype, count, start) if count else np.empty(0, dtype)
    return flat.reshape(shape, order="F" if by_column else "C")


def fit(array, like, name):
    """The array in the model's type; Malformed where shape or kind of number are not the model's."""
    if array.shape != like.shape:
        raise Malformed(f'layer "{name}" has shape {array.shape}, the model {like.shape}')
    if array.dtype == like.dtype and array.flags.aligned:
        return array
    if not (array.dtype.kind == like.dtype.kind == "f" or np.can_cast(array.dtype, like.dtype, "safe")):
        raise Malformed(f'layer "{name}" has type {array.dtype}, the model {like.dtype}')
    with np.errstate(over="ignore", invalid="ignore"):  # what does not fit becomes infinite, and is found as such
        return array.astype(like.dtype)


def finite(arrays):
    """Whether no array holds NaN or infinity."""
    flats = (array.reshape(-1, order="A") for array in arrays.values() if array.dtype.kind == "f")
    return all(np.isfinite(flat[i : i + CHUNK]).all() for flat in flats for i in range(0, flat.size, CHUNK))


def check(arrays, model):
    """A client's arrays in the model's order and types; Malformed says what is wrong with them."""
    missing, more = [n for n in model if n not in arrays], [n for n in arrays if n not in model]
    if missing or more:
        raise Malformed("; ".join(f'{what} layer "{names[0]}"' for what, names in (("no", missing), ("unknown", more)) if names))
    out = {name: fit(arrays[name], like, name) for name, like in model.items()}
    if not finite(out):
        raise Malformed(REASONS["not-finite"], "not-finite")
    return out


def examples_of(value, weights):
    """The examples a client declares, where the server's policy asks for them."""
    if weights != "declared":
        return None
    if not number(value) or value <= 0:
        raise Malformed(f"declares {value!r} examples")
    return float(value)


def number(value):
    """Whether a client's metric is a finite number."""
    return isinstance(value, (int, float, np.integer, np.floating)) and bool(abs(value) <= sys.float_info.max)


def median_metrics(records):
    """The median of each metric over the clients that sent it, where more than half did: half the clients or fewer
    cannot move it past what the others sent. Lists number by number; whatever is not finite does not count."""
    out = {}
    for key in dict.fromkeys(key for record in records for key in record):
        values = [record[key] for record in records if key in record]
        lists = [value for value in values if isinstance(value, list) and value and all(map(number, value))]
        scalars = [value for value in values if number(value)]
        if 2 * len(scalars) > len(records):
            out[key] = float(np.median(scalars))
        for size in {len(value) for value in lists}:
            same = [value for value in lists if len(value) == size]
            if 2 * len(same) > len(records):
                out[key] = [float(middle) for middle in np.median(same, axis=0)]
    return out


def restored(arrays, model):
    """The arrays in the model's types again: a server's optimiser may have widened them (float32 to float64)."""
    out = {}
    for name, array in arrays.items():
        like = model[name].dtype
        array = np.rint(array) if like.kind in "iu" and array.dtype.kind == "f" else array
        out[name] = np.ascontiguousarray(array, dtype=like).reshape(np.shape(array))
    return out


def _tolerance(f):
    """f as the caller gave it: ("count", n) or ("share", x)."""
    if isinstance(f, (float, np.floating)):
        if not 0 < f < 0.5:
            raise ValueError(f"f as a share must lie between 0 and 0.5, not {f}")
        return "share", float(f)
    if isinstance(f, bool):
        raise TypeError("f is a number of clients or a share of them, not a bool")
    f = operator.index(f)
    if f < 0:
        raise ValueError("f must not be negative")
    return "count", f


class Federation:
    """A rule with all that it needs from round to round. Parameters as in `bezoar.flower.robust`."""

    def __init__(self, rule="trimmed-mean", f=0, *, pre=(), reference=True, state=None, log=None, weights="uniform",
                 max_weight=None, failures="absent", on_failure="keep", root=None, seed=0, threads=0, integers="median", **parameters):
        _one_of("weights", weights, ("uniform", "declared"))
        _one_of("failures", failures, ("absent", "faulty"))
        _one_of("on_failure", on_failure, ("keep", "raise"))
        self.pre = (pre,) if isinstance(pre, str) else tuple(pre)
        table = {entry["name"]: entry for entry in bezoar.list_aggregators()}
        for name, is_pre in ((rule, False), *((name, True) for name in self.pre)):
            if name not in table or bool(table[name]["pre"]) != is_pre:
                known = ", ".join(sorted(n for n, entry in table.items() if bool(entry["pre"]) == is_pre))
                raise ValueError(f"no {'pre-aggregator' if is_pre else 'rule'} {name!r}; there are {known}")
        self.rule, self.kind, self.f = rule, *_tolerance(f)
        self.reference, self.weights, self.max_weight = bool(reference), weights, max_weight
        self.failures, self.on_failure, self.root = failures, on_failure, root
        self.options = {"seed": seed, "threads": threads, "integers": integers, **parameters}
        self.log_path = None if log is None else pathlib.Path(log)
        self.state_path = None if state is None else pathlib.Path(state)
        self.state = None
        self._try(table[rule]["stateful"])
        self.state = self._remembered() if table[rule]["stateful"] else None

    def __str__(self):
        chain = " after ".join((self.rule, *reversed(self.pre)))
        return f"{chain}, f = {self.f if self.kind == 'count' else f'{self.f:g} of the valid replies'}"

    def _try(self, stateful):
        """A round of made-up updates: what can never work is an error now, not a lost round later."""
        f = 1 if self.kind == "share" or self.rule in ("mda", "smea") else self.f
        n = max(24, 4 * f + 4, int(self.options.get("m") or 0))
        updates = np.random.default_rng(0).normal(size=(n, 8))
        bezoar.aggregate(list(updates), self.rule, 0 if self.rule == "mean" else f, pre=self.pre,
                         state=bezoar.AggregateState() if stateful else None, **self._examples([1.0] * n),
                         **({} if self.root is None else {"root": updates[0]}), **self.options)

    def _examples(self, counts):
        return {} if self.weights == "uniform" else {"examples": counts, "max_weight": self.max_weight}

    def _remembered(self):
        if self.state_path is not None and self.state_path.exists():
            return bezoar.AggregateState.load(self.state_path)
        return bezoar.AggregateState()

    def tolerated(self, updates, lost):
        """f for the rule among the valid updates; an error where more clients are faulty than f allows."""
        counted = FAULTS + (("error", "no-reply") if self.failures == "faulty" else ())
        faulty = sum(item.reason in counted for item in lost)
        valid = len(updates)
        if self.kind == "share":
            limit = math.floor(self.f * (valid + faulty) + 1e-9)
            f = math.floor(self.f * valid + 1e-9)
        else:
            limit, f = self.f, self.f - faulty
        if faulty > limit:
            raise bezoar.UsageError(f"{faulty} of {valid + faulty} replies are faulty, and f allows {limit}")
        if not valid:
            raise bezoar.UsageError("no valid reply")
        return f

    def run(self, number_, updates, lost, reference=None):
        """Aggregates a round. updates: `Update`s of one layout; lost: `Lost`s; reference: the arrays that were sent.
        Returns a `Round`; where it failed, its cause is set (or raised, with on_failure="raise")."""
        arrays, verdicts, f, cause = None, (), 0, None
        try:
            f = self.tolerated(updates, lost)
            arrays, verdicts = self._aggregate(number_, updates, f, reference)
            f -= sum(verdict.reason == "not-finite" for verdict in verdicts)
        except bezoar.Error as error:
            cause = error
        rows = [_row(verdict) for verdict in verdicts] if cause is None else [_undecided(u.client) for u in updates]
        rows += [_missing(item) for item in lost]
        kept = {row["client"] for row in rows if row["kept"]}
        metrics = median_metrics([u.metrics for u in updates if u.client in kept])
        out = Round(number_, arrays, metrics, rows, len(updates), max(f, 0), cause)
        self._write(out)
        if cause is not None and self.on_failure == "raise":
            raise cause
        return out

    def _aggregate(self, number_, updates, f, reference):
        options = dict(self.options, seed=self.options["seed"] + number_)  # another shuffle each round
        if self.root is not None:
            options["root"] = self.root(number_, reference)
        arrays, verdicts = bezoar.aggregate(
            [u.arrays for u in updates], self.rule, 0 if self.rule == "mean" else f, pre=self.pre, reference=reference if self.reference else None,
            clients=[u.client for u in updates], state=self.state, **self._examples([u.examples for u in updates]), **options)
        if self.state is not None and self.state_path is not None:
            self.state.save(self.state_path)  # whole or not at all
        return arrays, verdicts

    def _write(self, out):
        """One line of JSON per client and round, in one write at the end of the file; a torn last line is closed first."""
        if self.log_path is None:
            return
        stamp = {"time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "round": out.number, "rule": self.rule,
                 "f": out.f, "valid": out.n, "failure": None if out.cause is None else str(out.cause)}
        lines = "".join(json.dumps(stamp | row, ensure_ascii=True, allow_nan=False) + "\n" for row in out.plain_rows())
        with self.log_path.open("a+b") as file:
            if file.tell() or file.seek(0, os.SEEK_END):
                file.seek(-1, os.SEEK_END)
                lines = ("" if file.read(1) == b"\n" else "\n") + lines
            file.write(lines.encode())


class Desk:
    """What the two ends of a wrapped strategy share during a round: the one that screens replies before the strategy sees
    them, and the one that sits where the strategy averages. `reasons`: the texts of each round's verdicts."""

    def __init__(self, federation):
        self.federation = federation
        self.reasons = {}
        self.opened, self.needs, self.weight_key = False, (), "num-examples"
        self.model, self.asked = None, set()
        self.updates, self.lost, self.round = [], [], None

    def begin(self, model, asked):
        """Notes what was sent, and to whom: only these clients may answer."""
        self.model, self.asked = model, set(asked)

    def decode(self, client, reply):
        """The `Update` in a reply; Malformed says what is wrong with it."""
        raise NotImplementedError

    def screen(self, replies):
        """replies: pairs of client and reply. The usable ones, as triples with their `Update`; the others are noted."""
        if self.model is None:
            raise RuntimeError("replies before anything was asked: the model that was sent is not known")
        self.updates, self.lost, self.round = [], [], None
        by_client = {}
        for client, reply in replies:
            by_client.setdefault(client, []).append(reply)
        usable = [self._usable(client, group) for client, group in by_client.items()]
        self.lost += [Lost(client, "no-reply", REASONS["no-reply"]) for client in sorted(self.asked - by_client.keys())]
        return [item for item in usable if item is not None]

    def again(self, replies):
        """The usable replies after a wrapper has changed them (clipped, say): pairs of client and reply."""
        self.updates = []
        return [item[1] for item in (self._usable(client, [reply]) for client, reply in replies) if item is not None]

    def _usable(self, client, group):
        try:
            if client not in self.asked or len(group) > 1:
                reason = "twice" if client in self.asked else "not-asked"
                raise Malformed(REASONS[reason], reason)
            update = self.decode(client, group[0])
            if missing := [name for name in self.needs if not number(update.metrics.get(name))]:
                raise Malformed(f'no metric "{missing[0]}"')
        except Malformed as error:
            self.lost.append(Lost(client, error.reason, _shown(str(error))))
            return None
        self.updates.append(update)
        return client, group[0], update

    def combine(self, number_):
        """Runs the rule on the updates; whether there is an aggregate (in `round`)."""
        self.round = self.federation.run(number_, self.updates, self.lost, self.model)
        return self.round.cause is None

    def close(self, number_, logger):
        """The `Round`, told to the log; one that failed where a wrapper gave up before the average."""
        if self.round is None:
            self.round = Round(number_, None, {}, [], len(self.updates), 0, RuntimeError("the strategy did not aggregate"))
        out = self.round
        if out.cause is not None:
            logger.error("bezoar: round %s is not aggregated, the model stays: %s", number_, out.cause)
        dropped = [row for row in out.rows if not row["kept"]]
        logger.info("bezoar: kept %s of %s clients", len(out.rows) - len(dropped), len(out.rows))
        for row in dropped:
            logger.info("\t> client %s: %s", row["client"], row["text"])
        return out


def _shown(text):
    """What may hold a client's own words, fit for a log."""
    return "".join(c if c.isprintable() else "?" for c in text[:300])


def _one_of(name, value, choices):
    if value not in choices:
        raise ValueError(f"{name} is one of {', '.join(choices)}, not {value!r}")


def _row(verdict):
    text = getattr(verdict, "text", None) or verdict.reason
    return {"client": verdict.client, "kept": bool(verdict.kept), "reason": verdict.reason, "text": text,
            "weight": verdict.weight, "score": verdict.score, "distance": verdict.distance, "trimmed": verdict.trimmed}


def _unused(client, reason, text):
    return {"client": client, "kept": False, "reason": reason, "text": text,
            "weight": 0.0, "score": None, "distance": None, "trimmed": None}


def _undecided(client):
    return _unused(client, "round-failed", "the round failed before a verdict")


def _missing(item):
    return _unused(item.client, item.reason, item.text)

