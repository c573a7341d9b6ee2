"""A tree of gates is a gate: path weights multiply, and so do their leaves' shares add up."""

from dataclasses import dataclass, replace
from functools import lru_cache, reduce

import numpy as np

from skmoe._math.checks import check_fraction, check_number
from skmoe._math.elastic_net import snapped
from skmoe._math.grams import linear, weighted_crosses, weighted_grams
from skmoe._math.softmax_regression import (
    MOST_PAIRED,
    carried_score,
    elastic_net_penalty,
    n_curves,
    pairs,
    softmax_steps,
)
from skmoe.base import Statistics
from skmoe.gates.branching import BranchingGate, BranchParameters
from skmoe.gates.softmax import SoftmaxGate

# Rows worked on at a time: arrays of fresh pages cost more than the arithmetic on them.
FEW_ROWS = 1024


@dataclass(frozen=True)
class TreeGateParameters(BranchParameters):
    """Coefficients (B, d) and intercepts (B,) of a tree's B branches; they sum to zero over a node.

    The tree is no number: ``flatten`` goes without it, and ``unflatten`` keeps it.
    """

    coef: np.ndarray
    intercept: np.ndarray


@dataclass(frozen=True)
class TreeGateStatistics(Statistics):
    """Sums of all nodes side by side.

    Scores (B, d + 1) of the branches; curvature blocks (P, d + 1, d + 1), node by node, of the
    pairs of a node's branches or, of many, of each branch; weight (N,) that arrives at each node.
    """

    score: np.ndarray
    curvature: np.ndarray
    total: np.ndarray


class TreeGate(BranchingGate):
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
    follows_score = True

    def __init__(self, branching=2, alpha=1e-2, l1_ratio=0.0):
        self.branching = branching
        self.alpha = alpha
        self.l1_ratio = l1_ratio

    def check(self):
        super().check()
        check_number("alpha", self.alpha)
        check_fraction("l1_ratio", self.l1_ratio)

    def resized(self, n_experts):
        return SoftmaxGate(self.alpha, self.l1_ratio)

    def init(self, X, n_experts):
        tree = self.tree(n_experts)
        return TreeGateParameters(
            tree, np.zeros((tree.n_branches, X.shape[1])), tree.even_scores.copy()
        )

    def log_prob(self, theta, X):
        logs = np.zeros((theta.tree.n_leaves, len(X)), dtype=X.dtype)
        for start in range(0, len(X), FEW_ROWS):
            rows = slice(start, start + FEW_ROWS)
            for group in theta.tree.groups:
                branches = _log_branches(theta, X[rows], group)
                for under, own in zip(group.under, branches, strict=True):
                    logs[:, rows] += under.T.astype(X.dtype) @ own
        return logs.T

    def statistics(self, theta, X, weight):
        tree, groups = theta.tree, _curves_of_groups(theta.tree)
        score = np.empty((tree.n_branches, X.shape[1] + 1))
        curves = np.empty((sum(rows.size for _, rows in groups), len(X)), dtype=X.dtype)
        total = np.empty(tree.n_nodes)
        for group, rows in groups:
            probability = [np.exp(logs) for logs in _log_branches(theta, X, group)]
            mass = [under.astype(weight.dtype) @ weight.T for under in group.under]
            arriving = reduce(np.add, mass)
            total[group.nodes] = np.maximum(arriving.sum(axis=1, dtype=np.float64), 0.0)
            # Shares may lie below zero where a criterion moves the gate by its score alone.
            bent = np.maximum(arriving, 0.0)
            for own, curve in zip(rows.T, _curves_of(probability, bent), strict=True):
                curves[own] = curve
            score[group.branches[-1]] = 0.0
            for j, own in enumerate(group.branches[:-1]):
                score[own] = weighted_crosses(X, (mass[j] - arriving * probability[j]).T)
                # What one branch gets too much, the others miss.
                score[group.branches[-1]] -= score[own]
        return TreeGateStatistics(score, weighted_grams(X, curves.T), total)

    def leaning(self, theta, expert, log_odds):
        tree = theta.tree
        scores = tree.even_scores + log_odds * tree.under[:, expert]
        for own in tree.branches:
            scores[own] -= scores[own].mean()
        return replace(theta, intercept=scores)

    def m_step(self, theta, statistics):
        now = np.column_stack([theta.intercept, theta.coef])
        new = now.copy()
        for group, curves in _curves_of_groups(theta.tree):
            own = group.branches.T
            new[own] += softmax_steps(
                now[own],
                statistics.score[own],
                statistics.curvature[curves],
                statistics.total[group.nodes],
                self.alpha,
                self.l1_ratio,
            )
        return replace(theta, coef=new[:, 1:], intercept=new[:, 0])

    def hold(self, theta):
        return replace(theta, coef=snapped(theta.coef, self.alpha * self.l1_ratio))

    def carry(self, statistics, old, new):
        move = np.column_stack([new.intercept - old.intercept, new.coef - old.coef])
        score = statistics.score.copy()
        for group, curves in _curves_of_groups(old.tree):
            for own, blocks in zip(group.branches.T, curves, strict=True):
                score[own] = carried_score(score[own], statistics.curvature[blocks], move[own])
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


def _log_branches(theta, X, group):
    """Return log g_{j|m}(x) of a group's N nodes, one array (N, n) for each of their branches."""
    first, *others = group.branches
    ahead = [
        linear(
            X, theta.coef[own] - theta.coef[first], theta.intercept[own] - theta.intercept[first]
        ).T
        for own in others
    ]
    if len(ahead) == 1:
        return _log_sigmoids(ahead[0])
    top = np.maximum(reduce(np.maximum, ahead), 0.0)
    total = top + np.log(np.exp(-top) + sum(np.exp(score - top) for score in ahead))
    return [-total, *(score - total for score in ahead)]


def _log_sigmoids(score):
    """Return the logarithms of 1 / (1 + exp(score)) and 1 / (1 + exp(-score))."""
    rest = np.abs(score)
    np.negative(rest, out=rest)
    np.exp(rest, out=rest)
    np.log1p(rest, out=rest)
    second = np.minimum(score, 0.0)
    second -= rest
    return [np.subtract(second, score, out=score), second]


def _curves_of(probability, arriving):
    """Yield the columns (N, n) of `curvature_weights`, for N nodes of equally many branches.

    Parameters
    ----------
    probability : list of b ndarrays of shape (N, n)
    arriving : ndarray of shape (N, n)
        Weight of the rows at each node.
    """
    if len(probability) > MOST_PAIRED:
        yield from (own * arriving for own in probability)
        return
    for j, k in zip(*pairs(len(probability)), strict=True):
        yield probability[j] * probability[k] * arriving


@lru_cache
def _curves_of_groups(tree):
    """Return the groups of nodes, each with the numbers (N, P) of its nodes' curvature blocks."""
    sizes = [n_curves(own.stop - own.start) for own in tree.branches]
    first = np.cumsum([0, *sizes])
    return [
        (group, first[group.nodes, None] + np.arange(sizes[group.nodes[0]]))
        for group in tree.groups
    ]
