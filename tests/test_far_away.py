"""Numbers near the ends of their precision: rows far from the data, and data in odd units."""

import warnings
from functools import cache

import numpy as np
import pytest

from skmoe import MixtureOfExpertsRegressor
from skmoe._math.extremes import far_rows, spread_of
from skmoe._math.logspace import pool_and_share
from skmoe.datasets import make_mixture_of_experts

pytestmark = [
    pytest.mark.filterwarnings("ignore:Experts .* may be too many"),
    # scikit-learn sums the numbers to see whether they are finite.
    pytest.mark.filterwarnings("ignore:invalid value encountered in reduce:RuntimeWarning:numpy"),
]

precisions = pytest.mark.parametrize("dtype", [np.float64, np.float32])
sentences = pytest.mark.parametrize(
    "sentence",
    [
        {},
        {"gate": "constant"},
        {"experts": "constant"},
        {"criterion": "classification"},
        {"experts": "student_t"},
    ],
    ids=str,
)


def problem(dtype=np.float64):
    X, y, _ = make_mixture_of_experts(300, 3, 2, random_state=0)
    return X.astype(dtype), (5.0 + 20.0 * y).astype(dtype)


def regressor(n_experts=2, **kwargs):
    return MixtureOfExpertsRegressor(n_experts, **({"n_init": 2, "random_state": 0} | kwargs))


@cache
def fitted(sentence, dtype):
    """Return a problem and an estimator that has seen it."""
    X, y = problem(dtype)
    return X, y, regressor(**dict(sentence)).fit(X, y)


def assert_weights(weights):
    assert (weights >= 0).all()
    np.testing.assert_allclose(weights.sum(axis=1), 1.0, rtol=1e-5)


@precisions
@sentences
@pytest.mark.parametrize("power", [0.3, 0.49, 0.55, 0.999])
def test_rows_far_away_are_answered(sentence, dtype, power):
    X, y, est = fitted(tuple(sentence.items()), dtype)
    far = (np.sign(X[:20]) * float(np.finfo(dtype).max) ** power).astype(dtype)
    assert_weights(est.predict_gate(far))
    assert np.isfinite(est.predict(far)).all() and np.isfinite(est.predict_experts(far)).all()
    answer = est.predict_distribution(far)
    for values in (*answer.interval(0.9), answer.cdf(y[:20]), answer.std(), answer.mode()):
        assert not np.isnan(values).any()


@precisions
@sentences
@pytest.mark.parametrize("power", [0.3, 0.49, 0.55, 0.999])
def test_answers_far_away_are_shared_out(sentence, dtype, power):
    X, y, est = fitted(tuple(sentence.items()), dtype)
    size = float(np.finfo(dtype).max) ** power
    far, away = (np.sign(X[:20]) * size).astype(dtype), np.full(20, size, dtype)
    for rows, answers in ((far, y[:20]), (X[:20], away), (far, away), (far, -away)):
        assert_weights(est.responsibilities(rows, answers))
        assert np.isfinite(est.score_samples(rows, answers)).all()


def test_the_nearest_expert_wins_far_away():
    X, y = problem()
    est = regressor().fit(X, y)
    direction = np.array([[1.0, -2.0, 0.5]])
    near = est.predict_gate(1e30 * direction)
    for size in (1e160, 1e307):
        np.testing.assert_allclose(est.predict_gate(size * direction), near, atol=1e-12)


@precisions
def test_far_rows_keep_their_direction(dtype):
    largest = np.finfo(dtype).max
    A = np.array([[0.5, -1.0, 0.0], [0.25, 0.0, 1e-3]]) * float(largest)
    mean, scale = np.array([1.0, -0.9 * float(largest), 0.0]), np.array([2.0, 1e-5, 1.0])
    rows = far_rows(A.astype(dtype), mean, scale)
    assert rows.dtype == dtype and np.isfinite(rows).all()
    assert np.isfinite(np.square(rows)).all()
    np.testing.assert_allclose(rows[0, 0] / rows[0, 1], 0.25 / -0.1e5, rtol=1e-4)
    assert (np.sign(rows) == [[1, -1, 0], [1, 1, 1]]).all()
    exact = far_rows(np.array([[3.0, 5.0]], dtype), np.array([1.0, 1.0]), np.array([2.0, 8.0]))
    np.testing.assert_allclose(exact, [[1.0, 0.5]], rtol=1e-6)


@pytest.mark.parametrize("unit", [1e-300, 1e-170, 1e-5, 1.0, 1e160, 1e300])
def test_spread_in_any_unit(unit):
    centered = np.random.RandomState(0).standard_normal((50, 3))
    share = np.full(50, 0.02)
    expected = np.sqrt(share @ np.square(centered)) * unit
    np.testing.assert_allclose(spread_of(unit * centered, share), expected, rtol=1e-12)


def test_rows_that_nobody_explains_are_shared_equally():
    pooled, share = pool_and_share(np.array([[-np.inf, -np.inf], [0.0, -np.inf]]))
    np.testing.assert_array_equal(pooled, [-np.inf, 0.0])
    np.testing.assert_array_equal(share, [[0.5, 0.5], [1.0, 0.0]])


@sentences
@pytest.mark.parametrize("unit", [1e-200, 1e200])
@pytest.mark.parametrize("argument", ["X", "y"])
def test_data_in_odd_units(sentence, unit, argument):
    X, y = problem()
    peer = regressor(**sentence).fit(X, y)
    X_new, y_new = (X * unit, y) if argument == "X" else (X, y * unit)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*beyond the numbers", category=UserWarning)
        est = regressor(**sentence).fit(X_new, y_new)
    jacobian = np.log(unit) if argument == "y" else 0.0
    np.testing.assert_allclose(
        est.score_samples(X_new, y_new) + jacobian, peer.score_samples(X, y), atol=1e-6
    )
    for name, value in vars(est).items():
        if isinstance(value, np.ndarray) and value.dtype.kind == "f":
            assert np.isfinite(value).all(), name
    if hasattr(est, "covariances_"):
        assert (est.covariances_ > 0).all()


def test_variances_beyond_the_numbers_are_told():
    X, y = problem()
    for unit in (1e-200, 1e200):
        with pytest.warns(UserWarning, match="covariances_.*beyond the numbers"):
            regressor().fit(X, y * unit)


def test_small_variances_of_single_precision_are_kept():
    X, y = problem(np.float32)
    est, peer = regressor().fit(X, y * np.float32(1e-30)), regressor().fit(X, y)
    expected = np.sort(peer.covariances_.astype(float)) * 1e-60
    np.testing.assert_allclose(np.sort(est.covariances_), expected, rtol=1e-3)
    assert est.coef_.dtype == np.float32


@pytest.mark.parametrize("confidence", [2.0, -0.5, np.nan, [0.5, 1.5]])
def test_intervals_refuse_what_is_no_probability(confidence):
    X, y = problem()
    answer = regressor().fit(X, y).predict_distribution(X[:3])
    with pytest.raises(ValueError, match="confidence"):
        answer.interval(confidence)
