"""Rows that are read block by block end in the coefficients of the fit in memory."""

import os
import signal
import threading

import numpy as np
import pytest

from skmoe import MixtureOfExpertsRegressor
from skmoe.batches import ArraySource, Moments, RowBlocks, Standardizer, sample_of
from skmoe.datasets import make_mixture_of_experts
from skmoe.estimators import _streams

NUMBERS = "coef_", "intercept_", "covariances_", "gate_coef_", "gate_intercept_"


@pytest.fixture(scope="module")
def rows():
    X, y, _ = make_mixture_of_experts(12_000, 4, 3, noise=0.5, random_state=0)
    return X, y


def blocks_of(X, y, size=1700, weight=None):
    return [
        (X[i : i + size], y[i : i + size]) + (() if weight is None else (weight[i : i + size],))
        for i in range(0, len(X), size)
    ]


def resumed(rows, *args, **params):
    """Fit a few rows, then go on from there with what is handed in."""
    X, y = rows
    params = {"random_state": 0, "n_init": 4} | params
    est = MixtureOfExpertsRegressor(3, warm_start=True, **params)
    est.fit(X[:500], y[:500])
    return est.set_params(tol=1e-12).fit(*args)


def assert_same_numbers(one, two):
    for name in NUMBERS:
        np.testing.assert_allclose(getattr(one, name), getattr(two, name), rtol=1e-8, atol=1e-10)
    assert one.n_passes_ == two.n_passes_


def test_blocks_and_arrays_agree(rows):
    whole = resumed(rows, *rows)
    assert_same_numbers(resumed(rows, RowBlocks(blocks_of(*rows))), whole)
    assert_same_numbers(resumed(rows, RowBlocks(lambda: iter(blocks_of(*rows)))), whole)


def test_large_arrays_and_mapped_files_are_read_in_blocks(rows, monkeypatch, tmp_path):
    whole = resumed(rows, *rows)
    np.save(tmp_path / "X.npy", rows[0])
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    monkeypatch.setattr(_streams, "LARGE", 10_000)
    assert isinstance(_streams.source_of(mapped, rows[1], None), ArraySource)
    assert_same_numbers(resumed(rows, mapped, rows[1]), whole)


def test_blocks_with_weights_and_chosen_columns(rows):
    weight = np.random.default_rng(0).uniform(0.5, 3.0, len(rows[1]))
    params = {"gate_features": [0, 2], "expert_features": [1, 2, 3]}
    whole = resumed(rows, *rows, weight, **params)
    parts = RowBlocks(blocks_of(*rows, weight=weight))
    assert_same_numbers(resumed(rows, parts, **params), whole)


@pytest.mark.parametrize("fitter", ["em", "gradient_ascent", "online_em"])
def test_every_fitter_learns_from_blocks(rows, fitter):
    est = MixtureOfExpertsRegressor(3, fitter=fitter, n_init=4, max_iter=30, random_state=0)
    est.fit(RowBlocks(blocks_of(*rows)))
    whole = MixtureOfExpertsRegressor(3, n_init=4, random_state=0).fit(*rows)
    assert est.score_samples(*rows).mean() > whole.score_samples(*rows).mean() - 0.005
    assert est.n_features_in_ == 4 and est.predict(rows[0]).shape == (12_000,)


def test_moments_add_up_to_those_of_the_whole():
    rng = np.random.default_rng(0)
    A, weight = 1e6 + rng.standard_normal((500, 3)), rng.uniform(0, 2, 500)
    A[:, 1] = 7.0
    parts = [Moments.of(A[i : i + 77], weight[i : i + 77]) for i in range(0, 500, 77)]
    total = sum(parts[1:], parts[0]).standardizer(A.dtype)
    whole = Standardizer.of(A, weight)
    np.testing.assert_allclose(total.mean, whole.mean, rtol=1e-14)
    np.testing.assert_allclose(total.scale, whole.scale, rtol=1e-9)
    np.testing.assert_array_equal(total.constant, [False, True, False])


def test_samples_lie_at_regular_distances(rows):
    sample = sample_of(RowBlocks(blocks_of(*rows)), 1000, 600)
    assert 1000 <= len(sample) < 1300
    np.testing.assert_array_equal(sample.X[0], rows[0][0])


