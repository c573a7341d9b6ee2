"""Bayesian mixtures: posteriors, bounds that never fall, experts that switch themselves off."""

import pytest
from _helpers import falls
from sklearn.utils.estimator_checks import parametrize_with_checks

from skmoe import BayesianMixtureOfExpertsRegressor, MixtureOfExpertsRegressor
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
