"""A tree of softmax gates whose coefficients are known up to posteriors."""

from dataclasses import dataclass, fields, replace

import numpy as np

from skmoe._math.checks import check_number
from skmoe._math.posterior import moved
from skmoe.base import Statistics
from skmoe.gates.bayesian_softmax import BayesianSoftmaxGate
from skmoe.gates.branching import BranchingGate, BranchParameters, beneath
from skmoe.softmax_posterior import (
    SoftmaxPosterior,
    SoftmaxPosteriorParameters,
    SoftmaxPosteriorStatistics,
)


@dataclass(frozen=True)
class BayesianTreeGateParameters(BranchParameters):
    """Posterior means (B, d) and (B,), and roots (B, p, p), of a tree's B branches."""

    coef: np.ndarray
    intercept: np.ndarray
    root: np.ndarray


@dataclass(frozen=True)
class BayesianTreeGateStatistics(Statistics):
    """Scores (B, p) and curvatures (B, p, p) of the branches, weights (N,) at the nodes."""

    score: np.ndarray
    curvature: np.ndarray
    total: np.ndarray


class BayesianTreeGate(BranchingGate):
    """A tree of Bayesian softmax gates: evidence adds up along the path to an expert.

    Parameters
    ----------
    branching : int or list, default=2
        Shape of the tree, as for `TreeGate`.
    relevance_shape : float, default=0.5
        Of the prior of the coefficients' precisions, as for `BayesianSoftmaxGate`.

    Notes
    -----
    Every node is a `BayesianSoftmaxGate` over its branches, with posteriors of its own. A leaf's
    evidence is the sum of the tilted bounds along its path, and the divergence of the posteriors
    from their priors the sum over nodes; so the bound is one of the whole tree, and an M-step
    takes every node where its own bound asks it to go. Answers are products of the nodes' moderated
    weights.

    References
    ----------
    Bishop and Svensen (2003), Bayesian hierarchical mixtures of experts. Ueda and Ghahramani
    (2002), Bayesian model search for mixture models based on optimizing variational bounds.

    Examples
    --------
    >>> from skmoe.gates import BayesianTreeGate
    >>> BayesianTreeGate([2, 3]).n_experts
    6
    """

    settling_steps = 10

    def __init__(self, branching=2, relevance_shape=0.5):
        self.branching = branching
        self.relevance_shape = relevance_shape

    def check(self):
        super().check()
        check_number("relevance_shape", self.relevance_shape, above=0.0)

    @property
    def _posterior(self):
        return SoftmaxPosterior(self.relevance_shape)

    def resized(self, n_experts):
        return BayesianSoftmaxGate(self.relevance_shape)

    def init(self, X, n_experts):
        tree = self.tree(n_experts)
        neutral = self._posterior.init(X.shape[1], tree.n_branches)
        return BayesianTreeGateParameters(tree, neutral.coef, tree.even_scores.copy(), neutral.root)

    def evidence(self, theta, X):
        """Return sums of the nodes' tilted bounds along the paths, shape (n, K)."""
        return _along_paths(theta, X, self._posterior.evidence)

    def log_prob(self, theta, X):
        return _along_paths(theta, X, self._posterior.log_prob)

    def statistics(self, theta, X, weight):
        arriving = beneath(theta.tree, weight)
        found = [
            self._posterior.statistics(node, X, arriving[:, own]) for own, node in _nodes(theta)
        ]
        p = X.shape[1] + 1
        return BayesianTreeGateStatistics(
            np.concatenate([np.zeros((0, p)), *(each.score for each in found)]),
            np.concatenate([np.zeros((0, p, p)), *(each.curvature for each in found)]),
            np.array([each.total for each in found]),
        )

    def m_step(self, theta, statistics):
        return self._by_node(theta, self._posterior.m_step, statistics)

    def gradient(self, theta, statistics):
        return self._by_node(theta, self._posterior.gradient, statistics)

    def carry(self, statistics, old, new):
        score = statistics.score.copy()
        sums = _sums(old.tree, statistics)
        for own_sums, (own, here), (_, there) in zip(sums, _nodes(old), _nodes(new), strict=True):
            score[own] = self._posterior.carry(own_sums, here, there).score
        return replace(statistics, score=score)

    def charges(self, theta):
        """Return what the node above each leaf is charged, (K,): an expert saves no more."""
        charged = np.zeros(theta.tree.n_leaves)
        for own, node in _nodes(theta):
            ends = theta.tree.child[own]
            charged[-1 - ends[ends < 0]] = self._posterior.charges(node).sum()
        return charged

    def penalty(self, theta):
        """Return minus the divergence of the posteriors from their priors, a float."""
        return -float(sum(self._posterior.charges(node).sum() for _, node in _nodes(theta)))

    def n_parameters(self, theta):
        """Return how many coefficients the rows, not the prior, determine."""
        return sum(self._posterior.n_parameters(node) for _, node in _nodes(theta))

    def translated(self, theta, change):
        return replace(super().translated(theta, change), root=moved(theta.root, change.X_gate))

    def _by_node(self, theta, step, statistics):
        """Return parameters that a step makes from each node's own and its sums."""
        new = {name: getattr(theta, name).copy() for name in _NAMES}
        for sums, (own, node) in zip(_sums(theta.tree, statistics), _nodes(theta), strict=True):
            made = step(node, sums)
            for name in _NAMES:
                new[name][own] = getattr(made, name)
        return replace(theta, **new)


_NAMES = [field.name for field in fields(SoftmaxPosteriorParameters)]


def _nodes(theta):
    """Return pairs of the numbers of a node's branches and their parameters."""
    return [
        (own, SoftmaxPosteriorParameters(*theta.of_branches(own))) for own in theta.tree.branches
    ]


def _sums(tree, statistics):
    """Return the statistics of the nodes, one by one."""
    return [
        SoftmaxPosteriorStatistics(statistics.score[own], statistics.curvature[own], total)
        for own, total in zip(tree.branches, statistics.total, strict=True)
    ]


def _along_paths(theta, X, of_node):
    """Return sums (n, K) along the paths of what a node says of its branches, (n, b)."""
    logs = np.zeros((theta.tree.n_leaves, len(X)), dtype=X.dtype)
    for own, node in _nodes(theta):
        logs += theta.tree.under[own].T.astype(X.dtype) @ of_node(node, X).T
    return logs.T
