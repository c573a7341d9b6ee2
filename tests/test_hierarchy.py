"""Hierarchical mixtures behind fit and predict: recovery, growth, pruning, scikit-learn's tools."""

import copy
import pickle
import re

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.tree import DecisionTreeRegressor
from sklearn.utils.estimator_checks import parametrize_with_checks

from skmoe import (
    HierarchicalMixtureOfExpertsClassifier,
    HierarchicalMixtureOfExpertsRegressor,
    MixtureOfExpertsRegressor,
)
from skmoe.batches import Block, InMemory
from skmoe.criteria import LogLikelihood
from skmoe.datasets import load_motorcycle, load_vowels
from skmoe.experts import ConcatenatedExperts, LinearExperts, NoiseExperts
from skmoe.fitters import EM, GradientAscent
from skmoe.gates import TreeGate
from skmoe.inspection import coefficient_table, export_text
from skmoe.mixture import Mixture
from skmoe.starts import settle
from skmoe.tree import tree_of

pytestmark = pytest.mark.filterwarnings("ignore:Experts .* may be too many")


def tree_regressor(depth=2, branching=2, **kwargs):
    # Halves that take turns are quicker than fifths.
    kwargs = {"n_init": 2, "random_state": 0, "validation_fraction": 0.5} | kwargs
    return HierarchicalMixtureOfExpertsRegressor(depth, branching, **kwargs)


def classifier(depth=2, branching=2, **kwargs):
    kwargs = {"n_init": 2, "random_state": 0, "validation_fraction": 0.5} | kwargs
    return HierarchicalMixtureOfExpertsClassifier(depth, branching, **kwargs)


def draw(n, d=2, seed=0, noise=0.3):
    """Draws from a 2x2 hierarchy of lines, and the log-density of each under the truth."""
    rng = np.random.RandomState(seed)
    gates, lines = 2.0 * rng.standard_normal((3, d + 1)), rng.standard_normal((4, d + 1))
    X = rng.standard_normal((n, d))
    rows = np.column_stack([X, np.ones(n)])
    left = 1.0 / (1.0 + np.exp(-rows @ gates.T))
    root = np.stack([left[:, 0], 1.0 - left[:, 0]], axis=1)
    weight = np.column_stack(
        [root[:, i] * side for i in (0, 1) for side in (left[:, i + 1], 1.0 - left[:, i + 1])]
    )
    leaf = (weight.cumsum(axis=1) < rng.uniform(size=(n, 1))).sum(axis=1)
    mean = rows @ lines.T
    y = mean[np.arange(n), leaf] + noise * rng.standard_normal(n)
    density = np.exp(-0.5 * ((y[:, None] - mean) / noise) ** 2) / (noise * np.sqrt(2.0 * np.pi))
    return X, y, np.log((weight * density).sum(axis=1))


def steps(n=600, n_steps=6, seed=0):
    """Lines on intervals of unit length."""
    rng = np.random.RandomState(seed)
    x = rng.uniform(0.0, n_steps, n)
    slope, level = rng.uniform(-3.0, 3.0, n_steps), 4.0 * rng.standard_normal(n_steps)
    k = x.astype(int)
    return x[:, None], level[k] + slope[k] * (x - k) + 0.1 * rng.standard_normal(n)


# ------------------------------------------------------------------------------ scikit-learn's own

CHECKED = [
    tree_regressor(),
    tree_regressor(growth="greedy", n_init=1),
    classifier(),
    classifier(growth="greedy", n_init=1),
]


@parametrize_with_checks(CHECKED[:1])
def test_scikit_learn_checks(estimator, check):
    check(estimator)


@parametrize_with_checks(
    [
        *CHECKED[1:],
        HierarchicalMixtureOfExpertsRegressor(),
        HierarchicalMixtureOfExpertsClassifier(),
        HierarchicalMixtureOfExpertsRegressor(branching=[[1, 2], 1]),
    ]
)
@pytest.mark.slow
def test_scikit_learn_checks_of_others(estimator, check):
    check(estimator)


