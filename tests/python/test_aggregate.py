"""bezoar.aggregate: trees of arrays in, the same tree and a verdict per client out."""
import hashlib
import json
import math
import pathlib
import pickle
import signal
import subprocess
import sys
import threading
import time
import tracemalloc
from collections import OrderedDict, namedtuple

import numpy as np
import pytest

import bezoar

RULES = [rule for rule in bezoar.list_aggregators() if not rule["pre"]]
LEAST = {"bulyan": 1, "mean": 0}  # the f of rules that do not bear 2 of 10


def clients(n=10, attackers=2, shape=(40, 5), seed=1, dtype="f4"):
    """Updates around 1; the last ones are attackers."""
    draw = np.random.default_rng(seed)
    updates = [draw.normal(1, 0.1, size=shape).astype(dtype) for _ in range(n)]
    return updates[: n - attackers] + [np.full(shape, 1e4, dtype) for _ in range(attackers)]


# ---- what it computes ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["name"])
def test_every_rule(rule):
    f = LEAST.get(rule["name"], 2)
    updates = clients(attackers=f)
    state = bezoar.AggregateState() if rule["stateful"] else None
    root = updates[0] if rule["name"] == "fltrust" else None
    result, verdicts = bezoar.aggregate(updates, rule["name"], f, state=state, root=root)
    assert result.shape == (40, 5) and result.dtype == np.float32 and np.isfinite(result).all()
    assert [v.client for v in verdicts] == [str(i) for i in range(10)]
    if rule["name"] not in ("foolsgold", "mean"):  # foolsgold knows Sybils by their history, of which there is none
        assert abs(result - 1).max() < 2.5


def test_median_and_trimmed_mean_are_those_of_numpy():
    stack = np.random.default_rng(3).normal(size=(9, 50))
    median, _ = bezoar.aggregate(stack, "median", f=2)
    assert np.array_equal(median, np.median(stack, axis=0))
    trimmed, _ = bezoar.aggregate(stack, f=2)
    assert np.allclose(trimmed, np.sort(stack, axis=0)[2:-2].mean(axis=0), rtol=1e-12)


def command():
    """The program of the build folder (or wheel) that the package belongs to."""
    package = pathlib.Path(bezoar.__file__).parent
    found = [path for path in (package.parents[1] / "bezoar", package / "bin" / "bezoar") if path.exists()]
    return found[0] if found else pytest.skip("the program bezoar is not beside the package")


@pytest.mark.parametrize("rule", ["trimmed-mean", "krum", "geometric-median", "median"])
def test_same_as_the_command(tmp_path, rule):
    updates = clients(dtype="f8")
    for i, update in enumerate(updates):
        np.save(tmp_path / f"{i}.npy", update)
    paths = [str(tmp_path / f"{i}.npy") for i in range(10)]
    ours, theirs = tmp_path / "new.safetensors", tmp_path / "command.safetensors"
    report = bezoar.aggregate_files(paths, ours, rule, 2, pre="nnm")
    subprocess.run([command(), "aggregate", "--rule", rule, "--f", "2", "--pre", "nnm", *paths, "-o", theirs, "--report",
                    tmp_path / "report.json"], check=True, capture_output=True)
    result, verdicts = bezoar.aggregate(updates, rule, 2, pre="nnm", clients=paths)
    raw = ours.read_bytes()
    assert raw == theirs.read_bytes() and raw[8 + int.from_bytes(raw[:8], "little"):] == result.tobytes()
    assert report.count("note") == bezoar.load(tmp_path / "report.json").count("note") == 1 + len(verdicts.dropped)


def test_same_bytes_for_any_number_of_threads():
    updates = [np.random.default_rng(i).normal(size=20000).astype("f4") for i in range(12)]
    for rule in ("trimmed-mean", "multi-krum", "caf"):
        results = {bezoar.aggregate(updates, rule, 3, threads=t)[0].tobytes() for t in (1, 2, 3, 8)}
        assert len(results) == 1


def test_one_client_and_a_thousand():
    result, verdicts = bezoar.aggregate([np.arange(4.0)])
    assert result.tolist() == [0, 1, 2, 3] and verdicts.kept == ["0"]
    updates = [{"w": np.full(30, i % 7, "f4"), "b": np.full((2, 2), i % 5, "f4")} for i in range(1000)]
    result, verdicts = bezoar.aggregate(updates, "median", f=300)
    assert result["w"].tolist() == [3.0] * 30 and result["b"].tolist() == [[2, 2], [2, 2]] and len(verdicts) == 1000


