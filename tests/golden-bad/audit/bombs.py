"""Model files that cost whoever reads them: few bytes that unpack to many, counts that nothing could hold, structures
that double with every opcode. Each must end in a finding or as "not checked", at once and in little memory."""
import bz2
import gzip
import io
import json
import lzma
import pathlib
import shutil
import struct
import subprocess
import sys
import tarfile
import zipfile
import zlib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "cli"))
import graph_files as graphs  # noqa: E402

MANY = 96 << 20  # bytes, once unpacked
BLOCK = b"N" * (1 << 20)
HUGE = struct.pack("<Q", 1 << 60)


def squeezed(compressor):
    """MANY bytes of a pickle through an object with compress() and flush(), never held at once."""
    return b"".join([*(compressor.compress(BLOCK) for _ in range(MANY >> 20)), compressor.flush()])


def gzipped():
    return squeezed(zlib.compressobj(6, zlib.DEFLATED, 31))


def zipped(entries, method=zipfile.ZIP_DEFLATED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as z:
        for name, data in entries:
            z.writestr(zipfile.ZipInfo(name), data, method)
    return out.getvalue()


def big_zip():
    """One entry of MANY bytes, its deflate stream made apart."""
    packed = squeezed(zlib.compressobj(6, zlib.DEFLATED, -15))
    crc = 0
    for _ in range(MANY >> 20):
        crc = zlib.crc32(BLOCK, crc)
    name = b"model.pkl"
    common = struct.pack("<HHHHHIIIHH", 20, 0, 8, 0, 33, crc, len(packed), MANY, len(name), 0)
    local = b"PK\3\4" + common + name + packed
    record = b"PK\1\2" + struct.pack("<H", 20) + common + struct.pack("<HHHII", 0, 0, 0, 0, 0) + name
    return local + record + struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, 1, 1, len(record), len(local), 0)


def nested(levels=12):
    """Ten copies of the level below in each: 10 ** levels files in the end."""
    data, name = b"N." + bytes(1 << 16), "model.pkl"
    for i in range(levels):
        data, name = zipped([(f"{k}-{name}", data) for k in range(10)]), f"{i}.zip"
    return data


def overlapping(n=20000, names=lambda i: b"a.pkl"):
    """A directory whose entries are all the same bytes, under whatever names of five letters."""
    whole = zipped([("a.pkl", bytes(1 << 20))])
    at = whole.index(b"PK\1\2")
    record = whole[at:whole.index(b"PK\5\6")]
    records = b"".join(record.replace(b"a.pkl", names(i)) for i in range(n))
    return whole[:at] + records + struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, n, n, len(record) * n, at, 0)