def test_grid_search_clones_and_pickles():
    X, y, _ = draw(400)
    grid = {"depth": [1, 2], "gate__alpha": [0.01, 1e4]}
    search = GridSearchCV(tree_regressor(), grid, cv=KFold(2)).fit(X, y)
    assert search.best_params_ == {"depth": 2, "gate__alpha": 0.01}
    est = search.best_estimator_
    other = pickle.loads(pickle.dumps(est))
    np.testing.assert_array_equal(other.predict(X), est.predict(X))
    assert other.tree_ == est.tree_
    again = clone(est)
    with pytest.raises(NotFittedError):
        again.predict(X)
    np.testing.assert_array_equal(again.fit(X, y).predict(X), est.predict(X))
    assert est.set_params(branching=3, experts__alpha=0.5).get_params()["branching"] == 3


@pytest.mark.parametrize("growth", [None, "greedy"])
def test_answers_do_not_depend_on_jobs(growth):
    X, y = steps(200, n_steps=3)
    one = tree_regressor(growth=growth, max_leaves=4).fit(X, y)
    two = tree_regressor(growth=growth, max_leaves=4, n_jobs=2).fit(X, y)
    np.testing.assert_array_equal(one.predict(X), two.predict(X))
    other = tree_regressor(growth=growth, max_leaves=4, random_state=1).fit(X, y)
    assert np.corrcoef(one.predict(X), other.predict(X))[0, 1] > 0.9


# --------------------------------------------------------------------------------- wrong arguments


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        *(("depth", value) for value in (0, -1, 2.5, "deep", None, True, 40)),
        *(("branching", value) for value in (0, 1, 2.5, "wide", None, [], [[2], 2], [2, 1.5])),
        *(("growth", value) for value in ("wild", 1, True)),
        *(("max_leaves", value) for value in (0, 2.5, None)),
        *(("validation_fraction", value) for value in (0.0, 0.7, np.nan, "half")),
        *(("gate", value) for value in ("softmax", "oracle", 3, None, LinearExperts())),
        *(("start", value) for value in ("directions", None)),
        *(("n_init", value) for value in (0, 1.5)),
        ("experts", "logistic"),
        ("gate", TreeGate([2, 2], alpha=-1.0)),
    ],
    ids=str,
)
def test_wrong_arguments_are_named(argument, value):
    X, y, _ = draw(60)
    given = {argument: value}
    with pytest.raises((TypeError, ValueError), match="branching" if value == 40 else argument):
        HierarchicalMixtureOfExpertsRegressor(**given).fit(X, y)


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("argument", ["X", "y", "sample_weight"])
@pytest.mark.parametrize("growth", [None, "greedy"])
def test_values_that_are_not_finite_are_refused(argument, value, growth):
    X, y, _ = draw(60)
    arrays = {"X": X, "y": y, "sample_weight": np.ones(60)}
    arrays[argument][3] = value
    with pytest.raises(ValueError, match=rf"(?i)\b{argument}\b"):
        tree_regressor(growth=growth).fit(**arrays)


def test_more_leaves_than_rows_are_refused():
    X, y, _ = draw(20)
    with pytest.raises(ValueError, match="n_experts=32.*X"):
        tree_regressor(depth=5).fit(X, y)
    with pytest.raises(ValueError, match="growth='greedy'.*given number"):
        experts = ConcatenatedExperts([(LinearExperts(), 3), NoiseExperts()])
        tree_regressor(experts=experts, growth="greedy").fit(X, y)
    with pytest.raises(ValueError, match="min_weight"):
        tree_regressor(depth=1).fit(X, y).prune(2.0)


@pytest.mark.parametrize("n_rows", [1, 2, 3, 6, 12])
@pytest.mark.parametrize("growth", [None, "greedy"])
def test_few_rows_fit_soundly_or_are_refused(n_rows, growth):
    X, y, _ = draw(60)
    try:
        est = tree_regressor(growth=growth, depth=1).fit(X[:n_rows], y[:n_rows])
    except ValueError as error:
        assert n_rows == 1 and "sample" in str(error)
        return
    assert np.isfinite(est.predict(X)).all() and np.isfinite(est.score_samples(X, y)).all()


# ---------------------------------------------------------------------------------------- recovery


