"""Bayesian mixtures: posteriors, bounds that never fall, experts that switch themselves off."""

from dataclasses import replace

import numpy as np
import pytest
from _helpers import falls
from scipy.special import gammaln, polygamma, psi
from sklearn.base import clone
from sklearn.utils.estimator_checks import parametrize_with_checks

from skmoe import (
    BayesianMixtureOfExpertsClassifier,
    BayesianMixtureOfExpertsRegressor,
    HierarchicalMixtureOfExpertsRegressor,
    MixtureOfExpertsRegressor,
)
from skmoe._math.gamma import gamma_excess
from skmoe.datasets import make_mixture_of_experts
from skmoe.experts import BayesianLinearExperts
from skmoe.features import SplineFeatures
from skmoe.gates import BayesianSoftmaxGate, BayesianTreeGate, DirichletGate
from skmoe.starts.exchange import deletions


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


def _bounds_and_active(data, n_experts, seeds):
    X, y, _ = data
    est = BayesianMixtureOfExpertsRegressor(n_experts, expert_features=None)
    fits = [clone(est).set_params(random_state=seed).fit(X, y) for seed in seeds]
    return np.array([[fit.lower_bound_, fit.n_active_experts_] for fit in fits]).T


def test_searches_end_at_the_same_bound():
    data = make_mixture_of_experts(300, 2, 2, random_state=0)
    bounds, active = _bounds_and_active(data, 6, range(3))
    assert np.ptp(bounds) < 0.5
    np.testing.assert_array_equal(active, 2)


@pytest.mark.slow
def test_nearly_all_searches_end_at_the_best_bound():
    """Other numbers of rows, columns, regimes and experts; every data set of another seed."""
    sizes = [(150, 3, 2, 5), (300, 2, 3, 6), (500, 4, 3, 8), (1000, 2, 4, 8), (3000, 3, 3, 8)]
    reached = []
    for seed, (n_rows, d, n_regimes, n_experts) in enumerate(sizes):
        data = make_mixture_of_experts(n_rows, d, n_regimes, random_state=40 + seed)
        bounds, _ = _bounds_and_active(data, n_experts, range(6))
        reached.append(bounds > bounds.max() - 0.5)
    assert np.mean(reached) >= 0.9
    assert np.mean(reached, axis=1).min() > 0.6


@pytest.mark.parametrize("expert", range(3))
def test_a_gate_told_from_another_expert_weighs_the_same(expert):
    rng = np.random.RandomState(0)
    X, share = rng.standard_normal((80, 2)), rng.dirichlet(np.ones(3), 80)
    gate = BayesianSoftmaxGate()
    theta = gate.init(X, 3)
    for _ in range(5):
        theta = gate.m_step(theta, gate.statistics(theta, X, share))
    told = gate.referred(theta, expert)
    np.testing.assert_allclose(gate.evidence(told, X), gate.evidence(theta, X), atol=1e-9)
    assert np.abs(told.coef - theta.coef).max() > 1e-6


def test_bounds_of_posteriors_far_off_are_no_rounding_errors():
    X, y = np.random.RandomState(0).standard_normal((2, 50, 1))
    experts, gate = BayesianLinearExperts(), DirichletGate()
    theta, weights = experts.init(X, y, 3), gate.init(X, 3)
    terms = [
        (
            experts.penalty(replace(theta, log_shape=np.array([0.7, far, 0.7]))),
            gate.penalty(replace(weights, log_concentration=np.array([0.0, far, 0.0]))),
        )
        for far in (1.0, 3.0, 6.0, 7.0, 20.0, 100.0, 300.0)
    ]
    assert (np.diff(terms, axis=0) < 0.0).all()


@pytest.mark.parametrize("seed", [0, 4, 10, 18])
def test_columns_of_rare_categories_do_not_send_a_search_away(seed):
    rng = np.random.RandomState(seed)
    drawn = [rng.choice(k, 400, p=rng.dirichlet(np.full(k, 0.6))) for k in (5, 4, 3, 2)]
    dummies = [np.eye(choice.max() + 1)[choice][:, 1:] for choice in drawn]
    X = np.column_stack([rng.uniform(18.0, 80.0, 400), rng.randint(2003, 2010, 400), *dummies])
    y = 4.5 + 0.3 * X[:, 3] - 1e-4 * np.square(X[:, 0] - 48.0) + 0.3 * rng.standard_t(4.0, 400)
    settings = {"expert_features": SplineFeatures(5), "n_init": 1, "max_iter": 60}
    est = BayesianMixtureOfExpertsRegressor(4, random_state=0, **settings).fit(X, y)
    assert abs(est.lower_bound_) < 2000.0
    assert np.abs(est.predict(X) - y).max() < 1.1 * np.abs(y - y.mean()).max()


