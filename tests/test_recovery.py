"""The generating mixture is found again: experts, gate and density, not shapes alone."""

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from skmoe import MixtureOfExpertsRegressor
from skmoe.datasets import make_mixture_of_experts

N_ROWS, N_FEATURES, N_EXPERTS, NOISE = 20_000, 10, 4, 0.3
# Errors of 88 coefficients in units of their standard errors. These ignore what is lost where
# experts cross and labels are in doubt, so a little more than the usual 4 is allowed.
MOST_SIGMAS = 7.0


def with_intercept(X):
    return np.column_stack([np.ones(len(X)), X])


def expert_errors(X, share):
    """Standard errors (K, d + 1) of weighted regressions with the rows' true shares (n, K)."""
    A = with_intercept(X)
    grams = np.einsum("np,nk,nr->kpr", A, share, A, optimize=True)
    return NOISE * np.sqrt(np.diagonal(np.linalg.inv(grams), axis1=1, axis2=2))


def gate_errors(X, gate):
    """Standard errors (K, d + 1) of a softmax gate whose scores sum to zero, were labels known."""
    A = with_intercept(X)
    n, K = gate.shape
    p = A.shape[1]
    information = np.empty((K, p, K, p))
    for j in range(K):
        for k in range(K):
            weight = gate[:, j] * ((j == k) - gate[:, k])
            information[j, :, k, :] = (A * weight[:, None]).T @ A
    covariance = np.linalg.pinv(information.reshape(K * p, K * p), rcond=1e-10, hermitian=True)
    return np.sqrt(np.diagonal(covariance)).reshape(K, p)


def table(intercept, coef):
    return np.column_stack([intercept, coef])


def check_recovery(features, seed):
    X, y, truth = make_mixture_of_experts(
        2 * N_ROWS,
        N_FEATURES,
        N_EXPERTS,
        noise=NOISE,
        features=features,
        random_state=seed,
    )
    X_held_out, y_held_out, X, y = X[N_ROWS:], y[N_ROWS:], X[:N_ROWS], y[:N_ROWS]
    est = MixtureOfExpertsRegressor(N_EXPERTS, random_state=seed).fit(X, y)
    assert est.converged_

    gap = truth.score_samples(X_held_out, y_held_out) - est.score_samples(X_held_out, y_held_out)
    assert gap.mean() < 0.005

    distance = np.abs(truth.coef[:, None] - est.coef_[None]).sum(axis=2)
    order = linear_sum_assignment(distance)[1]
    error = table(est.intercept_, est.coef_)[order] - table(truth.intercept, truth.coef)
    share = np.eye(N_EXPERTS)[truth.labels[:N_ROWS]]
    assert np.abs(error / expert_errors(X, share)).max() < MOST_SIGMAS

    error = table(est.gate_intercept_, est.gate_coef_)[order]
    error -= table(truth.gate_intercept, truth.gate_coef)
    assert np.abs(error / gate_errors(X, truth.predict_gate(X))).max() < MOST_SIGMAS
    held = share.sum(axis=0)
    error = np.log(np.sqrt(est.covariances_)[order] / NOISE) + 0.5 * (N_FEATURES + 1) / held
    assert np.abs(error * np.sqrt(2.0 * held)).max() < MOST_SIGMAS
    gate_error = est.predict_gate(X_held_out)[:, order] - truth.predict_gate(X_held_out)
    assert np.abs(gate_error).mean() < 0.02


features = pytest.mark.parametrize("features", ["normal", "mixed"])


@features
@pytest.mark.parametrize("seed", [0, 1])
def test_generating_mixture_is_recovered(features, seed):
    check_recovery(features, seed)


@features
@pytest.mark.parametrize("seed", range(2, 10))
@pytest.mark.slow
def test_generating_mixture_is_recovered_from_many_seeds(features, seed):
    check_recovery(features, seed)


def test_a_gate_that_never_learned_would_be_noticed():
    """The bar of the tests above is high enough: a constant gate does not clear it."""
    X, y, truth = make_mixture_of_experts(
        N_ROWS, N_FEATURES, N_EXPERTS, noise=NOISE, random_state=0
    )
    est = MixtureOfExpertsRegressor(N_EXPERTS, gate="constant", random_state=0).fit(X, y)
    assert np.mean(truth.score_samples(X, y) - est.score_samples(X, y)) > 0.1


def test_two_targets_are_recovered():
    X, y, truth = make_mixture_of_experts(8000, 4, 3, n_targets=2, noise=NOISE, random_state=0)
    est = MixtureOfExpertsRegressor(3, random_state=0).fit(X[:4000], y[:4000])
    X, y = X[4000:], y[4000:]
    assert np.mean(truth.score_samples(X, y) - est.score_samples(X, y)) < 0.02
    order = linear_sum_assignment(np.abs(truth.coef[:, None] - est.coef_[None]).sum((2, 3)))[1]
    np.testing.assert_allclose(est.coef_[order], truth.coef, atol=0.1)
    np.testing.assert_allclose(est.intercept_[order], truth.intercept, atol=0.1)
    covariance = np.broadcast_to(NOISE**2 * np.eye(2), (3, 2, 2))
    np.testing.assert_allclose(est.covariances_[order], covariance, atol=0.02)
