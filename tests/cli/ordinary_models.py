"""Ordinary models, made by the libraries that people make them with: `ordinary_models.py FOLDER` writes as many kinds as the
libraries at hand allow, and says how many of which. Nothing here is hostile: what a scan says about it is a false alarm."""
import importlib
import io
import itertools
import json
import pathlib
import pickle
import sys
import warnings

MAKERS = []


def maker(*libraries):
    def keep(function):
        MAKERS.append((function, libraries))
        return function
    return keep


def data():
    import numpy as np
    draw = np.random.default_rng(1)
    return draw.random((60, 4)), draw.integers(0, 2, 60), draw.random(60)


def estimators():
    """Fitted."""
    from sklearn import (cluster, compose, covariance, cross_decomposition, decomposition, discriminant_analysis, dummy, ensemble,
                         feature_selection, gaussian_process, impute, isotonic, kernel_ridge, linear_model, manifold, mixture,
                         model_selection, multiclass, naive_bayes, neighbors, neural_network, pipeline, preprocessing, svm, tree)
    lm, pre = linear_model, preprocessing
    forest = ensemble.RandomForestClassifier(5)
    for model in [
        lm.LogisticRegression(), lm.SGDClassifier(), lm.Ridge(), lm.Lasso(), lm.ElasticNet(), lm.LinearRegression(), lm.Perceptron(),
        lm.RidgeClassifier(), lm.BayesianRidge(), lm.HuberRegressor(), lm.PoissonRegressor(), lm.LassoLars(), lm.TheilSenRegressor(),
        lm.RANSACRegressor(), lm.PassiveAggressiveClassifier(), tree.DecisionTreeClassifier(), tree.DecisionTreeRegressor(),
        tree.ExtraTreeClassifier(), forest, ensemble.RandomForestRegressor(5), ensemble.ExtraTreesClassifier(5),
        ensemble.GradientBoostingClassifier(n_estimators=5), ensemble.HistGradientBoostingClassifier(max_iter=5),
        ensemble.HistGradientBoostingRegressor(max_iter=5), ensemble.AdaBoostClassifier(n_estimators=5),
        ensemble.BaggingClassifier(n_estimators=3), ensemble.IsolationForest(n_estimators=5),
        ensemble.VotingClassifier([("a", lm.LogisticRegression()), ("b", naive_bayes.GaussianNB())]),
        ensemble.StackingClassifier([("a", lm.LogisticRegression()), ("b", naive_bayes.GaussianNB())], cv=2),
        svm.SVC(), svm.LinearSVC(), svm.SVR(), svm.OneClassSVM(), svm.NuSVC(nu=.3), neighbors.KNeighborsClassifier(),
        neighbors.KNeighborsRegressor(), neighbors.NearestCentroid(), neighbors.LocalOutlierFactor(novelty=True),
        neighbors.KernelDensity(), neighbors.RadiusNeighborsRegressor(5.), naive_bayes.GaussianNB(), naive_bayes.MultinomialNB(),
        naive_bayes.BernoulliNB(), neural_network.MLPClassifier(max_iter=5), neural_network.MLPRegressor(max_iter=5),
        gaussian_process.GaussianProcessClassifier(), gaussian_process.GaussianProcessRegressor(), cluster.KMeans(2, n_init=1),
        cluster.MiniBatchKMeans(2, n_init=1), cluster.DBSCAN(), cluster.AgglomerativeClustering(2), cluster.Birch(n_clusters=2),
        cluster.MeanShift(), cluster.SpectralClustering(2), decomposition.PCA(2), decomposition.TruncatedSVD(2),
        decomposition.NMF(2, max_iter=50), decomposition.FastICA(2), decomposition.LatentDirichletAllocation(2, max_iter=2),
        decomposition.KernelPCA(2), discriminant_analysis.LinearDiscriminantAnalysis(),
        discriminant_analysis.QuadraticDiscriminantAnalysis(), dummy.DummyClassifier(), mixture.GaussianMixture(2),
        mixture.BayesianGaussianMixture(n_components=2), covariance.EllipticEnvelope(), covariance.LedoitWolf(),
        cross_decomposition.PLSRegression(2), isotonic.IsotonicRegression(), kernel_ridge.KernelRidge(), manifold.Isomap(),
        impute.SimpleImputer(), impute.KNNImputer(), pre.StandardScaler(), pre.MinMaxScaler(), pre.RobustScaler(), pre.OneHotEncoder(),
        pre.OrdinalEncoder(), pre.PolynomialFeatures(2), pre.KBinsDiscretizer(3), pre.PowerTransformer(), pre.QuantileTransformer(n_quantiles=10),
        pre.Normalizer(), pre.SplineTransformer(), feature_selection.SelectKBest(k=2), feature_selection.RFE(lm.LogisticRegression()),
        feature_selection.VarianceThreshold(), multiclass.OneVsRestClassifier(lm.LogisticRegression()),
        model_selection.GridSearchCV(lm.LogisticRegression(), {"C": [.1, 1]}, cv=2),
        pipeline.make_pipeline(pre.MinMaxScaler(), lm.Lasso()),
        pipeline.make_pipeline(compose.ColumnTransformer([("a", pre.StandardScaler(), [0, 1]), ("b", "passthrough", [2])]), lm.Ridge()),
    ]:
        yield fitted(model)