@pytest.mark.parametrize(("d", "seed"), [(1, 0), (2, 0), (2, 6), (5, 2), (5, 6)])
def test_a_hierarchy_is_found_again(d, seed):
    X, y, truth = draw(6000, d, seed)
    train, test = slice(0, 3000), slice(3000, None)
    est = tree_regressor(n_init=8).fit(X[train], y[train])
    assert np.mean(truth[test]) - np.mean(est.score_samples(X[test], y[test])) < 0.015
    flat = MixtureOfExpertsRegressor(4, random_state=0).fit(X[train], y[train])
    assert est.score_samples(X[test], y[test]).mean() > flat.score_samples(X[test], y[test]).mean()


@pytest.mark.slow
@pytest.mark.parametrize("d", [2, 5])
def test_hierarchies_come_within_a_hundredth_of_a_nat(d):
    short = []
    for seed in range(10):
        X, y, truth = draw(10_000, d, seed)
        train, test = slice(0, 5000), slice(5000, None)
        est = HierarchicalMixtureOfExpertsRegressor(random_state=seed).fit(X[train], y[train])
        short.append(np.mean(truth[test]) - np.mean(est.score_samples(X[test], y[test])))
    assert np.sum(np.array(short) < 0.01) >= 9


def test_a_deep_tree_does_not_collapse():
    X, y = steps(2400, n_steps=16)
    est = tree_regressor(depth=4).fit(X, y)
    assert est.tree_.n_leaves == 16 and est.tree_.max_depth == 4
    assert (est.leaf_weights_ > 0.01).sum() >= 14
    flat = MixtureOfExpertsRegressor(16, n_init=2, random_state=0).fit(X, y)
    assert est.score(X, y) > 0.9
    assert est.score_samples(X, y).mean() > flat.score_samples(X, y).mean() + 0.2


@pytest.mark.parametrize("branching", [[3, 2], [[1, 2], 3], [2, 2, 2]], ids=str)
def test_any_tree_climbs(branching):
    X, y = steps()
    est = tree_regressor(branching=branching).fit(X, y)
    tree = tree_of(branching)
    assert est.tree_ == tree and est.n_experts == tree.n_leaves == len(est.coef_)
    assert est.gate_coef_.shape == (tree.n_branches, 1)
    for own in tree.branches:
        np.testing.assert_allclose(est.gate_coef_[own].sum(axis=0), 0.0, atol=1e-9)
    d = X.shape[1]
    assert est.n_parameters_ == tree.n_leaves * (d + 2) + (tree.n_branches - tree.n_nodes) * (d + 1)
    assert (np.diff(est.lower_bounds_) > -1e-8 * abs(est.lower_bound_)).all()
    assert est.score(X, y) > 0.9


def test_published_gates_give_the_weights():
    X, y = steps()
    est = tree_regressor(branching=[[1, 2], 3]).fit(X, y)
    weight = np.ones((len(X), est.tree_.n_leaves))
    for own in est.tree_.branches:
        scores = X @ est.gate_coef_[own].T + est.gate_intercept_[own]
        branch = np.exp(scores - scores.max(axis=1, keepdims=True))
        branch /= branch.sum(axis=1, keepdims=True)
        for j, under in enumerate(est.tree_.under[own]):
            weight[:, under > 0] *= branch[:, j, None]
    np.testing.assert_allclose(est.predict_gate(X), weight, atol=1e-8)
    lines = X * est.coef_[:, 0] + est.intercept_
    np.testing.assert_allclose(est.predict(X), (weight * lines).sum(axis=1), atol=1e-8)


def test_a_gate_brings_its_tree_along():
    X, y = steps()
    gate = TreeGate([[1, 2], 1], alpha=0.5)
    est = tree_regressor(gate=gate).fit(X, y)
    assert est.tree_ == tree_of([[1, 2], 1]) and est.gate_.alpha == 0.5
    flat = MixtureOfExpertsRegressor(4, gate=gate, n_init=2, random_state=0).fit(X, y)
    np.testing.assert_allclose(flat.predict(X), est.predict(X))
    assert MixtureOfExpertsRegressor(5, gate="tree", n_init=2).fit(X, y).tree_.n_leaves == 5


