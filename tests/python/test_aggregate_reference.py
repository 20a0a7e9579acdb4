"""bezoar.aggregate against the definitions (aggregate_reference.py), on made-up federations; and what others got wrong.

HYPOTHESIS makes the federations, the same ones on every run; BEZOAR_EXAMPLES=20 tries twenty times as many, others each
time.
"""
import hashlib
import json
import os
import struct

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import aggregate_reference as ref
import bezoar

MORE = int(os.environ.get("BEZOAR_EXAMPLES", "1"))
SHAPES = [(), (1,), (3,), (2, 5), (7, 1, 2), (0,), (33,), (1025,)]
EPS = {"f2": 2.0**-11, "f4": 2.0**-24, "f8": 2.0**-53}  # half a unit in the last place, relative
ORDERED = ("trimmed-mean", "median", "meamed", "bulyan")


def examples(count):
    return settings(max_examples=count * MORE, derandomize=MORE == 1, database=None, deadline=None,
                    suppress_health_check=list(HealthCheck))


# ---- federations -----------------------------------------------------------------------------------------------------


class Federation:
    """n clients with layers of several shapes and types; `rows` is what the reference works on."""

    def __init__(self, n, layers, kind, seed, based):
        self.n, self.layers, self.kind = n, layers, kind
        self.draw = np.random.default_rng(seed)
        self.sizes = [int(np.prod(shape)) for shape, _ in layers]
        self.d = sum(self.sizes)
        self.base = self.tree(self.draw.normal(10, 3, self.d)) if based else None
        rows = self.make()
        if based:
            rows = rows * 0.01 + self.flat(self.base)
        self.updates = [self.tree(row) for row in rows]
        self.names = [f"client {i:02}" for i in self.draw.permutation(n)]

    def make(self):
        n, d, draw = self.n, self.d, self.draw
        x = draw.normal(0.5, 1, (n, d))
        if self.kind == "ties":
            x = draw.integers(-2, 3, (n, d)) / 4
        elif self.kind == "copies":
            x = x[draw.integers(0, max(1, n // 2), n)]
        elif self.kind == "far":
            x[draw.integers(0, n)] *= 3e4
        elif self.kind == "zeros":
            x = np.where(draw.random((n, d)) < 0.7, 0 * x, x)
        elif self.kind == "same":
            x = np.tile(x[0], (n, 1))
        return x

    def tree(self, row):
        out, at = {}, 0
        for k, ((shape, dtype), size) in enumerate(zip(self.layers, self.sizes)):
            values = row[at:at + size]
            if dtype == "f2":
                values = np.clip(values, -6e4, 6e4)
            out[f"layer {k}"] = values.astype(dtype).reshape(shape)
            at += size
        return out

    def flat(self, tree):
        return np.concatenate([np.asarray(leaf, np.longdouble).ravel() for leaf in tree.values()])

    @property
    def rows(self):
        return np.array([self.flat(update) for update in self.updates])

    @property
    def eps(self):
        return np.concatenate([np.full(size, EPS[dtype]) for (_, dtype), size in zip(self.layers, self.sizes)])

    @property
    def slack(self):
        """What rounding may do to a comparison: distances of all but pure f64 are summed in single precision."""
        narrow = any(dtype != "f8" for (_, dtype), size in zip(self.layers, self.sizes) if size)
        return 2e-6 if narrow else 1e-12

    def spoil(self, bad):
        """NaN or infinity in the first `bad` clients, at some coordinate each."""
        for i in range(bad):
            leaves = [leaf for leaf in self.updates[i].values() if leaf.size]
            leaf = leaves[self.draw.integers(len(leaves))]
            leaf.reshape(-1)[self.draw.integers(leaf.size)] = self.draw.choice([np.nan, np.inf, -np.inf])


@st.composite
def federations(draw, least, most_f=3, kinds=("normal", "ties", "copies", "far", "zeros", "same"), bad=True):
    f = draw(st.integers(0, most_f))
    n = draw(st.integers(0, 4)) + least(f)
    layers = draw(st.lists(st.tuples(st.sampled_from(SHAPES), st.sampled_from(["f4", "f4", "f8", "f2"])), min_size=1,
                           max_size=3))
    layers = [*layers, ((2,), draw(st.sampled_from(["f4", "f8"])))]  # something is there
    fed = Federation(n, layers, draw(st.sampled_from(kinds)), draw(st.integers(0, 2**32)), draw(st.booleans()))
    fed.f = f
    fed.bad = draw(st.integers(0, f)) if bad else 0
    if n - fed.bad < least(f - fed.bad):
        fed.bad = 0
    fed.spoil(fed.bad)
    return fed


def digest(trees):
    h = hashlib.sha256()
    for tree in trees:
        for leaf in tree.values():
            h.update(leaf.tobytes())
    return h.hexdigest()


def run(fed, rule, **options):
    """The aggregate as one row, and the verdicts; looks at what holds for every rule."""
    options = {"clients": fed.names, "threads": 1, **options}
    before = digest(fed.updates)
    result, verdicts = bezoar.aggregate(fed.updates, rule, fed.f, reference=fed.base, **options)
    fed.told = verdicts
    assert digest(fed.updates) == before
    assert [leaf.dtype.str[1:] for leaf in result.values()] == [dtype for _, dtype in fed.layers]
    row = fed.flat(result)
    assert np.isfinite(row).all()
    check_verdicts(fed, rule, row, verdicts)
    return result, row, verdicts


def check_verdicts(fed, rule, row, verdicts):
    assert [v.client for v in verdicts] == fed.names
    assert all(v.kept == (v.weight > 0) == (v.reason == "kept") for v in verdicts)
    assert [v.reason == "not-finite" for v in verdicts] == [i < fed.bad for i in range(fed.n)]
    assert abs(sum(v.weight for v in verdicts) - 1) < 1e-9
    for i, v in enumerate(verdicts):
        if i < fed.bad:
            assert np.isnan([v.score, v.distance, v.trimmed]).all()
            continue
        assert np.isnan(v.trimmed) or 0 <= v.trimmed <= 1
        far = np.abs(fed.rows[i] - row)
        room = np.sqrt(np.sum((2 * fed.eps * (np.abs(row) + np.abs(fed.rows[i]) + fed.d ** 0.5)) ** 2))
        assert abs(v.distance - np.sqrt(np.sum(far ** 2))) <= 1e-5 * v.distance + room


def left_of(fed):
    """What the rule sees: rows, f, and which of the rows the verdicts keep."""
    return fed.rows[fed.bad:], fed.f - fed.bad


def expected(fed, rule, verdicts, **parameters):
    x, f = left_of(fed)
    kept = frozenset(i for i, v in enumerate(verdicts[fed.bad:]) if v.kept)
    base = None if fed.base is None else fed.flat(fed.base)
    return ref.aggregate(rule, x, f, ref.Choice(kept, fed.slack), reference=base, **parameters)


def room_of(fed, members):
    """Rounding that a sum of these rows may do, coordinate by coordinate: each term's, and the result's own."""
    base = 0 if fed.base is None else fed.flat(fed.base)
    terms = np.abs(members - base)
    tiny = np.where(fed.eps == EPS["f2"], 2.0**-25, np.where(fed.eps == EPS["f4"], 2.0**-149, 0))
    return fed.eps * (len(members) + 3) * terms.max(axis=0) + 2 * fed.eps * np.abs(base + terms.max(axis=0)) + tiny


def assert_near(fed, row, outcome, members, blur=0):
    room = room_of(fed, members) + blur * np.abs(members).max(axis=0)
    off = np.min(np.abs(outcome.values - row), axis=0)
    assert (off <= room).all(), f"{np.max(off / np.where(room > 0, room, 1))} times the rounding there may be"


def compare_scores(verdicts, outcome, bad, scale, slack=1e-5):
    if outcome.score is None:
        return
    for v, score in zip(verdicts[bad:], outcome.score):
        assert abs(v.score - score) <= slack * abs(score) + scale, (v.client, v.score, score)


# ---- rules -----------------------------------------------------------------------------------------------------------


def test_every_entry_of_the_table_has_a_reference():
    named = {True: ref.PRE, False: ref.RULES}
    for pre in named:
        assert {rule["name"] for rule in bezoar.list_aggregators() if rule["pre"] == pre} == set(named[pre])



def inner_members(fed, rule, outcome, x):
    """Rows whose values may be in an ordered rule's mean: values beyond the kept ranks are nobody's summands."""
    f = fed.f - fed.bad
    v = np.sort(x[outcome.kept] if rule == "bulyan" else x, axis=0)
    cut = {"trimmed-mean": f, "median": (len(v) - 1) // 2}.get(rule, 0)
    if rule in ("meamed", "bulyan"):  # nearest to the median, of whom more than f are honest: not beyond the n − f-th
        m = np.abs(v - ref.median_of(v))
        keep = len(x) - f if rule == "meamed" else len(x) - 4 * f
        reach = np.sort(m, axis=0)[keep - 1]
        v = np.clip(v, ref.median_of(v) - reach, ref.median_of(v) + reach)
    return v[cut:len(v) - cut]


@pytest.mark.parametrize("rule", ORDERED)
@examples(120)
@given(data=st.data())
def test_ordered_rules(rule, data):
    fed = data.draw(federations(ref.NEEDED[rule], most_f=2 if rule == "bulyan" else 4))
    _, row, verdicts = run(fed, rule)
    outcome = expected(fed, rule, verdicts)
    x, _ = left_of(fed)
    assert_near(fed, row, outcome, inner_members(fed, rule, outcome, x))
    assert [v.weight for v in verdicts[fed.bad:]] == pytest.approx([float(w) for w in outcome.weight])
    if rule != "bulyan":
        assert all(v.kept for v in verdicts[fed.bad:])
    if outcome.trimmed is not None and fed.base is None:  # differences round, and ties come and go with it
        assert [v.trimmed for v in verdicts[fed.bad:]] == pytest.approx(list(outcome.trimmed), abs=1e-12)


@pytest.mark.parametrize("rule", ["mean", "krum", "multi-krum", "mda", "smea"])
@examples(100)
@given(data=st.data())
def test_choices_by_distance(rule, data):
    fed = data.draw(federations(ref.NEEDED[rule], most_f=0 if rule == "mean" else 3))
    parameters = {}
    if rule == "multi-krum" and data.draw(st.booleans()):
        parameters["m"] = data.draw(st.integers(1, fed.n - fed.bad))
    _, row, verdicts = run(fed, rule, **parameters)
    outcome = expected(fed, rule, verdicts, **parameters)
    x, _ = left_of(fed)
    assert [v.weight for v in verdicts[fed.bad:]] == pytest.approx([float(w) for w in outcome.weight])
    assert_near(fed, row, outcome, x[outcome.kept])
    scale = float(np.sum((fed.eps * np.abs(x).max(axis=0) * 4) ** 2))
    compare_scores(verdicts, outcome, fed.bad, scale)


@examples(100)
@given(fed=federations(ref.NEEDED["geometric-median"]))
def test_geometric_median_has_the_least_sum_of_distances(fed):
    nu = 1e-9
    _, row, verdicts = run(fed, "geometric-median", nu=nu, iterations=20000, tolerance=0)
    x, _ = left_of(fed)
    even = np.ones(len(x), ref.WIDE)
    best = min(ref.weiszfeld_objective(x, even, point) for point in
               [*x, expected(fed, "geometric-median", verdicts, nu=nu, iterations=300).values[0]])
    rounding = np.sqrt(np.sum((room_of(fed, x[np.argsort(np.abs(x).sum(axis=1))[:len(x) - fed.f]])) ** 2))
    assert ref.weiszfeld_objective(x, even, row) <= best * (1 + 1e-4) + rounding + nu


@examples(100)
@given(fed=federations(ref.NEEDED["caf"], kinds=("normal", "far")))
def test_caf(fed):
    _, row, verdicts = run(fed, "caf")
    x, f = left_of(fed)
    steps = list(ref.caf_steps(x - (0 if fed.base is None else fed.flat(fed.base)), f))
    if min(step.gap for step in steps) < 0.05:
        return  # two directions of the same variance: either is the largest
    outcome = expected(fed, "caf", verdicts)
    assert_near(fed, row, outcome, x[outcome.kept], 1e-4)


@pytest.mark.parametrize("rounds", [1, 3])
@examples(60)
@given(data=st.data())
def test_dnc_on_all_coordinates(rounds, data):
    fed = data.draw(federations(ref.NEEDED["dnc"], kinds=("normal", "far")))
    _, row, verdicts = run(fed, "dnc", rounds=rounds, seed=data.draw(st.integers(0, 99)))
    x, f = left_of(fed)
    if ref.covariance_top(x - (0 if fed.base is None else fed.flat(fed.base)), np.ones(len(x))).gap < 0.05:
        return
    fed_slack, fed.__class__.slack = fed.__class__.slack, property(lambda self: 1e-4)
    try:
        outcome = expected(fed, "dnc", verdicts)
    finally:
        fed.__class__.slack = fed_slack
    assert_near(fed, row, outcome, x[outcome.kept])
    compare_scores(verdicts, outcome, fed.bad, 1e-4 * float(max(outcome.score)), 1e-3)


@examples(60)
@given(fed=federations(ref.NEEDED["flame"], kinds=("normal", "copies")))
def test_flame_without_noise(fed):
    fed.base = None
    _, row, verdicts = run(fed, "flame", **{"lambda": 0})
    x, _ = left_of(fed)
    outcome = expected(fed, "flame", verdicts)
    assert [v.weight for v in verdicts[fed.bad:]] == pytest.approx([float(w) for w in outcome.weight])
    assert_near(fed, row, outcome, x[outcome.kept], 1e-5)


@examples(60)
@given(data=st.data())
def test_norm_clipping(data):
    fed = data.draw(federations(ref.NEEDED["norm-clipping"]))
    parameters = data.draw(st.sampled_from([{}, {"tau": 0.5}, {"tau": 100.0}]))
    _, row, verdicts = run(fed, "norm-clipping", **parameters)
    outcome = expected(fed, "norm-clipping", verdicts, **parameters)
    x, _ = left_of(fed)
    assert_near(fed, row, outcome, x, 1e-6)
    compare_scores(verdicts, outcome, fed.bad, float(np.sqrt(np.sum((fed.eps * np.abs(x).max(axis=0) * 4) ** 2))))


@examples(60)
@given(fed=federations(lambda f: f + 2, kinds=("normal", "far")))
def test_fltrust(fed):
    base = 0 if fed.base is None else fed.flat(fed.base)
    root = fed.tree(fed.rows[-1] + (0.01 if fed.base else 1) * fed.draw.normal(0, 0.3, fed.d))
    _, row, verdicts = run(fed, "fltrust", root=root)
    outcome = expected(fed, "fltrust", verdicts, root=fed.flat(root) - base)
    x, _ = left_of(fed)
    size = np.array([ref.length(each - base) for each in x])
    reach = base + (x - base) * (ref.length(fed.flat(root) - base) / np.where(size > 0, size, 1))[:, None]
    assert_near(fed, row, outcome, reach, 1e-5)
    assert [v.weight for v in verdicts[fed.bad:]] == pytest.approx([float(w) for w in outcome.weight], abs=1e-5)
    compare_scores(verdicts, outcome, fed.bad, 1e-5)


@examples(40)
@given(data=st.data())
def test_centered_clipping_over_rounds(data):
    state, centre = bezoar.AggregateState(), None
    n, tau, turns = data.draw(st.integers(1, 8)), data.draw(st.sampled_from([0.1, 1.0, 50.0])), data.draw(st.integers(1, 3))
    layers = [((9,), "f4"), ((2, 3), "f8")]
    for turn in range(3):
        fed = Federation(n, layers, "normal", data.draw(st.integers(0, 2**32)), False)
        fed.f, fed.bad = 0, 0
        _, row, verdicts = run(fed, "centered-clipping", state=state, tau=tau, iterations=turns)
        outcome = expected(fed, "centered-clipping", verdicts, tau=tau, iterations=turns, centre=centre)
        centre = row
        assert_near(fed, row, outcome, np.concatenate([fed.rows, [row]]), 1e-6)
        compare_scores(verdicts, outcome, 0, 1e-5)


@examples(40)
@given(data=st.data())
def test_foolsgold_over_rounds(data):
    state, history = bezoar.AggregateState(), 0
    n, kappa = data.draw(st.integers(2, 8)), data.draw(st.sampled_from([0.5, 1.0, 2.0]))
    layers = [((40,), "f4"), ((2, 3), "f8")]
    for turn in range(3):
        fed = Federation(n, layers, "normal", data.draw(st.integers(0, 2**32)), False)
        fed.names, fed.f, fed.bad = [f"c{i}" for i in range(n)], 0, 0
        history = history + fed.rows
        _, row, verdicts = run(fed, "foolsgold", state=state, kappa=kappa)
        outcome = expected(fed, "foolsgold", verdicts, kappa=kappa, history=history)
        assert_near(fed, row, outcome, fed.rows, 1e-5)
        compare_scores(verdicts, outcome, 0, 1e-5)


# ---- pre-aggregators -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pre", [["nnm"], ["clipping"], ["arc"], ["arc", "nnm"], ["nnm", "clipping"], ["nnm", "nnm"]],
                         ids="+".join)
@pytest.mark.parametrize("rule", ["mean", "trimmed-mean", "median", "meamed"])
@examples(25)
@given(data=st.data())
def test_chains(rule, pre, data):
    fed = data.draw(federations(ref.NEEDED["median"], kinds=("normal", "far", "same")))
    tau = data.draw(st.sampled_from([0.5, 3.0]))
    _, row, verdicts = run(fed, rule, pre=pre, **({"clip_tau": tau} if "clipping" in pre else {}))
    x, f = left_of(fed)
    base = 0 if fed.base is None else fed.flat(fed.base)
    rows = x - base
    for name in pre:
        if name == "nnm" and not ref.nnm_is_clear(rows, f):
            return
        rows = ref.PRE[name](rows, f, clip_tau=tau)
    outcome = ref.aggregate(rule, rows, f, ref.Choice(slack=1e-4))
    outcome.values = outcome.values + base
    assert_near(fed, row, outcome, np.concatenate([x, rows + base]), 1e-5)


def buckets_of(names, s, seed):
    """Whose updates share a bucket, asked of the implementation: two bumps in one bucket are clipped as one."""
    n = len(names)

    def bumps(*clients):
        updates = [np.zeros(n, "f8") for _ in range(n)]
        for i in clients:
            updates[i][i] = 1
        pre = ["bucketing", "clipping"]
        return bezoar.aggregate(updates, "mean", 0, pre=pre, clients=names, s=s, seed=seed, clip_tau=1e-3, threads=1)[0]

    alone = [bumps(i)[i] for i in range(n)]
    group = [{j for j in range(n) if j == i or bumps(i, j)[i] < 0.9 * alone[i]} for i in range(n)]
    return sorted({tuple(sorted(g)) for g in group})


@examples(12)
@given(n=st.integers(3, 9), s=st.integers(1, 4), seed=st.integers(0, 2**32), rule=st.sampled_from(["median", "mean", "krum"]))
def test_bucketing(n, s, seed, rule):
    fed = Federation(n, [((17,), "f4"), ((3,), "f8")], "normal", seed, False)
    fed.f, fed.bad = 0, 0
    buckets = buckets_of(fed.names, s, seed)
    assert sorted(map(len, buckets)) == sorted(min(s, n - at) for at in range(0, n, s))
    if len(buckets) < ref.NEEDED[rule](0):
        with pytest.raises(bezoar.UsageError, match="needs at least"):
            run(fed, rule, pre="bucketing", s=s, seed=seed)
        return
    _, row, verdicts = run(fed, rule, pre="bucketing", s=s, seed=seed)
    sizes = np.array([len(bucket) for bucket in buckets], ref.WIDE)  # a bucket weighs what its clients weigh
    rows = ref.bucketing(fed.rows, 0, buckets=buckets)
    outcome = ref.RULES[rule](rows, 0, ref.Choice(slack=1e-5), sizes)
    assert_near(fed, row, outcome, fed.rows)
    again, _ = bezoar.aggregate(fed.updates[::-1], rule, 0, pre="bucketing", s=s, seed=seed, clients=fed.names[::-1])
    assert digest([again]) == digest([run(fed, rule, pre="bucketing", s=s, seed=seed)[0]])


# ---- weights ---------------------------------------------------------------------------------------------------------


@examples(60)
@given(data=st.data())
def test_declared_counts_are_capped(data):
    fed = data.draw(federations(lambda f: f + 1, bad=False, kinds=("normal",)))
    counts = data.draw(st.lists(st.sampled_from([1, 2, 10, 100, 1e9]), min_size=fed.n, max_size=fed.n))
    cap = data.draw(st.sampled_from([None, 0.3, 0.5, 1.0]))
    _, row, verdicts = run(fed, "mean", examples=counts, max_weight=cap)
    share = ref.capped_shares(counts, max(cap or 1 / (fed.n - fed.f), 1 / fed.n))
    assert [v.weight for v in verdicts] == pytest.approx([float(w) for w in share], abs=1e-9)
    assert_near(fed, row, ref.aggregate("mean", fed.rows, 0, weight=share), fed.rows, 1e-9)


# ---- sameness --------------------------------------------------------------------------------------------------------

ALL = [rule["name"] for rule in bezoar.list_aggregators() if not rule["pre"] and not rule["stateful"]]


@pytest.mark.parametrize("rule", ALL)
@examples(25)
@given(data=st.data())
def test_threads_and_order_do_not_matter(rule, data):
    """Bytes for bytes when updates move with their clients; and by rounding alone when the names stay where they were."""
    fed = data.draw(federations(ref.NEEDED.get(rule, lambda f: f + 2), most_f=2))
    root = fed.tree(np.array(fed.rows[-1], "f8")) if rule == "fltrust" else None
    pre = data.draw(st.sampled_from([[], ["nnm"], ["arc"]])) if rule not in ("bulyan", "fltrust", "mean") else []
    same = {"root": root, "pre": pre}
    try:
        result, row, _ = run(fed, rule, **same)
    except bezoar.UsageError as error:
        assert "needs at least" in str(error) or "nothing to aggregate" in str(error)
        return
    for threads in (1, 2, 3, 8):
        assert digest([run(fed, rule, threads=threads, **same)[0]]) == digest([result])
    order = data.draw(st.permutations(range(fed.n)))
    updates = [fed.updates[i] for i in order]
    moved, _ = bezoar.aggregate(updates, rule, fed.f, reference=fed.base, clients=[fed.names[i] for i in order], **same)
    assert digest([moved]) == digest([result])
    if rule == "flame" or fed.kind not in ("normal", "far"):
        return  # flame's noise apart, ties of two directions or two medians are broken by the order of the sums
    others, _ = bezoar.aggregate(updates, rule, fed.f, reference=fed.base, clients=fed.names, **same)
    x, _ = left_of(fed)
    assert (np.abs(fed.flat(others) - row) <= room_of(fed, x)).all()


# ---- errors ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", sorted(ref.NEEDED))
def test_errors_say_how_many_clients_are_needed(rule):
    if rule in ("mean", "centered-clipping"):
        return
    for f in (0, 1, 3):
        least = ref.NEEDED[rule](f)
        updates = [np.full(3, float(i), "f4") for i in range(least - 1)]
        if not updates:
            continue
        with pytest.raises(bezoar.UsageError, match=f"needs at least {least} updates for f = {f}; there are {least - 1}"):
            bezoar.aggregate(updates, rule, f)
        if f:
            updates += [np.full(3, np.nan, "f4")] + [np.full(3, 0.5, "f4")] * (ref.NEEDED[rule](f - 1) - least)
            if len(updates) - 1 >= ref.NEEDED[rule](f - 1):
                bezoar.aggregate(updates, rule, f)


# ---- other types -----------------------------------------------------------------------------------------------------

WHOLE = ["i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "?"]


@examples(40)
@given(data=st.data())
def test_integers_are_chosen_never_averaged(data):
    n, dtype = data.draw(st.integers(1, 9)), data.draw(st.sampled_from(WHOLE))
    low, high = (0, 1) if dtype == "?" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
    values = st.one_of(st.integers(low, high), st.sampled_from([low, high]))
    rows = np.array(data.draw(st.lists(st.lists(values, min_size=3, max_size=3), min_size=n, max_size=n)), dtype)
    updates = [{"w": np.zeros(2, "f4"), "steps": row} for row in rows]
    base = {"w": np.zeros(2, "f4"), "steps": np.array(data.draw(st.lists(values, min_size=3, max_size=3)), dtype)}
    ranked = np.sort(rows, axis=0)
    for policy, want in (("median", ranked[(n - 1) // 2]), ("maximum", ranked[-1]), ("reference", base["steps"])):
        result, _ = bezoar.aggregate(updates, "median", 0, integers=policy, reference=base, threads=1)
        assert result["steps"].dtype == rows.dtype and (result["steps"] == want).all()


def save_bfloat16(path, rows):
    """One tensor of bfloat16, given as floats that are such numbers."""
    bits = (np.asarray(rows, "f4").view("u4") >> 16).astype("u2")
    header = json.dumps({"w": {"dtype": "BF16", "shape": list(bits.shape), "data_offsets": [0, bits.nbytes]}}).encode()
    header += b" " * (-len(header) % 8)
    path.write_bytes(struct.pack("<Q", len(header)) + header + bits.tobytes())


def load_floats(path):
    raw = path.read_bytes()
    bits = np.frombuffer(raw[8 + struct.unpack("<Q", raw[:8])[0]:], "u2").astype("u4") << 16
    return bits.view("f4").astype(ref.WIDE)


@pytest.mark.parametrize("rule", ["mean", "trimmed-mean", "median", "meamed", "krum", "multi-krum"])
def test_bfloat16_files(rule, tmp_path):
    draw = np.random.default_rng(5)
    rows = draw.normal(0.5, 1, (9, 1500)).astype("f4")
    rows = (rows.view("u4") & 0xFFFF0000).view("f4")  # cut to bfloat16
    paths = [tmp_path / f"{i}.safetensors" for i in range(9)]
    for path, row in zip(paths, rows):
        save_bfloat16(path, row)
    bezoar.aggregate_files(paths, tmp_path / "new.safetensors", rule, 2)
    got = load_floats(tmp_path / "new.safetensors")
    outcome = ref.aggregate(rule, rows, 2)
    assert (np.min(np.abs(outcome.values - got), axis=0) <= np.abs(got) * 2.0**-8 + 1e-7).all()


# ---- many clients ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", ["trimmed-mean", "median", "meamed", "multi-krum", "caf", "dnc"])
@pytest.mark.parametrize("n", [33, 64, 100, 140])
def test_a_hundred_clients(rule, n):
    """Above 32 clients values are sorted in another way, and above some eigenvectors are sought in another."""
    for seed, kind in enumerate(("normal", "far") if rule in ("caf", "dnc") else ("ties", "far", "copies")):
        fed = Federation(n, [((33,), "f4"), ((2,), "f8")], kind, seed, seed == 1)
        fed.f, fed.bad = (n - 1) // 4, 0
        _, row, verdicts = run(fed, rule)
        base = 0 if fed.base is None else fed.flat(fed.base)
        if rule == "dnc":
            assert ref.covariance_top(fed.rows - base, np.ones(n)).gap > 0.01
        if rule == "caf" and min(step.gap for step in ref.caf_steps(fed.rows - base, fed.f)) < 0.02:
            continue
        outcome = expected(fed, rule, verdicts)
        members = inner_members(fed, rule, outcome, fed.rows) if rule in ORDERED else fed.rows[outcome.kept]
        assert_near(fed, row, outcome, members, 1e-4 if rule == "caf" else 0)
