"""Reads one Parquet file for the command: `python3 -P -m bezoar.parquet_worker`, started in a sandbox by libbezoar.

The arguments name the columns to decode; without any, all are. Descriptor 3 is the file, 4 the second system call
filter, standard output the pipe. pyarrow is loaded first; then the filter is put on, and only then is a byte of the
file looked at. What is sent: "BZPQ" and the version, then frames

    S  schema    u32 columns, each: u32 length + Arrow format, u32 length + name
    B  batch     u64 rows, each column three buffers (validity, values, characters): u64 length + bytes
    E  end       u64 rows of all batches
    X  failure   u32 length + what is wrong, for people

with little-endian numbers. Structs are laid flat, text has 64-bit offsets, dictionaries are decoded; columns that are
not wanted are announced as nulls.
"""

import ctypes
import os
import struct
import sys

VERSION = 1
BATCH_ROWS = 65536
BATCH_BYTES = 64 << 20
NO_PYARROW = 90


def apply_filter(descriptor):
    """Put the filter in the file upon this process and all its threads."""
    code = b""
    while piece := os.read(descriptor, 1 << 16):
        code += piece
    os.close(descriptor)

    class Program(ctypes.Structure):
        _fields_ = [("length", ctypes.c_ushort), ("code", ctypes.c_char_p)]

    numbers = {"x86_64": 317, "aarch64": 277}
    libc = ctypes.CDLL(None, use_errno=True)
    program = Program(len(code) // 8, code)
    set_mode_filter, all_threads = 1, 1
    if libc.syscall(numbers[os.uname().machine], set_mode_filter, all_threads, ctypes.byref(program)) != 0:
        raise OSError(ctypes.get_errno(), "cannot put on the system call filter")


class Failure(Exception):
    """What is wrong with the file, for people."""


def leaves(schema_fields, path=()):
    """[(names from the top, type)] of every column, structs laid flat."""
    import pyarrow as pa

    out = []
    for field in schema_fields:
        names = (*path, field.name)
        if pa.types.is_struct(field.type):
            out += leaves([field.type.field(i) for i in range(field.type.num_fields)], names)
        else:
            out.append((names, field.type))
    return out


def wire_type(names, kind):
    """(Arrow format, type to cast to or None) of a column."""
    import pyarrow as pa

    t = pa.types
    if t.is_dictionary(kind):
        kind = kind.value_type
        fmt, cast = wire_type(names, kind)
        return fmt, cast or kind
    if t.is_string(kind) or t.is_large_string(kind) or (hasattr(t, "is_string_view") and t.is_string_view(kind)):
        return "U", None if t.is_large_string(kind) else pa.large_string()
    plain = {"null": "n", "bool": "b", "int8": "c", "uint8": "C", "int16": "s", "uint16": "S", "int32": "i",
             "uint32": "I", "int64": "l", "uint64": "L", "halffloat": "e", "float": "f", "double": "g",
             "date32[day]": "tdD", "date64[ms]": "tdm", "time32[s]": "tts", "time32[ms]": "ttm",
             "time64[us]": "ttu", "time64[ns]": "ttn"}
    units = {"s": "s", "ms": "m", "us": "u", "ns": "n"}
    if str(kind) in plain:
        return plain[str(kind)], None
    if t.is_timestamp(kind):
        return f"ts{units[kind.unit]}:", None
    if t.is_duration(kind):
        return f"tD{units[kind.unit]}", None
    if t.is_decimal(kind) and kind.bit_width <= 128 and kind.scale >= 0:
        return f"d:{min(kind.precision, 38)},{kind.scale}", pa.decimal128(kind.precision, kind.scale)
    raise Failure(f'column "{".".join(names)}" of type {kind} is not read: leave it out or turn it into text')


def flat_column(batch, names, cast):
    """The column's values, with the gaps of the structs around it, starting at offset 0."""
    import pyarrow as pa
    import pyarrow.compute as pc

    array = batch.column(batch.schema.get_field_index(names[0]))
    for name in names[1:]:
        array = pc.struct_field(array, name)
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if cast is not None and array.type != cast:
        array = array.cast(cast)
    if array.offset:
        array = pa.concat_arrays([array, array.slice(0, 0)])
    return array


def send(out, data):
    view = memoryview(data).cast("B") if data is not None else memoryview(b"")
    out.write(struct.pack("<Q", len(view)))
    out.write(view)


def send_batch(out, batch, columns):
    if batch.nbytes > BATCH_BYTES and batch.num_rows > 1:
        half = batch.num_rows // 2
        send_batch(out, batch.slice(0, half), columns)
        send_batch(out, batch.slice(half), columns)
        return
    out.write(b"B" + struct.pack("<Q", batch.num_rows))
    for names, fmt, cast in columns:
        buffers = flat_column(batch, names, cast).buffers() if fmt != "n" else []
        for i in range(3):
            send(out, buffers[i] if i < len(buffers) else None)


def serve(out, wanted=()):
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        reader = pq.ParquetFile(os.fdopen(3, "rb"))
        fields = leaves(reader.schema_arrow)
        columns = [(names, *(wire_type(names, kind) if not wanted or ".".join(names) in wanted else ("n", None)))
                   for names, kind in fields]
        out.write(b"S" + struct.pack("<I", len(columns)))
        for names, fmt, _ in columns:
            for text in (fmt, ".".join(names)):
                data = text.encode("utf-8", "replace")
                out.write(struct.pack("<I", len(data)) + data)
        rows = 0
        decode = [name for name in (".".join(names) for names, _ in fields) if name in wanted] if wanted else None
        if decode == []:  # only what folders say is wanted: some column has to count the rows
            decode = [".".join(fields[0][0])]
        for batch in reader.iter_batches(batch_size=BATCH_ROWS, use_threads=False, columns=decode):
            if batch.num_rows:
                send_batch(out, batch, columns)
                rows += batch.num_rows
        out.write(b"E" + struct.pack("<Q", rows))
    except (Failure, pa.ArrowException, OSError, ValueError, KeyError, MemoryError) as failure:
        data = (str(failure).splitlines() or [type(failure).__name__])[0].encode("utf-8", "replace")[:400]
        out.write(b"X" + struct.pack("<I", len(data)) + data)


def main():
    try:
        import pyarrow
        import pyarrow.compute
        import pyarrow.parquet
    except ImportError:
        os._exit(NO_PYARROW)
    pyarrow.set_cpu_count(1)
    pyarrow.set_io_thread_count(1)
    # What pyarrow loads late is loaded before the filter.
    "".encode("utf-8").decode("ascii")
    apply_filter(4)
    out = sys.stdout.buffer
    out.write(b"BZPQ" + struct.pack("<I", VERSION))
    serve(out, frozenset(sys.argv[1:]))
    out.flush()
    os._exit(0)  # no clean-up by code that has seen the file


if __name__ == "__main__":
    main()