def test_reference_root_and_weights():
    updates = clients()
    reference = np.full((40, 5), 0.5, "f4")
    plain, _ = bezoar.aggregate(updates, "geometric-median", 2)
    moved, _ = bezoar.aggregate(updates, "geometric-median", 2, reference=reference)
    assert np.allclose(plain, moved, atol=1e-3)
    result, _ = bezoar.aggregate(updates, "fltrust", 2, root=updates[0])
    assert abs(result - 1).max() < 1
    with pytest.raises(bezoar.UsageError):
        bezoar.aggregate(updates, "fltrust", 2)
    pair = [np.zeros(3), np.ones(3)]
    assert np.allclose(bezoar.aggregate(pair, "mean", examples=[1, 3], max_weight=1)[0], 0.75)
    assert np.allclose(bezoar.aggregate(pair, "mean", examples=[1, 1e9], max_weight=0.6)[0], 0.6)
    for uncapped in ({}, {"examples": [1, 3]}):  # no more than 1 / (n - f) each
        assert np.allclose(bezoar.aggregate(pair, "mean", **uncapped)[0], 0.5)
    for bad in ([1, -1], [1, math.nan], [1], [1, "many"]):
        with pytest.raises(bezoar.UsageError):
            bezoar.aggregate(pair, "mean", examples=bad, max_weight=1)
    with pytest.raises(bezoar.UsageError, match="median does not weigh clients"):
        bezoar.aggregate(pair, "median", examples=[1, 1])


def test_parameters_by_either_spelling():
    updates = clients(seed=7)
    assert np.array_equal(bezoar.aggregate(updates, "multi-krum", 2, m=3)[0], bezoar.aggregate(updates, "multi-krum", 2, m=3.0)[0])
    with pytest.raises(bezoar.UsageError, match="no such parameter"):
        bezoar.aggregate(updates, "multi-krum", 2, tau=3)
    with pytest.raises(bezoar.UsageError, match="no number"):
        bezoar.aggregate(updates, "multi-krum", 2, m="three")


# ---- trees -----------------------------------------------------------------------------------------------------------

Pair = namedtuple("Pair", "left right")


def test_trees_come_back_as_they_were():
    def tree(i):
        return OrderedDict(
            encoder={"weight": np.full((2, 3), i, "f4"), "bias": np.full(3, i, "f8")},
            heads=[np.full(2, i, "f4"), (np.full(1, i, "f2"), np.float32(i))],
            pair=Pair(np.full(2, i, "f4"), np.array(i)),
        )

    result, _ = bezoar.aggregate([tree(i) for i in range(5)], "median", 1)
    assert type(result) is OrderedDict and list(result) == ["encoder", "heads", "pair"]
    assert type(result["encoder"]) is dict and type(result["heads"]) is list and type(result["heads"][1]) is tuple
    assert type(result["pair"]) is Pair
    assert result["encoder"]["weight"].tolist() == [[2, 2, 2], [2, 2, 2]] and result["encoder"]["bias"].dtype == np.float64
    assert result["heads"][1][0].dtype == np.float16 and result["heads"][1][1].shape == ()
    assert result["pair"].right == 2 and result["pair"].right.dtype == np.int64


def test_dicts_are_matched_by_name():
    one, two = {"a": np.zeros(2), "b": np.ones(3)}, {"b": np.ones(3), "a": np.zeros(2)}
    result, _ = bezoar.aggregate([one, two, two], "median")
    assert list(result) == ["a", "b"] and result["b"].tolist() == [1, 1, 1]


def test_the_layout_is_that_of_most_clients_or_of_the_reference():
    odd, usual = {"a": np.zeros(3)}, {"a": np.zeros(2)}
    with pytest.raises(bezoar.UsageError, match=r'^0: layer "a" has shape \[3\], expected \[2\]'):
        bezoar.aggregate([odd, usual, usual])
    with pytest.raises(bezoar.UsageError, match=r'^1: layer "a" has shape \[2\], expected \[3\]'):
        bezoar.aggregate([odd, usual, usual], reference=odd)


def test_empty_layers_and_no_layers():
    result, _ = bezoar.aggregate([{"a": np.zeros((0, 3), "f4"), "b": np.ones(1)}] * 3, f=1)
    assert result["a"].shape == (0, 3) and result["b"].tolist() == [1]
    assert bezoar.aggregate([[], [], []])[0] == []
    assert bezoar.aggregate([np.zeros(0)] * 3, "krum")[0].shape == (0,)


