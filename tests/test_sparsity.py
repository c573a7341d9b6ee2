"""Elastic nets: exact zeros, the right ones, the same as scikit-learn's, along a warm path."""

import numpy as np
import pytest
from sklearn.linear_model import ElasticNet, LogisticRegression

from skmoe import MixtureOfExpertsClassifier, MixtureOfExpertsRegressor, regularization_path
from skmoe._math.elastic_net import elastic_net
from skmoe.experts import LinearExperts, PoissonExperts
from skmoe.gates import SoftmaxGate


@pytest.mark.parametrize("l1_ratio", [0.3, 1.0])
@pytest.mark.parametrize("alpha", [0.1, 1.0])
def test_coordinate_ascent_is_scikit_learns_elastic_net(alpha, l1_ratio):
    rng = np.random.RandomState(0)
    X = rng.standard_normal((80, 8)) @ rng.standard_normal((8, 8))
    y = X[:, :2] @ [1.0, -2.0] + rng.standard_normal(80)
    peer = ElasticNet(alpha=alpha, l1_ratio=l1_ratio, fit_intercept=False, tol=1e-12).fit(X, y)
    n = len(y)
    coef = elastic_net(
        (X.T @ X)[None],
        (X.T @ y)[None],
        np.zeros((1, 8)),
        n * alpha * l1_ratio,
        n * alpha * (1 - l1_ratio),
    )[0]
    np.testing.assert_allclose(coef, peer.coef_, atol=1e-6)
    np.testing.assert_array_equal(coef == 0.0, peer.coef_ == 0.0)


@pytest.mark.parametrize("l1_ratio", [0.5, 1.0])
def test_one_linear_expert_is_scikit_learns_elastic_net(l1_ratio):
    rng = np.random.RandomState(0)
    X = rng.standard_normal((200, 6))
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    y = X[:, 0] - 0.5 * X[:, 1] + 0.5 * rng.standard_normal(200)
    y = (y - y.mean()) / y.std()
    experts = LinearExperts(alpha=30.0, l1_ratio=l1_ratio)
    est = MixtureOfExpertsRegressor(1, experts=experts, random_state=0).fit(X, y)
    peer = ElasticNet(alpha=30.0 / 200, l1_ratio=l1_ratio, tol=1e-12).fit(X, y)
    np.testing.assert_allclose(est.coef_[0], peer.coef_, atol=1e-5)
    np.testing.assert_array_equal(est.coef_[0] == 0.0, peer.coef_ == 0.0)


def test_one_logistic_expert_is_a_sparse_logistic_regression():
    rng = np.random.RandomState(0)
    X = rng.standard_normal((300, 6))
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    y = (X[:, 0] - X[:, 1] + rng.logistic(size=300) > 0).astype(int)
    est = MixtureOfExpertsClassifier(1, random_state=0)
    est.set_params(experts__alpha=20.0, experts__l1_ratio=1.0).fit(X, y)
    peer = LogisticRegression(
        l1_ratio=1.0, C=1.0 / 20.0, solver="saga", tol=1e-10, max_iter=100_000
    ).fit(X, y)
    # A difference of opposite coefficients, one of which is free of charge, costs as much.
    np.testing.assert_allclose(est.coef_[0], peer.coef_[0], atol=1e-3)
    np.testing.assert_array_equal(est.coef_[0] == 0.0, peer.coef_[0] == 0.0)


def sparse_problem(n=800, seed=0):
    """Two experts that use one feature each, a gate that uses a third; five more are noise."""
    rng = np.random.RandomState(seed)
    X = rng.standard_normal((n, 8))
    first = rng.uniform(size=n) < 1.0 / (1.0 + np.exp(-3.0 * X[:, 2]))
    y = np.where(first, 2.0 + 2.0 * X[:, 0], -2.0 - 2.0 * X[:, 1]) + 0.5 * rng.standard_normal(n)
    return X, y


def test_the_lasso_finds_the_features_that_matter():
    X, y = sparse_problem()
    est = MixtureOfExpertsRegressor(
        2,
        experts=LinearExperts(alpha=20.0, l1_ratio=1.0),
        gate=SoftmaxGate(alpha=20.0, l1_ratio=1.0),
        random_state=0,
    ).fit(X, y)
    assert est.converged_ and (np.diff(est.lower_bounds_) >= -1e-7).all()
    used = est.coef_ != 0.0
    order = np.argsort(-np.abs(est.coef_[:, 0]))
    np.testing.assert_array_equal(np.flatnonzero(used[order[0]]), [0])
    np.testing.assert_array_equal(np.flatnonzero(used[order[1]]), [1])
    np.testing.assert_array_equal(np.flatnonzero(est.gate_coef_.any(axis=0)), [2])


def test_a_path_keeps_experts_in_place():
    X, y = sparse_problem(400)
    est = MixtureOfExpertsRegressor(2, n_init=4, random_state=0)
    est.set_params(experts__l1_ratio=1.0, gate__l1_ratio=1.0)
    path = regularization_path(est, X, y, [30.0, 0.1, 3.0, 10.0])
    np.testing.assert_array_equal(path.alphas, [0.1, 3.0, 10.0, 30.0])
    assert path.coefs.shape == (4, 2, 8) and path.gate_coefs.shape == (4, 2, 8)
    zeros = (path.coefs == 0.0).sum(axis=(1, 2))
    assert zeros[0] <= 1 and zeros[-1] >= 12 and (np.diff(zeros) >= 0).all()
    assert (np.diff(path.bounds) < 0.0).all()
    strongest = path.estimators[0].coef_[:, 0].__abs__().argmax()
    assert np.abs(path.coefs[:, strongest, 0]).min() > 0.5
    alone = est.set_params(experts__alpha=10.0, gate__alpha=10.0).fit(X, y)
    assert path.bounds[2] == pytest.approx(alone.lower_bound_, abs=0.5)
    assert not est.warm_start
    with pytest.raises(ValueError, match="alphas"):
        regularization_path(est, X, y, [])
    with pytest.raises(ValueError, match="alphas"):
        regularization_path(est, X, y, [-1.0])


def test_paths_of_counts_take_offsets():
    rng = np.random.RandomState(0)
    X, offset = rng.standard_normal((300, 4)), rng.uniform(0.0, 1.0, 300)
    y = rng.poisson(np.exp(X[:, 0] + offset))
    est = MixtureOfExpertsRegressor(1, experts=PoissonExperts(l1_ratio=1.0), random_state=0)
    path = regularization_path(est, X, y, [0.1, 60.0], parameters=["experts__alpha"], offset=offset)
    np.testing.assert_array_equal(path.coefs[1, 0] != 0.0, [True, False, False, False])