def fitted(model):
    from sklearn.base import is_regressor
    X, y, target = data()
    if type(model).__name__ == "IsotonicRegression":
        return model.fit(X[:, 0], target)
    return model.fit(X, target if is_regressor(model) else y)


@maker("sklearn", "joblib")
def scikit_learn(folder):
    import joblib
    packings = itertools.cycle([("joblib", 0), ("z", ("zlib", 3)), ("gz", ("gzip", 3)), ("bz2", ("bz2", 3)), ("xz", ("xz", 3)), ("lzma", ("lzma", 3))])
    for i, model in enumerate(estimators()):
        name = f"{i:03d}-{type(model).__name__}"
        for protocol in (2 + i % 2, 4 + i % 2):
            (folder / f"{name}-{protocol}.pkl").write_bytes(pickle.dumps(model, protocol))
        joblib.dump(model, folder / f"{name}.joblib", protocol=4)
        suffix, compress = next(packings)
        joblib.dump(model, folder / f"{name}-packed.{suffix}.joblib", compress=compress)


@maker("sklearn")
def scikit_learn_text(folder):
    from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer, TfidfVectorizer
    texts = ["one two three", "two three four", "five"]
    for model in (CountVectorizer(), TfidfVectorizer(), HashingVectorizer(n_features=16), TfidfVectorizer(analyzer="char")):
        for protocol in (3, 5):
            path = folder / f"{type(model).__name__}-{model.analyzer}-{protocol}.pkl"
            path.write_bytes(pickle.dumps(model.fit(texts), protocol))


@maker("numpy")
def numpy_files(folder):
    import numpy as np
    draw = np.random.default_rng(2)
    values = {"array": draw.random((3, 4)), "objects": np.array([1, "x", None, {"a": 2}], object), "words": np.array(["a", "bc"]),
              "record": np.zeros(3, [("a", "f4"), ("b", "i8")]), "masked": np.ma.array([1, 2, 3], mask=[0, 1, 0]),
              "generator": draw, "state": np.random.RandomState(1), "dates": np.array(["2026-01-01"], "M8[D]"),
              "scalar": np.float32(1), "polynomial": np.polynomial.Polynomial([1, 2])}
    for name, value in values.items():
        for protocol in range(2, 6):
            (folder / f"{name}-{protocol}.pkl").write_bytes(pickle.dumps(value, protocol))
    np.savez(folder / "weights.npz", **{"layer.0": draw.random((4, 4)), "layer.1": draw.random(4)})
    np.savez_compressed(folder / "packed.npz", a=draw.random((64, 64)), words=np.array(["a", "b"], object))
    np.save(folder / "objects.npy", np.array([{"a": 1}, [2]], object), allow_pickle=True)


@maker("pandas")
def pandas_files(folder):
    import pandas as pd
    frame = pd.DataFrame({"a": [1, 2], "b": ["x", "y"], "t": pd.to_datetime(["2026-01-01", "2026-01-02"]), "c": pd.Categorical(["u", "v"])})
    values = {"frame": frame, "series": frame["a"], "index": frame.index, "multi": frame.set_index(["a", "b"]), "period": pd.period_range("2026", periods=3),
              "nullable": frame.convert_dtypes(), "interval": pd.interval_range(0, 3), "grouped": frame.groupby("b").agg({"a": "sum"})}
    for name, value in values.items():
        for protocol in (2, 4, 5):
            pd.to_pickle(value, folder / f"{name}-{protocol}.pkl", protocol=protocol)
    for packing in ("gz", "bz2", "xz", "zip"):
        frame.to_pickle(folder / f"frame.pkl.{packing}")


@maker("xgboost")
def xgboost_files(folder):
    import xgboost
    X, y, _ = data()
    for i, model in enumerate((xgboost.XGBClassifier(n_estimators=3), xgboost.XGBRegressor(n_estimators=3))):
        model.fit(X, y)
        for protocol in (2, 4, 5):
            (folder / f"{i}-{protocol}.pkl").write_bytes(pickle.dumps(model, protocol))


@maker("lightgbm")
def lightgbm_files(folder):
    import lightgbm
    X, y, _ = data()
    for i, model in enumerate((lightgbm.LGBMClassifier(n_estimators=3, verbose=-1), lightgbm.LGBMRegressor(n_estimators=3, verbose=-1))):
        model.fit(X, y)
        for protocol in (2, 4, 5):
            (folder / f"{i}-{protocol}.pkl").write_bytes(pickle.dumps(model, protocol))


