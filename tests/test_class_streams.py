"""Classifiers learn from rows that are read block by block, whatever block a class is in."""

import numpy as np
import pytest
from _problems import frame_library
from sklearn.base import clone
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


# ------------------------------------------------------------------------------- block after block


def online(est=MixtureOfExpertsClassifier, **kwargs):
    return est(fitter="online_em", n_init=4, random_state=0, **kwargs)


@pytest.mark.parametrize(
    "est",
    [
        online(n_experts=2),
        online(HierarchicalMixtureOfExpertsClassifier, depth=1, class_weight={"low": 2.0}),
    ],
    ids=lambda est: type(est).__name__,
)
def test_partial_fit_comes_close_to_the_fit_of_all_rows(rows, est):
    X, y = rows
    whole = clone(est).set_params(fitter="em").fit(X, y)
    first = clone(whole).fit(X[:500], y[:500])
    for start in range(0, len(y), 500):
        est.partial_fit(X[start : start + 500], y[start : start + 500], classes=NAMES)
    counts = np.where(y == "low", 2.0, 1.0) if est.class_weight else None
    reached, best, few = (
        np.average(each.score_samples(X, y), weights=counts) for each in (est, whole, first)
    )
    assert best - reached < 0.01 and reached > few
    assert est.fit(X[:500], y[:500]).score_samples(X, y).mean() < reached  # fit starts anew


def test_classes_may_come_later(rows):
    pandas = frame_library("pandas")
    X, y = pandas.DataFrame(rows[0], columns=list("abc")), rows[1]
    est, early = online(n_experts=2), np.flatnonzero(y[:1000] != "middle")
    est.partial_fit(X.iloc[early], y[early], classes=NAMES)
    assert est.classes_.tolist() == sorted(NAMES)
    proba = est.predict_proba(X)[:, 2]
    assert 0.0 < proba.mean() < 0.05
    for start in range(1000, len(y), 500):
        est.partial_fit(X.iloc[start : start + 500], y[start : start + 500])
    assert np.mean(est.predict(X[y == "middle"]) == "middle") > 0.5


def test_classes_are_told_once(rows):
    X, y = rows
    est = online(n_experts=2).partial_fit(X[:300], y[:300])
    with pytest.raises(ValueError, match=r"classes=.*first call"):
        est.partial_fit(X[:300], y[:300], classes=["high", "low"])
    with pytest.raises(ValueError, match="upper"):
        est.partial_fit(X[:2], ["upper", "low"])
    with pytest.raises(ValueError, match="high"):
        online().partial_fit(X[:300], y[:300], classes=["low", "middle"])
    with pytest.raises(ValueError, match="class_weight='balanced'"):
        online(class_weight="balanced").partial_fit(X, y)
    with pytest.raises(ValueError, match="inconsistent"):
        online().partial_fit(X, y[:-1], classes=NAMES)
    assert not hasattr(MixtureOfExpertsClassifier(), "partial_fit")
