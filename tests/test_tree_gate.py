"""A tree of gates: its shape, its weights, and the steps of its nodes against direct loops."""

import pickle
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from _helpers import flat, gradient, perturbed, random_weights
from scipy.special import log_softmax, logsumexp

from skmoe.batches import Block, InMemory
from skmoe.criteria import LogLikelihood
from skmoe.experts import LinearExperts
from skmoe.gates import SoftmaxGate, TreeGate
from skmoe.mixture import Mixture
from skmoe.starts import settle
from skmoe.tree import Tree, balanced_tree, tree_of

N_ROWS, N_FEATURES = 90, 2
SHAPES = [
    [2, 2],
    [3, 2],
    [2, 2, 2],
    [[1, 2], 1],
    [[1, 3], 2],
    [[[1, 1], 3], [2, 1]],
    [8],
    [[7, 1], 2],
]

shapes = pytest.mark.parametrize("branching", SHAPES, ids=str)


class Case:
    """A tree, rows, responsibilities of nobody in particular, and parameters off every optimum."""

    def __init__(self, branching, seed=0, dtype=np.float64, **kwargs):
        self.rng = rng = np.random.RandomState(seed)
        self.gate = TreeGate(branching, **kwargs)
        self.K = self.gate.n_experts
        self.X = np.asfortranarray(rng.standard_normal((N_ROWS, N_FEATURES)), dtype)
        self.weight = np.asfortranarray(random_weights(rng, N_ROWS, self.K), dtype)
        theta = perturbed(self.gate.init(self.X, self.K), rng, 0.5)
        self.tree = theta.tree
        for own in self.tree.branches:
            theta.coef[own] -= theta.coef[own].mean(axis=0)
            theta.intercept[own] -= theta.intercept[own].mean()
        self.theta = theta

    def node_logs(self, theta, node):
        """Log-weights of one node's branches, (n, b), as the formula says."""
        own = self.tree.branches[node]
        return log_softmax(self.X @ theta.coef[own].T + theta.intercept[own], axis=1)

    def arriving(self, node):
        """Responsibilities of one node's branches, (n, b), leaf by leaf."""
        own = self.tree.branches[node]
        sums = np.zeros((N_ROWS, own.stop - own.start))
        for j, leaf in product(range(own.stop - own.start), range(self.K)):
            if own.start + j in self.tree.path(leaf):
                sums[:, j] += self.weight[:, leaf]
        return sums

    def node_bound(self, theta, node):
        """Expected log-weights of one node, minus its penalty."""
        own = self.tree.branches[node]
        penalty = 0.5 * self.gate.alpha * np.square(theta.coef[own]).sum()
        return np.sum(self.arriving(node) * self.node_logs(theta, node)) - penalty


# ------------------------------------------------------------------------------------------ shapes


def test_lists_are_levels_or_nodes():
    assert tree_of([2, 3]).nested == (((), (), ()), ((), (), ()))
    assert tree_of([[1, 3], 2]).nested == (((), ((), (), ())), ((), ()))
    assert tree_of([3]) == tree_of(np.array([3])) == tree_of((3,))
    assert tree_of([[1, 1], [1, 1]]) == tree_of([2, 2])
    assert [balanced_tree(K, 2).n_leaves for K in range(1, 9)] == list(range(1, 9))
    assert balanced_tree(9, 3) == tree_of([3, 3])
    assert balanced_tree(32, 2) == tree_of([2] * 5)


@shapes
def test_shapes_are_written_as_they_are_read(branching):
    tree = tree_of(branching)
    assert tree_of(tree.as_branching()) == tree
    other = pickle.loads(pickle.dumps(tree))
    assert other == tree and hash(other) == hash(tree)


@shapes
def test_nodes_come_before_what_lies_beneath(branching):
    tree = tree_of(branching)
    assert sorted(-1 - tree.child[tree.child < 0]) == list(range(tree.n_leaves))
    assert sorted(tree.child[tree.child >= 0]) == list(range(1, tree.n_nodes))
    for branch, end in enumerate(tree.child):
        beneath = np.flatnonzero(tree.under[branch])
        if end < 0:
            assert list(beneath) == [-1 - end]
        else:
            assert end > tree.node_of[branch]
            assert (tree.under[tree.branches[end]].sum(axis=0) == tree.under[branch]).all()
        np.testing.assert_array_equal(beneath, np.arange(beneath[0], beneath[-1] + 1))
    assert tree.max_depth == max(len(tree.path(leaf)) for leaf in range(tree.n_leaves))


