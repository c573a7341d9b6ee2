"""A tree of gates is a gate: path weights multiply, and so do their leaves' shares add up."""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from skmoe._math.checks import check_count, check_fraction, check_number
from skmoe._math.elastic_net import snapped
from skmoe._math.grams import linear, weighted_crosses, weighted_grams
from skmoe._math.softmax_regression import (
    MOST_PAIRED,
    carried_score,
    elastic_net_penalty,
    n_curves,
    pairs,
    softmax_step,
)
from skmoe.base import Gate, Parameters, Statistics
from skmoe.tree import Tree, balanced_tree, tree_of


@dataclass(frozen=True)
class TreeGateParameters(Parameters):
    """Coefficients (B, d) and intercepts (B,) of a tree's B branches; they sum to zero over a node.

    The tree is no number: ``flatten`` goes without it, and ``unflatten`` keeps it.
    """

    tree: Tree
    coef: np.ndarray
    intercept: np.ndarray

    def unflatten(self, vector):
        coef, intercept = np.split(vector, [self.coef.size])
        return TreeGateParameters(self.tree, coef.reshape(self.coef.shape), intercept)

    def layout(self):
        return (*super().layout(), self.tree)

    def _values(self):
        return [self.coef, self.intercept]


@dataclass(frozen=True)
class TreeGateStatistics(Statistics):
    """Sums of all nodes side by side.

    Scores (B, d + 1) of the branches; curvature blocks (P, d + 1, d + 1), node by node, of the
    pairs of a node's branches or, of many, of each branch; weight (N,) that arrives at each node.
    """

    score: np.ndarray
    curvature: np.ndarray
    total: np.ndarray


