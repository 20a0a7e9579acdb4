"""bezoar.outliers: scores for a matrix of the caller's."""
import numpy as np
import pytest

import bezoar

METHODS = ["isolation-forest", "ecod", "copod", "robust-covariance"]


@pytest.mark.parametrize("method", METHODS)
def test_scores(method):
    rng = np.random.default_rng(1)
    X = rng.normal(size=(500, 4))
    X[:10] += 8
    scores = bezoar.outliers(X, method=method, seed=3, threads=1)
    assert scores.shape == (500,) and scores.dtype == np.float64
    assert set(np.argsort(-scores)[:10]) == set(range(10))
    assert np.array_equal(scores, bezoar.outliers(X.tolist(), method=method, seed=3, threads=3))
    assert np.array_equal(scores, bezoar.outliers(np.asfortranarray(X), method=method, seed=3))


def test_one_column_and_missing_values():
    assert bezoar.outliers([1, 2, 3, np.nan, 40], method="copod").argmax() == 4


def test_refusals():
    with pytest.raises(ValueError):
        bezoar.outliers(np.zeros((2, 2, 2)))
    with pytest.raises(ValueError):
        bezoar.outliers(np.zeros((2, 2)), method="nothing")
    with pytest.raises(bezoar.UsageError):
        bezoar.outliers(np.zeros((0, 2)))
    with pytest.raises(bezoar.LimitError):
        bezoar.outliers(np.zeros((2, 300)), method="robust-covariance")