@pytest.mark.parametrize(
    ("branching", "words"),
    [
        (0, "at least 2"),
        (1, "at least 2"),
        (2.5, "integer"),
        ("two", "integer"),
        (None, "integer"),
        (True, "integer"),
        ([], "empty"),
        ([2, 0], "at least 2"),
        ([2, 1], "at least 2"),
        ([2, "a"], "integer"),
        ([[1, 0], 2], "at least 1"),
        ([[2], 2], "at least two branches"),
        ([[2, 2]], "at least two branches"),
        ([2] * 40, "leaves"),
    ],
    ids=str,
)
def test_what_is_no_tree_is_refused(branching, words):
    with pytest.raises((TypeError, ValueError), match=rf"branching.*{words}"):
        TreeGate(branching).check()


def test_a_tree_of_another_size_is_refused():
    with pytest.raises(ValueError, match=r"branching=\[2, 2\] has 4 leaves.*n_experts=3"):
        TreeGate([2, 2]).init(np.zeros((5, 1)), 3)
    assert TreeGate([2, 2]).n_experts == 4 and TreeGate(2).n_experts is None


# ----------------------------------------------------------------------------------------- weights


@shapes
def test_weights_are_products_along_the_path(branching):
    case = Case(branching)
    logs = np.zeros((N_ROWS, case.K))
    for leaf in range(case.K):
        for branch in case.tree.path(leaf):
            node = case.tree.node_of[branch]
            j = branch - case.tree.branches[node].start
            logs[:, leaf] += case.node_logs(case.theta, node)[:, j]
    np.testing.assert_allclose(case.gate.log_prob(case.theta, case.X), logs, atol=1e-12)
    np.testing.assert_allclose(logsumexp(logs, axis=1), 0.0, atol=1e-12)
    down = case.gate.path_weights(case.theta, case.X)
    np.testing.assert_allclose(down, np.exp(logs) @ case.tree.under.T, atol=1e-12)


@shapes
def test_leaves_of_a_neutral_tree_weigh_the_same(branching):
    case = Case(branching)
    logs = case.gate.log_prob(case.gate.init(case.X, case.K), case.X)
    np.testing.assert_allclose(logs, -np.log(case.K), rtol=1e-12)


@pytest.mark.parametrize("K", [2, 4, 8])
def test_a_tree_of_one_node_is_a_softmax_gate(K):
    case, peer = Case([K]), SoftmaxGate()
    theta = peer.init(case.X, K).unflatten(case.theta.flatten())
    np.testing.assert_allclose(
        case.gate.log_prob(case.theta, case.X), peer.log_prob(theta, case.X), atol=1e-12
    )
    one = case.gate.m_step(case.theta, case.gate.statistics(case.theta, case.X, case.weight))
    other = peer.m_step(theta, peer.statistics(theta, case.X, case.weight))
    np.testing.assert_allclose(one.flatten(), other.flatten(), atol=1e-9)
    assert case.gate.n_parameters(case.theta) == peer.n_parameters(theta)


@pytest.mark.parametrize("scale", [1.0, 1e5, 1e150])
def test_far_rows_have_weights(scale):
    case = Case([2, 2, 2])
    logs = case.gate.log_prob(case.theta, scale * case.X)
    assert not np.isnan(logs).any()
    np.testing.assert_allclose(logsumexp(logs, axis=1), 0.0, atol=1e-9)


# ------------------------------------------------------------------------------------------- steps


@shapes
def test_the_expected_log_weight_is_the_sum_of_the_nodes(branching):
    case = Case(branching)
    whole = np.sum(case.weight * case.gate.log_prob(case.theta, case.X))
    whole += case.gate.penalty(case.theta)
    nodes = [case.node_bound(case.theta, node) for node in range(case.tree.n_nodes)]
    np.testing.assert_allclose(sum(nodes), whole, rtol=1e-12)