def test_wrong_blocks_are_refused(rows):
    X, y = rows
    est = MixtureOfExpertsRegressor(2)
    with pytest.raises(TypeError, match="runs dry"):
        RowBlocks(iter(blocks_of(X, y)))
    with pytest.raises(ValueError, match="y is a part of the blocks"):
        est.fit(RowBlocks(blocks_of(X, y)), y)
    with pytest.raises(ValueError, match="n_samples=0"):
        est.fit(RowBlocks([]))
    bad = X.copy()
    bad[7001] = np.nan
    with pytest.raises(ValueError, match="X contains NaN"):
        est.fit(RowBlocks(blocks_of(bad, y)))
    with pytest.raises(ValueError, match="groups needs rows in memory"):
        est.fit(RowBlocks(blocks_of(X, y)), groups=np.zeros(len(y)))


@pytest.fixture(scope="module")
def cluster():
    distributed = pytest.importorskip("distributed")
    options = {"n_workers": 2, "threads_per_worker": 1, "processes": True}
    with distributed.LocalCluster(dashboard_address=None, **options) as cluster:
        with distributed.Client(cluster) as client:
            yield cluster, client


@pytest.mark.slow
def test_dask_arrays_and_frames_agree(rows, cluster):
    array, frame = pytest.importorskip("dask.array"), pytest.importorskip("dask.dataframe")
    pd = pytest.importorskip("pandas")
    X, y = rows
    whole = resumed(rows, X, y)
    on_cluster = array.from_array(X, chunks=(2500, 2)), array.from_array(y, chunks=3100)
    assert_same_numbers(resumed(rows, *on_cluster), whole)
    table = pd.DataFrame(X, columns=list("abcd")).assign(y=y)
    parts = frame.from_pandas(table, npartitions=4)
    named = resumed((table[list("abcd")], y), parts[list("abcd")], parts["y"])
    assert_same_numbers(named, whole)


@pytest.mark.slow
def test_a_worker_that_dies_does_not_lose_the_fit(rows, cluster):
    array = pytest.importorskip("dask.array")
    local, client = cluster
    X, y = rows
    whole = resumed(rows, X, y)
    victim = next(iter(local.workers.values())).process.pid
    timer = threading.Timer(0.3, os.kill, (victim, signal.SIGKILL))
    timer.start()
    on_cluster = array.from_array(X, chunks=(1000, 4)), array.from_array(y, chunks=1000)
    assert_same_numbers(resumed(rows, *on_cluster), whole)
    timer.join()


def test_partial_fit_comes_close_to_the_fit_of_all_rows(rows):
    X, y = rows
    online = MixtureOfExpertsRegressor(3, fitter="online_em", random_state=0)
    for start in range(0, len(y), 1500):
        online.partial_fit(X[start : start + 1500], y[start : start + 1500])
    whole = MixtureOfExpertsRegressor(3, random_state=0).fit(X, y)
    first = MixtureOfExpertsRegressor(3, random_state=0).fit(X[:1500], y[:1500])
    reached, best, few = (est.score_samples(X, y).mean() for est in (online, whole, first))
    assert best - reached < 0.005 and reached > few
    fresh = online.fit(X[:1500], y[:1500])  # fit starts anew
    assert fresh.score_samples(X, y).mean() < reached + 1e-12


def test_partial_fit_takes_weights_and_asks_for_an_online_fitter(rows):
    X, y = rows
    est = MixtureOfExpertsRegressor(3, fitter="online_em", n_init=4, random_state=0)
    one = est.partial_fit(X[:900], y[:900]).partial_fit(X[900:1000], y[900:1000])
    two = MixtureOfExpertsRegressor(3, fitter="online_em", n_init=4, random_state=0)
    weight = np.r_[np.ones(100), np.zeros(300)]
    two.partial_fit(X[:900], y[:900]).partial_fit(X[900:1300], y[900:1300], weight)
    np.testing.assert_allclose(two.coef_, one.coef_, rtol=1e-9)
    assert not hasattr(MixtureOfExpertsRegressor(), "partial_fit")
    with pytest.raises(AttributeError) as error:
        MixtureOfExpertsRegressor().partial_fit(X, y)
    assert "fitter='online_em'" in str(error.value.__cause__)
