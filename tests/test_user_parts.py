"""A family and a gate that a user wrote, in thirty lines each, run through the estimators."""

import pickle
from dataclasses import dataclass

import numpy as np
import pytest
from scipy import stats
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from skmoe import MixtureOfExpertsRegressor
from skmoe.base import Gate, Parameters, Statistics
from skmoe.experts.predictor import PredictorExperts
from skmoe.gates import SoftmaxGate
from skmoe.targets import COUNTS


class GeometricExperts(PredictorExperts):
    """y ~ Geometric with mean exp(eta): failures before the first success."""

    target = COUNTS

    def __init__(self, alpha=1e-3, l1_ratio=0.0):
        self.alpha, self.l1_ratio = alpha, l1_ratio

    def neutral(self, y):
        return np.zeros(y.shape[1]), np.zeros(0)

    def log_density(self, y, eta, dispersion):
        return np.sum(y * eta - (y + 1.0) * np.logaddexp(0.0, eta), axis=-1)

    def derivatives(self, y, eta, dispersion):
        p = 1.0 / (1.0 + np.exp(-eta))
        return y - (y + 1.0) * p, (y + 1.0) * p * (1.0 - p)

    def moments(self, eta, dispersion):
        mean = np.exp(eta)
        return mean, mean * (1.0 + mean)

    def frozen(self, eta, dispersion):
        return stats.geom(1.0 / (1.0 + np.exp(eta)), loc=-1)

    def units(self, theta, scaling):
        coef, intercept = self.slopes(theta, scaling)
        return {"coef_": coef, "intercept_": intercept}


@dataclass(frozen=True)
class TableParameters(Parameters):
    score: np.ndarray


@dataclass(frozen=True)
class TableStatistics(Statistics):
    count: np.ndarray


class SideGate(Gate):
    """One table of weights for rows left of the mean of the first column, one for the others."""

    def init(self, X, n_experts):
        return TableParameters(np.zeros((2, n_experts)))

    def log_prob(self, theta, X):
        logs = theta.score - np.logaddexp.reduce(theta.score, axis=1, keepdims=True)
        return logs[(X[:, 0] > 0).astype(int)].astype(X.dtype)

    def statistics(self, theta, X, weight):
        right = (X[:, 0] > 0)[:, None]
        return TableStatistics(
            np.stack([(weight * ~right).sum(axis=0), (weight * right).sum(axis=0)])
        )

    def m_step(self, theta, statistics):
        return TableParameters(np.log(np.maximum(statistics.count, 1e-12)))

    def n_parameters(self, theta):
        return 2 * (theta.score.shape[1] - 1)


def problem(n=1500):
    rng = np.random.RandomState(0)
    X = rng.uniform(-1.0, 1.0, (n, 2))
    second = rng.uniform(size=n) < np.where(X[:, 0] > 0, 0.9, 0.1)
    mean = np.exp(np.where(second, 2.5 + X[:, 1], -0.5 - X[:, 1]))
    return X, rng.geometric(1.0 / (1.0 + mean)) - 1.0


@pytest.fixture(scope="module")
def fitted():
    X, y = problem()
    est = MixtureOfExpertsRegressor(2, experts=GeometricExperts(), gate=SideGate(), random_state=0)
    return est.fit(X, y), X, y


def test_they_find_the_truth(fitted):
    est, X, _ = fitted
    order = np.argsort(est.intercept_)
    np.testing.assert_allclose(est.coef_[order], [[0.0, -1.0], [0.0, 1.0]], atol=0.3)
    np.testing.assert_allclose(est.intercept_[order], [-0.5, 2.5], atol=0.2)
    right = est.predict_gate([[0.5, 0.0], [-0.5, 0.0]])[:, order]
    np.testing.assert_allclose(right, [[0.1, 0.9], [0.9, 0.1]], atol=0.08)
    assert est.n_parameters_ == 8


def test_they_answer_like_any_other(fitted):
    est, X, y = fitted
    assert (np.diff(est.lower_bounds_) >= -1e-8).all()
    answer = est.predict_distribution(X[:40])
    np.testing.assert_allclose(answer.mean(), est.predict(X[:40]))
    median = answer.median()
    assert (answer.cdf(median) >= 0.5).all() and (answer.cdf(median - 1.0) < 0.5).all()
    draws = est.sample(X[:3], n_samples=4000, random_state=0)
    np.testing.assert_allclose(draws.mean(axis=1), est.predict(X[:3]), rtol=0.1)
    log_density = est.score_samples(X, y)
    assert est.bic(X, y) == pytest.approx(8 * np.log(len(y)) - 2.0 * log_density.sum())
    assert est.responsibilities(X, y).shape == (len(y), 2)


def test_they_live_among_scikit_learns_tools(fitted):
    est, X, y = fitted
    same = pickle.loads(pickle.dumps(est))
    np.testing.assert_array_equal(same.predict(X), est.predict(X))
    assert str(clone(est)) == str(est)
    quick = MixtureOfExpertsRegressor(
        2, experts=GeometricExperts(), gate=SoftmaxGate(), n_init=2, random_state=0
    )
    search = GridSearchCV(quick, {"experts__alpha": [1e-3, 1e5]}, cv=2).fit(X[:400], y[:400])
    assert search.best_params_ == {"experts__alpha": 1e-3}