@pytest.mark.parametrize(
    "kwargs",
    [
        {"experts": "constant"},
        {"experts": "student_t"},
        {"experts": DecisionTreeRegressor(max_depth=2, random_state=0)},
        {"experts": ConcatenatedExperts([(LinearExperts(), 3), NoiseExperts()])},
        {"experts": LinearExperts(tied=True)},
        {"criterion": "classification"},
        {"criterion": "squared_error"},
        {"fitter": "gradient_ascent"},
        pytest.param({"gate": TreeGate(l1_ratio=1.0)}, marks=pytest.mark.slow),
        {"gate_features": [0]},
    ],
    ids=str,
)
def test_any_sentence_fits(kwargs):
    X, y, _ = draw(500)
    est = tree_regressor(**kwargs).fit(X, y)
    assert est.score(X, y) > 0.5
    np.testing.assert_allclose(est.predict_gate(X).sum(axis=1), 1.0)
    assert est.decision_path(X).shape == (500, 6)
    pruned = copy.deepcopy(est).prune(np.sort(est.leaf_weights_)[1])
    assert pruned.predict_gate(X).shape == (500, 3) and np.isfinite(pruned.predict(X)).all()


def test_counts_and_classes():
    X, y, _ = draw(500)
    counts = np.random.RandomState(0).poisson(np.exp(np.clip(y, -2, 3)))
    est = tree_regressor(depth=1, experts="poisson").fit(X, counts)
    assert est.predict(X).min() >= 0
    X, y = load_vowels(return_X_y=True)
    est = classifier(depth=1, n_init=1, max_iter=60, tol=1e-5).fit(X, y)
    assert est.score(X, y) > 0.7
    np.testing.assert_allclose(est.predict_proba(X).sum(axis=1), 1.0)
    assert est.decision_path(X, y).shape == (len(y), 2)


def test_classes_of_a_hierarchy_are_learned():
    rng = np.random.RandomState(0)
    X = rng.uniform(-2.0, 2.0, (800, 2))
    y = np.where(X.prod(axis=1) > 0, "same", "other")
    est = classifier(depth=1).fit(X, y)
    assert est.score(X, y) > 0.95
    assert list(est.classes_) == ["other", "same"]


# ------------------------------------------------------------------------ units, weights, precision


@pytest.mark.parametrize("growth", [None, "greedy"])
def test_units_do_not_matter(growth):
    X, y = steps(200, n_steps=4)
    est = tree_regressor(growth=growth, max_leaves=4).fit(X, y)
    for a, b in ((1e6, 1.0), (1.0, 1e6), (1e-6, -1e6)):
        other = clone(est).fit(a * X + a, b * y)
        np.testing.assert_allclose(other.predict(a * X + a), b * est.predict(X), rtol=1e-4)
        # Left and right are a matter of taste.
        np.testing.assert_allclose(
            np.sort(other.leaf_weights_), np.sort(est.leaf_weights_), rtol=1e-4
        )


@pytest.mark.parametrize("growth", [None, "greedy"])
def test_integer_weights_equal_repetition(growth):
    X, y = steps(200, n_steps=4)
    times = np.random.RandomState(0).randint(0, 3, 200)
    est = tree_regressor(growth=growth, max_leaves=5)
    # Sets aside hold equal rows together.
    weighted = clone(est).fit(X, y, sample_weight=times)
    repeated = clone(est).fit(np.repeat(X, times, axis=0), np.repeat(y, times))
    assert weighted.tree_ == repeated.tree_
    np.testing.assert_allclose(weighted.predict(X), repeated.predict(X), rtol=1e-5, atol=1e-5)


def test_single_precision():
    X, y, _ = draw(500)
    exact = tree_regressor().fit(X, y)
    est = tree_regressor().fit(X.astype(np.float32), y.astype(np.float32))
    for answer in (est.predict, est.predict_gate, est.decision_path):
        assert answer(X.astype(np.float32)).dtype == np.float32
    assert est.coef_.dtype == est.gate_coef_.dtype == np.float32
    difference = est.score_samples(X.astype(np.float32), y.astype(np.float32)).mean()
    assert abs(difference - exact.score_samples(X, y).mean()) < 0.05


# ------------------------------------------------------------------------------------------ growth


