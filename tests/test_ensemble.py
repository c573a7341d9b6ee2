"""Ensembles: the answer is the mixture of the members' answers."""

import numpy as np
import pytest
from _problems import frame_library, problem
from scipy import stats
from scipy.sparse import csr_array
from scipy.special import logsumexp
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.linear_model import LinearRegression
from sklearn.utils.estimator_checks import parametrize_with_checks

from skmoe import (
    BayesianMixtureOfExpertsRegressor,
    MixtureOfExpertsClassifier,
    MixtureOfExpertsEnsemble,
    MixtureOfExpertsRegressor,
    SparseMixtureOfExpertsRegressor,
)
from skmoe.distribution import MixtureDistribution, RowGaussians, pooled
from skmoe.estimators import _stacking
from skmoe.estimators._stacking import Stack, stacked_shares
from skmoe.estimators.ensemble import VARIETIES, _varied

small = MixtureOfExpertsRegressor(2, n_init=1)


@parametrize_with_checks(
    [
        MixtureOfExpertsEnsemble(small, 2),
        MixtureOfExpertsEnsemble(small, 2, bootstrap=True, weights="uniform"),
    ]
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


@parametrize_with_checks([MixtureOfExpertsEnsemble()])
@pytest.mark.slow
def test_scikit_learn_checks_as_is(estimator, check):
    check(estimator)


@pytest.mark.parametrize("q", [1, 2])
@pytest.mark.parametrize("weights", ["uniform", "stacked"])
def test_density_is_the_members_mean(q, weights):
    X, y = problem(q=q)
    est = MixtureOfExpertsEnsemble(small, 3, weights=weights, random_state=0).fit(X, y)
    logs = np.array([member.score_samples(X, y) for member in est.estimators_])
    assert est.spread_ == 1.0
    expected = logsumexp(logs, axis=0, b=est.weights_[:, None])
    np.testing.assert_allclose(est.score_samples(X, y), expected, rtol=1e-6, atol=1e-6)
    mean, std = est.predict(X, return_std=True)
    np.testing.assert_allclose(mean, est.predict(X), rtol=1e-9, atol=1e-9)
    assert mean.shape == std.shape == y.shape
    assert est.sample(X, 4, random_state=0).shape[:2] == (len(X), 4)


def test_pooled_units_do_not_matter():
    rng = np.random.RandomState(0)
    means, deviations = rng.normal(size=(5, 2, 1)), rng.uniform(0.5, 1.0, (5, 2, 1))
    weights = rng.dirichlet([1.0, 1.0], size=5)
    one = MixtureDistribution(weights, RowGaussians(means, deviations), loc=3.0, scale=2.0)
    same = MixtureDistribution(weights, RowGaussians(3.0 + 2.0 * means, 2.0 * deviations))
    both, y = pooled([one, same], [0.3, 0.7]), rng.normal(3.0, 2.0, 5)
    for name in ("logpdf", "pdf", "cdf", "crps"):
        np.testing.assert_allclose(getattr(both, name)(y), getattr(one, name)(y), rtol=1e-9)
    for name in ("mean", "std", "median", "mode"):
        np.testing.assert_allclose(getattr(both, name)(), getattr(one, name)(), rtol=1e-6)
    draws = both.rvs(size=20_000, random_state=0)
    np.testing.assert_allclose(draws.mean(axis=1), one.mean(), atol=0.1)


def test_a_spread_pool_is_as_many_times_as_wide_around_the_components():
    rng = np.random.RandomState(0)
    means, deviations = rng.normal(size=(5, 2, 1)), rng.uniform(0.5, 1.0, (5, 2, 1))
    weights = rng.dirichlet([1.0, 1.0], size=5)
    one = MixtureDistribution(weights, RowGaussians(means, deviations), loc=3.0, scale=2.0)
    wide = MixtureDistribution(weights, RowGaussians(means, 0.7 * deviations), loc=3.0, scale=2.0)
    made, y = pooled([one], spread=0.7), rng.normal(3.0, 2.0, 5)
    for name in ("logpdf", "cdf", "crps"):
        np.testing.assert_allclose(getattr(made, name)(y), getattr(wide, name)(y), rtol=1e-9)
    for name in ("mean", "std", "median", "mode"):
        np.testing.assert_allclose(getattr(made, name)(), getattr(wide, name)(), rtol=1e-6)
    np.testing.assert_allclose(made.rvs(9, random_state=0), wide.rvs(9, random_state=0))


def test_spread_learns_how_wide_members_should_be():
    rng = np.random.RandomState(0)
    y, ones = rng.standard_normal(500), np.ones((500, 1))
    twice = MixtureDistribution(ones, RowGaussians(np.zeros((500, 1, 1)), 2.0 * ones[..., None]))
    assert Stack([twice], y, None).best_spread() == pytest.approx(0.5, abs=0.04)
    # Members that stand apart make the pool wide, each of them as wide as the errors.
    apart = [
        MixtureDistribution(
            ones, RowGaussians(np.full((500, 1, 1), shift), np.hypot(ones, shift)[..., None])
        )
        for shift in (-0.7, 0.7)
    ]
    pool = Stack(apart, y, None)
    spread = pool.best_spread()
    assert 0.4 < spread < 0.85
    covered = [
        np.mean(np.abs(y) < pooled(apart, pool.shares, own).ppf(0.95)) for own in (1.0, spread)
    ]
    assert abs(covered[1] - 0.9) < 0.02 < covered[0] - 0.9


def test_spread_keeps_intervals_calibrated_where_the_density_hardly_tells(monkeypatch):
    # A few large errors keep members wider than most errors are.
    rng = np.random.RandomState(0)
    y = rng.standard_normal(400) * np.where(np.arange(400) % 20 == 0, 1.0, 0.1)
    members = [
        MixtureDistribution(
            np.ones((400, 1)),
            RowGaussians(0.05 * rng.standard_normal((400, 1, 1)), np.full((400, 1, 1), deviation)),
        )
        for deviation in (0.2, 0.3, 0.4)
    ]

    def mean_surprise():
        pool = Stack(members, y, None)
        spread = pool.best_spread()
        below = pooled(members, pool.shares, spread).cdf(y)
        return -np.log(2.0 * np.minimum(below, 1.0 - below)).mean()

    learned = mean_surprise()
    monkeypatch.setattr(_stacking, "CALIBRATION", 0.0)
    assert abs(learned - 1.0) < 0.03 < abs(mean_surprise() - 1.0)


def test_members_differ_in_their_seeds_or_rows():
    X, y = problem()
    est = MixtureOfExpertsEnsemble(small, 3, random_state=0).fit(X, y)
    assert len({member.random_state for member in est.estimators_}) == 3
    bagged = MixtureOfExpertsEnsemble(small, 3, bootstrap=True, random_state=0).fit(X, y)
    one, other, _ = (member.score_samples(X, y).sum() for member in bagged.estimators_)
    assert abs(one - other) > 1e-3
    again = MixtureOfExpertsEnsemble(small, 3, bootstrap=True, random_state=0, n_jobs=2)
    np.testing.assert_array_equal(again.fit(X, y).predict(X), bagged.predict(X))


def test_default_members_vary_and_beat_their_mean():
    rng = np.random.RandomState(0)
    X = rng.uniform(-2, 2, (300, 2))
    y = np.sin(2 * X[:, 0]) * X[:, 1] + 0.1 * rng.standard_normal(300)
    est = MixtureOfExpertsEnsemble(n_estimators=4, random_state=0)
    est.fit(X[:200], y[:200])
    held_out = [member.score_samples(X[200:], y[200:]).mean() for member in est.estimators_]
    assert est.score_samples(X[200:], y[200:]).mean() > np.mean(held_out)
    assert len({(str(m.expert_features), m.n_experts) for m in est.estimators_}) == 4
    assert est.weights_.sum() == pytest.approx(1.0) and est.weights_.std() > 0


def test_varieties_fit_their_rows():
    for number in range(2 * len(VARIETIES)):
        for n_features, n_rows in ((1, 10), (8, 300), (30, 400), (3, 100_000)):
            member = _varied(number, n_features, n_rows)
            basis = member.expert_features
            assert basis is None or basis.n_columns(n_features) <= max(n_rows / 4, 1)


def test_shares_go_to_who_explains_the_rows():
    logs = np.log([[0.9] * 50, [0.1] * 50])
    assert stacked_shares(logs)[0] > 0.9
    np.testing.assert_allclose(stacked_shares(np.zeros((3, 0))), 1.0 / 3.0)
    mixed = np.log([[0.9] * 25 + [0.1] * 25, [0.1] * 25 + [0.9] * 25])
    np.testing.assert_allclose(stacked_shares(mixed), 0.5, atol=1e-6)
    weight = np.repeat([1.0, 0.0], 25)
    assert stacked_shares(mixed, weight)[0] > 0.9


def test_weights_are_repetitions():
    X, y = problem(120)
    weight = np.random.RandomState(0).randint(0, 3, 120)
    weighted = MixtureOfExpertsEnsemble(small, 2, weights="stacked", random_state=0)
    repeated = MixtureOfExpertsEnsemble(small, 2, weights="stacked", random_state=0)
    weighted.fit(X, y, sample_weight=weight)
    repeated.fit(np.repeat(X, weight, axis=0), np.repeat(y, weight, axis=0))
    np.testing.assert_allclose(weighted.weights_, repeated.weights_, atol=1e-5)
    np.testing.assert_allclose(weighted.predict(X), repeated.predict(X), rtol=1e-4, atol=1e-4)


def test_any_estimator_with_a_distribution():
    X, y = problem()
    neural = SparseMixtureOfExpertsRegressor(2, top_k=1, head="gaussian", max_iter=3)
    est = MixtureOfExpertsEnsemble(neural, 2, random_state=0).fit(X, y)
    assert np.isfinite(est.score_samples(X, y)).all()
    with pytest.raises(AttributeError, match="predict_distribution"):
        MixtureOfExpertsEnsemble(LinearRegression(), 2).fit(X, y).predict_distribution(X)


def test_frames_and_names():
    pandas = frame_library("pandas")
    X, y = problem()
    frame = pandas.DataFrame(X, columns=["a", "b", "c"])
    chosen = BayesianMixtureOfExpertsRegressor(2, n_init=1, expert_features=["a", "c"])
    est = MixtureOfExpertsEnsemble(chosen, 2, weights="stacked", random_state=0).fit(frame, y)
    assert list(est.feature_names_in_) == ["a", "b", "c"] and est.n_features_in_ == 3


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("n_estimators", 0),
        ("weights", "equal"),
        ("random_state", "x"),
        ("estimator", MixtureOfExpertsClassifier(2)),
    ],
)
def test_arguments_are_named(argument, value):
    est = MixtureOfExpertsEnsemble(small).set_params(**{argument: value})
    with pytest.raises((ValueError, TypeError), match=argument):
        est.fit([[0.0], [1.0]], [0.0, 1.0])


