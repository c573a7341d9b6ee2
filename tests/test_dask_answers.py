"""Dask collections are answered for lazily, partition by partition."""

import numpy as np
import pytest

from skmoe import MixtureOfExpertsClassifier, MixtureOfExpertsRegressor
from skmoe.datasets import make_mixture_of_experts

dask = pytest.importorskip("dask")
array = pytest.importorskip("dask.array")


@pytest.fixture(scope="module", autouse=True)
def synchronous():
    with dask.config.set(scheduler="synchronous"):
        yield


@pytest.fixture(scope="module")
def fitted():
    X, y, _ = make_mixture_of_experts(700, 3, 2, random_state=0)
    return MixtureOfExpertsRegressor(2, n_init=2, random_state=0).fit(X, y), X, y


@pytest.fixture(scope="module")
def fitted_to_several():
    X, y, _ = make_mixture_of_experts(300, 3, 2, n_targets=2, random_state=0)
    return MixtureOfExpertsRegressor(2, n_init=2, random_state=0).fit(X, y), X, y


def assert_lazy_and_equal(lazy, eager, chunks=None):
    assert isinstance(lazy, array.Array)
    assert lazy.dtype == eager.dtype and lazy.shape[1:] == eager.shape[1:]
    if chunks is not None:
        assert lazy.chunks[0] == chunks
    np.testing.assert_allclose(lazy.compute(), eager, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("method", ["predict", "predict_gate", "predict_experts", "apply"])
@pytest.mark.parametrize("several", [False, True])
def test_answers_for_rows(fitted, fitted_to_several, method, several):
    est, X, y = fitted_to_several if several else fitted
    rows = array.from_array(X, chunks=(90, 2))
    assert_lazy_and_equal(getattr(est, method)(rows), getattr(est, method)(X), rows.chunks[0])


@pytest.mark.parametrize("method", ["score_samples", "responsibilities"])
def test_answers_for_rows_with_y(fitted, method):
    est, X, y = fitted
    rows = array.from_array(X, chunks=(200, 3))
    expected = getattr(est, method)(X, y)
    for answers in (array.from_array(y, chunks=130), y):
        assert_lazy_and_equal(getattr(est, method)(rows, answers), expected, rows.chunks[0])
    lazy = array.from_array(y, chunks=200)
    assert est.log_likelihood(rows, lazy) == pytest.approx(est.log_likelihood(X, y))
    assert est.bic(rows, lazy) == pytest.approx(est.bic(X, y))
    assert est.score(rows, lazy) == pytest.approx(est.score(X, y))


def test_deviations_too(fitted):
    est, X, _ = fitted
    lazy = est.predict(array.from_array(X, chunks=(100, 3)), return_std=True)
    for one, other in zip(lazy, est.predict(X, return_std=True), strict=True):
        assert_lazy_and_equal(one, other)


def test_the_distribution_is_lazy(fitted, fitted_to_several):
    for est, X, y in (fitted, fitted_to_several):
        lazy = est.predict_distribution(array.from_array(X, chunks=(100, 3)))
        eager = est.predict_distribution(X)
        for name in ("mean", "var", "std", "median", "mode", "covariance"):
            assert_lazy_and_equal(getattr(lazy, name)(), getattr(eager, name)())
        for name in ("pdf", "logpdf", "cdf"):
            assert_lazy_and_equal(getattr(lazy, name)(y), getattr(eager, name)(y))
        assert_lazy_and_equal(lazy.ppf([0.1, 0.9]), eager.ppf([0.1, 0.9]))
        for one, other in zip(lazy.interval(0.8), eager.interval(0.8), strict=True):
            assert_lazy_and_equal(one, other)
        draws = lazy.rvs(400, random_state=0)
        assert isinstance(draws, array.Array)
        found = draws.compute()
        spread = eager.std()
        assert np.abs((found.mean(axis=1) - eager.mean()) / spread).max() < 5 / np.sqrt(400)
        np.testing.assert_array_equal(lazy.rvs(400, random_state=0).compute(), found)
        assert len(np.unique(found)) == found.size
        assert est.sample(array.from_array(X, chunks=(100, 3)), 3, 0).compute().shape[1] == 3


def test_nothing_is_computed_before_it_is_asked_for(fitted):
    est, X, _ = fitted
    seen = []

    def spy(block):
        seen.append(len(block))
        return block

    rows = array.from_array(X, chunks=(350, 3)).map_blocks(spy, dtype=X.dtype, meta=X[:0])
    lazy = est.predict(rows)
    assert seen == []
    lazy[:10].compute()
    assert seen == [350]


def test_frames_keep_their_names(fitted):
    pd, frame = pytest.importorskip("pandas"), pytest.importorskip("dask.dataframe")
    _, X, y = fitted
    table = pd.DataFrame(X, columns=list("abc")).assign(y=y)
    est = MixtureOfExpertsRegressor(2, n_init=2, random_state=0).fit(table[list("abc")], y)
    parts = frame.from_pandas(table, npartitions=3)
    assert_lazy_and_equal(est.predict(parts[list("abc")]), est.predict(table[list("abc")]))
    assert_lazy_and_equal(
        est.score_samples(parts[list("abc")], parts["y"]),
        est.score_samples(table[list("abc")], table["y"]),
    )
    with pytest.raises(ValueError, match="feature names"):
        est.predict(parts[list("acb")])


def test_classes_are_lazy_too():
    X, y, _ = make_mixture_of_experts(300, 3, 2, random_state=0)
    labels = np.where(y > np.median(y), "high", "low")
    est = MixtureOfExpertsClassifier(2, n_init=2, random_state=0).fit(X, labels)
    rows = array.from_array(X, chunks=(100, 3))
    np.testing.assert_array_equal(est.predict(rows).compute(), est.predict(X))
    for name in ("predict_proba", "predict_log_proba", "decision_function"):
        assert_lazy_and_equal(getattr(est, name)(rows), getattr(est, name)(X))
    assert_lazy_and_equal(est.score_samples(rows, labels), est.score_samples(X, labels))
    assert est.score(rows, labels) == est.score(X, labels)


def test_rows_that_do_not_match_are_refused(fitted):
    est, X, y = fitted
    rows = array.from_array(X, chunks=(100, 3))
    with pytest.raises(ValueError, match="features"):
        est.predict(rows[:, :2])
    with pytest.raises(ValueError, match="rechunk|chunks|partitions|rows"):
        est.score_samples(rows, array.from_array(y[:-50], chunks=100))