def test_trees_grow_as_far_as_the_data_ask_for():
    X, y = steps(600, n_steps=6)
    est = tree_regressor(growth="greedy").fit(X, y)
    assert 5 <= est.tree_.n_leaves <= 12 and est.n_experts == est.tree_.n_leaves
    X_new, y_new = steps(600, n_steps=6)
    fixed = [tree_regressor(depth).fit(X, y).score_samples(X_new, y_new).mean() for depth in (1, 2)]
    assert est.score_samples(X_new, y_new).mean() > max(fixed)
    small = tree_regressor(growth="greedy", max_leaves=3).fit(X, y)
    assert small.tree_.n_leaves == 3
    assert est.lower_bounds_[-1] == est.lower_bound_ and est.n_search_passes_ > 0


def test_a_line_needs_no_tree():
    rng = np.random.RandomState(0)
    X = rng.standard_normal((400, 3))
    y = X @ [1.0, -2.0, 0.5] + 0.3 * rng.standard_normal(400)
    est = tree_regressor(growth="greedy").fit(X, y)
    assert est.tree_.n_leaves == 1 and est.gate_coef_.shape == (0, 3)
    np.testing.assert_allclose(est.coef_, [[1.0, -2.0, 0.5]], atol=0.1)
    np.testing.assert_array_equal(est.predict_gate(X), 1.0)
    assert est.decision_path(X).shape == (400, 0)
    assert export_text(est).startswith("|--- expert 0: ")
    assert np.isfinite(est.predict_distribution(X).interval(0.9)).all()


@pytest.mark.slow
def test_growth_keeps_up_with_the_best_depth_on_the_motorcycle_data():
    X, y = load_motorcycle(return_X_y=True)
    trees = [{"growth": "greedy"}, {"depth": 1}, {"depth": 2}, {"depth": 3}]
    held_out = np.zeros(len(trees))
    for train, test in KFold(5, shuffle=True, random_state=0).split(X):
        for i, tree in enumerate(trees):
            est = HierarchicalMixtureOfExpertsRegressor(**tree, random_state=0)
            held_out[i] += est.fit(X[train], y[train]).score_samples(X[test], y[test]).sum()
    best = held_out[1:].max()
    assert held_out[0] > best - 0.02 * abs(best)


def test_classes_grow():
    rng = np.random.RandomState(0)
    X = rng.uniform(-2.0, 2.0, (500, 2))
    est = classifier(growth="greedy", max_leaves=4).fit(X, X.prod(axis=1) > 0)
    assert est.tree_.n_leaves > 1 and est.score(X, X.prod(axis=1) > 0) > 0.9


def test_trees_grow_on_rows_of_few_values():
    # All rows of a pair of x and y aside would leave trees that never saw it.
    rng = np.random.RandomState(0)
    X = rng.randint(0, 6, (600, 2))
    y = rng.uniform(size=600) < np.where((X[:, 0] > 2) == (X[:, 1] > 2), 0.9, 0.1)
    est = classifier(growth="greedy", max_leaves=6).fit(X, y)
    assert est.tree_.n_leaves > 1 and est.score(X, y) > 0.8
    times = rng.randint(1, 3, len(y))
    est = classifier(growth="greedy", max_leaves=3).fit(X, y, sample_weight=times)
    again = clone(est).fit(np.repeat(X, times, axis=0), np.repeat(y, times))
    np.testing.assert_allclose(again.predict_proba(X), est.predict_proba(X), atol=1e-5)


@pytest.mark.parametrize(
    "experts",
    [
        LinearExperts(tied=True),
        pytest.param("student_t", marks=pytest.mark.slow),
        pytest.param(DecisionTreeRegressor(max_depth=1, random_state=0), marks=pytest.mark.slow),
    ],
    ids=str,
)
def test_families_grow(experts):
    X, y = steps(300, n_steps=3)
    est = tree_regressor(growth="greedy", experts=experts, max_leaves=4, validation_fraction=0.2)
    assert est.fit(X, y).tree_.n_leaves > 1 and est.score(X, y) > 0.8


# --------------------------------------------------------------------------- pruning and going on


