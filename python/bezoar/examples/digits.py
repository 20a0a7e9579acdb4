"""A small federated task on real data: handwritten digits (scikit-learn's copy of UCI's, 1,797 pictures of 8 × 8) shared
out among clients, and a network with one hidden layer, trained by plain NumPy."""

import numpy as np

HIDDEN = 32
TEST = 397  # pictures held back to measure accuracy


def load():
    """(train pictures, train labels, test pictures, test labels), in a fixed order."""
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise ImportError('the digits come with scikit-learn: pip install "bezoar[demo]"') from error
    pictures, labels = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(labels))
    pictures, labels = (pictures[order] / 16).astype(np.float32), labels[order]
    return pictures[TEST:], labels[TEST:], pictures[:TEST], labels[:TEST]


def shards(labels, clients, seed=0, skew=0.5):
    """Row numbers for each client: a share `skew` of them goes by label (every client has its favourites), the rest by
    chance."""
    draw = np.random.default_rng(seed)
    rows = draw.permutation(len(labels))
    cut = int(skew * len(rows))
    by_label = rows[:cut][np.argsort(labels[rows[:cut]], kind="stable")]
    parts = zip(np.array_split(by_label, clients), np.array_split(rows[cut:], clients))
    return [np.concatenate(part) for part in parts]


def new_model(seed=0):
    """The first global model: arrays by name."""
    draw = np.random.default_rng(seed)
    return {
        "hidden.weight": draw.normal(0, 64**-0.5, (64, HIDDEN)).astype(np.float32),
        "hidden.bias": np.zeros(HIDDEN, np.float32),
        "out.weight": draw.normal(0, HIDDEN**-0.5, (HIDDEN, 10)).astype(np.float32),
        "out.bias": np.zeros(10, np.float32),
    }


def _forward(model, pictures):
    hidden = np.maximum(pictures @ model["hidden.weight"] + model["hidden.bias"], 0)
    scores = hidden @ model["out.weight"] + model["out.bias"]
    scores = np.exp(scores - scores.max(axis=1, keepdims=True))
    return hidden, scores / scores.sum(axis=1, keepdims=True)


def train(model, pictures, labels, steps=20, rate=0.5):
    """The model after some steps of gradient descent on a client's pictures; the loss before them."""
    model = {name: array.copy() for name, array in model.items()}
    rows, loss = np.arange(len(labels)), None
    for _ in range(steps):
        hidden, chances = _forward(model, pictures)
        if loss is None:
            loss = float(-np.log(chances[rows, labels] + 1e-12).mean())
        chances[rows, labels] -= 1
        chances /= np.float32(len(labels))
        back = (chances @ model["out.weight"].T) * (hidden > 0)
        model["out.weight"] -= np.float32(rate) * (hidden.T @ chances)
        model["out.bias"] -= np.float32(rate) * chances.sum(axis=0)
        model["hidden.weight"] -= np.float32(rate) * (pictures.T @ back)
        model["hidden.bias"] -= np.float32(rate) * back.sum(axis=0)
    return model, loss


def accuracy(model, pictures, labels):
    """Share of the pictures that the model names rightly; 0 where it is not finite."""
    if not all(np.isfinite(array).all() for array in model.values()):
        return 0.0
    return float((_forward(model, pictures)[1].argmax(axis=1) == labels).mean())