def _waves(n_rows, seed):
    rng = np.random.RandomState(seed)
    X = rng.uniform(-2, 2, (n_rows, 2))
    return X, np.sin(X[:, 0]) + 0.5 * X[:, 1] + 0.2 * rng.standard_normal(n_rows)


@pytest.mark.slow
@pytest.mark.parametrize("n_rows", [10, 20, 40])
def test_few_rows_are_told_with_care(n_rows):
    """Better than one normal distribution for all, and not surer than it should be."""
    X, y = _waves(n_rows + 400, n_rows)
    est = MixtureOfExpertsEnsemble(random_state=0).fit(X[:n_rows], y[:n_rows])
    answer, answers = est.predict_distribution(X[n_rows:]), y[n_rows:]
    low, high = answer.interval(0.9)
    assert np.mean((low < answers) & (answers < high)) > 0.8
    alone = stats.norm(answers.mean(), answers.std()).logpdf(answers).mean()
    assert answer.logpdf(answers).mean() > alone + 0.5


@pytest.mark.parametrize("level", [0.0, 1e6])
def test_an_answer_that_never_changes(level):
    X, _ = _waves(60, 0)
    est = MixtureOfExpertsEnsemble(n_estimators=2, random_state=0).fit(X, np.full(60, level))
    mean, std = est.predict(X[:3], return_std=True)
    np.testing.assert_allclose(mean, level)
    assert np.all(std > 0) and np.isfinite(est.score_samples(X[:3], np.full(3, level))).all()


