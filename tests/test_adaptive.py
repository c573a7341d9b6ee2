"""Adaptive mixtures of local experts: the formulas of 1991, and what they do."""

import numpy as np
import pytest
from _helpers import gradient
from sklearn.utils.estimator_checks import parametrize_with_checks

from skmoe import AdaptiveLocalExpertsRegressor, MixtureOfExpertsRegressor
from skmoe.errors import ERRORS, competitive, cooperative, likelihood
from skmoe.experts import UnitExperts

N, D, K, Q = 30, 3, 4, 2


@parametrize_with_checks([AdaptiveLocalExpertsRegressor(n_init=1, error=e) for e in ERRORS])
def test_scikit_learn_checks(estimator, check):
    check(estimator)


def softmax(scores):
    weights = np.exp(scores - scores.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True)


def rows(seed=0):
    rng = np.random.RandomState(seed)
    X, y = rng.standard_normal((N, D)), rng.standard_normal((N, Q))
    return X, y, rng.standard_normal((K, D + 1)), rng.standard_normal((K, Q))


def total(error, X, y, table, means):
    """The summed error and its derivatives in means (K, q) and gate table (K, d + 1)."""
    design = np.column_stack([X, np.ones(len(X))])
    answers = np.broadcast_to(means, (len(X), *means.shape))
    errors, by_answer, by_score = error(softmax(design @ table.T), answers, y)
    return errors.sum(), by_answer.sum(axis=0), by_score.T @ design


@pytest.mark.parametrize("name", ERRORS)
def test_derivatives_are_finite_differences(name):
    X, y, table, means = rows()
    _, by_mean, by_table = total(ERRORS[name], X, y, table, means)
    slopes = gradient(lambda v: total(ERRORS[name], X, y, table, v.reshape(K, Q))[0], means.ravel())
    np.testing.assert_allclose(by_mean.ravel(), slopes, atol=1e-6)
    slopes = gradient(
        lambda v: total(ERRORS[name], X, y, v.reshape(K, D + 1), means)[0], table.ravel()
    )
    np.testing.assert_allclose(by_table.ravel(), slopes, atol=1e-6)
    assert np.abs(slopes).max() > 0.1


def test_likelihood_is_written_as_in_the_paper():
    """d log f / dmu_i = h_i (y - mu_i) and d log f / d[k_i, b_i] = [x, 1] (h_i - w_i)."""
    X, y, table, means = rows()
    _, by_mean, by_table = total(likelihood, X, y, table, means)
    ascent_mean, ascent_table = np.zeros((K, Q)), np.zeros((K, D + 1))
    for x, answer in zip(X, y, strict=True):
        x1 = np.append(x, 1.0)
        w = np.exp(table @ x1) / np.exp(table @ x1).sum()
        normal = np.exp(-0.5 * np.sum((answer - means) ** 2, axis=1))
        h = w * normal / (w * normal).sum()
        ascent_mean += h[:, None] * (answer - means)
        ascent_table += np.outer(h - w, x1)
    np.testing.assert_allclose(-by_mean, ascent_mean)
    np.testing.assert_allclose(-by_table, ascent_table)


def test_errors_are_those_of_the_paper():
    X, y, table, means = rows()
    weights = softmax(np.column_stack([X, np.ones(N)]) @ table.T)
    answers = np.broadcast_to(means, (N, K, Q))
    for n in range(N):
        square = np.array([np.sum((y[n] - means[i]) ** 2) for i in range(K)])
        pick = (weights[n : n + 1], answers[n : n + 1], y[n : n + 1])
        assert likelihood(*pick)[0] == pytest.approx(-np.log(weights[n] @ np.exp(-0.5 * square)))
        assert competitive(*pick)[0] == pytest.approx(weights[n] @ square)
        blend = weights[n] @ means
        assert cooperative(*pick)[0] == pytest.approx(np.sum((y[n] - blend) ** 2))


def test_far_answers_stay_finite():
    error, slope, score = likelihood(
        np.array([[1.0, 0.0]]), np.array([[[0.0], [1.0]]]), np.array([[1e8]])
    )
    assert np.isfinite(error).all() and np.isfinite(slope).all() and np.isfinite(score).all()


def steps(seed=0, n=400):
    """Three levels along x, far apart for unit noise."""
    rng = np.random.RandomState(seed)
    X = rng.uniform(-1.0, 1.0, (n, 1))
    y = np.select([X[:, 0] < -0.4, X[:, 0] < 0.3], [-8.0, 0.0], 9.0) + rng.standard_normal(n)
    return X, y


def fitted(error="likelihood", **kwargs):
    X, y = steps()
    return AdaptiveLocalExpertsRegressor(3, error=error, random_state=0, **kwargs).fit(X, y)


def test_experts_become_local():
    X, y = steps()
    est = fitted()
    np.testing.assert_allclose(np.sort(est.intercept_), [-8.0, 0.0, 9.0], atol=0.3)
    assert est.predict_gate(X).max(axis=1).mean() > 0.95
    assert est.score(X, y) > 0.95
    assert (np.diff(est.error_curve_) <= 0.0).all()
    np.testing.assert_allclose(est.predict_distribution(X).var().min(), 1.0, rtol=0.05)


def test_positive_feedback():
    """The share of the expert that does better on a row grows with every step."""
    X, y, table, means = rows(1)
    x1, answer = np.append(X[0], 1.0), y[:1]
    shares = []
    for _ in range(40):
        w = softmax(x1[None] @ table.T)
        _, by_answer, by_score = likelihood(w, means[None], answer)
        shares.append(w[0])
        means = means - 0.1 * by_answer[0]
        table = table - 0.1 * np.outer(by_score[0], x1)
    winner = shares[-1].argmax()
    assert (np.diff(np.array(shares)[5:, winner]) > 0).all()
    assert shares[-1][winner] > shares[0][winner] + 0.1


def test_cooperation_blends_and_competition_divides():
    X, _ = steps()
    sharpness = {
        error: fitted(error).predict_gate(X).max(axis=1).mean()
        for error in ("likelihood", "cooperative")
    }
    assert sharpness["likelihood"] > sharpness["cooperative"]
    blended = fitted("cooperative")
    # A blend may reach beyond every expert's rows: no expert has to answer for any of them alone.
    assert np.abs(np.sort(blended.intercept_) - [-8.0, 0.0, 9.0]).max() > 0.5


def test_gradient_ascent_ends_where_em_ends():
    X, y = steps()
    ascent = fitted(tol=1e-12, max_iter=20_000)
    em = MixtureOfExpertsRegressor(3, experts=UnitExperts(), random_state=0)
    em.set_params(gate__alpha=0.0).fit(X, y)
    gap = em.log_likelihood(X, y) - ascent.log_likelihood(X, y)
    assert abs(gap) < 0.02 * len(y)
    np.testing.assert_allclose(np.sort(em.intercept_), np.sort(ascent.intercept_), atol=0.1)


def test_arguments_are_checked():
    X, y = steps()
    for wrong in ({"error": "squared"}, {"noise": 0.0}, {"learning_rate": -1.0}, {"n_init": 0}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            AdaptiveLocalExpertsRegressor(**wrong).fit(X, y)
