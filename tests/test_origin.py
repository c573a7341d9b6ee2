"""Experts without intercepts are lines through the origin of the data."""

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from skmoe import MixtureOfExpertsRegressor
from skmoe.experts import LinearExperts

SLOPES = np.array([[3.0, -1.0], [-2.0, 0.5]])


def regressor(n_experts=2, **kwargs):
    experts = LinearExperts(fit_intercept=False, alpha=0.0, **kwargs)
    return MixtureOfExpertsRegressor(n_experts, experts=experts, random_state=0, n_init=4)


def problem(q=1):
    rng = np.random.RandomState(0)
    X = rng.uniform(1.0, 3.0, (600, 2))
    y = np.where(X[:, 0] > 2.0, X @ SLOPES[0], X @ SLOPES[1]) + 0.05 * rng.standard_normal(600)
    return X, y if q == 1 else np.column_stack([y, -7.0 * y])


@pytest.mark.parametrize("q", [1, 2])
def test_one_expert_is_regression_through_the_origin(q):
    X, y = problem(q)
    est = regressor(1).fit(X, y)
    peer = LinearRegression(fit_intercept=False).fit(X, y)
    np.testing.assert_allclose(est.coef_[0], peer.coef_, rtol=1e-8)
    np.testing.assert_array_equal(est.intercept_, 0.0)
    np.testing.assert_allclose(est.predict(X), peer.predict(X), rtol=1e-8)
    np.testing.assert_allclose(est.predict(np.zeros((1, 2))), 0.0, atol=1e-12)


def test_slopes_are_recovered():
    X, y = problem()
    est = regressor().fit(X, y)
    order = np.argsort(est.coef_[:, 0])[::-1]
    np.testing.assert_allclose(est.coef_[order], SLOPES, atol=0.02)
    np.testing.assert_allclose(np.sqrt(est.covariances_), 0.05, rtol=0.1)


@pytest.mark.parametrize(("unit_X", "unit_y"), [(1e6, 1.0), (1.0, 1e-6)])
def test_units_do_not_matter(unit_X, unit_y):
    X, y = problem()
    peer, est = regressor().fit(X, y), regressor().fit(X * [unit_X, 1.0], y * unit_y)
    logs = est.score_samples(X * [unit_X, 1.0], y * unit_y) + np.log(unit_y)
    np.testing.assert_allclose(logs, peer.score_samples(X, y), atol=1e-6)


def test_a_column_of_ones_stands_for_the_intercept():
    X, y = problem()
    est = regressor(1).fit(np.column_stack([X, np.ones(len(X))]), y)
    peer = LinearRegression().fit(X, y)
    np.testing.assert_allclose(est.coef_[0], [*peer.coef_, peer.intercept_], rtol=1e-6)
