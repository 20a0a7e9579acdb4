"""The same data from a file and from memory gives the same report, whatever holds it."""
import json

import bezoar
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st


def columns(data, **options):
    """{name: (type, distinct, missing)} as the report has it, and the number of rows."""
    report = json.loads(bezoar.scan(data, **options).to_json(without_run=True))
    return {c["name"]: (c["type"], c["distinct"], c["missing"]) for c in report["data"]["columns"]}, report["data"]["rows"]


def findings(report):
    return [(f.rule, f.fingerprint, f.score, list(f.rows)) for f in report]


@pytest.fixture(scope="module")
def frame(tricked_file):
    return pd.read_csv(tricked_file[0], sep="\t", quoting=3, keep_default_na=False)


def test_every_holder_gives_the_findings_of_the_file(tricked_file, frame):
    table = pa.Table.from_pandas(frame)
    labels = frame["Label"].to_numpy(dtype=object)
    texts = frame["SMS"].to_numpy(dtype=object)
    record = np.rec.fromarrays([labels.astype(str), texts.astype(str)], names=["Label", "SMS"])
    holders = {
        "pandas": frame,
        "pandas, rows renamed": frame.set_index(pd.Index(range(len(frame), 0, -1))),
        "pyarrow": table,
        "pyarrow in batches": pa.Table.from_batches(table.to_batches(max_chunksize=700)),
        "pyarrow reader": pa.RecordBatchReader.from_batches(table.schema, table.to_batches()),
        "dictionary encoded": table.set_column(0, "Label", table["Label"].dictionary_encode()),
        "string views": table.cast(pa.schema([("Label", pa.string_view()), ("SMS", pa.string_view())])),
        "large strings": table.cast(pa.schema([("Label", pa.large_string()), ("SMS", pa.large_string())])),
        "dict": {"Label": labels, "SMS": texts},
        "dict of lists": {"Label": labels.tolist(), "SMS": texts.tolist()},
        "structured array": record,
    }
    want = findings(bezoar.scan(tricked_file[0], label="Label", text="SMS"))
    assert want
    for name, data in holders.items():
        assert findings(bezoar.scan(data, label="Label", text="SMS")) == want, name


def test_pandas_without_pyarrow(frame, monkeypatch):
    want = findings(bezoar.scan(frame, label="Label"))

    def refuse(self, requested_schema=None):
        raise ImportError("pyarrow is needed")

    monkeypatch.setattr(pd.DataFrame, "__arrow_c_stream__", refuse)
    assert findings(bezoar.scan(frame, label="Label")) == want


def test_every_numpy_type():
    rows = 40
    data = {f"n{code}": np.arange(rows).astype(code) for code in
            ("i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f2", "f4", "f8", ">i4", ">f8")}
    data["bool"] = np.arange(rows) % 2 == 0
    data["time"] = np.datetime64("2024-01-01", "ns") + np.arange(rows) * np.timedelta64(1, "h")
    data["day"] = np.datetime64("2024-01-01", "D") + np.arange(rows)
    data["gap"] = np.where(np.arange(rows) < 3, np.datetime64("NaT"), np.datetime64("2024-01-01T00:00", "s"))
    data["nan"] = np.where(np.arange(rows) < 5, np.nan, 1.5)
    data["str"] = np.array(["α", "b"] * (rows // 2))
    data["bytes"] = np.array([b"x", b"yy"] * (rows // 2))
    data["obj"] = np.array([None, "z", 3, pd.NA, float("nan")] * (rows // 5), dtype=object)
    seen, n = columns(data)
    assert n == rows and list(seen) == list(data)
    for name in data:
        if name.startswith("n") and name != "nan":
            assert seen[name][1:] == (rows, 0), name
    assert seen["bool"] == ("categorical", 2, 0) or seen["bool"][1:] == (2, 0)
    assert seen["time"][:2] == ("time", rows)
    assert seen["day"][:2] == ("time", rows)
    assert seen["gap"][1:] == (1, 3)
    assert seen["nan"][1:] == (1, 5)
    assert seen["str"][1:] == seen["bytes"][1:] == (2, 0)
    assert seen["obj"][1:] == (2, 24)


def test_arrays_name_their_columns():
    seen, _ = columns(np.zeros((10, 3)))
    assert list(seen) == ["c0", "c1", "c2"]
    seen, _ = columns(np.arange(10))
    assert list(seen) == ["value"]
    seen, _ = columns(np.zeros(5, dtype=[("a", "i4"), ("b", [("c", "f4"), ("d", "u1", (2,))])]))
    assert list(seen) == ["a", "b.c", "b.d.0", "b.d.1"]
    seen, n = columns(np.asfortranarray(np.arange(12.0).reshape(4, 3))[::2], label=["x", "y"])
    assert list(seen) == ["c0", "c1", "c2", "label"] and n == 2


def test_what_is_not_a_table_is_refused():
    with pytest.raises(ValueError):
        bezoar.scan(np.zeros((2, 2, 2)))
    with pytest.raises(ValueError):
        bezoar.scan({"a": [1, 2], "b": [1]})
    with pytest.raises(TypeError):
        bezoar.scan(np.zeros(3, dtype=complex))
    with pytest.raises(TypeError):
        bezoar.scan("data.csv", label=["a", "b"])
    with pytest.raises(ValueError):
        bezoar.scan({"label": [1, 2]}, label=[1, 2])
    with pytest.raises(bezoar.UnsupportedError) as caught:
        bezoar.scan(pa.table({"pictures": [b"\x89PNG", b"x"]}))
    assert caught.value.subject == "pictures"


def test_arrow_types_and_structs():
    table = pa.table({
        "s": pa.array([{"a": 1, "b": "x"}, None, {"a": 3, "b": None}] * 4),
        "d": pa.array([1, None, 3] * 4, pa.date32()),
        "t": pa.array([1, 2, None] * 4, pa.timestamp("us", tz="UTC")),
        "n": pa.nulls(12),
        "c": pa.array([None, "u", "v"] * 4).dictionary_encode(),
        "m": pa.array([None, 1, 2] * 4, pa.decimal128(9, 2)),
    }).slice(2, 7)
    seen, n = columns(table)
    assert n == 7
    assert list(seen) == ["s.a", "s.b", "d", "t", "n", "c", "m"]
    assert seen["s.a"][1:] == (2, 2) and seen["s.b"][1:] == (1, 5)
    assert seen["d"][1:] == (2, 2) and seen["t"][1:] == (2, 3)
    assert seen["n"][1:] == (0, 7) and seen["c"][1:] == (2, 2) and seen["m"][1:] == (2, 2)


cell = st.one_of(st.none(), st.text(st.characters(exclude_categories=["Cs"]), max_size=8))


@settings(max_examples=60, deadline=None)
@given(st.lists(cell, min_size=1, max_size=30))
def test_any_text_arrives_the_same_by_both_ways(values):
    by_numpy, _ = columns({"x": np.array([*values, None], dtype=object)}, types={"x": "categorical"})
    by_arrow, _ = columns(pa.table({"x": pa.array([*values, None], pa.string())}), types={"x": "categorical"})
    assert by_numpy == by_arrow


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(allow_infinity=False), min_size=1, max_size=30))
def test_any_number_arrives(values):
    array = np.array(values)
    seen, n = columns(array, types={"value": "numeric"})
    assert n == len(values)
    assert seen["value"][2] == int(np.isnan(array).sum())
    assert seen["value"][1] == len(set(array[~np.isnan(array)].tolist()))