@maker("skl2onnx")
def onnx_files(folder):
    from skl2onnx import to_onnx
    from sklearn import ensemble, linear_model, naive_bayes, pipeline, preprocessing, svm, tree
    X = data()[0].astype("float32")
    for i, model in enumerate((linear_model.LogisticRegression(), linear_model.Ridge(), tree.DecisionTreeClassifier(), ensemble.RandomForestClassifier(3),
                               svm.SVC(), naive_bayes.GaussianNB(), ensemble.GradientBoostingClassifier(n_estimators=3),
                               pipeline.make_pipeline(preprocessing.StandardScaler(), linear_model.LogisticRegression()))):
        for opset in (12, 15, 17):
            (folder / f"{i}-{opset}.onnx").write_bytes(to_onnx(fitted(model), X[:1], target_opset=opset).SerializeToString())


@maker("onnx")
def onnx_graphs(folder):
    import numpy as np
    import onnx
    from onnx import TensorProto, helper, numpy_helper
    for i, op in enumerate(("Relu", "Sigmoid", "Tanh", "Softmax", "Exp", "Abs")):
        weights = numpy_helper.from_array(np.ones((4, 4), "f4"), "w")
        value = lambda name: helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 4])  # noqa: E731
        graph = helper.make_graph([helper.make_node("MatMul", ["x", "w"], ["h"]), helper.make_node(op, ["h"], ["y"])], "g", [value("x")], [value("y")], [weights])
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13 + i)], producer_name="test")
        onnx.save(model, folder / f"{op}.onnx")
    onnx.save(model, folder / "external.onnx", save_as_external_data=True, location="external.bin", size_threshold=0)


@maker("safetensors")
def safetensors_files(folder):
    import numpy as np
    from safetensors.numpy import save_file
    draw = np.random.default_rng(3)
    for i, dtype in enumerate(("float32", "float16", "float64", "int8", "int64", "uint8", "bool")):
        tensors = {f"model.layers.{k}.weight": draw.random((8, 8)).astype(dtype) for k in range(3)}
        save_file(tensors, folder / f"{i}.safetensors", {"format": "pt"})
        save_file({f"layers.{k}.lora_{ab}.weight": draw.random((4, 16) if ab == "A" else (16, 4)).astype("float32") for k in range(2) for ab in "AB"},
                  folder / f"adapter-{i}.safetensors")


@maker("gguf")
def gguf_files(folder):
    import gguf
    import numpy as np
    draw = np.random.default_rng(4)
    kinds = gguf.GGMLQuantizationType
    for i, kind in enumerate((None, kinds.Q4_0, kinds.Q8_0, kinds.Q5_1, kinds.BF16)):
        for architecture in ("llama", "qwen2", "gpt2"):
            writer = gguf.GGUFWriter(folder / f"{architecture}-{i}.gguf", architecture)
            writer.add_name("test")
            writer.add_block_count(2)
            writer.add_token_list(["a", "b", "<s>"])
            writer.add_chat_template("{% for m in messages %}{{ '<|' + m['role'] + '|>' + m['content'] }}{% endfor %}")
            for k in range(2):
                values = draw.normal(size=(4, 64)).astype("float32")
                packed = values if kind is None else gguf.quants.quantize(values, kind)
                writer.add_tensor(f"blk.{k}.weight", packed, raw_dtype=kind)
            writer.write_header_to_file()
            writer.write_kv_data_to_file()
            writer.write_tensors_to_file()
            writer.close()


@maker("keras")
def keras_files(folder):
    import keras
    L = keras.layers
    stacks = [[L.Dense(4, activation="relu"), L.Dense(2)], [L.Reshape((4, 1)), L.Conv1D(2, 2), L.Flatten()],
              [L.Dense(4), L.BatchNormalization(), L.Dropout(.1), L.Activation("gelu")],
              [L.Reshape((2, 2)), L.LSTM(3)], [L.Reshape((2, 2)), L.GRU(3)], [L.LayerNormalization(), L.Dense(1, activation="sigmoid")]]
    for i, stack in enumerate(stacks):
        model = keras.Sequential([keras.Input((4,)), *stack])
        model.compile("adam", "mse", metrics=["mae"])
        model.save(folder / f"{i}.keras")
        model.save_weights(folder / f"{i}.weights.h5")
        if i % 2 == 0:
            model.save(folder / f"{i}.h5")


