"""Answers for rows as they come are those for standardized rows."""

import numpy as np
import pytest

from skmoe import MixtureOfExpertsRegressor
from skmoe.datasets import make_mixture_of_experts


@pytest.mark.parametrize("criterion", ["likelihood", "classification"])
@pytest.mark.parametrize("n_targets", [1, 2])
def test_means_of_many_rows_are_those_of_the_distribution(criterion, n_targets):
    X, y, _ = make_mixture_of_experts(9000, 4, 3, n_targets=n_targets, random_state=0)
    X = 3.0 + X * [1e3, 1.0, 1e-3, 1.0]
    X[:, 3] = 5.0
    est = MixtureOfExpertsRegressor(3, criterion=criterion, n_init=4, random_state=0).fit(X, y)
    assert est._direct is not None
    expected = est.predict_distribution(X).mean()
    np.testing.assert_allclose(est.predict(X), expected, rtol=1e-9, atol=1e-9 * y.std())
    other = X.copy()
    other[:, 3] = -1e6  # a column that was constant teaches nothing
    np.testing.assert_allclose(est.predict(other), expected, rtol=1e-9, atol=1e-9 * y.std())


def test_far_from_zero_rows_are_standardized_first():
    X, y, _ = make_mixture_of_experts(500, 2, 2, random_state=0)
    est = MixtureOfExpertsRegressor(2, n_init=4, random_state=0).fit(X + 1e7, y)
    assert est._direct is None
    expected = est.predict_distribution(X + 1e7).mean()
    np.testing.assert_allclose(est.predict(X + 1e7), expected, rtol=1e-12)


def test_rows_out_of_reach_are_answered_as_ever():
    X, y, _ = make_mixture_of_experts(300, 2, 2, random_state=0)
    est = MixtureOfExpertsRegressor(2, n_init=4, random_state=0).fit(X, y)
    far = np.array([[1e200, 0.0], [-1e300, 1e300], [0.0, 0.0]])
    np.testing.assert_allclose(est.predict(far), est.predict_distribution(far).mean(), rtol=1e-12)
