"""bezoar scan on ONNX, Keras, TensorFlow and HDF5 models: code and files that their graphs name are found, ordinary
models are let pass, and what is broken is never clean."""
import json
import pathlib
import random
import struct
import zipfile

import pytest
from graph_files import (PBTXT, dense, field, h5_attribute, h5_contiguous, h5_dataset, h5_file, h5_with_dataset,
                         hostile_hdf5, hostile_keras, hostile_keras_configs, hostile_onnx, hostile_pbtxt,
                         hostile_tensorflow, hostile_tflite, keras_config, keras_file, message, onnx_external,
                         onnx_model, onnx_node, onnx_tensor, ordinary_hdf5, ordinary_keras_configs, ordinary_onnx,
                         ordinary_tensorflow, ordinary_tflite, saved_model_folder, tf_graph, tf_index, tf_node,
                         tf_saved, tflite_model, unreadable_hdf5, unreadable_keras)


def scan(bezoar, *paths):
    result = bezoar("scan", *paths, "--format", "json")
    assert result.stdout, result.stderr
    return result.returncode, json.loads(result.stdout)


def found(report):
    """(kind, severity) of what BZ-M004 says."""
    kinds = [{e["key"]: e["text"] for e in f["evidence"]}.get("kind") for f in report["findings"]]
    return [(k, f["severity"]) for k, f in zip(kinds, report["findings"]) if k]


def loud(report):
    return [(f["rule"], f["title"]) for f in report["findings"] if f["severity"] in ("error", "warning")]


@pytest.mark.parametrize("name", hostile_onnx())
def test_hostile_onnx(bezoar, tmp_path, name):
    data, kind, severity = hostile_onnx()[name]
    (tmp_path / "model.onnx").write_bytes(data)
    code, report = scan(bezoar, tmp_path / "model.onnx")
    assert (kind, severity) in found(report), report["findings"]
    assert code == (1 if severity == "error" else 0), report["not_checked"]


@pytest.mark.parametrize("name", ordinary_onnx())
def test_ordinary_onnx(bezoar, tmp_path, name):
    (tmp_path / "model.onnx").write_bytes(ordinary_onnx()[name])
    code, report = scan(bezoar, tmp_path / "model.onnx")
    assert not loud(report) and code == 0, report["not_checked"]


def test_content_decides(bezoar, tmp_path):
    (tmp_path / "weights.bin").write_bytes(hostile_onnx()["python op"][0])
    code, report = scan(bezoar, tmp_path / "weights.bin")
    assert ("onnx-python-op", "error") in found(report) and code == 1


def test_broken_onnx_is_never_clean(bezoar, tmp_path):
    whole = onnx_model((1, onnx_node("Relu")))
    deep = onnx_node("Relu")
    for _ in range(200):
        deep = onnx_node("If", "", (5, message((1, "then_branch"), (6, message((1, deep))))))
    broken = {"cut": whole[:-3], "deep": onnx_model((1, deep)), "node": onnx_model((1, b"\x0a\x7f")),
              "tensor": onnx_model((5, b"\x42\x7f")), "many dimensions": onnx_model((5, message(*((1, 1) for _ in range(9))))),
              "unknown type": onnx_model((5, message((2, 99)))), "trailing": whole + b"\xff"}
    for name, data in broken.items():
        (tmp_path / f"{name}.onnx").write_bytes(data)
        code, report = scan(bezoar, tmp_path / f"{name}.onnx")
        assert code == 3 and report["not_checked"], name


def test_fields_that_stand_twice(bezoar, tmp_path):
    node = message((4, "Relu"), (4, "Sigmoid"))
    (tmp_path / "model.onnx").write_bytes(onnx_model((1, node)))
    _, report = scan(bezoar, tmp_path / "model.onnx")
    assert [f["rule"] for f in report["findings"]] == ["BZ-M003"]


def test_shapes_that_lie(bezoar, tmp_path):
    for dims in ((2, 3), (1 << 60, 1 << 60), (1 << 60,)):
        (tmp_path / "model.onnx").write_bytes(onnx_model((5, onnx_tensor("w", (9, bytes(16)), dims=dims))))
        _, report = scan(bezoar, tmp_path / "model.onnx")
        assert "BZ-M003" in [f["rule"] for f in report["findings"]], dims