# ---- arrays of every kind --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "?", "q", "Q", "l", "L"])
def test_every_type(dtype):
    values = [[1, 0, 1], [1, 1, 0], [0, 0, 1], [1, 0, 1], [1, 0, 1]]
    result, _ = bezoar.aggregate([np.array(v).astype(dtype) for v in values], "median", 1)
    assert result.dtype == np.dtype(dtype) and result.tolist() == [1, 0, 1]


def test_policies_for_integers():
    updates = [{"step": np.array(i), "mask": np.array([i > 2, False])} for i in range(4)]
    assert bezoar.aggregate(updates, "median")[0]["step"] == 1
    assert bezoar.aggregate(updates, "median", integers="maximum")[0]["mask"].tolist() == [True, False]
    reference = {"step": np.array(77), "mask": np.array([True, True])}
    assert bezoar.aggregate(updates, "median", integers="reference", reference=reference)[0]["step"] == 77
    with pytest.raises(bezoar.UsageError):
        bezoar.aggregate(updates, "median", integers="reference")
    with pytest.raises(bezoar.UsageError):
        bezoar.aggregate(updates, "median", integers="sum")


def views():
    base = np.random.default_rng(5).normal(size=(8, 12))
    return {
        "transposed": base.T,
        "every other": base[::2, 1::3],
        "backwards": base[::-1, ::-2],
        "fortran": np.asfortranarray(base),
        "broadcast": np.broadcast_to(base[:1], (8, 12)),
        "one number": np.broadcast_to(np.float64(3), (4, 4)),
        "read only": np.frombuffer(base.tobytes()).reshape(8, 12),
        "inner axis": base[:, None, :].swapaxes(0, 2),
        "0-d": base[3, 4, ...],
    }


@pytest.mark.parametrize("kind", list(views()))
@pytest.mark.parametrize("dtype", ["f8", "f4", "i4"])
def test_strides(kind, dtype):
    view = views()[kind]
    if dtype != "f8":  # a strided view of that type, over the same places
        wide = np.zeros(tuple(2 * k for k in view.shape), dtype)
        wide[tuple(slice(None, None, 2) for _ in view.shape)] = view * 10
        view = wide[tuple(slice(None, None, 2) for _ in view.shape)]
    updates = [view] * 3 + [view + 1, view - 1]
    result, verdicts = bezoar.aggregate(updates, "median", 1)
    assert result.flags.c_contiguous and np.array_equal(result, view) and verdicts[0].distance == 0


def test_other_buffers():
    import array

    updates = [array.array("f", [1, 2, i]) for i in range(3)]
    result, _ = bezoar.aggregate(updates, "median")
    assert isinstance(result, np.ndarray) and result.tolist() == [1, 2, 1]
    assert bezoar.aggregate([memoryview(u) for u in updates], "median")[0].tolist() == [1, 2, 1]


def test_mapped_files(tmp_path):
    for i in range(3):
        np.save(tmp_path / f"{i}.npy", np.full((3, 4), i, "f4"))
    updates = [np.load(tmp_path / f"{i}.npy", mmap_mode="r") for i in range(3)]
    result, _ = bezoar.aggregate(updates, "median")
    assert type(result) is np.ndarray and result.tolist() == [[1] * 4] * 3


class Shipped:
    """An array that can only be reached through DLPack."""

    def __init__(self, array, device=1, versioned=True):
        self.array, self.device, self.versioned = array, device, versioned

    def __dlpack_device__(self):
        return self.device, 0

    def __dlpack__(self, **options):
        if not self.versioned and options:
            raise TypeError("unexpected keyword")
        return self.array.__dlpack__(**options)


@pytest.mark.parametrize("versioned", [True, False])
def test_dlpack(versioned):
    base = np.arange(24, dtype="f4").reshape(4, 6)
    updates = [Shipped(view, versioned=versioned) for view in (base.T[1:], base.T[1:] + 1, base.T[1:] + 2)]
    result, _ = bezoar.aggregate(updates, "median")
    assert isinstance(result, np.ndarray) and np.array_equal(result, base.T[1:] + 1)
    flags, _ = bezoar.aggregate([Shipped(np.array([True, False]), versioned=versioned)] * 3, "median")
    assert flags.dtype == bool and flags.tolist() == [True, False]


