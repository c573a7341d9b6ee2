"""Answers agree with each other and with closed forms."""

import numpy as np
import pytest
from _problems import (
    problem,
    regressor,
    sentences,
    targets,
)
from scipy.special import logsumexp

from skmoe.experts import LinearExperts

# Problems of a few rows have no use for every expert; test_bad_input.py reads what is said then.
pytestmark = pytest.mark.filterwarnings("ignore:Experts .* may be too many")


@sentences
@targets
def test_answers_agree_with_the_distribution(sentence, q):
    X, y = problem(150, q)
    est = regressor(2, **sentence).fit(X, y)
    distribution = est.predict_distribution(X)
    np.testing.assert_allclose(est.predict(X), distribution.mean(), rtol=1e-9)
    mean, std = est.predict(X, return_std=True)
    np.testing.assert_allclose(mean, est.predict(X), rtol=1e-9)
    np.testing.assert_allclose(std, distribution.std(), rtol=1e-9)
    np.testing.assert_allclose(est.score_samples(X, y), distribution.logpdf(y), rtol=1e-8)
    gate, experts = est.predict_gate(X), est.predict_experts(X).reshape(len(X), 2, q)
    if sentence.get("criterion") == "classification":
        blend = experts[np.arange(len(X)), est.apply(X)]
    else:
        blend = np.einsum("nk,nkq->nq", gate, experts)
    np.testing.assert_allclose(est.predict(X).reshape(len(X), q), blend, rtol=1e-9)
    np.testing.assert_array_equal(est.apply(X), gate.argmax(axis=1))
    np.testing.assert_allclose(gate.sum(axis=1), 1.0, rtol=1e-12)
    share = est.responsibilities(X, y)
    np.testing.assert_allclose(share.sum(axis=1), 1.0, rtol=1e-12)
    assert share.min() >= 0.0


@targets
def test_responsibilities_are_posterior_probabilities(q):
    X, y = problem(q=q)
    est = regressor(2).fit(X, y)
    mean = est.predict_experts(X).reshape(len(X), 2, q)
    covariances = np.reshape(est.covariances_, (2, q, q))
    residual = y.reshape(len(X), 1, q) - mean
    square = np.einsum("nkq,kqr,nkr->nk", residual, np.linalg.inv(covariances), residual)
    joint = np.log(est.predict_gate(X)) - 0.5 * square - 0.5 * np.linalg.slogdet(covariances)[1]
    posterior = np.exp(joint - logsumexp(joint, axis=1, keepdims=True))
    np.testing.assert_allclose(est.responsibilities(X, y), posterior, atol=1e-9)


@targets
def test_samples_match_the_distribution(q):
    X, y = problem(q=q)
    est = regressor(2).fit(X, y)
    rows, n_draws = X[:5], 20_000
    draws = est.sample(rows, n_samples=n_draws, random_state=0).reshape(5, n_draws, q)
    distribution = est.predict_distribution(rows)
    mean, std = distribution.mean().reshape(5, q), distribution.std().reshape(5, q)
    assert (np.abs(draws.mean(axis=1) - mean) < 5 * std / np.sqrt(n_draws)).all()
    np.testing.assert_allclose(draws.std(axis=1), std, rtol=0.05)
    median = distribution.median().reshape(5, q)
    np.testing.assert_allclose((draws < median[:, None]).mean(axis=1), 0.5, atol=0.02)
    again = est.sample(rows, n_samples=n_draws, random_state=0).reshape(5, n_draws, q)
    np.testing.assert_array_equal(draws, again)
    other = est.sample(rows, n_samples=n_draws, random_state=1).reshape(5, n_draws, q)
    assert not np.array_equal(draws, other)


def test_density_integrates_to_one():
    X, y = problem()
    est = regressor(3).fit(X, y)
    grid = np.linspace(-1000.0, 1000.0, 100_001)
    density = np.exp(est.score_samples(np.repeat(X[:1], len(grid), axis=0), grid))
    assert np.trapezoid(density, grid) == pytest.approx(1.0, abs=1e-6)


@sentences
def test_information_criteria(sentence):
    X, y = problem()
    est = regressor(2, **sentence).fit(X, y)
    p, logs = est.n_parameters_, est.score_samples(X, y)
    assert est.log_likelihood(X, y) == pytest.approx(logs.sum())
    weight = np.arange(len(X)) % 4
    assert est.log_likelihood(X, y, sample_weight=weight) == pytest.approx(weight @ logs)
    assert est.aic(X, y) == pytest.approx(2 * p - 2 * logs.sum())
    assert est.bic(X, y) == pytest.approx(p * np.log(len(X)) - 2 * logs.sum())
    share = est.responsibilities(X, y)
    positive = share[share > 0]
    entropy = -np.sum(positive * np.log(positive))
    assert est.icl(X, y) == pytest.approx(est.bic(X, y) + 2 * entropy)


@pytest.mark.parametrize(
    ("kwargs", "q", "expected"),
    [
        ({}, 1, 3 * (4 + 1) + 2 * 4),
        ({"experts": LinearExperts(tied=True)}, 1, 3 * 4 + 1 + 2 * 4),
        ({"gate": "constant"}, 1, 3 * (4 + 1) + 2),
        ({"experts": "constant"}, 1, 3 * (1 + 1) + 2 * 4),
        ({}, 2, 3 * (8 + 3) + 2 * 4),
        ({"experts": LinearExperts("diag")}, 2, 3 * (8 + 2) + 2 * 4),
        ({"experts": LinearExperts("spherical")}, 2, 3 * (8 + 1) + 2 * 4),
    ],
    ids=str,
)
def test_free_parameters_are_counted(kwargs, q, expected):
    assert regressor(3, **kwargs).fit(*problem(q=q)).n_parameters_ == expected


def test_one_expert_is_linear_regression():
    from sklearn.linear_model import LinearRegression

    X, y = problem()
    est = regressor(1).set_params(experts__alpha=0.0).fit(X, y)
    peer = LinearRegression().fit(X, y)
    np.testing.assert_allclose(est.coef_[0], peer.coef_, rtol=1e-8)
    np.testing.assert_allclose(est.predict(X), peer.predict(X), rtol=1e-8)
    np.testing.assert_allclose(est.predict_gate(X), 1.0)
    assert est.covariances_[0] == pytest.approx(np.mean((y - peer.predict(X)) ** 2))