def test_groups_are_stepped_over(bezoar, tmp_path):
    group = b"\x9b\x06" + field(5, "inside") + b"\x9c\x06"  # field 99, wire types 3 and 4
    (tmp_path / "model.onnx").write_bytes(onnx_model() + group)
    code, report = scan(bezoar, tmp_path / "model.onnx")
    assert not loud(report) and code == 0
    (tmp_path / "model.onnx").write_bytes(onnx_model() + group[:-2])
    assert scan(bezoar, tmp_path / "model.onnx")[0] == 3


def test_models_of_the_onnx_package(bezoar, tmp_path):
    onnx = pytest.importorskip("onnx", reason="the onnx package is not installed")
    import numpy as np

    made = [onnx.numpy_helper.from_array(np.ones((4, 3), kind), f"w{i}")
            for i, kind in enumerate((np.float32, np.float64, np.float16, np.int64, np.int32, np.int8, np.uint8, bool))]
    info = onnx.helper.make_tensor_value_info
    graph = onnx.helper.make_graph([onnx.helper.make_node("MatMul", ["x", "w0"], ["y"])], "net",
                                   [info("x", 1, [1, 4])], [info("y", 1, [1, 3])], made)
    model = onnx.helper.make_model(graph, producer_name="test")
    onnx.save(model, tmp_path / "inside.onnx")
    onnx.save(model, tmp_path / "beside.onnx", save_as_external_data=True, size_threshold=0, location="beside.data")
    for name in ("inside.onnx", "beside.onnx"):
        code, report = scan(bezoar, tmp_path / name)
        assert not loud(report) and code == 0, (name, report["not_checked"])


@pytest.mark.parametrize("name", hostile_keras())
def test_hostile_keras(bezoar, tmp_path, name):
    data, kind, severity = hostile_keras()[name]
    (tmp_path / "model.keras").write_bytes(data)
    code, report = scan(bezoar, tmp_path / "model.keras")
    assert (kind, severity) in found(report), report["findings"]
    assert code == (1 if severity == "error" else 0), report["not_checked"]


def test_a_module_of_torch_within_a_layer(bezoar, tmp_path):
    (tmp_path / "model.keras").write_bytes(hostile_keras()["CVE-2025-49655 torch"][0])
    _, report = scan(bezoar, tmp_path / "model.keras")
    assert {"BZ-M001", "BZ-M004"} <= {f["rule"] for f in report["findings"] if f["severity"] == "error"}


def test_ordinary_keras(bezoar, tmp_path):
    for name, config in ordinary_keras_configs().items():
        (tmp_path / "model.keras").write_bytes(keras_file(config))
        code, report = scan(bezoar, tmp_path / "model.keras")
        assert not loud(report) and code == 0, (name, report["not_checked"])


def test_an_empty_configuration(bezoar, tmp_path):
    (tmp_path / "model.keras").write_bytes(keras_file(b""))
    assert scan(bezoar, tmp_path / "model.keras")[0] == 0  # nothing is loaded from it, by anything


def test_unreadable_keras_is_never_clean(bezoar, tmp_path):
    for name, data in unreadable_keras().items():
        (tmp_path / "model.keras").write_bytes(data)
        code, report = scan(bezoar, tmp_path / "model.keras")
        assert code in (1, 3) and (report["not_checked"] or code == 1), name


@pytest.mark.parametrize("case", hostile_tensorflow())
def test_hostile_tensorflow(bezoar, tmp_path, case):
    name, data, kind, severity = hostile_tensorflow()[case]
    (tmp_path / name).write_bytes(data)
    code, report = scan(bezoar, tmp_path / name)
    assert (kind, severity) in found(report), report["findings"]
    assert code == (1 if severity == "error" else 0), report["not_checked"]


def test_ordinary_tensorflow(bezoar, tmp_path):
    for name, data in ordinary_tensorflow().items():
        (tmp_path / name).write_bytes(data)
        code, report = scan(bezoar, tmp_path / name)
        assert not loud(report) and code == 0, (name, report["not_checked"])


def test_broken_tensorflow_is_never_clean(bezoar, tmp_path):
    whole = tf_saved(tf_graph(tf_node("AddV2")))
    broken = {"cut": whole[:-2], "node": tf_saved(tf_graph(tf_node("AddV2"), b"\x0a\x7f")), "rubbish": b"\xff" * 40}
    for name, data in broken.items():
        (tmp_path / "saved_model.pb").write_bytes(data)
        code, report = scan(bezoar, tmp_path / "saved_model.pb")
        assert code == 3 and report["not_checked"], name