def test_memory_of_a_graphics_card_is_refused():
    with pytest.raises(bezoar.UnsupportedError, match=r'^b: layer "w" cannot be read: it is not in the processor'):
        bezoar.aggregate([{"w": np.zeros(2)}, {"w": Shipped(np.zeros(2), device=2)}], clients=["a", "b"])


# ---- refusals --------------------------------------------------------------------------------------------------------

GOOD = {"w": np.zeros(3, "f4"), "b": np.zeros(1, "f4")}
MISFITS = {
    "shape": ({**GOOD, "w": np.zeros(4, "f4")}, 'layer "w" has shape', bezoar.UsageError),
    "dimensions": ({**GOOD, "w": np.zeros((3, 1), "f4")}, 'layer "w" has shape', bezoar.UsageError),
    "dtype": ({**GOOD, "w": np.zeros(3)}, 'layer "w" is F64, expected F32', bezoar.UsageError),
    "missing": ({"w": np.zeros(3, "f4")}, 'layer "b" is missing', bezoar.UsageError),
    "too many": ({**GOOD, "c": np.zeros(1)}, 'layer "c" is not part of the model', bezoar.UsageError),
    "float128": ({**GOOD, "w": np.zeros(3, "g")}, 'layer "w" has items of type', bezoar.UnsupportedError),
    "complex": ({**GOOD, "w": np.zeros(3, "F")}, 'layer "w" has items of type', bezoar.UnsupportedError),
    "object": ({**GOOD, "w": np.zeros(3, "O")}, 'layer "w" has items of type', bezoar.UnsupportedError),
    "text": ({**GOOD, "w": np.zeros(3, "U2")}, 'layer "w" has items of type', bezoar.UnsupportedError),
    "records": ({**GOOD, "w": np.zeros(3, "f4,f4")}, 'layer "w" has items of type', bezoar.UnsupportedError),
    "dates": ({**GOOD, "w": np.zeros(3, "M8[s]")}, 'layer "w" cannot be read', bezoar.UnsupportedError),
    "byte order": ({**GOOD, "w": np.zeros(3, ">f4")}, 'layer "w" has items in another byte order', bezoar.UnsupportedError),
    "not aligned": ({**GOOD, "w": np.frombuffer(bytes(13), "u1")[1:].view("f4")}, 'layer "w" does not lie',
                    bezoar.UnsupportedError),
    "fields": ({**GOOD, "w": np.zeros(3, "f4,u1")["f0"]}, 'layer "w" does not lie', bezoar.UnsupportedError),
    "masked": ({**GOOD, "w": np.ma.zeros(3, "f4")}, 'layer "w" is a masked array', bezoar.UnsupportedError),
    "number": ({**GOOD, "w": 1.5}, 'layer "w" is of type float', bezoar.UsageError),
    "none": ({**GOOD, "w": None}, 'layer "w" is of type NoneType', bezoar.UsageError),
    "name": ({**GOOD, "w\0": np.zeros(1)}, "the name of layer 2 is no text", bezoar.UsageError),
    "surrogate": ({**GOOD, "\ud800": np.zeros(1)}, "the name of layer 2 is no text", bezoar.UsageError),
    "twice": ({**GOOD, "a.b": np.zeros(1), "a": {"b": np.zeros(1)}}, 'layer "a.b" is', bezoar.UsageError),
}


@pytest.mark.parametrize("kind", list(MISFITS))
def test_misfits_name_client_and_layer(kind):
    update, message, error = MISFITS[kind]
    with pytest.raises(error) as raised:
        bezoar.aggregate([GOOD, GOOD, update], clients=["ann", "bob", "eve"])
    assert message in str(raised.value) and raised.value.subject == "eve"
    assert raised.value.code in ("usage error", "not supported") and raised.value.line is None


def test_misfits_in_nested_lists():
    with pytest.raises(bezoar.UsageError, match=r'^1: layer "\[0\]\[2\]" has shape \[2 2\], expected \[2\]'):
        three = [np.zeros(2), np.zeros(2)]
        bezoar.aggregate([[[*three, np.zeros(2)]], [[*three, np.zeros((2, 2))]], [[*three, np.zeros(2)]]])