class TreeGate(Gate):
    """A tree of softmax gates: an expert's weight is the product of those along its path.

    Parameters
    ----------
    branching : int or list, default=2
        Shape of the tree. An int b: any number of experts, in the most even tree whose nodes have
        at most b branches. A list of ints: so many branches on each level, from the root on;
        ``[2, 3]`` has six leaves. A list with lists within: each list is a node, whose entries are
        its branches, again a list, or the number of leaves beneath; ``[[1, 3], 2]`` is a root with
        a node of a leaf and a node of three leaves on its left, and a node of two on its right.
    alpha : float, default=1e-2
        Strength of the penalty alpha (l1_ratio |V|_1 + (1 - l1_ratio) / 2 |V|^2) on every node's
        coefficients of standardized features; intercepts are free.
    l1_ratio : float, default=0.0
        Share of the lasso, which sets coefficients to exactly zero.

    Notes
    -----
    With a softmax g_{j|m}(x) = exp(v_j' x + b_j) / sum_i exp(v_i' x + b_i) over the branches of
    each node m, leaf k weighs g_k(x) = prod over its path of g_{j|m}(x). The joint probability
    h_j of a branch is the sum of the leaves' responsibilities beneath it, and
    sum_nk h_nk log g_k(x_n) = sum_m sum_n sum_j h_nj log g_{j|m}(x_n): every node is a softmax
    regression of its own, of rows that weigh as much as arrives there, H_m = sum_j h_j. Its score
    is sum_n (h_nj - H_nm g_{j|m}) [1, x_n]; one pass brings home those of all nodes, and the M-step
    is a Newton step of each, as `SoftmaxGate` takes it. Parameters are identified: they sum to
    zero over the branches of a node.

    References
    ----------
    Jordan and Jacobs (1994), Hierarchical mixtures of experts and the EM algorithm, sections 3
    and 4.

    Examples
    --------
    >>> from skmoe.gates import TreeGate
    >>> TreeGate([2, 2]).n_experts
    4
    >>> TreeGate([[1, 3], 2], alpha=0.1).n_experts
    6
    """

    settling_steps = 3

    def __init__(self, branching=2, alpha=1e-2, l1_ratio=0.0):
        self.branching = branching
        self.alpha = alpha
        self.l1_ratio = l1_ratio

    @property
    def n_experts(self):
        """Number of leaves, or None where the tree takes any number of experts."""
        return None if self._fits_all else tree_of(self.branching).n_leaves

    @property
    def _fits_all(self):
        return not isinstance(self.branching, list | tuple | np.ndarray)

    def check(self):
        if self._fits_all:
            check_count("branching", self.branching, least=2)
        else:
            tree_of(self.branching)
        check_number("alpha", self.alpha)
        check_fraction("l1_ratio", self.l1_ratio)

    def tree(self, n_experts):
        """Return the `Tree` over a number of experts.

        Parameters
        ----------
        n_experts : int
            Number of leaves.

        Returns
        -------
        Tree
            As ``branching`` says.

        Raises
        ------
        ValueError
            If ``branching`` is a tree of another number of leaves.
        """
        if self._fits_all:
            return balanced_tree(n_experts, self.branching)
        tree = tree_of(self.branching)
        if tree.n_leaves != n_experts:
            raise ValueError(
                f"gate=TreeGate: branching={self.branching!r} has {tree.n_leaves} leaves, but "
                f"n_experts={n_experts}."
            )
        return tree

    def resized(self, n_experts):
        return TreeGate(max(2, n_experts), self.alpha, self.l1_ratio)

    def init(self, X, n_experts):
        tree = self.tree(n_experts)
        return TreeGateParameters(
            tree, np.zeros((tree.n_branches, X.shape[1])), tree.even_scores.copy()
        )

    def log_prob(self, theta, X):
        logs = _log_branches(theta, X)
        return (theta.tree.under.T.astype(logs.dtype) @ logs).T

    def path_weights(self, theta, X):
        """Return the weight of a row that goes down each branch.

        Parameters
        ----------
        theta : TreeGateParameters
        X : ndarray of shape (n, d)

        Returns
        -------
        ndarray of shape (n, B)
            Summed over the leaves beneath the branch.
        """
        return _beneath(theta.tree, self.weights(theta, X))

    def statistics(self, theta, X, weight):
        tree = theta.tree
        branch = np.exp(_log_branches(theta, X))
        excess = _beneath(tree, weight).T
        total = np.empty((tree.n_nodes, len(X)), dtype=branch.dtype)
        curves = np.empty((_curve_ends(tree)[-1], len(X)), dtype=branch.dtype)
        for group in tree.groups:
            probability, mass = group.take(branch), group.take(excess)
            arriving = mass.sum(axis=1)
            total[group.nodes] = arriving
            first = _curve_ends(tree)[group.nodes]
            for i, curve in enumerate(_curves_of(probability, arriving)):
                curves[first + i] = curve
            probability *= arriving[:, None]
            mass -= probability
            group.put(excess, mass)
        return TreeGateStatistics(
            score=weighted_crosses(X, excess.T),
            curvature=weighted_grams(X, curves.T),
            total=total.sum(axis=1, dtype=np.float64),
        )

    def m_step(self, theta, statistics):
        now = np.column_stack([theta.intercept, theta.coef])
        new = now.copy()
        for node, own, curves in _nodes(theta.tree):
            new[own] += softmax_step(
                now[own],
                statistics.score[own],
                statistics.curvature[curves],
                statistics.total[node],
                self.alpha,
                self.l1_ratio,
            )
        return replace(theta, coef=new[:, 1:], intercept=new[:, 0])

    def hold(self, theta):
        return replace(theta, coef=snapped(theta.coef, self.alpha * self.l1_ratio))

    def carry(self, statistics, old, new):
        move = np.column_stack([new.intercept - old.intercept, new.coef - old.coef])
        score = statistics.score.copy()
        for _, own, curves in _nodes(old.tree):
            score[own] = carried_score(score[own], statistics.curvature[curves], move[own])
        return replace(statistics, score=score)

    def gradient(self, theta, statistics):
        if self.alpha * self.l1_ratio > 0:
            return None
        return replace(
            theta,
            coef=statistics.score[:, 1:] - self.alpha * theta.coef,
            intercept=statistics.score[:, 0],
        )

    def penalty(self, theta):
        return elastic_net_penalty(theta.coef, self.alpha, self.l1_ratio)

    def n_parameters(self, theta):
        tree, d = theta.tree, theta.coef.shape[1]
        free = tree.n_branches - tree.n_nodes
        if self.alpha * self.l1_ratio > 0:
            return free + np.count_nonzero(theta.coef)
        return free * (d + 1)

    def translated(self, theta, change):
        coef, intercept = change.X_gate.of_lines(theta.coef, theta.intercept)
        return replace(theta, coef=coef, intercept=intercept)

    def units(self, theta, scaling):
        coef = np.where(scaling.X_gate.constant, 0.0, theta.coef / scaling.X_gate.scale)
        intercept = theta.intercept - coef @ scaling.X_gate.mean
        for own in theta.tree.branches:
            intercept[own] -= intercept[own].mean()
        return {"gate_coef_": coef, "gate_intercept_": intercept, "tree_": theta.tree}


def _log_branches(theta, X):
    """Return log g_{j|m}(x) for every branch, shape (B, n)."""
    logs = linear(X, theta.coef, theta.intercept).T
    for group in theta.tree.groups:
        own = group.take(logs)
        own -= own.max(axis=1, keepdims=True)
        own -= np.log(np.exp(own).sum(axis=1, keepdims=True))
        group.put(logs, own)
    return logs


def _curves_of(probability, arriving):
    """Yield the columns (N, n) of `curvature_weights`, for N nodes of equally many branches.

    Parameters
    ----------
    probability : ndarray of shape (N, b, n)
    arriving : ndarray of shape (N, n)
        Weight of the rows at each node.
    """
    b = probability.shape[1]
    if b > MOST_PAIRED:
        yield from (probability[:, j] * arriving for j in range(b))
        return
    for j, k in zip(*pairs(b), strict=True):
        curve = probability[:, j] * probability[:, k]
        curve *= arriving
        yield curve


def _beneath(tree, weight):
    """Return the sums (n, B) of weights (n, K) over the leaves beneath each branch."""
    return (tree.under.astype(weight.dtype) @ weight.T).T


@lru_cache
def _curve_ends(tree):
    """Return where the curvature blocks of each node begin, and where they all end, (N + 1,)."""
    return np.cumsum([0, *(n_curves(own.stop - own.start) for own in tree.branches)])


def _nodes(tree):
    """Yield number, branches and curvature blocks of every node."""
    ends = _curve_ends(tree)
    for node, own in enumerate(tree.branches):
        yield node, own, slice(ends[node], ends[node + 1])
