"""Shapes and precision of what is learned and answered."""

import numpy as np
import pytest
from _helpers import falls
from _problems import (
    few_sentences,
    problem,
    regressor,
    targets,
)
from scipy.special import logsumexp

from skmoe import MixtureOfExpertsClassifier

# Problems of a few rows have no use for every expert; test_bad_input.py reads what is said then.
pytestmark = pytest.mark.filterwarnings("ignore:Experts .* may be too many")


@few_sentences
@pytest.mark.parametrize("form", ["flat", "column", "two"])
def test_shapes(sentence, form):
    X, y = problem(100, q=2)
    y = {"flat": y[:, 0], "column": y[:, :1], "two": y}[form]
    outputs = y.shape[1:]
    est = regressor(3, **sentence).fit(X, y)
    n = len(X)
    assert est.coef_.shape == (3, *outputs, 3) and est.intercept_.shape == (3, *outputs)
    assert est.gate_coef_.shape == (3, 3) and est.gate_intercept_.shape == (3,)
    assert est.predict(X).shape == y.shape
    mean, std = est.predict(X, return_std=True)
    assert mean.shape == std.shape == y.shape and (std > 0).all()
    assert est.predict_experts(X).shape == (n, 3, *outputs)
    assert est.predict_gate(X).shape == est.responsibilities(X, y).shape == (n, 3)
    assert est.apply(X).shape == est.score_samples(X, y).shape == (n,)
    assert est.sample(X).shape == y.shape
    assert est.sample(X, n_samples=4).shape == (n, 4, *outputs)
    assert est.lower_bounds_.shape == (est.n_passes_,)
    assert isinstance(est.log_likelihood(X, y), float)
    for name in ("n_parameters_", "n_iter_", "n_passes_"):
        assert isinstance(getattr(est, name), int | np.integer)
    assert isinstance(est.stop_reason_, str) and est.converged_ in (True, False)
    low, high = est.predict_distribution(X).interval(0.9)
    assert low.shape == y.shape and (low < high).all()


def test_coefficients_are_in_the_units_of_the_data():
    X, y = problem(q=2)
    est = regressor(2).fit(X, y)
    lines = np.einsum("nd,kqd->nkq", X, est.coef_) + est.intercept_
    np.testing.assert_allclose(lines, est.predict_experts(X), rtol=1e-9)
    scores = X @ est.gate_coef_.T + est.gate_intercept_
    log_gate = scores - logsumexp(scores, axis=1, keepdims=True)
    np.testing.assert_allclose(np.exp(log_gate), est.predict_gate(X), rtol=1e-9)
    np.testing.assert_allclose(est.gate_coef_.sum(axis=0), 0.0, atol=1e-9)
    assert est.gate_intercept_.sum() == pytest.approx(0.0, abs=1e-9)
    residual = y[:, None] - lines
    whitened = np.linalg.solve(np.linalg.cholesky(est.covariances_), residual[..., None])[..., 0]
    log_expert = -0.5 * np.square(whitened).sum(axis=2) - np.log(2 * np.pi)
    log_expert -= 0.5 * np.linalg.slogdet(est.covariances_)[1]
    np.testing.assert_allclose(
        est.score_samples(X, y), logsumexp(log_gate + log_expert, axis=1), rtol=1e-9
    )


@few_sentences
@targets
def test_single_precision_stays_single(sentence, q):
    X, y = problem(q=q)
    double = regressor(**sentence).fit(X, y)
    X32, y32 = X.astype(np.float32), y.astype(np.float32)
    est = regressor(**sentence).fit(X32, y32)
    for array in (
        est.predict(X32),
        est.predict_gate(X32),
        est.predict_experts(X32),
        est.responsibilities(X32, y32),
        est.coef_,
        est.intercept_,
        est.gate_coef_,
        est.gate_intercept_,
    ):
        assert array.dtype == np.float32
    for array in (est.predict(X), est.predict_gate(X), double.predict(X), double.coef_):
        assert array.dtype == np.float64
    gap = double.score_samples(X, y).mean() - est.score_samples(X32, y32).mean()
    assert abs(gap) < 2e-2
    assert falls(est.lower_bounds_).max(initial=0.0) < 1e-6


def test_lists_and_integers_are_welcome():
    X, y = problem()
    X, y = np.round(10 * X).astype(int), np.round(y).astype(int)
    est = regressor().fit(X.tolist(), y.tolist())
    np.testing.assert_allclose(est.predict(X), regressor().fit(X + 0.0, y + 0.0).predict(X))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "experts", ["linear", "constant", "student_t", "laplace", "gamma", "poisson"]
)
def test_every_answer_keeps_the_precision(experts, dtype):
    X, y = problem()
    X, y = X.astype(dtype), np.round(1.0 + np.abs(y)).astype(dtype)
    est = regressor(experts=experts).fit(X, y)
    answer = est.predict_distribution(X)
    answers = {
        "predict": est.predict(X, return_std=True),
        "predict_gate": est.predict_gate(X),
        "predict_experts": est.predict_experts(X),
        "responsibilities": est.responsibilities(X, y),
        "score_samples": (est.score_samples(X, y), est.score_samples(X)),
        "sample": (est.sample(X, random_state=0), est.sample(X, 3, random_state=0)),
        "interval": answer.interval(0.9),
        "cdf": answer.cdf(y),
        "pdf": answer.pdf(y),
        "logpdf": answer.logpdf(y),
        "ppf": answer.ppf([0.1, 0.9]),
        "weights": answer.weights,
    }
    for name in ("mean", "var", "std", "median", "mode", "covariance"):
        answers[name] = getattr(answer, name)()
    for name, values in answers.items():
        for value in values if isinstance(values, tuple) else [values]:
            assert value.dtype == dtype, name

    np.testing.assert_allclose(est.predict_distribution(X).mean(), est.predict(X), rtol=1e-4)


def test_classifiers_keep_the_precision():
    X, y = problem()
    X = X.astype(np.float32)
    est = MixtureOfExpertsClassifier(2, n_init=2, random_state=0).fit(X, y > y.mean())
    for value in (est.predict_proba(X), est.predict_log_proba(X), est.decision_function(X)):
        assert value.dtype == np.float32
    assert est.score_samples(X, y > y.mean()).dtype == np.float32