def test_wrong_calls():
    some = [np.zeros(2)] * 3
    for wrong in (
        lambda: bezoar.aggregate([]),
        lambda: bezoar.aggregate({"a": np.zeros(2)}),
        lambda: bezoar.aggregate(some, "none such"),
        lambda: bezoar.aggregate(some, f=-1),
        lambda: bezoar.aggregate(some, f=2**40),
        lambda: bezoar.aggregate(some, f=0.5),
        lambda: bezoar.aggregate(some, f=2),
        lambda: bezoar.aggregate(some, pre=["none such"]),
        lambda: bezoar.aggregate(some, clients=["a", "b"]),
        lambda: bezoar.aggregate(some, clients=["a", "b", "a"]),
        lambda: bezoar.aggregate(some, clients=["a", "b", ""]),
        lambda: bezoar.aggregate(some, clients=["a", "b", "c\0"]),
        lambda: bezoar.aggregate(some, seed=-1),
        lambda: bezoar.aggregate(some, threads=-1),
        lambda: bezoar.aggregate(some, max_weight=2),
        lambda: bezoar.aggregate(some, progress=1),
        lambda: bezoar.aggregate(some, state={}),
        lambda: bezoar.aggregate(some, "centered-clipping"),
    ):
        with pytest.raises(bezoar.UsageError):
            wrong()


def test_clients_that_are_not_finite():
    updates = clients(attackers=0)
    updates[3][1, 1], updates[7][0, 0] = np.nan, -np.inf
    result, verdicts = bezoar.aggregate(updates, "krum", 2, clients=range(100, 110))
    assert np.isfinite(result).all() and {"103", "107"} <= set(verdicts.dropped)
    assert verdicts[3].reason == "not-finite" and verdicts[3].text == "holds NaN or infinity" and verdicts[3].weight == 0
    with pytest.raises(bezoar.UsageError, match="more than f = 1"):
        bezoar.aggregate(updates, "krum", 1)
    reference = np.full((40, 5), np.nan, "f4")
    with pytest.raises(bezoar.UsageError, match="reference model"):
        bezoar.aggregate(updates, "krum", 2, reference=reference)


# ---- verdicts and state ----------------------------------------------------------------------------------------------


def test_verdicts():
    _, verdicts = bezoar.aggregate(clients(), "multi-krum", 2)
    assert verdicts.kept == [str(i) for i in range(8)] and verdicts.dropped == ["8", "9"]
    assert len(verdicts) == 10 and verdicts[-1].client == "9" and len(verdicts[2:4]) == 2
    assert verdicts[0].reason == "kept" and verdicts[9].reason == "not-selected" and verdicts[9].score > verdicts[0].score
    assert math.isnan(verdicts[0].trimmed) and math.isclose(sum(v.weight for v in verdicts), 1)
    parsed = json.loads(verdicts.to_json(indent=1))
    assert parsed[9]["trimmed"] is None and parsed[9]["kept"] is False and parsed == json.loads(verdicts.to_json())
    assert verdicts.to_dicts()[0]["client"] == "0"
    lines = str(verdicts).splitlines()
    assert len(lines) == 11 and lines[0].split() == ["client", "weight", "score", "distance", "trimmed", "verdict"]
    assert pickle.loads(pickle.dumps(verdicts)) == verdicts
    assert "\x1b" not in str(bezoar.aggregate([np.zeros(2)], clients=["\x1b[31mred\n"])[1])
    with pytest.raises(AttributeError):
        verdicts.kept = []
    with pytest.raises(AttributeError):
        verdicts[0].kept = False


def test_state(tmp_path):
    updates, state = clients(seed=4), bezoar.AggregateState()
    assert len(state) == 0
    first, _ = bezoar.aggregate(updates, "centered-clipping", 2, state=state, tau=5)
    assert len(state) == 1
    state.save(tmp_path / "state.safetensors")
    second, _ = bezoar.aggregate(updates, "centered-clipping", 2, state=state, tau=5)
    assert not np.array_equal(first, second)
    again = bezoar.AggregateState.load(tmp_path / "state.safetensors")
    assert np.array_equal(bezoar.aggregate(updates, "centered-clipping", 2, state=again, tau=5)[0], second)
    with pytest.raises(bezoar.FileError):
        bezoar.AggregateState.load(tmp_path / "none")
    (tmp_path / "junk").write_bytes(b"junk")
    with pytest.raises(bezoar.Error):
        bezoar.AggregateState.load(tmp_path / "junk")


