"""Bayesian mixtures: posteriors, bounds that never fall, experts that switch themselves off."""

import numpy as np
import pytest
from _helpers import falls
from sklearn.utils.estimator_checks import parametrize_with_checks

from skmoe import (
    BayesianMixtureOfExpertsClassifier,
    BayesianMixtureOfExpertsRegressor,
    MixtureOfExpertsRegressor,
)
from skmoe.datasets import make_mixture_of_experts


@parametrize_with_checks([BayesianMixtureOfExpertsRegressor(n_experts=3, n_init=1)])
def test_scikit_learn_checks(estimator, check):
    check(estimator)


@pytest.mark.parametrize("seed", range(3))
def test_superfluous_experts_switch_off(seed):
    X, y, truth = make_mixture_of_experts(2000, 3, 3, random_state=seed)
    train, test = slice(0, 1000), slice(1000, 2000)
    est = BayesianMixtureOfExpertsRegressor(10, random_state=0).fit(X[train], y[train])
    assert 3 <= est.n_active_experts_ <= 4
    right = MixtureOfExpertsRegressor(3, random_state=0).fit(X[train], y[train])
    lost = right.score_samples(X[test], y[test]) - est.score_samples(X[test], y[test])
    assert lost.mean() < 0.02
    assert falls(est.lower_bounds_).max(initial=0.0) < 1e-12


@parametrize_with_checks([BayesianMixtureOfExpertsClassifier(n_experts=2, n_init=1)])
@pytest.mark.slow
def test_scikit_learn_checks_of_the_classifier(estimator, check):
    check(estimator)


def test_classifier_finds_regimes_and_its_bound_rises():
    rng = np.random.RandomState(0)
    X = rng.uniform(-2, 2, (600, 2))
    y = (X[:, 1] * np.sign(X[:, 0]) > 0.1 * rng.standard_normal(600)).astype(int)
    est = BayesianMixtureOfExpertsClassifier(5, n_init=2, random_state=0).fit(X[:400], y[:400])
    assert est.score(X[400:], y[400:]) > 0.9
    assert 2 <= est.n_active_experts_ <= 5
    assert falls(est.lower_bounds_).max(initial=0.0) < 1e-12


def test_more_rows_know_more():
    """Predictive deviations shrink to the noise, and grow away from the rows."""
    rng = np.random.RandomState(0)
    X = rng.standard_normal((2000, 1))
    y = X[:, 0] + 0.5 * rng.standard_normal(2000)
    stds = [
        BayesianMixtureOfExpertsRegressor(1, expert_features=None)
        .fit(X[:n], y[:n])
        .predict([[0.0], [20.0]], return_std=True)[1]
        for n in (20, 2000)
    ]
    assert stds[0][1] > stds[1][1] > 0.5 and stds[0][1] > 1.5 * stds[0][0]
    assert stds[1][0] == pytest.approx(0.5, rel=0.05)
