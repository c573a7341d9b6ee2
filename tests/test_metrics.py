"""Scores of predictive distributions, against closed forms, draws and direct sums."""

import numpy as np
import pytest
from scipy import stats
from sklearn.model_selection import GridSearchCV, cross_val_score

from skmoe import MixtureOfExpertsRegressor, metrics
from skmoe.datasets import make_mixture_of_experts
from skmoe.distribution import MixtureDistribution, RowGaussians
from skmoe.experts.row_student_t import RowStudentTs

N, K = 40, 3


def mixtures(q=1, seed=0, df=None):
    """A mixture at N rows in units of its own, and draws of y from it."""
    rng = np.random.RandomState(seed)
    weights = rng.dirichlet(np.ones(K), size=N)
    means, deviations = rng.normal(0, 3, (N, K, q)), rng.uniform(0.05, 2.0, (N, K, q))
    components = (
        RowGaussians(means, deviations)
        if df is None
        else RowStudentTs(means, deviations, np.array(df))
    )
    answer = MixtureDistribution(weights, components, loc=5.0, scale=2.0)
    return answer, answer.rvs(random_state=rng)


def crps_of_draws(answer, y, size=40_000):
    draws = answer.rvs(size=size, random_state=1)
    other = answer.rvs(size=size, random_state=2)
    return np.mean(
        np.abs(draws - y[:, None]).mean(axis=1) - 0.5 * np.abs(draws - other).mean(axis=1)
    )


@pytest.mark.parametrize("df", [None, [3.0, 5.0, 40.0]], ids=["gaussian", "student_t"])
def test_crps_is_that_of_draws(df):
    answer, y = mixtures(df=df)
    assert metrics.crps(y, answer) == pytest.approx(crps_of_draws(answer, y), rel=0.02)


def test_closed_form_and_integral_agree():
    answer, y = mixtures()
    numeric = stats.norm(answer.loc, 1.0)  # any distribution without a closed form of ours
    frozen = stats.norm(np.zeros(N), np.linspace(0.1, 3.0, N))
    single = MixtureDistribution(
        np.ones((N, 1)), RowGaussians(np.zeros((N, 1, 1)), np.linspace(0.1, 3.0, N)[:, None, None])
    )
    assert metrics.crps(y, frozen) == pytest.approx(metrics.crps(y, single), rel=1e-4)
    assert not hasattr(numeric, "crps")
    nearly = MixtureDistribution(
        answer.weights,
        RowStudentTs(answer.components.means, answer.components.deviations, np.full(K, 1e6)),
        answer.loc,
        answer.scale,
    )
    np.testing.assert_allclose(nearly.crps(y), answer.crps(y), rtol=1e-4)


def test_crps_of_a_point_is_the_absolute_error():
    point = MixtureDistribution(
        np.ones((2, 1)), RowGaussians(np.zeros((2, 1, 1)), np.full((2, 1, 1), 1e-9))
    )
    assert metrics.crps([3.0, -1.0], point) == pytest.approx(2.0)


def test_crps_of_counts():
    X = np.linspace(0, 1, 200)[:, None]
    y = np.random.RandomState(0).poisson(np.exp(1 + X[:, 0]))
    answer = (
        MixtureOfExpertsRegressor(1, experts="poisson", random_state=0)
        .fit(X, y)
        .predict_distribution(X)
    )
    k = np.arange(60.0)
    below = answer.cdf(np.repeat(k[:, None], len(y), axis=1))
    direct = np.square(below - (k[:, None] >= y)).sum(axis=0).mean()
    assert metrics.crps(y, answer) == pytest.approx(direct, rel=1e-9)


def test_log_density_and_bins():
    answer, y = mixtures()
    assert metrics.negative_log_density(y, answer) == pytest.approx(-answer.logpdf(y).mean())
    narrow = metrics.binned_negative_log_likelihood(y, answer, width=1e-4) + np.log(1e-4)
    assert narrow == pytest.approx(metrics.negative_log_density(y, answer), abs=1e-3)
    assert metrics.binned_negative_log_likelihood(y, answer, width=1e6) == pytest.approx(0.0)
    with pytest.raises(ValueError, match="width=0"):
        metrics.binned_negative_log_likelihood(y, answer, width=0)


def test_densities_on_few_values_mean_nothing_but_bins_do():
    spike = stats.norm([3.0, 4.0], 1e-6)
    y = [3.0, 4.0]
    assert metrics.negative_log_density(y, spike) < -12
    assert metrics.binned_negative_log_likelihood(y, spike, width=1.0) == pytest.approx(0.0)


@pytest.mark.parametrize("q", [1, 2])
def test_coverage_and_width(q):
    answer, y = mixtures(q)
    low, high = answer.interval(0.8)
    inside = (low <= y) & (y <= high)
    assert metrics.interval_coverage(y, answer, confidence=0.8) == pytest.approx(inside.mean())
    assert metrics.interval_width(y, answer, confidence=0.8) == pytest.approx((high - low).mean())
    weight = np.arange(N) % 2
    halved = metrics.interval_coverage(y, answer, confidence=0.8, sample_weight=weight)
    assert halved == pytest.approx(inside[1::2].mean())


def test_scorers_choose_the_number_of_experts():
    X, y, _ = make_mixture_of_experts(400, 1, 3, random_state=0)
    for scorer in (metrics.log_density_scorer, metrics.neg_crps_scorer):
        search = GridSearchCV(
            MixtureOfExpertsRegressor(n_init=4, random_state=0),
            {"n_experts": [1, 3]},
            scoring=scorer,
        )
        assert search.fit(X, y).best_params_ == {"n_experts": 3}
    est = MixtureOfExpertsRegressor(3, n_init=4, random_state=0)
    assert -0.2 < cross_val_score(est, X, y, scoring=metrics.neg_coverage_error_scorer).mean() <= 0
    assert "confidence=0.5" in repr(
        metrics.make_density_scorer(metrics.interval_coverage, confidence=0.5)
    )