def test_state_knows_clients_by_name():
    state = bezoar.AggregateState()
    bezoar.aggregate(clients(attackers=0), "foolsgold", state=state, clients=[f"node {i}" for i in range(10)])
    bezoar.aggregate(clients(attackers=0)[::-1], "foolsgold", state=state, clients=[f"node {9 - i}" for i in range(10)])
    assert len(state) == 10
    bezoar.aggregate(clients(attackers=0)[:2], "foolsgold", state=state, clients=["new", "node 0"])
    assert len(state) == 11


def test_a_failed_call_leaves_the_state():
    updates, state = clients(), bezoar.AggregateState()
    bezoar.aggregate(updates, "centered-clipping", 2, state=state)
    with pytest.raises(bezoar.UsageError):
        bezoar.aggregate([*updates[:9], np.zeros(3)], "centered-clipping", 2, state=state)
    with pytest.raises(bezoar.CancelledError):
        bezoar.aggregate([np.zeros(4_000_000, "f4")] * 6, "centered-clipping", 1, state=bezoar.AggregateState(),
                         progress=lambda *_: False)
    assert len(state) == 1


# ---- no copies, no writes, no GIL ------------------------------------------------------------------------------------


def digest(tree):
    return hashlib.sha256(b"".join(np.ascontiguousarray(x).tobytes() for x in tree)).hexdigest()


@pytest.mark.parametrize("rule", [rule["name"] for rule in RULES])
def test_updates_are_not_written_to(rule):
    f = LEAST.get(rule, 2)
    updates = clients(seed=11, attackers=f)
    before, pre = digest(updates), () if rule == "foolsgold" else ("clipping", "arc", "nnm")

    def run():
        return bezoar.aggregate(updates, rule, f, pre=pre, state=bezoar.AggregateState(), root=updates[0], reference=updates[1])[0]

    result = run()
    assert digest(updates) == before and not any(np.shares_memory(result, u) for u in updates)
    for update in updates:
        update.setflags(write=False)  # and arrays that cannot be written to are as good
    assert np.array_equal(result, run())


PEAK = """
import resource, sys
sys.path[:0] = {path!r}
import numpy as np, bezoar
updates = [np.ones((1000, 2000), "f4") for _ in range(12)]  # 8 MB each
wide = [np.ones((1000, 4000), "f4")[:, ::2] for _ in range(3)]
bezoar.aggregate([u[:10] for u in updates], {rule!r}, 2)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
result, _ = bezoar.aggregate(updates + wide, {rule!r}, 2)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, result.nbytes // 1024)
"""


@pytest.mark.parametrize("rule", ["trimmed-mean", "multi-krum", "geometric-median"])
def test_updates_are_not_copied(rule):
    """The most memory the process ever had grows by the result and a little, not by the 120 MB of the updates."""
    run = subprocess.run([sys.executable, "-c", PEAK.format(path=sys.path, rule=rule)], capture_output=True, text=True, check=True)
    grown, result = map(int, run.stdout.split())
    assert grown < result + 16 * 1024


def test_python_copies_nothing_either():
    updates = [{"w": np.ones((500, 1000), "f4").T, "b": np.ones(500_000, "f4")[::2]} for _ in range(10)]
    tracemalloc.start()
    result, _ = bezoar.aggregate(updates, f=2)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < result["w"].nbytes + result["b"].nbytes + 200_000


def test_addresses_are_those_of_the_arrays():
    """What is changed in an array while the library holds it is seen: the library reads the caller's memory."""
    updates = [np.zeros(2_000_000, "f4") for _ in range(3)]

    def fill(*_):
        for update in updates:
            update[:] = 5
        return True

    result, _ = bezoar.aggregate(updates, "geometric-median", 1, progress=fill, iterations=50)
    assert result[0] == 5


def test_progress_is_told_while_another_thread_counts_on():
    updates = [np.random.default_rng(i).normal(size=2_000_000).astype("f4") for i in range(8)]
    count, stop, seen = [0], threading.Event(), []

    def work():
        while not stop.is_set():
            count[0] += 1

    thread = threading.Thread(target=work)
    thread.start()
    try:
        bezoar.aggregate(updates, "geometric-median", 2, iterations=10,
                         progress=lambda stage, unit, done, total: seen.append((stage, done, total, count[0])) or True)
    finally:
        stop.set()
        thread.join()
    assert seen and seen[0][0] == "aggregating" and all(done <= total for _, done, total, _ in seen)
    assert len({counted for *_, counted in seen}) > 1


