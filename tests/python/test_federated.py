"""What the adapters for Flower and NVFlare share, without either: tests with the real packages are in federated/."""
import importlib.util
import io
import math
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, strategies as st

import bezoar
from bezoar._federated import Federation, Lost, Malformed, Update, check, fit, median_metrics, read_npy, restored


def test_frameworks_are_imported_only_on_demand_and_named_when_missing():
    code = "import sys, bezoar; print([m for m in sys.modules if m.startswith(('flwr', 'nvflare', 'bezoar.flower', 'bezoar.nvflare'))])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
    for module, package in (("bezoar.flower", "flwr"), ("bezoar.nvflare", "nvflare")):
        if importlib.util.find_spec(package) is None:
            with pytest.raises(ImportError, match=r"pip install \"bezoar\["):
                importlib.import_module(module)


def saved(array):
    out = io.BytesIO()
    np.save(out, array)
    return out.getvalue()


@pytest.mark.parametrize("array", [
    np.arange(6, dtype=">f8").reshape(2, 3), np.asfortranarray(np.arange(6.0).reshape(2, 3)), np.array(3), np.zeros((0, 4)),
    np.array([True, False]), np.arange(5, dtype=np.float16)])
def test_npy_is_read_where_it_lies(array):
    data = saved(array)
    got = read_npy(data)
    assert np.array_equal(got, array) and got.dtype == array.dtype and got.shape == array.shape
    assert not got.size or not got.flags.owndata


@given(st.binary(max_size=200), st.integers(0, 127), st.integers(0, 255))
def test_broken_npy_is_malformed_and_nothing_else(tail, at, byte):
    data = bytearray(saved(np.arange(12.0)))
    data[at] = byte
    for broken in (bytes(data), bytes(data[:at]), tail, bytes(data[:at]) + tail):
        try:
            assert read_npy(broken).dtype.kind in "fiub"
        except Malformed:
            pass


def test_layers_must_be_those_of_the_model():
    model = {"w": np.zeros((2, 2), np.float32), "n": np.array(1)}
    good = {"n": np.array(2), "w": np.ones((2, 2))}
    assert list(check(good, model)) == ["w", "n"] and check(good, model)["w"].dtype == np.float32
    for change, text in (({"w": np.ones(4)}, "shape"), ({"n": np.array(2.5)}, "type"), ({"w": good["w"] * np.inf}, "NaN or infinity"),
                         ({"x": good["w"]}, "unknown")):
        with pytest.raises(Malformed, match=text):
            check({**good, **change}, model)
    with pytest.raises(Malformed, match='no layer "n"'):
        check({"w": good["w"]}, model)
    assert fit(model["w"], model["w"], "w") is model["w"]  # nothing is copied that need not be


def test_restored_types():
    model = {"w": np.zeros(2, np.float32), "n": np.array(1)}
    out = restored({"w": np.array([1.5, 2.5]), "n": np.array(6.9999)}, model)
    assert out["w"].dtype == np.float32 and out["n"].dtype == np.int64 and out["n"] == 7 and out["n"].shape == ()


@given(st.lists(st.floats(-1e3, 1e3), min_size=3, max_size=9), st.floats(allow_nan=True, allow_infinity=True))
def test_fewer_than_half_cannot_move_a_median_metric_past_the_others(honest, lie):
    liars = (len(honest) - 1) // 2
    out = median_metrics([{"loss": value} for value in honest] + [{"loss": lie, "own": 1.0}] * liars)
    assert min(honest) <= out["loss"] <= max(honest) and "own" not in out


def updates(n):
    return [Update(str(i), {"w": np.array([float(i), 1.0])}) for i in range(n)]


@pytest.mark.parametrize("f, valid, faulty, expected", [
    (0.29, 100, 0, 29), (0.2, 20, 0, 4), (0.2, 16, 4, 3), (0.49, 3, 0, 1), (4, 16, 4, 0), (4, 18, 2, 2)])
def test_f_of_a_round(f, valid, faulty, expected):
    lost = [Lost(f"x{i}", "not-finite", "") for i in range(faulty)]
    out = Federation(f=f).run(1, updates(valid), lost)
    assert (out.f, out.n, out.cause) == (expected, valid, None)
    assert np.isfinite(out.arrays["w"]).all()


def test_a_failed_round_has_rows_and_a_cause():
    out = Federation(f=1).run(3, updates(5), [Lost("a", "malformed", "x"), Lost("b", "twice", "y")])
    assert out.arrays is None and isinstance(out.cause, bezoar.UsageError) and len(out.rows) == 7
    assert out.numbers()["bezoar-failed"] == 1 and "2 of 7" in out.texts()["bezoar-failure"]
    assert math.isnan(out.numbers()["bezoar-client-distance"][0])
    crashed = Federation(f=1).run(3, updates(5), [Lost(str(i), "error", "") for i in "abc"])
    assert crashed.cause is None and crashed.f == 1
