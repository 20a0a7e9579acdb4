"""Trees and views of every form: bezoar.aggregate gives what NumPy gives for the stacked copies."""
import numpy as np
from hypothesis import given, settings, strategies as st

import bezoar

FLOATS, WHOLE = ["f2", "f4", "f8"], ["i1", "u2", "i4", "i8", "?"]
SIZES = st.lists(st.integers(0, 5), max_size=4)


@st.composite
def views(draw, dtype, shape):
    """The same numbers twice: as a plain array, and as some view of a larger one."""
    seed = draw(st.integers(0, 2**32 - 1))
    plain = np.random.default_rng(seed).integers(-99, 99, size=shape).astype(dtype)
    steps = [draw(st.sampled_from([1, 2, 3, -1, -2])) for _ in shape]
    order = draw(st.permutations(range(len(shape))))
    room = np.zeros([1 + k * abs(step) for k, step in zip(shape, steps)], dtype).transpose(order).copy(order="C")
    view = room.transpose(np.argsort(order))[(*(slice(None, None, s) for s in steps), ...)]
    view = view[(*map(slice, shape), ...)]
    view[...] = plain
    view.setflags(write=draw(st.booleans()))
    return plain, view


@st.composite
def problems(draw):
    """(updates as views, the same as plain arrays), both as trees of one form."""
    dtypes = draw(st.lists(st.sampled_from(FLOATS + WHOLE), min_size=1, max_size=4))
    shapes = [tuple(draw(SIZES)) for _ in dtypes]
    n = draw(st.integers(1, 7))
    pairs = [[draw(views(d, s)) for d, s in zip(dtypes, shapes)] for _ in range(n)]
    form = draw(st.sampled_from([
        lambda leaves: list(leaves),
        lambda leaves: {f"layer {i}": leaf for i, leaf in enumerate(leaves)},
        lambda leaves: {"first": leaves[0], "rest": (list(leaves[1:]), {"none": []})},
    ]))
    return [form([view for _, view in leaves]) for leaves in pairs], [form([plain for plain, _ in leaves]) for leaves in pairs]


def leaves_of(tree):
    if isinstance(tree, np.ndarray):
        return [tree]
    return [leaf for child in (tree.values() if isinstance(tree, dict) else tree) for leaf in leaves_of(child)]


def form_of(tree):
    if isinstance(tree, np.ndarray):
        return None
    if isinstance(tree, dict):
        return {key: form_of(child) for key, child in tree.items()}
    return type(tree)(map(form_of, tree))


@settings(max_examples=150, deadline=None)
@given(problems(), st.sampled_from([1, 2, 3]))
def test_median_of_views(problem, threads):
    updates, plain = problem
    before = [leaf.copy() for update in updates for leaf in leaves_of(update)]
    result, verdicts = bezoar.aggregate(updates, "median", threads=threads)
    assert form_of(result) == form_of(updates[0]) and len(verdicts) == len(updates)
    for got, *each in zip(leaves_of(result), *map(leaves_of, plain)):
        stack = np.stack(each)
        assert got.dtype == stack.dtype and got.shape == stack.shape[1:] and got.flags.c_contiguous
        if stack.dtype.kind == "f":  # half sums of whole numbers below 100 are exact in every type
            assert np.array_equal(got, np.median(stack.astype("f8"), axis=0).astype(stack.dtype))
        else:
            assert np.array_equal(got, np.sort(stack, axis=0)[(len(updates) - 1) // 2])
    assert all(np.array_equal(a, b) for a, b in zip(before, (leaf for u in updates for leaf in leaves_of(u))))
    again, _ = bezoar.aggregate(plain, "median", threads=1)
    assert all(a.tobytes() == b.tobytes() for a, b in zip(leaves_of(result), leaves_of(again)))


@settings(max_examples=60, deadline=None)
@given(problems(), st.sampled_from(["trimmed-mean", "krum", "geometric-median", "caf"]))
def test_views_and_copies_give_the_same_bytes(problem, rule):
    updates, plain = problem
    by_view, one = bezoar.aggregate(updates, rule, integers="maximum") if len(updates) > 2 else (None, None)
    if by_view is None:
        return
    by_copy, two = bezoar.aggregate(plain, rule, integers="maximum")
    assert all(a.tobytes() == b.tobytes() for a, b in zip(leaves_of(by_view), leaves_of(by_copy))) and one == two