@shapes
def test_one_pass_gives_every_node_the_step_of_its_own_regression(branching):
    case = Case(branching)
    new = case.gate.m_step(case.theta, case.gate.statistics(case.theta, case.X, case.weight))
    peer = SoftmaxGate()
    for node, own in enumerate(case.tree.branches):
        start = type(peer.init(case.X, 2))(case.theta.coef[own], case.theta.intercept[own])
        alone = peer.m_step(start, peer.statistics(start, case.X, case.arriving(node)))
        np.testing.assert_allclose(new.coef[own], alone.coef, atol=1e-9)
        np.testing.assert_allclose(new.intercept[own], alone.intercept, atol=1e-9)
        # A Newton step may overshoot from afar; from here it does not.
        assert case.node_bound(new, node) > case.node_bound(case.theta, node)


@shapes
@pytest.mark.parametrize("alpha", [0.0, 0.5])
def test_steps_end_where_every_node_is_at_its_top(branching, alpha):
    case = Case(branching, alpha=alpha)
    theta = case.theta
    # Many branches step under a bound of their curvature, and take their time.
    for _ in range(1000):
        theta = case.gate.m_step(theta, case.gate.statistics(theta, case.X, case.weight))
    for node in range(case.tree.n_nodes):
        slopes = gradient(
            lambda vector, node=node: case.node_bound(theta.unflatten(vector), node),
            theta.flatten(),
        )
        np.testing.assert_allclose(slopes, 0.0, atol=1e-5)
    for own in case.tree.branches:
        np.testing.assert_allclose(theta.coef[own].sum(axis=0), 0.0, atol=1e-10)
        np.testing.assert_allclose(theta.intercept[own].sum(), 0.0, atol=1e-10)


@shapes
def test_blocks_add_up_and_scores_are_carried(branching):
    case = Case(branching)
    whole = case.gate.statistics(case.theta, case.X, case.weight)
    parts = [
        case.gate.statistics(case.theta, case.X[rows], case.weight[rows])
        for rows in (slice(0, 30), slice(30, None))
    ]
    np.testing.assert_allclose(flat(parts[0] + parts[1]), flat(whole), atol=1e-10)
    near = case.theta.unflatten(
        case.theta.flatten() + 1e-5 * case.rng.standard_normal(case.theta.size)
    )
    carried = case.gate.carry(whole, case.theta, near)
    there = case.gate.statistics(near, case.X, case.weight)
    if max(own.stop - own.start for own in case.tree.branches) <= 6:
        np.testing.assert_allclose(carried.score, there.score, atol=1e-7)
    assert np.abs(whole.score - there.score).max() > 1e-6


@shapes
def test_a_lasso_has_zeros_and_other_leaves_stay(branching):
    case = Case(branching, alpha=8.0, l1_ratio=1.0)
    theta = case.theta
    for _ in range(30):
        step = case.gate.m_step(theta, case.gate.statistics(theta, case.X, case.weight))
        theta = case.gate.hold(step)
    zeros = np.mean(theta.coef == 0.0)
    assert zeros > 0.2 and case.gate.gradient(theta, None) is None
    free = case.tree.n_branches - case.tree.n_nodes
    assert case.gate.n_parameters(theta) == free + np.count_nonzero(theta.coef)


def test_single_precision_stays_single():
    case, exact = Case([[1, 2], 2], dtype=np.float32), Case([[1, 2], 2])
    logs = case.gate.log_prob(case.theta, case.X)
    assert logs.dtype == np.float32
    np.testing.assert_allclose(logs, exact.gate.log_prob(exact.theta, exact.X), atol=1e-4)


# -------------------------------------------------------------------------- splitting and pruning


@shapes
def test_a_divided_leaf_shares_out_its_weight(branching):
    case = Case(branching)
    before = case.gate.weights(case.theta, case.X)
    for leaf in range(case.K):
        coef, intercept = case.rng.standard_normal((2, N_FEATURES)), case.rng.standard_normal(2)
        halves = replace(SoftmaxGate().init(case.X, 2), coef=coef, intercept=intercept)
        theta = case.gate.divided(case.theta, leaf, halves)
        after = case.gate.weights(theta, case.X)
        assert after.shape[1] == case.K + 1 == theta.tree.n_leaves
        np.testing.assert_allclose(after[:, leaf] + after[:, leaf + 1], before[:, leaf])
        others = np.delete(np.arange(case.K + 1), [leaf, leaf + 1])
        np.testing.assert_allclose(after[:, others], np.delete(before, leaf, axis=1))
        split = np.exp(log_softmax(case.X @ coef.T + intercept, axis=1))
        np.testing.assert_allclose(after[:, leaf], before[:, leaf] * split[:, 0])


