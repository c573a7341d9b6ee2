"""Classifiers learn from rows that are read block by block, whatever block a class is in."""

import numpy as np
import pytest
from test_streams import blocks_of

from skmoe import HierarchicalMixtureOfExpertsClassifier, MixtureOfExpertsClassifier
from skmoe.batches import RowBlocks
from skmoe.datasets import make_mixture_of_experts
from skmoe.estimators import _streams

NAMES = np.array(["high", "low", "middle"])


@pytest.fixture(scope="module")
def rows():
    X, y, _ = make_mixture_of_experts(5000, 3, 2, noise=0.3, random_state=0)
    return X, NAMES[np.digitize(y, np.quantile(y, [0.3, 0.8]))]


def classifier(**kwargs):
    return MixtureOfExpertsClassifier(2, n_init=2, random_state=0, warm_start=True, **kwargs)


def resumed(rows, *stream, **kwargs):
    """A fit of the stream from where the fit of few rows ends."""
    est = classifier(max_iter=3, **kwargs).fit(rows[0][:1000], rows[1][:1000])
    return est.set_params(max_iter=15, tol=0.0).fit(*stream)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("class_weight", [None, "balanced", {"low": 3.0}], ids=str)
def test_blocks_agree_with_memory(rows, class_weight):
    X, y = rows
    whole = resumed(rows, X, y, class_weight=class_weight)
    blocks = resumed(rows, RowBlocks(blocks_of(X, y)), class_weight=class_weight)
    np.testing.assert_allclose(blocks.coef_, whole.coef_, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(blocks.lower_bounds_, whole.lower_bounds_, rtol=1e-9)
    np.testing.assert_array_equal(blocks.predict(X), whole.predict(X))


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_mapped_files_agree_with_memory(rows, tmp_path, monkeypatch):
    X, y = rows
    np.save(tmp_path / "X.npy", X)
    whole = resumed(rows, X, y)
    monkeypatch.setattr(_streams, "LARGE", 1000)
    mapped = resumed(rows, np.load(tmp_path / "X.npy", mmap_mode="r"), y)
    np.testing.assert_allclose(mapped.coef_, whole.coef_, rtol=1e-8, atol=1e-10)


def test_a_class_that_the_sample_misses_is_known(rows, monkeypatch):
    X, y = rows
    y = y.astype(object)
    y[4001] = "rare"
    monkeypatch.setattr(_streams, "SAMPLE_ROWS", 100)
    monkeypatch.setattr(_streams, "SAMPLE_ROWS_OF_COEFFICIENT", 1)
    est = MixtureOfExpertsClassifier(2, n_init=2, random_state=0)
    est.fit(RowBlocks(blocks_of(X, y.astype(str))))
    assert est.classes_.tolist() == ["high", "low", "middle", "rare"]
    assert est.predict_proba(X[:3]).shape == (3, 4)


def test_rows_of_no_weight_have_no_class(rows):
    X, y = rows
    y, weight = y.astype(object), np.ones(len(y))
    y[7], weight[7] = "typing error", 0.0
    blocks = [(X[i : i + 900], y[i : i + 900], weight[i : i + 900]) for i in range(0, len(y), 900)]
    est = MixtureOfExpertsClassifier(2, n_init=1, random_state=0).fit(RowBlocks(blocks))
    assert est.classes_.tolist() == NAMES.tolist()


def test_trees_learn_from_blocks_too(rows):
    X, y = rows
    est = HierarchicalMixtureOfExpertsClassifier(1, n_init=1, random_state=0, max_iter=50)
    assert est.fit(RowBlocks(blocks_of(X, y))).score(X, y) > 0.6


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_dask_agrees_with_memory(rows):
    dask, array = pytest.importorskip("dask"), pytest.importorskip("dask.array")
    X, y = rows
    whole = resumed(rows, X, y, class_weight="balanced")
    with dask.config.set(scheduler="synchronous"):
        lazy = array.from_array(X, chunks=(1100, 3)), array.from_array(y, chunks=1100)
        away = resumed(rows, *lazy, class_weight="balanced")
    np.testing.assert_allclose(away.coef_, whole.coef_, rtol=1e-8, atol=1e-10)