class Blocks:
    """MANY bytes as a file."""

    def read(self, n):
        return (BLOCK * (n // len(BLOCK) + 1))[:n]


def tarred():
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as t:
        info = tarfile.TarInfo("model.pkl")
        info.size = MANY
        t.addfile(info, Blocks())
    return out.getvalue()


def zstandard():
    """None where the zstd program is not installed."""
    if not shutil.which("zstd"):
        return None
    return subprocess.run(["zstd", "-q", "-c"], input=BLOCK * (MANY >> 20), capture_output=True, check=True).stdout


def doubling(levels=60):
    """A tuple of itself twice, sixty times over: as text it would have 2 ** 60 letters. It is a call's argument."""
    return b"\x80\x02cposix\nsystem\nK\1\x85" + b"2\x86" * levels + b"\x85R."


def doubling_memo(levels=60):
    lines = b"".join(b"h" + bytes([i]) + b"h" + bytes([i]) + b"\x86q" + bytes([i + 1]) + b"0" for i in range(levels))
    return b"\x80\x02X\1\0\0\0aq\x000" + lines + b"cposix\nsystem\nh" + bytes([levels]) + b"\x85R."


def header(kind):
    if kind == "safetensors":
        text = json.dumps({"a": {"dtype": "F32", "shape": [1 << 60, 1 << 60], "data_offsets": [0, 1 << 60]}}).encode()
        return struct.pack("<Q", len(text)) + text
    if kind == "npy":
        text = repr({"descr": "<f8", "fortran_order": False, "shape": (1 << 60,)}).encode().ljust(117) + b"\n"
        return b"\x93NUMPY\1\0" + struct.pack("<H", len(text)) + text + b"\x80\x04]."
    return b"GGUF" + struct.pack("<I", 3) + HUGE + HUGE


def shared_objects(links=20000):
    """So many names of one object, each of which would be read with all that it says."""
    names = [f"l{i:05d}" for i in range(links)]
    at = 96 + len(graphs.h5_header(*(graphs.h5_link(name, 0) for name in names)))
    one = graphs.h5_header(*[graphs.h5_attribute("model_config", json.dumps(graphs.keras_config()))] * 50)
    return graphs.h5_file(*(graphs.h5_link(name, at) for name in names), after=one)


def branches(levels):
    node = graphs.onnx_node("Relu")
    for _ in range(levels):
        node = graphs.onnx_subgraph(node)
    return node


def empty_arrays(megabytes):
    """As objects they take fifty times as much."""
    return graphs.keras_file(b'{"class_name":"x","config":[' + b"[]," * (megabytes * 1_000_000 // 3) + b"0]}")


MAKERS = {
    "gzip.pkl.gz": gzipped,
    "bzip2.pkl.bz2": lambda: squeezed(bz2.BZ2Compressor(9)),
    "xz.pkl.xz": lambda: squeezed(lzma.LZMACompressor(preset=1)),
    "zlib.joblib": lambda: squeezed(zlib.compressobj(6)),
    "deflate.zip": big_zip,
    "tar.pt.gz": tarred,
    "gzip in gzip.pkl.gz": lambda: gzip.compress(gzipped()),
    "nested.zip": nested,
    "overlapping.zip": overlapping,
    "overlapping, other names.zip": lambda: overlapping(names=lambda i: b"%05d" % i),
    "zstd.pkl.zst": zstandard,
    "bytes of 2 to the 60.pkl": lambda: b"\x80\x04\x8e" + HUGE + b"x.",
    "string of 2 to the 60.pkl": lambda: b"\x80\x04\x8d" + HUGE + b"x.",
    "bytearray of 2 to the 60.pkl": lambda: b"\x80\x05\x96" + HUGE + b"x.",
    "frame of 2 to the 60.pkl": lambda: b"\x80\x04\x95" + HUGE + b"N.",
    "integer of 2 to the 31.pkl": lambda: b"\x80\x02\x8b\xff\xff\xff\x7fx.",
    "memo at 2 to the 32.pkl": lambda: b"\x80\x02" + b"".join(b"Nr" + struct.pack("<I", 0xFFFFFFFF - 977 * i) for i in range(5000)) + b".",
    "memo at 2 to the 60.pkl": lambda: b"Np%d\n." % (1 << 60),
    "doubling tuples.pkl": doubling,
    "doubling memo.pkl": doubling_memo,
    "a million marks.pkl": lambda: b"(" * 1_000_000 + b".",
    "a million lists.pkl": lambda: b"\x80\x02" + b"]" * 1_000_000 + b"a" * 999_999 + b".",
    "a million calls.pkl": lambda: b"cbuiltins\nlist\n" + b")R" * 1_000_000 + b".",
    "a million names.pkl": lambda: b"".join(b"cm%d\nf\n0" % i for i in range(200_000)) + b"N.",
    "safetensors of 2 to the 60.safetensors": lambda: header("safetensors"),
    "safetensors header of 2 to the 60.safetensors": lambda: HUGE + b"{}",
    "npy of 2 to the 60.npy": lambda: header("npy"),
    "gguf of 2 to the 60.gguf": lambda: header("gguf"),
    "shape of 2 to the 120.onnx": lambda: graphs.onnx_model((5, graphs.onnx_tensor("w", (9, bytes(16)), dims=(1 << 60, 1 << 60)))),
    "groups without an end.onnx": lambda: graphs.onnx_model() + b"\x9b\x06" * 500_000,
    "branches in branches.onnx": lambda: graphs.onnx_model((1, branches(200))),
    "shared objects.h5": shared_objects,
    "group in itself.h5": lambda: graphs.unreadable_hdf5()["loop"],
    "vector of 2 to the 32.tflite": lambda: graphs.tflite_model((0, "")).replace(struct.pack("<IQ", 8, 0x400000003F800000),
                                                                                 struct.pack("<IQ", 0xFFFFFFFF, 0)),
    "empty arrays.keras": lambda: empty_arrays(5),
    "more empty arrays.keras": lambda: empty_arrays(50),
    "zeros.pkl.gz": lambda: gzip.compress(bytes(64 << 20)),
}
NAMES = list(MAKERS)
ORDINARY = {"a million lists.pkl", "empty arrays.keras"}  # deep or long, and nothing else


def write(folder):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name, make in MAKERS.items():
        data = make()
        if data is not None:
            (folder / name).write_bytes(data)