def test_cancelling():
    updates = [np.zeros(4_000_000, "f4")] * 8
    with pytest.raises(bezoar.CancelledError):
        bezoar.aggregate(updates, "geometric-median", 2, progress=lambda *_: False)

    def interrupt(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bezoar.aggregate(updates, "geometric-median", 2, progress=interrupt)


def test_control_c_and_the_gil():
    """A call that would take many seconds stops at SIGINT, without a progress function as well. The signal comes from
    another thread, which must run Python while the library works: the GIL is free."""
    updates = [np.random.default_rng(i).normal(size=500_000).astype("f4") for i in range(8)]
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in what a shell started in the background
    timer, finished = threading.Timer(0.3, signal.raise_signal, [signal.SIGINT]), False
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        bezoar.aggregate(updates, "centered-clipping", 2, iterations=10_000, tau=1e-6, state=bezoar.AggregateState())
        finished = True
        timer.join()
    assert not finished


def test_two_threads_at_once():
    updates = [np.random.default_rng(i).normal(size=50_000).astype("f4") for i in range(8)]
    state, results, lone = bezoar.AggregateState(), [], bezoar.AggregateState()

    def work():
        for _ in range(3):
            results.append(bezoar.aggregate(updates, f=2)[0].tobytes())
            bezoar.aggregate(updates, "centered-clipping", 2, state=state, tau=1)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 9 and len(set(results)) == 1
    for _ in range(9):
        bezoar.aggregate(updates, "centered-clipping", 2, state=lone, tau=1)
    last = [bezoar.aggregate(updates, "centered-clipping", 2, state=s, tau=1)[0].tobytes() for s in (state, lone)]
    assert last[0] == last[1]


def test_files(tmp_path):
    updates = clients(attackers=1)
    updates[4][0, 0] = np.nan
    for i, update in enumerate(updates):
        np.savez(tmp_path / f"{i}.npz", w=update, step=np.array([i]))
    paths = [tmp_path / f"{i}.npz" for i in range(10)]
    report = bezoar.aggregate_files(paths, tmp_path / "new.safetensors", "median", 2, state=tmp_path / "unused")
    assert "holds NaN or infinity" in report.to_json() and (tmp_path / "new.safetensors").exists()
    with pytest.raises(bezoar.UsageError, match="more than f = 0"):
        bezoar.aggregate_files(paths, tmp_path / "other.safetensors", "median", 0)
    assert not (tmp_path / "other.safetensors").exists()
    with pytest.raises(bezoar.FileError):
        bezoar.aggregate_files([tmp_path / "none.npz"], tmp_path / "other.safetensors")
    state = tmp_path / "state.safetensors"
    bezoar.aggregate_files(paths, tmp_path / "new.safetensors", "centered-clipping", 2, state=state, reference_model=paths[0])
    assert len(bezoar.AggregateState.load(state)) == 1


def test_files_with_declared_counts(tmp_path):
    for i in range(2):
        np.save(tmp_path / f"{i}.npy", np.full(3, i, "f4"))
    (tmp_path / "counts.json").write_text('{"0.npy": 1, "1.npy": 3}')
    paths = [tmp_path / "0.npy", tmp_path / "1.npy"]
    bezoar.aggregate_files(paths, tmp_path / "new.safetensors", "mean", examples=tmp_path / "counts.json", max_weight=1)
    assert (tmp_path / "new.safetensors").read_bytes().endswith(np.full(3, 0.75, "f4").tobytes())


def test_catalogue():
    names = {rule["name"] for rule in bezoar.list_aggregators()}
    assert {"mean", "trimmed-mean", "median", "krum", "nnm", "caf"} <= names
    for rule in bezoar.list_aggregators():
        assert all(rule[key] for key in ("name", "title", "summary", "cost", "source")) and isinstance(rule["pre"], bool)


def test_overhead_of_a_call(capsys):
    """Printed, not judged: most of a call on small updates is Python reading the trees."""
    updates = [{f"layer {k}": np.ones(100, "f4") for k in range(100)} for _ in range(20)]
    took = []
    for _ in range(20):
        start = time.perf_counter()
        bezoar.aggregate(updates, f=4, threads=1)
        took.append(time.perf_counter() - start)
    with capsys.disabled():
        print(f"\n20 clients, 100 layers of 100 numbers: {1e3 * sorted(took)[10]:.2f} ms per call")