def test_pruning_takes_light_leaves_away():
    X, y = steps(600, n_steps=3)
    est = tree_regressor(depth=3).fit(X, y)
    least = np.median(est.leaf_weights_)
    before, expected = est.predict_gate(X), est.leaf_weights_ >= least
    coef, n_parameters = est.coef_[expected], est.n_parameters_
    assert est.prune(0.0).tree_.n_leaves == 8
    est.prune(least)
    assert est.tree_.n_leaves == est.n_experts == expected.sum() == len(est.coef_)
    np.testing.assert_array_equal(est.coef_, coef)
    assert est.n_parameters_ < n_parameters
    assert est.predict_gate(X).shape == (600, expected.sum())
    np.testing.assert_allclose(est.leaf_weights_.sum(), 1.0)
    assert (est.predict_gate(X) >= before[:, expected] - 1e-12).all()
    means = est.predict_experts(X)
    np.testing.assert_allclose(est.predict(X), (est.predict_gate(X) * means).sum(axis=1))
    other = pickle.loads(pickle.dumps(est))
    np.testing.assert_array_equal(other.score_samples(X, y), est.score_samples(X, y))
    bound = est.score_samples(X, y).sum()
    est.set_params(warm_start=True).fit(X, y)
    assert est.tree_.n_leaves == expected.sum() and est.n_search_passes_ == 0
    assert est.score_samples(X, y).sum() > bound
    assert est.prune(1.0).tree_.n_leaves == 1


def test_a_grown_tree_goes_on_from_where_it_was():
    X, y = steps(200, n_steps=3)
    est = tree_regressor(growth="greedy", warm_start=True, max_leaves=4).fit(X, y)
    tree, bound = est.tree_, est.lower_bound_
    est.fit(X, y)
    assert est.tree_ == tree and est.lower_bound_ >= bound - 1e-6 and est.n_search_passes_ == 0
    with pytest.raises(ValueError, match="warm_start"):
        est.set_params(growth=None, depth=3).fit(X, y)


@pytest.mark.parametrize(("growth", "share"), [(None, 0.3), (None, 0.8), ("greedy", 0.5)])
def test_ctrl_c_in_the_search_keeps_a_tree(monkeypatch, growth, share):
    X, y = steps(200, n_steps=3)
    est = tree_regressor(growth=growth, max_leaves=4)
    seen, sweep = [], Mixture.sweep

    def counted(self, theta, block):
        seen.append(1)
        if len(seen) == limit:
            raise KeyboardInterrupt
        return sweep(self, theta, block)

    monkeypatch.setattr(Mixture, "sweep", counted)
    limit = np.inf
    n_sweeps = len(est.fit(X, y) and seen)
    seen.clear()
    limit = int(share * n_sweeps)
    with pytest.warns(ConvergenceWarning, match="interrupted"):
        est.fit(X, y)
    assert est.stop_reason_.startswith("interrupted")
    assert est.predict_gate(X).shape == (200, est.tree_.n_leaves)
    assert est.tree_.n_leaves == 4 or growth
    assert export_text(est.prune(0.1)).count("expert") == est.n_experts


def test_online_learning():
    X, y, _ = draw(3000)
    est = tree_regressor(fitter="online_em")
    for start in range(0, 3000, 500):
        est.partial_fit(X[start : start + 500], y[start : start + 500])
    assert est.score(X, y) > 0.9 * tree_regressor().fit(X, y).score(X, y)
    assert not hasattr(tree_regressor(), "partial_fit")


# Problems on which all of them end in one optimum.
@pytest.mark.parametrize("seed", [0, 3, 4])
def test_em_needs_fewer_passes_than_gradient_ascent(seed):
    """Jordan and Jacobs' comparison: from the same rough start to the same likelihood."""
    X, y, _ = draw(2000, seed=seed)
    X, y = np.asfortranarray(X), ((y - y.mean()) / y.std())[:, None]
    batches = InMemory(Block(X, X, y, np.ones(len(y))))
    mixture = Mixture(LinearExperts(), TreeGate([2, 2]), LogLikelihood())
    theta = settle(mixture, batches, np.random.RandomState(seed).dirichlet(np.full(4, 0.2), 2000))

    def bounds(fitter):
        return np.array(fitter.fit(mixture, theta, batches, max_iter=400, tol=1e-9).bounds)

    em, accelerated = bounds(EM(acceleration=None)), bounds(EM())
    with_memory = bounds(GradientAscent())
    plain = [
        bounds(GradientAscent("sgd", rate, "constant", batch_size=len(y)))
        for rate in (0.01, 0.03, 0.1)
    ]
    highest = max(each[-1] for each in plain)
    needed = min(np.argmax(each >= highest) for each in plain if each[-1] == highest)
    assert np.argmax(em >= highest) < needed / 5
    top = min(em[-1], with_memory[-1]) - 0.1
    assert 0 < np.argmax(accelerated >= top) < np.argmax(with_memory >= top)


