"""Model files that try to get past a scanner, built byte by byte: one per trick. Nothing here is ever loaded; what they
would run is a harmless print or a lookup."""
import bz2
import gzip
import io
import lzma
import pickle
import struct
import zipfile
import zlib

CODE = "print('poisoned')"


def short(text):
    raw = text.encode()
    return b"\x8c" + bytes([len(raw)]) + raw


def line(text):
    return text.encode() + b"\n"


# The same call in every form the machine has for it: module, name, one string argument.
FORMS = {
    "GLOBAL+REDUCE": lambda m, n: b"c" + line(m) + line(n) + b"(S'x'\ntR.",
    "GLOBAL+REDUCE protocol 2": lambda m, n: b"\x80\x02c" + line(m) + line(n) + b"X\1\0\0\0x\x85R.",
    "STACK_GLOBAL+REDUCE": lambda m, n: b"\x80\x04" + short(m) + short(n) + b"\x93" + short("x") + b"\x85R.",
    "STACK_GLOBAL, names by memo": lambda m, n: (b"\x80\x04" + short(m) + b"\x94" + short(n) + b"\x9400h\0h\1\x93"
                                                 + short("x") + b"\x85R."),
    "STACK_GLOBAL, escaped names": lambda m, n: (b"V" + line("".join(f"\\u{ord(c):04x}" for c in m)) + b"V" + line(n)
                                                 + b"\x93(S'x'\ntR."),
    "INST": lambda m, n: b"(S'x'\ni" + line(m) + line(n) + b".",
    "OBJ": lambda m, n: b"(c" + line(m) + line(n) + b"S'x'\no.",
    "NEWOBJ": lambda m, n: b"\x80\x02c" + line(m) + line(n) + b"X\1\0\0\0x\x85\x81.",
    "NEWOBJ_EX": lambda m, n: b"\x80\x04" + short(m) + short(n) + b"\x93" + short("x") + b"\x85}\x92.",
    "REDUCE, then POP": lambda m, n: b"c" + line(m) + line(n) + b"(S'x'\ntR0N.",
    "lookup alone": lambda m, n: b"\x80\x04" + short(m) + short(n) + b"\x93.",
    "broken behind the call": lambda m, n: b"c" + line(m) + line(n) + b"(S'x'\ntR\xff\xff",
    "no STOP": lambda m, n: b"c" + line(m) + line(n) + b"(S'x'\ntR",
    "second stream": lambda m, n: b"N." + b"c" + line(m) + line(n) + b"(S'x'\ntR.",
    "BUILD on the function": lambda m, n: b"c" + line(m) + line(n) + b"}b.",
    "inside a list": lambda m, n: b"\x80\x04](" + short(m) + short(n) + b"\x93" + short("x") + b"\x85RNe.",
}

EVIL = FORMS["GLOBAL+REDUCE"]("builtins", "exec").replace(b"S'x'", b'S"' + CODE.encode() + b'"')


def zipped(entries, method=zipfile.ZIP_STORED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as z:
        for name, data in entries:
            z.writestr(zipfile.ZipInfo(name), data, method)
    return out.getvalue()


def call(module, name, *args):
    """module.name(*args) with string arguments, protocol 4."""
    body = b"".join(short(a) for a in args)
    return b"\x80\x04" + short(module) + short(name) + b"\x93(" + body + b"tR."


def renamed_locally(data, old, new):
    """The local header says another name than the directory."""
    return data.replace(old, new, 1)


def hidden_entry():
    """An entry that the directory does not list, between two that it does."""
    whole = zipped([("a.txt", b"a" * 40), ("b.pkl", EVIL), ("c.txt", b"c" * 40)])
    at = whole.index(b"PK\1\2")
    records, rest = [], whole[at:]
    while rest.startswith(b"PK\1\2"):
        n = 46 + sum(struct.unpack("<HHH", rest[28:34]))
        records.append(rest[:n])
        rest = rest[n:]
    kept = [r for r in records if b"b.pkl" not in r]
    directory = b"".join(kept)
    end = struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, len(kept), len(kept), len(directory), at, 0)
    return whole[:at] + directory + end


def nested():
    inner = EVIL
    for _ in range(3):
        inner = zipped([("inner.zip" if inner[:2] == b"PK" else "model.pkl", inner)], zipfile.ZIP_DEFLATED)
    return inner


