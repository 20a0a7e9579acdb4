"""Writes one Parquet file for the command: `python3 -P -m bezoar.parquet_writer`, started in a sandbox by libbezoar.

Descriptor 3 is a socket, 4 the second system call filter, standard output the pipe. "BZPW" and the version are sent,
then frames come over the socket:

    S  schema  u32 columns, each: type (i, d, b, s), u32 length + name
    B  batch   u64 rows, each column its buffers as Arrow has them: u64 length + bytes; validity, values, for s the text
    E  end     u64 rows

with little-endian numbers. Each is answered, so that neither side waits for the other: D, u64 length + the bytes of the
file that have come about, or X, u32 length + what is wrong.
"""

import os
import socket
import struct
import sys

from bezoar.parquet_worker import NO_PYARROW, apply_filter

VERSION = 1


class Frames:
    """What comes over the socket."""

    def __init__(self, peer):
        self.file = peer.makefile("rb", buffering=1 << 20)

    def take(self, count):
        data = self.file.read(count)
        if len(data) != count:
            raise EOFError("the frames end too early")
        return data

    def number(self, form):
        return struct.unpack(form, self.take(struct.calcsize(form)))[0]

    def sized(self):
        return self.take(self.number("<Q"))


class Sink:
    """The file, as far as it has not been sent."""

    closed = False

    def __init__(self):
        self.pieces = []
        self.length = 0

    def write(self, data):
        self.pieces.append(bytes(data))
        self.length += len(data)
        return len(data)

    def tell(self):
        return self.length

    def flush(self):
        pass

    def close(self):
        pass

    def answer(self, out):
        data = b"".join(self.pieces)
        self.pieces = []
        out.write(b"D" + struct.pack("<Q", len(data)) + data)
        out.flush()


def write(frames, out):
    import pyarrow as pa
    import pyarrow.parquet as pq

    types = {"i": pa.int64(), "d": pa.float64(), "b": pa.bool_(), "s": pa.large_string()}
    if frames.take(1) != b"S":
        raise ValueError("no schema")
    fields = []
    for _ in range(frames.number("<I")):
        letter = frames.take(1).decode("ascii")
        name = frames.take(frames.number("<I")).decode("utf-8", "replace")
        fields.append(pa.field(name, types[letter]))
    schema, rows, sink = pa.schema(fields), 0, Sink()
    writer = pq.ParquetWriter(pa.PythonFile(sink, mode="w"), schema, compression="zstd")
    sink.answer(out)
    while (tag := frames.take(1)) == b"B":
        count = frames.number("<Q")
        arrays = []
        for field in fields:
            parts = 3 if pa.types.is_large_string(field.type) else 2
            arrays.append(pa.Array.from_buffers(field.type, count, [pa.py_buffer(frames.sized()) for _ in range(parts)]))
        batch = pa.RecordBatch.from_arrays(arrays, schema=schema)
        batch.validate(full=True)
        writer.write_table(pa.Table.from_batches([batch]))
        rows += count
        sink.answer(out)
    if tag != b"E" or frames.number("<Q") != rows:
        raise ValueError("rows were lost")
    writer.close()
    sink.answer(out)


def main():
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        os._exit(NO_PYARROW)
    pyarrow.set_cpu_count(1)
    pyarrow.set_io_thread_count(1)
    out = sys.stdout.buffer
    out.write(b"BZPW" + struct.pack("<I", VERSION))
    out.flush()
    peer = socket.socket(fileno=3)
    "".encode("utf-8").decode("ascii")
    pyarrow.parquet.write_table(pyarrow.table({"a": ["b"]}), pyarrow.BufferOutputStream(), compression="zstd")
    apply_filter(4)
    try:
        write(Frames(peer), out)
    except (pyarrow.ArrowException, OSError, ValueError, KeyError, EOFError, MemoryError) as failure:
        data = (str(failure).splitlines() or [type(failure).__name__])[0].encode("utf-8", "replace")[:400]
        out.write(b"X" + struct.pack("<I", len(data)) + data)
    out.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