@shapes
def test_what_is_left_after_pruning_shares_what_arrives(branching):
    case = Case(branching)
    for _ in range(10):
        lost = case.rng.uniform(size=case.K) < 0.5
        lost[case.rng.randint(case.K)] = False
        theta = case.gate.without(case.theta, lost)
        expected = np.ones((N_ROWS, case.K))
        for node, own in enumerate(case.tree.branches):
            branches = np.exp(case.node_logs(case.theta, node))
            branches *= case.tree.under[own] @ ~lost > 0
            branches /= np.maximum(branches.sum(axis=1, keepdims=True), 1e-300)
            for leaf in np.flatnonzero(~lost):
                for branch in set(case.tree.path(leaf)) & set(range(own.start, own.stop)):
                    expected[:, leaf] *= branches[:, branch - own.start]
        np.testing.assert_allclose(case.gate.weights(theta, case.X), expected[:, ~lost], atol=1e-12)
        assert theta.tree == case.tree.pruned(~lost)
        assert len(theta.coef) == theta.tree.n_branches


def test_the_last_leaf_needs_no_gate():
    case = Case([2, 2])
    theta = case.gate.without(case.theta, np.arange(4) != 2)
    assert theta.tree == Tree() and theta.size == 0
    np.testing.assert_array_equal(case.gate.weights(theta, case.X), 1.0)


# ----------------------------------------------------------- the hierarchy as Jordan and Jacobs


def direct_log_likelihood(theta, tree, block):
    """log sum_i g_i sum_j g_j|i ... p(y | x, leaf), node by node."""
    variance = np.exp(theta.experts.noise.log_variance)

    def beneath(end):
        if end < 0:
            k = -1 - end
            residual = block.y - theta.experts.intercept[k] - block.X @ theta.experts.coef[k].T
            logs = -0.5 * (residual**2 / variance[k] + np.log(2.0 * np.pi * variance[k]))
            return logs.sum(axis=1)
        own = tree.branches[end]
        scores = block.X @ theta.gate.coef[own].T + theta.gate.intercept[own]
        below = np.stack([beneath(child) for child in tree.child[own]], axis=1)
        return logsumexp(log_softmax(scores, axis=1) + below, axis=1)

    return beneath(0).sum()


@pytest.mark.parametrize("branching", SHAPES[:6], ids=str)
def test_bounds_and_gradients_of_the_hierarchy(branching):
    case = Case(branching)
    y = np.sin(2.0 * case.X[:, :1]) + 0.3 * case.rng.standard_normal((N_ROWS, 1))
    block = Block(case.X, case.X, y, np.ones(N_ROWS))
    experts = LinearExperts(covariance_type="diag", alpha=0.1)
    mixture, batches = Mixture(experts, case.gate, LogLikelihood()), InMemory(block)
    theta = settle(mixture, batches, case.weight / case.weight.sum(axis=1, keepdims=True))
    theta = mixture.hold(perturbed(theta, case.rng, 0.1))

    def bound(vector):
        here = theta.unflatten(vector)
        penalties = experts.penalty(here.experts) + case.gate.penalty(here.gate)
        return direct_log_likelihood(here, case.tree, block) + penalties

    statistics = mixture.sweep(theta, block)
    here = theta.flatten()
    np.testing.assert_allclose(mixture.bound(theta, statistics), bound(here), rtol=1e-12)
    slopes = gradient(bound, here, step=1e-4)
    # Central differences err by the square of the step: Richardson takes that out.
    slopes = (4.0 * gradient(bound, here, step=5e-5) - slopes) / 3.0
    slope = mixture.gradient(theta, statistics)
    np.testing.assert_allclose(slope, slopes, rtol=1e-7, atol=1e-7 * np.abs(slopes).max())
    stepped = mixture.m_step(theta, statistics)
    after = mixture.bound(stepped, mixture.sweep(stepped, block))
    np.testing.assert_allclose(after, bound(stepped.flatten()), rtol=1e-12)
    assert after > bound(here)