def corpus():
    """name -> bytes: every one of them runs, or tries to run, code."""
    files = {f"form {i:02d} {name}.pkl": form("posix", "system") for i, (name, form) in enumerate(FORMS.items())}
    files |= {
        "CVE-2025-1716 pip.main.pkl": call("pip", "main", "install"),
        "CVE-2025-1889 other extension in zip.pt": zipped([("archive/data.pkl", b"\x80\x04N."), ("archive/config.p", EVIL)]),
        "CVE-2025-1944 names differ.pt": renamed_locally(zipped([("archive/data.pkl", EVIL)]), b"data.pkl", b"data.txt"),
        "CVE-2025-1945 flag bits.pt": zipped([("archive/data.pkl", EVIL)]).replace(b"PK\1\2\x14\3\x14\0\0\0",
                                                                                    b"PK\1\2\x14\3\x14\0\1\0"),
        "CVE-2025-10155 pickle named bin.bin": EVIL,
        "CVE-2025-10156 wrong checksum.pt": bad_checksum(),
        "CVE-2025-10157 submodule.pkl": call("asyncio.unix_events", "_UnixSubprocessTransport._start", "x"),
        "EXT1.pkl": b"\x80\x02\x82\1)R.",
        "EXT2.pkl": b"\x80\x02\x83\1\1)R.",
        "EXT4.pkl": b"\x80\x02\x84\1\1\1\1)R.",
        "resolve_name.pkl": b"\x80\x04" + short("pkgutil") + short("resolve_name") + b"\x93" + short("os:system")
                            + b"\x85R" + short("x") + b"\x85R.",
        "getattr chain.pkl": b"cbuiltins\ngetattr\n(cbuiltins\n__import__\n(S'os'\ntRS'system'\ntR(S'x'\ntR.",
        "computed name.pkl": b"\x80\x04" + short("builtins") + short("str") + b"\x93" + short("os") + b"\x85R"
                             + short("system") + b"\x93" + short("x") + b"\x85R.",
        "pickle in bytes.pkl": b"\x80\x04c_pickle\nloads\nB" + struct.pack("<I", len(EVIL)) + EVIL + b"\x85R.",
        "pickle in bytes, magic.pkl": b"\x80\x04B" + struct.pack("<I", len(EVIL) + 2) + b"\x80\x04" + EVIL + b".",
        "gzip.pkl.gz": gzip.compress(EVIL),
        "bzip2.pkl": bz2.compress(EVIL),
        "xz.pkl": lzma.compress(EVIL),
        "zlib.joblib": zlib.compress(EVIL),
        "prefix bytes.pt": b"#!/bin/sh\nexit 0\n" + zipped([("archive/data.pkl", EVIL)]),
        "no directory.zip": zipped([("model.pkl", EVIL)]).split(b"PK\1\2")[0],
        "hidden entry.zip": hidden_entry(),
        "deflated.zip": zipped([("model.pkl", EVIL * 3)], zipfile.ZIP_DEFLATED),
        "three levels.zip": nested(),
        "extension says nothing.txt": EVIL,
        "sys.modules.pkl": b"\x80\x04" + short("sys") + short("modules") + b"\x93" + short("os") + b"Ns.",
        "frames differ.pkl": b"\x80\x04\x95\3\0\0\0\0\0\0\0" + call("os", "system", "x")[2:],
        "memo far away.pkl": b"\x80\x04" + short("os") + b"r\xff\xff\xff\x7f0" + short("x") + b"0j\xff\xff\xff\x7f"
                             + short("system") + b"\x93" + short("x") + b"\x85R.",
        "joblib raw array.joblib": joblib_array(),
    }
    return files


def bad_checksum():
    whole = zipped([("archive/data.pkl", EVIL)])
    crc = struct.pack("<I", zlib.crc32(EVIL))
    return whole.replace(crc, b"\1\2\3\4")


def joblib_array():
    """A call behind an array's raw bytes, where only joblib looks."""
    state = {"subclass": None, "shape": (4,), "order": "C", "dtype": None, "allow_mmap": True,
             "numpy_array_alignment_bytes": 16}
    body = b"\x80\x04](\x8c\x13joblib.numpy_pickle\x8c\x11NumpyArrayWrapper\x93)\x81}("
    for key, value in state.items():
        body += short(key)
        body += {"dtype": b"\x8c\x05numpy\x8c\x05dtype\x93\x8c\x02f8\x89\x88\x87R"}.get(
            key, pickle.dumps(value, 2)[2:-1].replace(b"q\x00", b"") if key != "shape" else b"K\4\x85")
    return body + b"ub" + b"\4pad!" + bytes(32) + b"cposix\nsystem\n(S'x'\ntRe."