@pytest.mark.nightly
def test_models_of_tensorflow(bezoar, tmp_path):
    tf = pytest.importorskip("tensorflow", reason="TensorFlow is not installed")

    class Net(tf.Module):
        def __init__(self):
            self.w = tf.Variable([[1.0], [2.0]])

        @tf.function(input_signature=[tf.TensorSpec([None, 2])])
        def __call__(self, x):
            return tf.nn.relu(x @ self.w)

    class Evil(Net):
        @tf.function(input_signature=[tf.TensorSpec([None, 2])])
        def __call__(self, x):
            return tf.io.read_file("/etc/hostname")

    tf.saved_model.save(Net(), tmp_path / "net")
    tf.saved_model.save(Evil(), tmp_path / "evil")
    for path in (tmp_path / "net").glob("*.pb"):
        code, report = scan(bezoar, path)
        assert not loud(report) and code == 0, (path.name, report["not_checked"])
    code, report = scan(bezoar, tmp_path / "evil" / "saved_model.pb")
    assert ("savedmodel-file", "error") in found(report) and code == 1


@pytest.mark.parametrize("name", hostile_hdf5())
def test_hostile_hdf5(bezoar, tmp_path, name):
    data, kind, severity = hostile_hdf5()[name]
    (tmp_path / "model.h5").write_bytes(data)
    code, report = scan(bezoar, tmp_path / "model.h5")
    assert (kind, severity) in found(report), report["not_checked"]
    assert code == (1 if severity == "error" else 3 if name == "virtual" else 0), report["not_checked"]


def test_what_pytables_unpickles(bezoar, tmp_path):
    for name, pickled in {"text": b"cposix\nsystem\n(S'id'\ntR.", "padded": b"\x80\x02cposix\nsystem\nX\2\0\0\0id\x85R.\0\0"}.items():
        (tmp_path / "data.h5").write_bytes(h5_file(h5_attribute("TITLE", "x"), h5_attribute("CLASS", pickled)))
        code, report = scan(bezoar, tmp_path / "data.h5")
        assert ("BZ-M001", "error") in [(f["rule"], f["severity"]) for f in report["findings"]] and code == 1, name


def test_ordinary_hdf5(bezoar, tmp_path):
    for name, data in ordinary_hdf5().items():
        (tmp_path / "model.h5").write_bytes(data)
        (tmp_path / "model.keras").write_bytes(keras_file(ordinary_keras_configs()["dense"], **{"model.weights.h5": data}))
        for file in ("model.h5", "model.keras"):
            code, report = scan(bezoar, tmp_path / file)
            assert not loud(report) and code == 0, (name, file, report["not_checked"])


def test_unreadable_hdf5_is_never_clean(bezoar, tmp_path):
    for name, data in unreadable_hdf5().items():
        (tmp_path / "model.h5").write_bytes(data)
        code, report = scan(bezoar, tmp_path / "model.h5")
        assert code == 3 and report["not_checked"], name


def test_what_the_h5_library_writes(bezoar, tmp_path):
    h5py = pytest.importorskip("h5py", reason="h5py is not installed")
    import numpy as np

    for version in ("earliest", "latest"):
        path = tmp_path / f"{version}.h5"
        with h5py.File(path, "w", libver=version) as f:
            f.attrs["model_config"] = json.dumps(ordinary_keras_configs()["dense"])
            f["a/b"] = np.ones((3, 4), np.float32)
            f.create_dataset("chunks", data=np.ones((50, 50)), chunks=True, compression="gzip")
            f["soft"] = h5py.SoftLink("/a/b")
            if version == "earliest":
                for i in range(200):
                    f[f"many/{i}"] = np.float32(i)
        code, report = scan(bezoar, path)
        assert not loud(report), version
        chunks_unread = any("chunks" in item["reason"] for item in report["not_checked"] if item["requested"])
        assert code == (3 if chunks_unread else 0) and not (chunks_unread and version == "earliest"), report["not_checked"]
        with h5py.File(path, "a", libver=version) as f:
            f["away"] = h5py.ExternalLink("/etc/x.h5", "/y")
            f.create_dataset("outside", (4,), "f4", external=[("../w.raw", 0, 16)])
            f.attrs["model_config"] = json.dumps(hostile_keras_configs()["CVE-2024-3660 Lambda"][0])
        code, report = scan(bezoar, path)
        kinds = [kind for kind, _ in found(report)]
        assert kinds.count("outside-path") == 2 and "keras-lambda" in kinds and code == 1, version


