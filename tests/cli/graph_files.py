"""Model files whose format is a graph, written byte by byte with the standard library: ordinary ones and hostile ones."""
import struct


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


def onnx_external(location, name="w", **more):
    pairs = {"location": location, **more}
    return onnx_tensor(name, *((13, message((1, k), (2, v))) for k, v in pairs.items()), (14, 1))


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
