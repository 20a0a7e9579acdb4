"""Model files whose format is a graph, written byte by byte with the standard library: ordinary ones and hostile ones."""
import base64
import io
import json
import struct
import zipfile


# ---- Protocol Buffers -------------------------------------------------------------------------------------------------


def varint(n):
    out = bytearray()
    n &= (1 << 64) - 1
    while n > 0x7F:
        out.append(n & 0x7F | 0x80)
        n >>= 7
    return bytes(out) + bytes([n])


def field(number, value):
    """A string, bytes or message; an integer is a varint, a float a fixed32."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    if isinstance(value, float):
        return varint(number << 3 | 5) + struct.pack("<f", value)
    raw = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(raw)) + raw


def message(*pairs):
    return b"".join(field(number, value) for number, value in pairs)


# ---- ONNX -------------------------------------------------------------------------------------------------------------


def onnx_node(op, domain="", *more):
    return message((1, "x"), (2, "y"), (4, op), (7, domain), *more)


def onnx_tensor(name="w", *more, dims=(2, 2), kind=1):
    return message(*((1, d) for d in dims), (2, kind), (8, name), *more)


def onnx_external(location, name="w", dims=(2, 2), **more):
    pairs = {"location": location, **more}
    return onnx_tensor(name, *((13, message((1, k), (2, v))) for k, v in pairs.items()), (14, 1), dims=dims)


def onnx_model(*graph, model=()):
    graph = message((2, "net"), *graph) if graph else message((1, onnx_node("Relu")), (2, "net"))
    return message((1, 8), (2, "tester"), (3, "1.0"), (7, graph), (8, message((1, ""), (2, 17))), *model)


def onnx_subgraph(node):
    inner = message((1, node), (2, "then"))
    return onnx_node("If", "", (5, message((1, "then_branch"), (6, inner), (20, 5))))


def hostile_onnx():
    """name -> (bytes, kind of finding, severity)."""
    custom, outside = ("onnx-custom-op", "warning"), ("outside-path", "error")
    node = onnx_node("Run", "evil.ops")
    files = {
        "custom op": (onnx_model((1, node)), *custom),
        "custom op in a branch": (onnx_model((1, onnx_subgraph(node))), *custom),
        "custom op in a function": (onnx_model((1, onnx_node("F", "mine")),
                                               model=[(25, message((1, "F"), (7, node), (10, "mine")))]), *custom),
        "custom op in training": (onnx_model(model=[(20, message((2, message((1, node)))))]), *custom),
        "custom op in a second graph": (onnx_model(model=[(7, message((1, node)))]), *custom),
        "python op": (onnx_model((1, onnx_node("PyOp", "pyop"))), "onnx-python-op", "error"),
        "python op of the extensions": (onnx_model((1, onnx_node("PyCustomOp", "ai.onnx.contrib"))), "onnx-python-op", "error"),
        "python op of the training": (onnx_model((1, onnx_node("PythonOp", "com.microsoft"))), "onnx-python-op", "error"),
        "python op behind a function": (onnx_model(
            (1, onnx_node("PyCustomOp", "ai.onnx.contrib")),
            model=[(25, message((1, "PyCustomOp"), (7, onnx_node("Relu")), (10, "ai.onnx.contrib")))]), "onnx-python-op", "error"),
        "engine": (onnx_model((1, onnx_node("EPContext", "com.microsoft"))), "onnx-engine", "warning"),
        "engine elsewhere": (onnx_model((1, onnx_node(
            "EPContext", "com.microsoft", (5, message((1, "embed_mode"), (3, 0))),
            (5, message((1, "ep_cache_context"), (4, "../../engine.bin")))))), *outside),
    }
    for name, location in {"CVE-2022-25882 upwards": "../../../etc/passwd", "absolute": "/etc/passwd", "drive": "C:weights",
                           "share": "\\\\host\\share\\w", "CVE-2024-27318 hidden dots": "w/.//../../x",
                           "backslashes": "a\\..\\..\\x", "NUL": "w.bin\0/../x", "address": "http://host/w"}.items():
        files["external data, " + name] = (onnx_model((5, onnx_external(location))), *outside)
    constant = onnx_node("Constant", "", (5, message((1, "value"), (5, onnx_external("../x")))))
    files["external data of an attribute"] = (onnx_model((1, constant)), *outside)
    sparse = message((1, onnx_external("../x")), (2, onnx_tensor("i")), (3, 4))
    files["external data of a sparse tensor"] = (onnx_model((15, sparse)), *outside)
    twice = onnx_tensor("w", (13, message((1, "location"), (2, "../x"))), (13, message((1, "location"), (2, "w.bin"))))
    files["external data, two locations"] = (onnx_model((5, twice)), *outside)
    return files


def ordinary_onnx():
    numbers = struct.pack("<4f", 1, 2, 3, 4)
    local = message((1, "Gelu"), (7, onnx_node("Erf")), (10, "pkg.local"))
    return {
        "empty graph": onnx_model(),
        "raw": onnx_model((1, onnx_node("Relu")), (5, onnx_tensor("w", (9, numbers)))),
        "list": onnx_model((1, onnx_node("Relu")), (5, onnx_tensor("w", (4, numbers)))),
        "external": onnx_model((5, onnx_external("model.onnx.data", offset="0", length="16"))),
        "external in a folder": onnx_model((5, onnx_external("weights/w.bin"))),
        "branch": onnx_model((1, onnx_subgraph(onnx_node("Relu")))),
        "local function": onnx_model((1, onnx_node("Gelu", "pkg.local")), model=[(25, local)]),
        "ONNX Runtime": onnx_model((1, onnx_node("FusedConv", "com.microsoft"))),
        "properties": onnx_model(model=[(14, message((1, "license"), (2, "MIT")))]),
    }


# ---- Keras ------------------------------------------------------------------------------------------------------------


def keras_object(module, name, config=None, **more):
    return {"module": module, "class_name": name, "config": {} if config is None else config, "registered_name": None, **more}


def keras_function(module, name):
    return {"module": module, "class_name": "function", "config": name, "registered_name": "function"}


def keras_config(*layers, **compiled):
    start = keras_object("keras.layers", "InputLayer", {"batch_shape": [None, 4], "name": "input"})
    return keras_object("keras", "Sequential", {"name": "net", "layers": [start, *layers]}, compile_config=compiled)


def keras_lambda(function, **more):
    return keras_object("keras.layers", "Lambda", {"name": "l", "function": function, "arguments": {}, **more})


def keras_file(config, **entries):
    """A .keras file; config as an object or as the bytes themselves."""
    raw = config if isinstance(config, bytes) else json.dumps(config).encode()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as z:
        for name, data in {"metadata.json": b'{"keras_version": "3.9.0", "date_saved": "x"}', "config.json": raw,
                           **entries}.items():
            z.writestr(zipfile.ZipInfo(name), data)
    return out.getvalue()


def dense(**more):
    return keras_object("keras.layers", "Dense", {"units": 2, "activation": "relu", **more})


TORCH = base64.b64encode(b"\x80\x04cposix\nsystem\n(S'id'\ntR.").decode()  # stands for what torch.save writes
CODE = "4wEAAAAAAAAAAAAAAAIAAAADAAAA8wwAAAA="  # marshalled code, as Keras writes it; cut short


def hostile_keras_configs():
    """name -> (configuration, kind of finding, severity)."""
    bytecode = {"class_name": "__lambda__", "config": {"code": CODE, "defaults": None, "closure": None}}
    lookup = lambda path: keras_object("keras.layers", "StringLookup", {"vocabulary": path})  # noqa: E731
    foreign, unsafe = ("keras-foreign-module", "error"), ("keras-unsafe-function", "error")
    custom = ("keras-custom-object", "warning")
    return {
        "CVE-2024-3660 Lambda": (keras_config(keras_lambda(bytecode)), "keras-lambda", "error"),
        "CVE-2024-3660 Lambda of Keras 2": (keras_config(keras_lambda([CODE, None, None], function_type="lambda")),
                                            "keras-lambda", "error"),
        "CVE-2025-1550 class": (keras_config(keras_object("subprocess", "Popen", {"args": ["id"]})), *foreign),
        "CVE-2025-1550 function": (keras_config(keras_lambda(keras_function("os", "system"))), *foreign),
        "CVE-2025-1550 in compile": (keras_config(dense(), loss=keras_function("pty", "spawn")), *foreign),
        "CVE-2025-1550 no model around": ({"x": [keras_object("os", "system")]}, *foreign),
        "prefix of a name": (keras_config(keras_object("keras_evil.layers", "Dense")), *foreign),
        "builtins": (keras_config(keras_lambda(keras_function("builtins", "exec"))), *unsafe),
        "CVE-2025-8747 get_file": (keras_config(keras_lambda(keras_function("keras.utils", "get_file"))), *unsafe),
        "CVE-2025-8747 as a class": (keras_config(keras_object("keras.utils", "get_file")), *unsafe),
        "CVE-2025-9906 safe mode": (keras_config(keras_lambda(keras_function("keras.config",
                                                                             "enable_unsafe_deserialization"))), *unsafe),
        "CVE-2025-12058 file": (keras_config(lookup("/etc/passwd")), "outside-path", "error"),
        "CVE-2025-12058 address": (keras_config(lookup("http://host/v.txt")), "outside-path", "error"),
        "vocabulary beside it": (keras_config(lookup("words.txt")), "keras-file", "warning"),
        "CVE-2025-49655 torch": (keras_config(keras_object("keras.layers", "TorchModuleWrapper", {"module": TORCH})),
                                 "keras-torch-module", "error"),
        "saved model elsewhere": (keras_config(keras_object("keras.layers", "TFSMLayer", {"filepath": "//host/model"})),
                                  "outside-path", "error"),
        "own class": (keras_config(keras_object(None, "Mine", registered_name="mine>Mine")), *custom),
        "own function": (keras_config(keras_lambda(keras_function("builtins", "mine"))), *custom),
        "own class of Keras 2": (keras_config({"class_name": "mine>Layer", "config": {}}), *custom),
        "own class of the program": (keras_config(keras_object("__main__", "Mine", registered_name="Mine")), *custom),
    }


def hostile_keras():
    """name -> (bytes, kind, severity): .keras files."""
    configs = hostile_keras_configs()
    files = {name: (keras_file(config), kind, severity) for name, (config, kind, severity) in configs.items()}
    raw = json.dumps(configs["CVE-2025-1550 class"][0]).encode()
    files["escaped keys"] = (keras_file(raw.replace(b"class_name", b"cl\\u0061ss_name")), "keras-foreign-module", "error")
    files["key twice"] = (keras_file(raw.replace(b'"subprocess"', b'"keras.layers", "module": "subprocess"')),
                          "keras-foreign-module", "error")
    files["byte order mark"] = (keras_file(b"\xef\xbb\xbf" + raw), "keras-foreign-module", "error")
    return files


def unreadable_keras():
    raw = json.dumps(hostile_keras_configs()["CVE-2025-1550 class"][0])
    deep = keras_object("subprocess", "Popen")
    for _ in range(3000):
        deep = {"a": deep}
    return {"UTF-16": keras_file(raw.encode("utf-16")), "UTF-32": keras_file(raw.encode("utf-32-le")),
            "not a number": keras_file(raw.replace("null", "NaN").encode()),
            "deep": keras_file(('{"a":' * 3000 + json.dumps(keras_object("os", "system")) + "}" * 3000).encode()),
            "a hundred levels": keras_file(('{"a":' * 100 + json.dumps(keras_config()) + "}" * 100).encode())}


def ordinary_keras_configs():
    specification = {"class_name": "__typespec__", "spec_name": "TensorSpec", "config": [[None], "float32"],
                     "module": "tensorflow.python.framework.tensor_spec", "registered_name": None}
    return {
        "dense": keras_config(dense(), loss="mse", optimizer=keras_object("keras.optimizers", "Adam")),
        "losses and functions": keras_config(dense(activation=keras_function("builtins", "relu")),
                                             loss=keras_function("builtins", "mean_squared_error")),
        "operations": keras_config(keras_object("keras.src.ops.numpy", "GetItem")),
        "hub": keras_config(keras_object("keras_hub.src.models.bert", "BertBackbone", registered_name="keras_hub>BertBackbone")),
        "vocabulary": keras_config(keras_object("keras.layers", "StringLookup", {"vocabulary": ["a", "b"]})),
        "specification": keras_config(dense(spec=specification)),
        "Keras 2": {"class_name": "Sequential", "config": {"layers": [{"class_name": "Dense", "config": {"units": 2}}]}},
    }


# ---- TensorFlow -------------------------------------------------------------------------------------------------------


def tf_node(op, name="n", **attributes):
    """attributes: AttrValue messages."""
    return message((1, name), (2, op), *((5, message((1, k), (2, v))) for k, v in attributes.items()))


def tf_graph(*nodes, functions=()):
    library = message(*((1, message((1, message((1, name))), *((3, n) for n in body))) for name, body in functions))
    return message(*((1, n) for n in nodes), (4, message((1, 27))), *([(2, library)] if functions else []))


def tf_meta(graph, *more):
    return message((1, message((4, "serve"), (5, "2.16.1"))), (2, graph), *more)


def tf_saved(graph, *more):
    return message((1, 1), (2, tf_meta(graph, *more)))


def keras_object_graph(config):
    node = message((4, message((1, "_tf_keras_layer"), (3, json.dumps(config)))))
    return message((1, node))


def keras_metadata(config):
    return message((1, message((2, 0), (3, "root"), (4, "_tf_keras_sequential"), (5, json.dumps(config)))))


def hostile_tensorflow():
    """name -> (file's name, bytes, kind, severity)."""
    python, file, data = ("savedmodel-python", "error"), ("savedmodel-file", "error"), ("savedmodel-data", "warning")
    saved = "saved_model.pb"
    lambda_config = hostile_keras_configs()["CVE-2024-3660 Lambda of Keras 2"][0]
    add = tf_node("AddV2")
    files = {op: (saved, tf_saved(tf_graph(add, tf_node(op))), *python) for op in ("PyFunc", "EagerPyFunc", "PyFuncStateless")}
    files |= {op: (saved, tf_saved(tf_graph(tf_node(op), add)), *file) for op in ("ReadFile", "WriteFile", 
                                                                                 "ImmutableConst", "DumpTensor")}
    files |= {
        "in a function": (saved, tf_saved(tf_graph(add, functions=[("f", [tf_node("WriteFile")])])), *file),
        "in a function, no node": (saved, tf_saved(tf_graph(functions=[("f", [tf_node("PyFunc")])])), *python),
        "in the second graph": (saved, tf_saved(tf_graph(add)) + message((2, tf_meta(tf_graph(tf_node("PyFunc"))))), *python),
        "merged into the first graph": (saved, message((2, tf_meta(tf_graph(add), (2, tf_graph(tf_node("PyFunc")))))), *python),
        "frozen": ("frozen.pb", tf_graph(add, tf_node("ReadFile")), *file),
        "checkpoint": ("meta.bin", tf_meta(tf_graph(tf_node("PyFunc"))), *python),
        "without extension": ("graph.bin", tf_saved(tf_graph(tf_node("PyFunc"))), *python),
        "print to a file": (saved, tf_saved(tf_graph(tf_node("PrintV2", output_stream=message((2, "file:///tmp/x"))))), *file),
        "debugger": (saved, tf_saved(tf_graph(tf_node("DebugIdentityV3", debug_urls=message((1, message((2, "grpc://h:1"))))))),
                     *file),
        "descriptor": (saved, tf_saved(tf_graph(tf_node("DecodeProtoV2", descriptor_source=message((2, "/etc/x"))))), *file),
        "data set": (saved, tf_saved(tf_graph(tf_node("TextLineDataset"))), *data),
        "unknown operator": (saved, tf_saved(tf_graph(tf_node("Evil>Run"))), "savedmodel-unknown-op", "warning"),
        "asset": (saved, tf_saved(tf_graph(add), (6, message((2, "../../x")))), "outside-path", "error"),
        "Lambda": (saved, tf_saved(tf_graph(add), (7, keras_object_graph(lambda_config))), "keras-lambda", "error"),
        "Lambda in the metadata": ("keras_metadata.pb", keras_metadata(lambda_config), "keras-lambda", "error"),
    }
    return files


def ordinary_tensorflow():
    weights = message((1, 1), (2, message((2, message((1, 2))))), (4, struct.pack("<2f", 1, 2)))
    const = tf_node("Const", "w", value=message((8, weights)))
    call = tf_node("__inference_f_1")
    return {
        "saved_model.pb": tf_saved(tf_graph(const, call, functions=[("__inference_f_1", [tf_node("MatMul")])]),
                                   (7, keras_object_graph(keras_config(dense())))),
        "frozen.pb": tf_graph(const, tf_node("SaveV2"), tf_node("RestoreV2")),
        "keras_metadata.pb": keras_metadata(keras_config(keras_object(None, "Mine", registered_name="mine>Mine"))),
        "fingerprint.pb": message((1, 1 << 63), (2, 5), (3, 5), (4, 7), (5, 9), (6, message((1, 1)))),
        "meta.bin": tf_meta(tf_graph(const)),
    }


# ---- HDF5 -------------------------------------------------------------------------------------------------------------

UNDEFINED = b"\xff" * 8


def padded(raw):
    return raw + b"\0" * (-len(raw) % 8)


def h5_message(kind, raw):
    raw = padded(raw)
    return struct.pack("<HHB3x", kind, len(raw), 0) + raw


def h5_header(*messages):
    body = b"".join(messages)
    return struct.pack("<BxHII4x", 1, len(messages), 1, len(body)) + body


def h5_attribute(name, text):
    """A scalar of fixed length."""
    raw = text if isinstance(text, bytes) else text.encode()
    name = name.encode() + b"\0"
    kind, space = struct.pack("<B3xI", 0x13, len(raw)), struct.pack("<BBB5x", 1, 0, 0)
    return h5_message(12, struct.pack("<BxHHH", 1, len(name), len(kind), len(space)) + padded(name) + kind + space + raw)


def h5_link(name, address):
    return h5_message(6, struct.pack("<BBB", 1, 0, len(name)) + name.encode() + struct.pack("<Q", address))


def h5_external_link(name, file, path="/x"):
    value = b"\0" + file.encode() + b"\0" + path.encode() + b"\0"
    return h5_message(6, struct.pack("<BBBB", 1, 8, 64, len(name)) + name.encode() + struct.pack("<H", len(value)) + value)


def h5_dataset(layout, *more, dims=(2,)):
    """Of F32; layout: a data layout message's bytes."""
    kind = struct.pack("<B3BIHHBBBBI", 0x11, 0x20, 31, 0, 4, 0, 32, 23, 8, 0, 23, 127)
    space = struct.pack("<BBB5x", 1, len(dims), 0) + struct.pack(f"<{len(dims)}Q", *dims)
    return h5_header(h5_message(1, space), h5_message(3, kind), h5_message(8, layout), *more)


def h5_contiguous(address, size=8):
    return struct.pack("<BBQQ", 3, 1, address, size)


def h5_file(*messages, after=b"", before=b""):
    """Superblock 0, the root group's header at 96, `after` behind it."""
    end = 96 + len(h5_header(*messages)) + len(after)
    head = b"\x89HDF\r\n\x1a\n" + struct.pack("<8B2HI", 0, 0, 0, 0, 0, 8, 8, 0, 4, 16, 0)
    head += struct.pack("<Q", len(before)) + UNDEFINED + struct.pack("<Q", end) + UNDEFINED
    head += struct.pack("<QQII16x", 0, 96, 0, 0)
    return before + head + h5_header(*messages) + after


def h5_with_dataset(make, data=b""):
    """One dataset "w" in the root group; make(address of data) gives its object header."""
    at = 96 + len(h5_header(h5_link("w", 0)))
    size = len(make(0))
    return h5_file(h5_link("w", at), after=make(at + size) + data)


def h5_heap(at, *names):
    """A local heap at an address, with names at the offsets that are returned."""
    data, offsets = b"", []
    for name in names:
        offsets.append(len(data))
        data += name.encode() + b"\0"
    return struct.pack("<4sB3xQQQ", b"HEAP", 0, len(data), 1, at + 32) + data, offsets


def h5_external_storage(file):
    """The numbers of a dataset lie in another file."""
    def make(at):
        heap, offsets = h5_heap(at, file)
        storage = struct.pack("<B3xHHQQQQ", 1, 1, 1, at, offsets[0], 0, 8)
        return h5_dataset(struct.pack("<BB", 3, 1) + UNDEFINED + struct.pack("<Q", 8), h5_message(7, storage))
    heap, _ = h5_heap(96 + len(h5_header(h5_link("w", 0))) + len(make(0)), file)
    return h5_with_dataset(make, heap)


def hostile_hdf5():
    """name -> (bytes, kind, severity)."""
    outside, external = ("outside-path", "error"), ("hdf5-external", "warning")
    configs = hostile_keras_configs()
    files = {}
    for name in ("CVE-2024-3660 Lambda", "CVE-2024-3660 Lambda of Keras 2", "CVE-2025-1550 class", "own class of Keras 2"):
        config, kind, severity = configs[name]
        files["model_config, " + name] = (h5_file(h5_attribute("model_config", json.dumps(config))), kind, severity)
    training = json.dumps({"loss": keras_function("pty", "spawn")})
    raw = json.dumps(configs["CVE-2024-3660 Lambda"][0])
    files |= {
        "training_config": (h5_file(h5_attribute("training_config", training)), "keras-foreign-module", "error"),
        "behind a user's block": (h5_file(h5_attribute("model_config", raw), before=b"#!/bin/sh\n".ljust(512)),
                                  "keras-lambda", "error"),
        "link upwards": (h5_file(h5_external_link("w", "../../x.h5")), *outside),
        "link beside": (h5_file(h5_external_link("w", "x.h5")), *external),
        "storage elsewhere": (h5_external_storage("/etc/passwd"), *outside),
        "storage beside": (h5_external_storage("w.raw"), *external),
        "virtual": (h5_with_dataset(lambda at: h5_dataset(struct.pack("<BBQI", 4, 3, at, 1))), *external),
    }
    return files


def ordinary_hdf5():
    weights = struct.pack("<2f", 1, 2)
    return {"weights": h5_with_dataset(lambda at: h5_dataset(h5_contiguous(at)), weights),
            "model": h5_file(h5_attribute("model_config", json.dumps(keras_config(dense()))), h5_attribute("keras_version", "2.9")),
            "compact": h5_with_dataset(lambda at: h5_dataset(struct.pack("<BBH", 3, 0, 8) + weights)),
            "empty": h5_file(), "sentences": h5_file(h5_attribute("TITLE", "It ends in a full stop.")),
            "pickled list": h5_file(h5_attribute("lst", b"(lp0\nI1\na."))}


def unreadable_hdf5():
    loop = h5_file(h5_link("a", 96), h5_link("b", 96))  # the root group holds itself, twice
    return {"cut": ordinary_hdf5()["weights"][:200], "loop": loop, "no object": h5_file(h5_link("w", 1 << 40)),
            "dense": h5_file(h5_message(2, struct.pack("<BBQQ", 0, 0, 96, 96))),
            "broken": h5_file(h5_attribute("model_config", "{")),
            "rows of objects": h5_file(h5_attribute("PSEUDOATOM", "object")), "other sizes": h5_file()[:13] + b"\4\4" + h5_file()[15:],
            "nine dimensions": h5_with_dataset(lambda at: h5_dataset(h5_contiguous(at), dims=(1,) * 9))}


# ---- TensorFlow Lite --------------------------------------------------------------------------------------------------


def flat(root):
    """FlatBuffers: a dict {field: value} is a table, a list a vector of tables, bytes a vector of bytes, str a string, an
    int a 32-bit number, (format, *numbers) a vector of numbers. What is led to stands behind what leads there."""
    out = bytearray(b"\0\0\0\0TFL3")

    def align():
        out.extend(b"\0" * (-len(out) % 8))

    def lead(at, value):
        align()
        to = write(value)
        out[at:at + 4] = struct.pack("<I", to - at)

    def write(value):
        if isinstance(value, (bytes, str)):
            raw = value if isinstance(value, bytes) else value.encode()
            at = len(out)
            out.extend(struct.pack("<I", len(raw)) + raw + b"\0")
            return at
        if isinstance(value, tuple):
            at = len(out)
            out.extend(struct.pack(f"<I{len(value) - 1}{value[0]}", len(value) - 1, *value[1:]))
            return at
        if isinstance(value, list):
            at = len(out)
            out.extend(struct.pack("<I", len(value)) + bytes(4 * len(value)))
            for i, item in enumerate(value):
                lead(at + 4 + 4 * i, item)
            return at
        n = max(value, default=-1) + 1
        slots = [4 + 4 * i if i in value else 0 for i in range(n)]
        vtable = len(out)
        out.extend(struct.pack(f"<{2 + n}H", 4 + 2 * n, 4 + 4 * n, *slots))
        align()
        at = len(out)
        out.extend(struct.pack("<i", at - vtable) + bytes(4 * n))
        for i, item in value.items():
            if isinstance(item, int):
                out[at + 4 + 4 * i:at + 8 + 4 * i] = struct.pack("<I", item)
            else:
                lead(at + 4 + 4 * i, item)
        return at

    lead(0, root)
    return bytes(out)


def tflite_model(*codes, options=b"", weights=struct.pack("<2f", 1, 2), dims=(2,)):
    """codes: (code, custom name)."""
    codes = [{0: code if code < 128 else 127, 3: code, **({1: name} if name else {})} for code, name in codes]
    tensor = {0: ("I", *dims), 1: 0, 2: 1, 3: "w"}
    operator = {0: 0, 1: ("I", 0), 2: ("I", 0), **({5: options} if options else {})}
    return flat({0: 3, 1: codes, 2: [{0: [tensor], 1: ("I",), 2: ("I",), 3: [operator]}], 3: "made by hand",
                 4: [{}, {0: weights}]})


def hostile_tflite():
    custom, python, file = ("tflite-custom-op", "warning"), ("savedmodel-python", "error"), ("savedmodel-file", "error")
    node = tf_node("WriteFile")
    return {"custom": (tflite_model((0, ""), (32, "Evil")), *custom),
            "Flex": (tflite_model((32, "FlexPyFunc")), *python),
            "Flex, under another name": (tflite_model((32, "FlexAddV2"), options=b"\0AddV2\0" + node + b"\0"), *file),
            "unknown Flex": (tflite_model((32, "FlexEvil")), "savedmodel-unknown-op", "warning")}


def ordinary_tflite():
    return {"built in": tflite_model((0, ""), (9, ""), (150, "")), "detection": tflite_model((32, "TFLite_Detection_PostProcess")),
            "Flex": tflite_model((32, "FlexAddV2"), options=b"\0AddV2\0" + tf_node("AddV2"))}


# ---- checkpoints of TensorFlow ----------------------------------------------------------------------------------------


def sorted_block(entries):
    """LevelDB's: every key whole; one restart point; not packed."""
    raw = b"".join(varint(0) + varint(len(k)) + varint(len(v)) + k + v for k, v in entries)
    return raw + struct.pack("<II", 0, 1)


def tf_index(tensors, shards=1):
    """tensors: name -> (offset, bytes, dimensions)."""
    rows = [(b"", message((1, shards)))]
    for name, (at, size, dims) in sorted(tensors.items()):
        shape = message(*((2, message((1, d))) for d in dims))
        rows.append((name.encode(), message((1, 1), (2, shape), (4, at), (5, size))))
    blocks = [sorted_block(rows), sorted_block([])]
    out, handles = b"", []
    for block in blocks:
        handles.append(varint(len(out)) + varint(len(block)))
        out += block + b"\0" * 5
    index = sorted_block([(b"zz", handles[0])])
    handle = handles[1] + varint(len(out)) + varint(len(index))
    return out + index + b"\0" * 5 + handle.ljust(40, b"\0") + bytes.fromhex("57fb808b247547db")


def saved_model_folder():
    """name -> bytes: an ordinary one, whole."""
    return {"saved_model.pb": tf_saved(tf_graph(tf_node("VarHandleOp"))), "fingerprint.pb": ordinary_tensorflow()["fingerprint.pb"],
            "variables/variables.index": tf_index({"w": (0, 8, [2])}),
            "variables/variables.data-00000-of-00001": struct.pack("<2f", 1, 2), "assets/words.txt": b"a\nb\n"}


PBTXT = 'node { name: "a" # op: "PyFunc"\n op: "AddV2" }\nnode { name: "op: \\"PyFunc\\"" op : %s }\n'


def hostile_pbtxt():
    return {"plain": PBTXT % '"ReadFile"', "single quotes": PBTXT % "'ReadFile'", "pieces": PBTXT % '"Read" \'File\'',
            "escapes": PBTXT % '"\\122ead\\x46ile"', "comment between": PBTXT % '# why\n "ReadFile"'}