@maker("tensorflow", "keras")
def tensorflow_files(folder):
    import keras
    import tensorflow
    for i, stack in enumerate(([keras.layers.Dense(4, activation="relu"), keras.layers.Dense(2)],
                               [keras.layers.Reshape((4, 1)), keras.layers.Conv1D(2, 2), keras.layers.Flatten()])):
        model = keras.Sequential([keras.Input((4,)), *stack])
        model.export(str(folder / f"saved-{i}"), verbose=False)
        (folder / f"{i}.tflite").write_bytes(tensorflow.lite.TFLiteConverter.from_saved_model(str(folder / f"saved-{i}")).convert())


def torch_files(folder):
    import argparse
    import collections
    import torch
    from torch import nn
    nets = [nn.Linear(4, 2), nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU()), nn.LSTM(4, 4), nn.GRU(4, 4), nn.Embedding(9, 4),
            nn.TransformerEncoderLayer(8, 2, 16), nn.MultiheadAttention(8, 2), nn.ConvTranspose2d(2, 2, 2), nn.Sequential(nn.Linear(2, 2), nn.Dropout(), nn.GELU()),
            nn.ModuleList([nn.Linear(2, 2)]), nn.ModuleDict({"a": nn.LayerNorm(3)}), nn.Bilinear(2, 2, 2)]
    optimizers = [torch.optim.Adam, torch.optim.SGD, torch.optim.AdamW, torch.optim.RMSprop]
    for i, net in enumerate(nets):
        optimizer = optimizers[i % 4](net.parameters(), lr=.1)
        run = {"model": net.state_dict(), "optimizer": optimizer.state_dict(), "epoch": i, "args": argparse.Namespace(lr=.1, name="x"),
               "rng": torch.get_rng_state(), "scheduler": torch.optim.lr_scheduler.StepLR(optimizer, 2).state_dict()}
        for new in (True, False):
            kind = "zip" if new else "old"
            torch.save(net.state_dict(), folder / f"{i}-{kind}.pt", _use_new_zipfile_serialization=new)
            torch.save(net, folder / f"{i}-{kind}-whole.pth", _use_new_zipfile_serialization=new)
            torch.save(run, folder / f"{i}-{kind}.ckpt", _use_new_zipfile_serialization=new)
        torch.save(collections.OrderedDict((k, v.half()) for k, v in net.state_dict().items()), folder / f"{i}-half.bin")
        (folder / f"{i}.pkl").write_bytes(pickle.dumps(net, 2 + i % 4))
    for i, dtype in enumerate((torch.float16, torch.bfloat16, torch.int8, torch.bool, torch.complex64)):
        torch.save(torch.zeros(3, dtype=dtype), folder / f"type-{i}.pt")
    torch.jit.script(nn.Linear(2, 2)).save(str(folder / "script.pt"))


MAKERS.append((torch_files, ("torch",)))


@maker()
def folders(folder):
    """Repositories as hubs keep them, by hand: weights of no size, configurations, tokenizers."""
    import struct
    template = "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}{% endfor %}"
    header = json.dumps({"__metadata__": {"format": "pt"}, "w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}).encode()
    weights = struct.pack("<Q", len(header)) + header + struct.pack("<2f", .5, -.25)
    for i, kind in enumerate(("llama", "mistral", "qwen2", "gpt2", "bert", "t5", "gemma", "phi3")):
        home = folder / kind
        home.mkdir()
        config = {"architectures": [f"{kind.title()}ForCausalLM"], "model_type": kind, "hidden_size": 64, "torch_dtype": "bfloat16", "transformers_version": "4.40.0"}
        for name, value in {"config.json": config, "generation_config.json": {"eos_token_id": 2}, "special_tokens_map.json": {"eos_token": "</s>"},
                            "tokenizer_config.json": {"tokenizer_class": "PreTrainedTokenizerFast", "chat_template": template},
                            "tokenizer.json": {"version": "1.0", "model": {"type": "BPE", "vocab": {"a": 0}, "merges": []}}}.items():
            (home / name).write_text(json.dumps(value))
        (home / "README.md").write_text("---\nlicense: apache-2.0\n---\n# A model\n")
        (home / "model.safetensors").write_bytes(weights)
        if i % 2:
            (home / "adapter_config.json").write_text(json.dumps({"peft_type": "LORA", "r": 8, "lora_alpha": 16, "base_model_name_or_path": "someone/base"}))


def write(into, only=None):
    """{maker: number of files}; makers whose libraries are not there are left out."""
    made = {}
    for function, libraries in MAKERS:
        name = function.__name__
        try:
            for library in libraries:
                importlib.import_module(library)
        except ImportError:
            continue
        if only and name not in only:
            continue
        folder = pathlib.Path(into) / name
        folder.mkdir(parents=True)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            function(folder)
        made[name] = sum(1 for p in folder.rglob("*") if p.is_file())
    return made


if __name__ == "__main__":
    stdout, sys.stdout = sys.stdout, io.StringIO()
    made = write(sys.argv[1], sys.argv[2:])
    print(json.dumps(made), file=stdout)