@pytest.mark.parametrize("a", [1e-3, 0.5, 7.0, 999.0, 1001.0])
def test_gamma_excess_is_what_it_says(a):
    direct = a * psi(a) - gammaln(a) - a
    np.testing.assert_allclose(gamma_excess(a), direct, rtol=1e-10)
    step = 1e-4 * a
    slope = (gamma_excess(a + step) - gamma_excess(a - step)) / (2.0 * step)
    np.testing.assert_allclose(slope, a * polygamma(1, a) - 1.0, rtol=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("features", ["auto", None])
def test_four_of_ten_experts_are_enough_for_nine_of_ten_seeds(features):
    """With defaults: data from 3 experts, and the fit with the right number beside it."""
    active, lost = [], []
    for seed in range(10):
        X, y, _ = make_mixture_of_experts(2000, 3, 3, random_state=100 + seed)
        est = BayesianMixtureOfExpertsRegressor(expert_features=features, random_state=0)
        right = MixtureOfExpertsRegressor(3, random_state=0)
        logs = [
            fit.fit(X[:1000], y[:1000]).score_samples(X[1000:], y[1000:]) for fit in (right, est)
        ]
        active.append(est.n_active_experts_)
        lost.append(np.mean(logs[0] - logs[1]))
    assert np.count_nonzero(np.array(active) <= 4) >= 9
    assert np.count_nonzero(np.array(lost) < 0.02) >= 9 and np.mean(lost) < 0.02


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


def test_trials_of_features_side_by_side_end_the_same():
    X, y, _ = make_mixture_of_experts(150, 1, 2, random_state=0)
    one, two = (
        BayesianMixtureOfExpertsRegressor(
            3, n_init=1, max_iter=30, n_jobs=n_jobs, random_state=np.random.RandomState(0)
        ).fit(X, y)
        for n_jobs in (None, 2)
    )
    assert one.spread_ == two.spread_ != 1.0
    np.testing.assert_array_equal(one.predict(X), two.predict(X))


def test_trials_of_features_judge_rows_of_few_values_by_pairs_that_they_have_seen():
    rng = np.random.RandomState(2)
    X = rng.randint(0, 4, (600, 2)).astype(float)
    slope = np.where(X[:, 0] < 2, 1.5, -1.5)
    y = np.round(slope * (X[:, 1] - 1.5) + rng.standard_normal(600))
    settings = {"n_init": 1, "max_iter": 30, "random_state": 0}
    est = BayesianMixtureOfExpertsRegressor(4, **settings).fit(X, y)
    assert est.score(X, y) > 0.65
    pairs, weight = np.unique(np.column_stack([X, y]), axis=0, return_counts=True)
    assert len(pairs) < 100
    merged = BayesianMixtureOfExpertsRegressor(4, **settings)
    merged.fit(pairs[:, :2], pairs[:, 2], sample_weight=weight)
    assert merged.spread_ == est.spread_ != 1.0
    np.testing.assert_allclose(merged.predict(X), est.predict(X), rtol=1e-9)


def test_answers_are_as_many_times_as_wide():
    X, y, _ = make_mixture_of_experts(150, 2, 2, random_state=0)
    est = BayesianMixtureOfExpertsRegressor(2, expert_features=None, random_state=0).fit(X, y)
    experts, theta = est.experts_, est.theta_.experts
    wide = experts.components(experts.widened(theta, 1.5), X)
    np.testing.assert_allclose(wide.scales, 1.5 * experts.components(theta, X).scales)
    np.testing.assert_allclose(wide.means, experts.components(theta, X).means)
    assert est.spread_ == 1.0 and est.most_df_ == np.inf
    tailed = experts.components(experts.widened(theta, 1.5, 6.0), X)
    np.testing.assert_allclose(tailed.scales, wide.scales)
    np.testing.assert_allclose(tailed.df, 6.0)
    np.testing.assert_array_equal(
        experts.components(experts.widened(theta, 1.0, 1e9), X).df, experts.components(theta, X).df
    )


@pytest.mark.parametrize(("df", "heavy"), [(2.0, True), (np.inf, False)])
def test_tails_are_told_by_rows_held_out(df, heavy):
    rng = np.random.RandomState(0)
    X = rng.uniform(-1, 1, (600, 1))
    y = X[:, 0] + 0.1 * (rng.standard_t(df, 600) if heavy else rng.standard_normal(600))
    est = BayesianMixtureOfExpertsRegressor(1, n_init=1, random_state=0).fit(X, y)
    assert np.isfinite(est.most_df_) == heavy
    assert np.allclose(est.predict_distribution(X[:3]).components.df, 6.0) == heavy
    spread, most_df, logs = est.spread_, est.most_df_, est.score_samples(X, y)
    est.fit(X, y)
    assert (est.spread_, est.most_df_) == (spread, most_df)
    np.testing.assert_array_equal(est.score_samples(X, y), logs)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
def test_features_that_were_settled_do_not_make_too_sure(seed):
    """More bends than the rows can tell, and noise that is none of a normal distribution."""
    rng = np.random.RandomState(seed)
    X = rng.uniform(-1, 1, (1300, 6))
    y = np.sin(3 * X[:, 0] * X[:, 1]) + np.abs(X[:, 2]) + 0.1 * rng.standard_t(4, 1300)
    est = BayesianMixtureOfExpertsRegressor(random_state=seed).fit(X[:300], y[:300])
    low, high = est.predict_distribution(X[300:]).interval(0.9)
    assert 0.84 < np.mean((low < y[300:]) & (y[300:] < high)) < 0.96
    again = clone(est).set_params(warm_start=True).fit(X[:300], y[:300])
    spread = again.spread_
    assert again.fit(X[:300], y[:300]).spread_ == spread
    logs = est.score_samples(X[300:], y[300:]) - again.score_samples(X[300:], y[300:])
    assert abs(logs.mean()) < 0.05


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


@pytest.mark.parametrize("K", [2, 5])
def test_a_bayesian_tree_of_one_node_is_a_softmax_gate(K):
    rng = np.random.RandomState(0)
    X, share = rng.standard_normal((80, 2)), rng.dirichlet(np.ones(K), 80)
    tree, flat = BayesianTreeGate([K]), BayesianSoftmaxGate()
    one, other = tree.init(X, K), flat.init(X, K)
    for _ in range(4):
        one = tree.m_step(one, tree.statistics(one, X, share))
        other = flat.m_step(other, flat.statistics(other, X, share))
    np.testing.assert_allclose(tree.evidence(one, X), flat.evidence(other, X), atol=1e-9)
    np.testing.assert_allclose(tree.log_prob(one, X), flat.log_prob(other, X), atol=1e-9)
    assert tree.penalty(one) == pytest.approx(flat.penalty(other))


def test_evidence_of_a_tree_adds_up_along_the_path():
    rng = np.random.RandomState(0)
    X, share = rng.standard_normal((80, 2)), rng.dirichlet(np.ones(3), 80)
    gate, node = BayesianTreeGate([[1, 1], 1]), BayesianSoftmaxGate()
    theta = gate.init(X, 3)
    roots = [node.init(X, 2) for _ in range(2)]
    arriving = [np.column_stack([share[:, :2].sum(axis=1), share[:, 2]]), share[:, :2]]
    # Both nodes start level; the tree's root leans to where more leaves are.
    theta = theta.unflatten(np.concatenate([np.zeros(12), theta.root.ravel()]))
    for _ in range(3):
        theta = gate.m_step(theta, gate.statistics(theta, X, share))
        roots = [
            node.m_step(own, node.statistics(own, X, rows))
            for own, rows in zip(roots, arriving, strict=True)
        ]
    top, below = (node.evidence(own, X) for own in roots)
    expected = np.column_stack([top[:, :1] + below, top[:, 1]])
    np.testing.assert_allclose(gate.evidence(theta, X), expected, atol=1e-9)
    assert gate.penalty(theta) == pytest.approx(sum(node.penalty(own) for own in roots))


@pytest.mark.parametrize(
    "est",
    [
        BayesianMixtureOfExpertsRegressor(
            6, gate="bayesian_tree", expert_features=None, n_init=2, random_state=0
        ),
        HierarchicalMixtureOfExpertsRegressor(
            depth=2, experts="bayesian_linear", gate="bayesian_tree", n_init=2, random_state=0
        ),
    ],
    ids=lambda est: type(est).__name__,
)
def test_bayesian_hierarchies_climb_and_find_regimes(est):
    X, y, truth = make_mixture_of_experts(1000, 2, 3, random_state=1)
    est.fit(X[:500], y[:500])
    assert falls(est.lower_bounds_).max(initial=0.0) < 1e-12
    lost = truth.score_samples(X[500:], y[500:]) - est.score_samples(X[500:], y[500:])
    assert lost.mean() < 0.06
    assert np.count_nonzero(est.predict_gate(X).mean(axis=0) > 0.01) <= 4
    np.testing.assert_allclose(est.predict_gate(X).sum(axis=1), 1.0)


def test_deletions_have_a_price_where_experts_are_sure_of_their_rows():
    X = np.linspace(-1.0, 1.0, 80)[:, None]
    est = MixtureOfExpertsRegressor(2, experts="bayesian_linear", n_init=2, random_state=0)
    mixture, block = est.fit(X, np.abs(X[:, 0]))._observed(X, np.abs(X[:, 0]))
    assert (mixture.share(est.theta_, block) == 0.0).any()
    found = deletions(mixture, est.theta_, block)
    assert len(found) == 2
    for each in found:
        assert not np.isnan(each.gain)
        np.testing.assert_allclose(each.shares.sum(axis=1), 1.0)
