"""Reads one Parquet or Arrow file row by row for the vault: `python3 -P -m bezoar.columns_worker`, in a sandbox.

As bezoar.parquet_worker, with three differences: nothing is laid flat, and nothing is refused. Lists, structs and maps
are sent as JSON text without blanks and with sorted keys, bytes as their SHA-256, and the first letter of every
column's name says which: "j" JSON, "d" digest, "p" a plain value as parquet_worker sends it.
"""

import datetime
import decimal
import hashlib
import json
import math
import os
import struct
import sys

from bezoar import parquet_worker
from bezoar.parquet_worker import BATCH_ROWS, NO_PYARROW, VERSION, Failure, send_batch, wire_type


def shorten(text):
    """A fraction of a second without its last zeros, as plain columns of times are written."""
    return text.rstrip("0").rstrip(".") if "." in text else text


def plain(value):
    """A value within a list or struct as what JSON can say."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, (bytes, bytearray, memoryview)):
        return "sha256:" + hashlib.sha256(value).hexdigest()
    if isinstance(value, (datetime.datetime, datetime.time)):
        return shorten(value.isoformat())
    if value is None or isinstance(value, (bool, int, str)):
        return value
    return value.isoformat() if isinstance(value, datetime.date) else str(value)


def as_json(value):
    return json.dumps(plain(value), ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode("utf-8", "replace")


def column_plan(field):
    """(letter, Arrow format, type to cast to or None) of a column."""
    import pyarrow as pa

    try:
        return ("p", *wire_type((field.name,), field.type))
    except Failure:
        t, kind = pa.types, field.type
        if t.is_dictionary(kind):
            kind = kind.value_type
        binary = t.is_binary(kind) or t.is_large_binary(kind) or t.is_fixed_size_binary(kind)
        if hasattr(t, "is_binary_view"):
            binary = binary or t.is_binary_view(kind)
        return "d" if binary else "j", "U", None


def sendable(array, letter):
    """The column as parquet_worker's frames can hold it."""
    import pyarrow as pa

    if letter == "p":
        return array
    turn = as_json if letter == "j" else lambda value: hashlib.sha256(value).digest()
    return pa.array([None if value is None else turn(value) for value in array.to_pylist()], type=pa.large_binary())


def open_file(pa):
    """(schema, iterator over record batches) of the file at descriptor 3."""
    import pyarrow.ipc
    import pyarrow.parquet as pq

    file = os.fdopen(3, "rb")
    head = os.pread(3, 6, 0)
    if head[:4] == b"PAR1":
        reader = pq.ParquetFile(file)
        return reader.schema_arrow, reader.iter_batches(batch_size=BATCH_ROWS, use_threads=False)
    if head == b"ARROW1":
        reader = pa.ipc.open_file(file)
        return reader.schema, (reader.get_batch(i) for i in range(reader.num_record_batches))
    if head[:4] == b"\xff\xff\xff\xff":
        reader = pa.ipc.open_stream(file)
        return reader.schema, iter(reader)
    raise Failure("neither Parquet nor Arrow: encrypted files and Feather version 1 are not read")


def serve(out):
    import pyarrow as pa

    try:
        schema, batches = open_file(pa)
        columns = [column_plan(field) for field in schema]
        out.write(b"S" + struct.pack("<I", len(columns)))
        for (letter, fmt, _), field in zip(columns, schema):
            for text in (fmt, letter + field.name):
                data = text.encode("utf-8", "replace")
                out.write(struct.pack("<I", len(data)) + data)
        rows = 0
        names = [str(i) for i in range(len(columns))]  # a name may stand twice; places do not
        wanted = [((name,), fmt, cast) for name, (_, fmt, cast) in zip(names, columns)]
        for whole in batches:
            for at in range(0, whole.num_rows, BATCH_ROWS):
                batch = whole.slice(at, BATCH_ROWS)
                arrays = [sendable(batch.column(i), letter) for i, (letter, _, _) in enumerate(columns)]
                send_batch(out, pa.RecordBatch.from_arrays(arrays, names=names), wanted)
                rows += batch.num_rows
        out.write(b"E" + struct.pack("<Q", rows))
    except (Failure, pa.ArrowException, OSError, ValueError, KeyError, MemoryError, OverflowError,
            decimal.DecimalException) as failure:
        data = (str(failure).splitlines() or [type(failure).__name__])[0].encode("utf-8", "replace")[:400]
        out.write(b"X" + struct.pack("<I", len(data)) + data)


def main():
    try:
        import pyarrow
        import pyarrow.compute
        import pyarrow.ipc
        import pyarrow.parquet
    except ImportError:
        os._exit(NO_PYARROW)
    pyarrow.set_cpu_count(1)
    pyarrow.set_io_thread_count(1)
    # What is loaded late is loaded before the filter.
    "".encode("utf-8").decode("ascii")
    hashlib.sha256(b"").digest()
    pyarrow.array([[{"a": b""}], None]).to_pylist()
    json.dumps({"a": 1.5})
    parquet_worker.apply_filter(4)
    out = sys.stdout.buffer
    out.write(b"BZPQ" + struct.pack("<I", VERSION))
    serve(out)
    out.flush()
    os._exit(0)  # no clean-up by code that has seen the file


if __name__ == "__main__":
    main()