@pytest.mark.parametrize("name", hostile_tflite())
def test_hostile_tflite(bezoar, tmp_path, name):
    data, kind, severity = hostile_tflite()[name]
    (tmp_path / "model.tflite").write_bytes(data)
    code, report = scan(bezoar, tmp_path / "model.tflite")
    assert (kind, severity) in found(report), report["not_checked"]
    assert code == (1 if severity == "error" else 0), report["not_checked"]


def test_ordinary_tflite(bezoar, tmp_path):
    for name, data in ordinary_tflite().items():
        (tmp_path / "model.tflite").write_bytes(data)
        code, report = scan(bezoar, tmp_path / "model.tflite")
        assert not loud(report) and code == 0, (name, report["not_checked"])


def test_files_that_tflite_carries(bezoar, tmp_path):
    path = tmp_path / "model.tflite"
    for name, data, bad in (("labels.txt", b"a\nb\n", False), ("words.pkl", b"cposix\nsystem\n(S'id'\ntR.", True)):
        path.write_bytes(ordinary_tflite()["built in"])
        with zipfile.ZipFile(path, "a") as z:
            z.writestr(name, data)
        code, report = scan(bezoar, path)
        assert bool(loud(report)) == bad and code == bad, report["not_checked"]
        assert report["data"]["files"][0]["format"] == "tflite"


def test_broken_tflite_is_never_clean(bezoar, tmp_path):
    whole = ordinary_tflite()["built in"]
    for cut in range(16, len(whole), 7):
        (tmp_path / f"{cut}.tflite").write_bytes(whole[:cut])
    code, report = scan(bezoar, *tmp_path.glob("*.tflite"))
    unread = {entry["what"].rsplit("/", 1)[-1] for entry in report["not_checked"]}
    assert code == 3 and len(unread) > len(range(16, len(whole), 7)) * 0.6  # the rest holds all that is looked at


def write_folder(root, files):
    for name, data in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
    return root


def test_folder_of_a_saved_model(bezoar, tmp_path):
    code, report = scan(bezoar, write_folder(tmp_path / "net", saved_model_folder()))
    assert not loud(report) and code == 0, report["not_checked"]
    read = {f["path"].rsplit("/", 1)[-1]: f["format"] for f in report["data"]["files"]}
    assert read["variables.index"] == "checkpoint" and "variables.data-00000-of-00001" in read
    files = saved_model_folder()
    files["variables/variables.index"] = files["variables/variables.index"][8:]
    code, report = scan(bezoar, write_folder(tmp_path / "broken", files))
    assert any("variables.index" in entry["what"] for entry in report["not_checked"])


def test_numbers_beside_an_onnx_model(bezoar, tmp_path):
    files = {"model.onnx": onnx_model((5, onnx_external("model.onnx.data", length="16"))), "model.onnx.data": b"\0" * 16}
    code, report = scan(bezoar, write_folder(tmp_path / "net", files))
    assert not loud(report) and code == 0, report["not_checked"]
    files["other.data"] = b"\1" * 16  # nobody says what it is
    code, report = scan(bezoar, write_folder(tmp_path / "more", files))
    assert "1 file" in json.dumps(report["not_checked"])


def test_graphs_as_text(bezoar, tmp_path):
    for name, text in hostile_pbtxt().items():
        (tmp_path / "saved_model.pbtxt").write_text(text)
        code, report = scan(bezoar, tmp_path / "saved_model.pbtxt")
        assert found(report) == [("savedmodel-file", "error")] and code == 1, name
    (tmp_path / "saved_model.pbtxt").write_text(PBTXT % '"MatMul"')
    code, report = scan(bezoar, tmp_path / "saved_model.pbtxt")
    assert not loud(report) and code == 0


