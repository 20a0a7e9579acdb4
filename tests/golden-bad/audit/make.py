"""The own corpus of hostile models: one per way past a scanner. `make.py FOLDER` writes it; CASES.md lists it (`make.py --list`).
Nothing of it is ever loaded. The standard library suffices to make it."""
import json
import pathlib
import struct
import sys
from dataclasses import dataclass

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "cli")]
import graph_files  # noqa: E402
import pickles  # noqa: E402

ESCAPE = "{{ ''.__class__.__mro__[1].__subclasses__()[104].__init__.__globals__['sys'].modules['os'].popen('id').read() }}"


@dataclass
class Case:
    name: str
    files: dict  # path within the case's folder -> bytes; one file alone is scanned as that file
    rule: str
    severity: str  # at least one finding of this rule and severity


def gguf(**keys):
    """Version 3, strings as keys' values, no tensors."""
    text = lambda s: struct.pack("<Q", len(s)) + s  # noqa: E731
    body = b"".join(text(k.replace("__", ".").encode()) + struct.pack("<I", 8) + text(v.encode()) for k, v in keys.items())
    return b"GGUF" + struct.pack("<IQQ", 3, 0, len(keys)) + body


def folder(**files):
    """A Hugging Face repository; "__" in a name is a dot, objects become JSON."""
    whole = {"config.json": {"model_type": "llama", "architectures": ["LlamaForCausalLM"]}}
    whole |= {name.replace("__", "."): content for name, content in files.items()}
    return {name: c if isinstance(c, bytes) else (c if isinstance(c, str) else json.dumps(c)).encode() for name, c in whole.items()}


def of_pickles():
    for name, data in pickles.corpus().items():
        yield Case(name, {name: data}, "BZ-M001", "error")


def rule_of(kind):
    return "BZ-M007" if kind == "outside-path" else "BZ-M004"


def of_graphs():
    for name, (data, kind, severity) in graph_files.hostile_onnx().items():
        yield Case(f"ONNX, {name}", {"model.onnx": data}, rule_of(kind), severity)
    for name, (data, kind, severity) in graph_files.hostile_keras().items():
        yield Case(f"Keras, {name}", {"model.keras": data}, rule_of(kind), severity)
    for name, (data, kind, severity) in graph_files.hostile_hdf5().items():
        yield Case(f"HDF5, {name}", {"model.h5": data}, rule_of(kind), severity)
    for name, (file, data, kind, severity) in graph_files.hostile_tensorflow().items():
        yield Case(f"TensorFlow, {name}", {pathlib.PurePath(file).name: data}, rule_of(kind), severity)
    for name, (data, _, severity) in graph_files.hostile_tflite().items():
        yield Case(f"TensorFlow Lite, {name}", {"model.tflite": data}, "BZ-M004", severity)
    for name, text in graph_files.hostile_pbtxt().items():
        yield Case(f"TensorFlow as text, {name}", {"saved_model.pbtxt": text.encode()}, "BZ-M004", "error")


def of_templates():
    yield Case("CVE-2024-34359 template in GGUF", {"model.gguf": gguf(general__architecture="llama", tokenizer__chat_template=ESCAPE)},
               "BZ-M005", "error")
    yield Case("CVE-2024-34359 second template in GGUF",
               {"model.gguf": gguf(tokenizer__chat_template="{{ messages }}", tokenizer__chat_template__tool_use=ESCAPE)}, "BZ-M005", "error")
    yield Case("CVE-2024-34359 tokenizer_config", folder(tokenizer_config__json={"chat_template": ESCAPE}), "BZ-M005", "error")
    yield Case("CVE-2024-34359 list of templates",
               folder(tokenizer_config__json={"chat_template": [{"name": "tool_use", "template": ESCAPE}]}), "BZ-M005", "error")
    yield Case("CVE-2024-34359 file of its own", folder(chat_template__jinja=ESCAPE), "BZ-M005", "error")
    yield Case("template with attr and format",
               folder(tokenizer_config__json={"chat_template": "{{ ''|attr('__cla'~'ss__') }}"}), "BZ-M005", "error")


def of_folders():
    yield Case("auto_map", folder(config__json={"model_type": "x", "auto_map": {"AutoModel": "modeling_x.Model"}},
                                  modeling_x__py="import os\nclass Model:\n    os.system('id')\n"), "BZ-M006", "warning")
    yield Case("auto_map of another repository",
               folder(config__json={"model_type": "x", "auto_map": {"AutoModel": "other/repo--modeling.Model"}}, README__md="# A model\n"), "BZ-M006", "error")


def cases():
    for group in (of_pickles, of_graphs, of_templates, of_folders):
        yield from group()


def write(case, into):
    """Returns what is to be scanned."""
    into = pathlib.Path(into)
    into.mkdir(parents=True, exist_ok=True)
    for path, data in case.files.items():
        (into / path).write_bytes(data)
    return into / next(iter(case.files)) if len(case.files) == 1 else into


def listing():
    rows = ["# What the own corpus of hostile models holds", "",
            "Written by `make.py --list`; the test of all of them is tests/cli/test_models.py. What only costs time or memory is in `bombs.py`.", "",
            "| case | files | rule | severity |", "|---|---|---|---|"]
    rows += [f"| {c.name} | {', '.join(c.files)} | {c.rule} | {c.severity} |" for c in cases()]
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    if sys.argv[1] == "--list":
        (HERE / "CASES.md").write_text(listing())
    else:
        for case in cases():
            write(case, pathlib.Path(sys.argv[1]) / case.name.replace("/", " "))