# -------------------------------------------------------------------------------------- inspection


def test_paths_sum_to_what_arrives():
    X, y = steps()
    est = tree_regressor(branching=[[1, 2], 3]).fit(X, y)
    for answers, shares in ((None, est.predict_gate(X)), (y, est.responsibilities(X, y))):
        down = est.decision_path(X, answers)
        assert down.shape == (len(X), est.tree_.n_branches)
        np.testing.assert_allclose(down[:, est.tree_.branches[0]].sum(axis=1), 1.0)
        for branch, end in enumerate(est.tree_.child):
            beneath = (
                shares[:, -1 - end] if end < 0 else down[:, est.tree_.branches[end]].sum(axis=1)
            )
            np.testing.assert_allclose(down[:, branch], beneath, atol=1e-12)
    np.testing.assert_allclose(est.leaf_weights_, est.predict_gate(X).mean(axis=0), atol=1e-4)


def test_trees_as_text():
    X, y = load_motorcycle(return_X_y=True, as_frame=True)
    est = tree_regressor().fit(X, y)
    lines = export_text(est).splitlines()
    assert len(lines) == 10 and sum("expert" in line for line in lines) == 4
    assert all("times" in line for line in lines)
    first = re.match(r"\|--- \[(\d+)%\] (-?[\d.]+) ([+-]) ([\d.]+)\*times > 0", lines[0])
    coef = est.gate_coef_[0] - est.gate_coef_[1]
    assert float(first[2]) == pytest.approx(
        est.gate_intercept_[0] - est.gate_intercept_[1], abs=0.01
    )
    assert float(first[3] + first[4]) == pytest.approx(coef[0], abs=0.01)
    assert int(first[1]) == round(100 * est.leaf_weights_[:2].sum())
    assert "tree of 2 leaves" in export_text(est, max_depth=1)
    assert "t0" in export_text(est, feature_names=["t0"])
    with pytest.raises(ValueError, match="feature_names"):
        export_text(est, feature_names=["a", "b"])
    with pytest.raises(ValueError, match="tree"):
        export_text(MixtureOfExpertsRegressor(2, n_init=2).fit(X, y))
    ragged = tree_regressor(branching=[3]).fit(X, np.column_stack([y, -y]))
    text = export_text(ragged)
    assert text.count("score") == 3 and text.count("expert 1, 1:") == 1


def test_coefficient_tables_name_the_branches():
    X, y, _ = draw(800)
    est = tree_regressor().fit(X, y)
    table = coefficient_table(est, X, y)
    gate = table.loc["gate_coef_"]
    assert [name for name, _ in gate.index][::2] == [f"branch {j}" for j in range(6)]
    np.testing.assert_allclose(gate["estimate"], est.gate_coef_.ravel())
    assert (gate["std_error"] > 0).all()


def test_mixed_banks_lose_their_own_experts():
    X, y, _ = draw(400)
    banks = [(LinearExperts(), 3), NoiseExperts()]
    est = tree_regressor(experts=ConcatenatedExperts(banks)).fit(X, y)
    est.leaf_weights_ = np.array([0.5, 0.001, 0.3, 0.199])
    densities = est.experts_.log_prob(est.theta_.experts, X, y[:, None])
    est.prune(0.01)
    assert [n for _, n in est.experts_.banks] == [2, 1]
    after = est.experts_.log_prob(est.theta_.experts, X, y[:, None])
    np.testing.assert_allclose(after, densities[:, [0, 2, 3]])
    est.leaf_weights_ = np.array([0.5, 0.499, 0.001])
    assert [n for _, n in est.prune(0.01).experts_.banks] == [2]
    assert np.isfinite(est.predict(X)).all()