def with_numbers(numbers):
    """name -> files: the same 20 × 20 numbers in every format that says where they lie."""
    raw = struct.pack(f"<{len(numbers)}f", *numbers)
    dims, size = (20, 20), str(len(raw))
    shape = message(*((2, message((1, d))) for d in dims))
    constant = tf_node("Const", "w", value=message((8, message((1, 1), (2, shape), (4, raw)))))
    hdf5 = h5_with_dataset(lambda at: h5_dataset(h5_contiguous(at, len(raw)), dims=dims), raw)
    return {"onnx raw": {"m.onnx": onnx_model((5, onnx_tensor("w", (9, raw), dims=dims)))},
            "onnx list": {"m.onnx": onnx_model((5, onnx_tensor("w", (4, raw), dims=dims)))},
            "onnx attribute": {"m.onnx": onnx_model((1, onnx_node("Constant", "", (5, message((1, "value"), (5, onnx_tensor(
                "w", (9, raw), dims=dims)))))))},
            "onnx beside": {"m.onnx": onnx_model((5, onnx_external("m.data", offset="8", length=size, dims=dims))),
                            "m.data": bytes(8) + raw},
            "hdf5": {"m.h5": hdf5}, "keras": {"m.keras": keras_file(keras_config(dense()), **{"model.weights.h5": hdf5})},
            "frozen": {"m.pb": tf_graph(constant)}, "tflite": {"m.tflite": tflite_model((0, ""), weights=raw, dims=dims)},
            "saved model": saved_model_folder() | {"variables/variables.index": tf_index({"w": (0, len(raw), dims)}),
                                                   "variables/variables.data-00000-of-00001": raw}}


def test_numbers_are_found_where_they_lie(bezoar, tmp_path):
    draw = random.Random(3)
    good = [draw.gauss(0, 0.1) for _ in range(400)]
    bad = [float("nan") if i == 399 else x for i, x in enumerate(good)]
    for numbers, expected in ((good, False), (bad, True)):
        for name, files in with_numbers(numbers).items():
            _, report = scan(bezoar, write_folder(tmp_path / f"{name} {expected}", files))
            assert ("BZ-M008" in [f["rule"] for f in report["findings"]]) == expected, (name, report["not_checked"])


def keras_models(keras):
    """name -> a model, of every kind of layer that its configuration names in a way of its own."""
    layers, rows = keras.layers, keras.Input((5, 8))
    attention = layers.LayerNormalization()(layers.MultiHeadAttention(2, 4)(rows, rows) + rows)
    words = layers.TextVectorization(max_tokens=50, output_sequence_length=4)
    words.adapt(["a b c", "b c d"])

    def chain(*parts, shape=(8,), **more):
        return keras.Sequential([keras.Input(shape, **more), *parts])

    return {"dense": chain(layers.Dense(4, activation="relu"), layers.Dropout(0.1), layers.Dense(2, kernel_regularizer="l2")),
            "functions": chain(layers.Dense(4, activation=keras.activations.gelu), layers.Activation(keras.activations.mish)),
            "recurrent": chain(layers.Bidirectional(layers.LSTM(4)), shape=(5, 3)),
            "cells": chain(layers.RNN([layers.LSTMCell(3), layers.GRUCell(2)]), shape=(5, 3)),
            "pictures": chain(layers.RandomFlip(), layers.Rescaling(1 / 255), layers.Conv2D(2, 3), layers.BatchNormalization(),
                              layers.GlobalAveragePooling2D(), shape=(8, 8, 3)),
            "attention": keras.Model(rows, keras.ops.relu(keras.ops.mean(attention, axis=1)) * 2),
            "nested": chain(chain(layers.Dense(3), layers.Dense(4)), layers.Dense(1)),
            "half": chain(layers.Dense(4, dtype="mixed_float16")),
            "words": chain(words, layers.Embedding(50, 4), shape=(), dtype="string"),
            "lookup": chain(layers.StringLookup(vocabulary=["a", "b"]), layers.Embedding(4, 2), shape=(1,), dtype="string")}


@pytest.mark.nightly
def test_models_of_keras(bezoar, tmp_path):
    pytest.importorskip("tensorflow", reason="TensorFlow is not installed")
    keras = pytest.importorskip("keras", minversion="3.0", reason="Keras 3 is not installed")
    for name, model in keras_models(keras).items():
        if model.count_params() and name != "words":
            model.compile("adam", keras.losses.mean_squared_error, metrics=["mae", keras.metrics.AUC(name="auc")])
        model.save(tmp_path / f"{name}.keras")
        if name not in ("words", "lookup"):  # Keras itself cannot write them so
            model.save(tmp_path / f"{name}.h5")
    code, report = scan(bezoar, *tmp_path.iterdir())
    assert not loud(report) and code == 0, report["not_checked"]


def test_models_that_the_onnx_package_ships(bezoar):
    onnx = pytest.importorskip("onnx", reason="the onnx package is not installed")
    files = sorted(pathlib.Path(onnx.__file__).parent.rglob("*.onnx"))
    if not files:
        pytest.skip("this build of the onnx package ships no models")
    code, report = scan(bezoar, *files)
    assert not loud(report) and code == 0, report["not_checked"]
