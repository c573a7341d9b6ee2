"""The fit itself: bounds, seeds, jobs, batches, passes."""

import warnings

import numpy as np
import pytest
from _helpers import falls
from _problems import (
    assert_same_answers,
    few_sentences,
    problem,
    regressor,
    sentences,
    targets,
)
from sklearn.exceptions import ConvergenceWarning, NotFittedError

# Problems of a few rows have no use for every expert; test_bad_input.py reads what is said then.
pytestmark = pytest.mark.filterwarnings("ignore:Experts .* may be too many")


@sentences
@targets
def test_lower_bounds_never_fall(sentence, q):
    X, y = problem(q=q, K=3)
    est = regressor(3, **sentence).fit(X, y)
    assert falls(est.lower_bounds_).max(initial=0.0) < 1e-12
    assert est.lower_bound_ == est.lower_bounds_[-1] and len(est.lower_bounds_) == est.n_passes_


def test_lower_bound_is_the_log_likelihood_of_standardized_rows():
    X, y = problem()
    est = regressor().set_params(gate__alpha=0.0, experts__alpha=0.0).fit(X, y)
    assert est.lower_bound_ == pytest.approx(
        est.log_likelihood(X, y) + len(y) * np.log(y.std()), rel=1e-9
    )


@few_sentences
def test_number_of_jobs_does_not_matter(sentence):
    X, y = problem(400, K=3)
    one, two = (regressor(3, n_jobs=n_jobs, **sentence).fit(X, y) for n_jobs in (1, 2))
    np.testing.assert_array_equal(one.coef_, two.coef_)
    np.testing.assert_array_equal(one.gate_coef_, two.gate_coef_)
    np.testing.assert_array_equal(one.lower_bounds_, two.lower_bounds_)


def test_same_seed_same_result():
    X, y = problem(K=3)
    fits = [regressor(3, random_state=seed).fit(X, y) for seed in (3, 3)]
    np.testing.assert_array_equal(fits[0].coef_, fits[1].coef_)
    state = np.random.RandomState(3)
    np.testing.assert_array_equal(regressor(3, random_state=state).fit(X, y).coef_, fits[0].coef_)


def test_size_of_the_batches_does_not_matter():
    X, y = problem()
    whole, parts = (regressor(batch_size=size).fit(X, y) for size in (None, 37))
    assert_same_answers(whole, parts, X, y, rtol=1e-4)


def test_too_few_passes_are_told():
    X, y = problem(K=3, noise=1.0, gate_slope=0.5)
    est = regressor(3, max_iter=2)
    with pytest.warns(ConvergenceWarning, match="max_iter=2"):
        est.fit(X, y)
    assert est.n_passes_ == 2 and not est.converged_ and est.stop_reason_ == "max_iter"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        est.set_params(max_iter=1000).fit(X, y)
    assert est.converged_


@pytest.mark.parametrize(
    "method",
    ["predict", "predict_gate", "predict_experts", "predict_distribution", "apply", "sample"],
)
def test_unfitted_estimators_say_so(method):
    with pytest.raises(NotFittedError):
        getattr(regressor(), method)(problem()[0])


@pytest.mark.parametrize(
    "method", ["score", "score_samples", "log_likelihood", "responsibilities", "aic", "bic", "icl"]
)
def test_unfitted_estimators_say_so_to_answers_too(method):
    with pytest.raises(NotFittedError):
        getattr(regressor(), method)(*problem())