@pytest.mark.slow
def test_jobs_do_not_matter_and_seeds_hardly_do():
    X, y = _waves(320, 1)
    answers = [
        MixtureOfExpertsEnsemble(n_estimators=3, random_state=seed, n_jobs=n_jobs)
        .fit(X[:120], y[:120])
        .predict_distribution(X[120:])
        for seed, n_jobs in ((0, None), (0, 2), (1, None))
    ]
    logs = [answer.logpdf(y[120:]) for answer in answers]
    np.testing.assert_array_equal(logs[0], logs[1])
    assert not np.array_equal(logs[0], logs[2])
    assert abs(np.mean(logs[0] - logs[2])) < 0.1


def test_single_precision_stays():
    X, y = (each.astype(np.float32) for each in _waves(60, 0))
    est = MixtureOfExpertsEnsemble(n_estimators=2, random_state=0).fit(X, y)
    assert est.predict(X).dtype == est.predict_distribution(X).mean().dtype == np.float32
    double = clone(est).fit(X.astype(float), y.astype(float)).predict(X.astype(float))
    # Optima that lie close together may be told apart by rounding.
    assert np.median(np.abs(est.predict(X) - double)) < 0.1


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        ([[0.0], [1.0]], None, "y to be passed"),
        ([[0.0], [1.0]], [0.0], "inconsistent"),
        ([0.0, 1.0], [0.0, 1.0], r"Reshape your data"),
    ],
)
def test_rows_that_cannot_be_dealt_out_are_refused(X, y, message):
    with pytest.raises(ValueError, match=message):
        MixtureOfExpertsEnsemble().fit(X, y)


def test_stacked_members_that_take_sparse_rows_take_their_weights_too():
    X, y = problem(60)
    weight = np.random.RandomState(0).uniform(0.5, 3.0, 60)
    est = MixtureOfExpertsEnsemble(SparseRows(), 2, weights="stacked", random_state=0)
    est.fit(csr_array(X), y, sample_weight=weight)
    assert est.weights_.sum() == pytest.approx(1.0)


class SparseRows(RegressorMixin, BaseEstimator):
    """A mixture whose rows arrive sparse."""

    def fit(self, X, y, sample_weight=None):
        self.inner_ = clone(small).fit(X.toarray(), y, sample_weight=sample_weight)
        return self

    def predict_distribution(self, X):
        return self.inner_.predict_distribution(X.toarray())
