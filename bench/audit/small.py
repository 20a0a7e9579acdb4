"""Small models as people keep them in pickles, for the speed of many of them: `small.py FOLDER [N]` writes N files. A few
hundred scikit-learn estimators and plain dictionaries are fitted; the rest are those again with other numbers."""
import pathlib
import pickle
import sys
import warnings

import numpy as np
from sklearn import decomposition, linear_model, naive_bayes, neighbors, pipeline, preprocessing, svm, tree


def models(draw):
    X, y = draw.random((40, 6)), draw.integers(0, 3, 40)
    scaled = pipeline.make_pipeline(preprocessing.StandardScaler(), linear_model.LogisticRegression(max_iter=50))
    for model in (linear_model.LogisticRegression(max_iter=50), linear_model.Ridge(), naive_bayes.GaussianNB(),
                  tree.DecisionTreeClassifier(max_depth=4), preprocessing.StandardScaler(), preprocessing.MinMaxScaler(),
                  decomposition.PCA(2), svm.LinearSVC(), neighbors.NearestCentroid(), scaled):
        yield model.fit(X, y)
    yield preprocessing.LabelEncoder().fit([f"class {i}" for i in range(12)])
    yield {"weights": X[:3], "bias": y[:3].tolist(), "classes": ["a", "b", "c"], "epoch": int(draw.integers(100)), "loss": float(draw.random())}


def write(folder, n):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    draw, kept = np.random.default_rng(1), []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        while len(kept) < min(n, 240):
            kept += models(draw)
    for i in range(n):
        (folder / f"{i:05d}.pkl").write_bytes(pickle.dumps((kept[i % len(kept)], i), 2 + i % 4))


if __name__ == "__main__":
    write(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 10_000)
