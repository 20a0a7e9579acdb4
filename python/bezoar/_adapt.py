"""What people hold in memory, as one Arrow C stream."""

from __future__ import annotations

import os

from . import _core

_INTEGERS = {"i1": "c", "u1": "C", "i2": "s", "u2": "S", "i4": "i", "u4": "I", "i8": "l", "u8": "L"}
_FLOATS = {"f2": "e", "f4": "f", "f8": "g"}
_TIME_UNITS = {"s": "s", "ms": "m", "us": "u", "ns": "n"}


def as_source(data, labels=None):
    """(list of paths or stream capsule, what must stay alive). Labels become one more column "label"."""
    if isinstance(data, (str, os.PathLike)):
        paths = [os.fsdecode(data)]
    elif isinstance(data, (list, tuple)) and data and all(isinstance(p, (str, os.PathLike)) for p in data):
        paths = [os.fsdecode(p) for p in data]
    else:
        return _stream(data, labels)
    if labels is not None:
        raise TypeError("labels in memory need data in memory; for files name the label column")
    return paths, None


def _stream(data, labels):
    if labels is None and hasattr(data, "__arrow_c_stream__"):
        if _is_pandas(data):
            data = data.reset_index(drop=True)
        try:
            return data.__arrow_c_stream__(), data
        except ImportError:  # pandas without pyarrow
            pass
        except Exception:
            if not _is_pandas(data):  # pandas: columns of mixed Python objects, which become text below
                raise
    columns = _columns(data)
    if labels is not None:
        if any(name == "label" for name, _ in columns):
            raise ValueError('labels were given, and the data has a column "label" of its own')
        columns.append(("label", _array(labels)))
    rows = len(columns[0][1]) if columns else 0
    for name, column in columns:
        if len(column) != rows:
            raise ValueError(f"column {name!r} has {len(column)} rows, not {rows}")
    specs = [_spec(name, column) for name, column in columns]
    return _core.column_stream(specs, rows), specs


def _is_pandas(data):
    return type(data).__module__.partition(".")[0] == "pandas"


def _array(values):
    import numpy as np

    if hasattr(values, "to_numpy"):
        values = values.to_numpy()
    array = np.asarray(values)
    if array.ndim != 1:
        raise ValueError(f"a column has {array.ndim} dimensions, not one")
    return array


def _columns(data):
    """[(name, 1-D array)] of a DataFrame, a dict of columns, or a NumPy array."""
    import numpy as np

    if hasattr(data, "columns") and hasattr(data, "__getitem__") and not isinstance(data, dict):
        return [(str(name), _array(data.iloc[:, i] if hasattr(data, "iloc") else data[name]))
                for i, name in enumerate(data.columns)]
    if isinstance(data, dict):
        return [(str(name), _array(values)) for name, values in data.items()]
    if not hasattr(data, "__array__") and not hasattr(data, "__len__"):
        raise TypeError(f"cannot scan an object of type {type(data).__name__}")
    array = np.asarray(data)
    if array.dtype.names:
        return [pair for name in array.dtype.names for pair in _field(name, array[name])]
    return _field("", array)


def _field(name, array):
    if array.dtype.names:
        return [pair for inner in array.dtype.names for pair in _field(f"{name}.{inner}", array[inner])]
    if array.ndim == 1:
        return [(name or "value", array)]
    if array.ndim == 2:
        prefix = f"{name}." if name else "c"
        return [(f"{prefix}{i}", array[:, i]) for i in range(array.shape[1])]
    raise ValueError(f"an array of {array.ndim} dimensions is not a table")


def _spec(name, array):
    """(name, Arrow format, validity, values, characters) of a column."""
    import numpy as np

    kind = array.dtype.kind
    native = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("="))
    if kind == "b":
        return name, "b", None, np.packbits(native, bitorder="little"), None
    if kind in "iuf" and native.dtype.str[1:] in {**_INTEGERS, **_FLOATS}:
        return name, {**_INTEGERS, **_FLOATS}[native.dtype.str[1:]], None, native, None
    if kind == "M":
        unit = np.datetime_data(native.dtype)[0]
        if unit not in _TIME_UNITS:
            native, unit = native.astype("M8[s]"), "s"
        valid = np.packbits(~np.isnat(native), bitorder="little")
        return name, f"ts{_TIME_UNITS[unit]}:", valid, native.view("i8"), None
    if kind == "m":
        valid = np.packbits(~np.isnat(native), bitorder="little")
        return name, "l", valid, native.view("i8"), None
    if kind in "UST" or kind == "O":
        return _text_spec(name, native)
    raise TypeError(f"column {name!r}: NumPy type {array.dtype} is not read")


def _missing(value):
    return value is None or value != value or type(value).__name__ in ("NAType", "NaTType")


def _encode(value):
    if isinstance(value, bytes):
        return value
    return str(value).encode("utf-8", "surrogatepass")


def _text_spec(name, array):
    import numpy as np

    values = array.tolist()
    valid = None
    if array.dtype.kind == "O":
        present = [not _safely(_missing, value) for value in values]
        valid = np.packbits(np.array(present, dtype=bool), bitorder="little")
        values = [value if here else b"" for value, here in zip(values, present)]
    parts = [_encode(value) for value in values]
    offsets = np.zeros(len(parts) + 1, dtype=np.int64)
    np.cumsum([len(part) for part in parts], out=offsets[1:])
    return name, "U", valid, offsets, b"".join(parts)


def _safely(function, value):
    """pandas.NA and arrays inside cells do not compare to a bool."""
    try:
        return bool(function(value))
    except (TypeError, ValueError):
        return type(value).__name__ == "NAType"
