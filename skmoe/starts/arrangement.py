"""Which expert belongs on which leaf of a tree: experts that one gate tells apart lie apart.

Given who made which row, every node of a tree is a softmax regression of its own, so that an
arrangement of the experts is as good as its nodes' likelihoods are high.
"""

from functools import lru_cache
from itertools import combinations
from math import comb

import numpy as np

from skmoe._math.grams import weighted_crosses, weighted_grams
from skmoe._math.solve import solve_psd
from skmoe.gates import SoftmaxGate

__all__ = ["arrange"]

# A node of at most this many experts is arranged exactly, with all that lies beneath it.
EXACT = 4
# Divisions of more experts: so many are compared by a linear rule, and the best by a gate.
MOST_DIVISIONS, COMPARED = 2000, 4
# Newton steps of a gate that divides experts.
STEPS = 4


def arrange(tree, X, weight):
    """Return the numbers of the experts (K,) in the order of the leaves that suits a tree of gates.

    Parameters
    ----------
    tree : skmoe.tree.Tree
    X : ndarray of shape (n, d)
        What the gates see.
    weight : ndarray of shape (n, K)
        Responsibilities of the experts, times weights of the rows.

    Returns
    -------
    ndarray of int
    """
    problem = _Problem(X, weight)
    return np.array(problem.arranged(tree.nested, tuple(range(weight.shape[1])))[1])


class _Problem:
    """Rows whose makers are known, and gates that divide them."""

    def __init__(self, X, weight):
        self.X, self.weight = X, weight
        self.gain = lru_cache(maxsize=None)(self._gain)

    def arranged(self, nested, experts):
        """Return the log-likelihood of the best gates found, and the experts in their order."""
        if not any(nested):
            return self.gain(tuple((expert,) for expert in experts)), list(experts)
        sizes = [_count(branch) for branch in nested]
        found = (self._below(nested, groups) for groups in self._divisions(sizes, experts))
        if len(experts) <= EXACT:
            return max(found, key=lambda each: each[0])
        return next(found)

    def _below(self, nested, groups):
        value, order = self.gain(groups), []
        for branch, group in zip(nested, groups, strict=True):
            if branch:
                below, group = self.arranged(branch, group)
                value += below
            order += group
        return value, order

    def _divisions(self, sizes, experts):
        """Return groups of experts of the given sizes, the most promising ones first."""
        if len(sizes) == 1:
            return [(experts,)]
        found = []
        for first in self._subsets(sizes, experts):
            rest = tuple(expert for expert in experts if expert not in first)
            found.append((first, *self._divisions(sizes[1:], rest)[0]))
        if len(experts) > EXACT:
            found.sort(key=self.gain, reverse=True)
        return found

    def _subsets(self, sizes, experts):
        """Return subsets for the first branch, those that a linear rule tells apart best first."""
        subsets = _candidates(self._centers(experts), experts, sizes[0])
        if len(set(sizes)) == 1 and len(sizes) == 2:
            # Left and right are alike.
            subsets = [each for each in subsets if experts[0] in each]
        if len(experts) <= EXACT:
            return subsets
        told = self._told_apart(experts, subsets)
        best = np.argsort(-told, kind="stable")[:COMPARED]
        return [subsets[i] for i in best]

    def _centers(self, experts):
        """Return where the experts' rows lie on average, shape (m, d)."""
        own = weighted_crosses(self.X, self.weight[:, list(experts)])
        return own[:, 1:] / np.maximum(own[:, :1], 1e-300)

    def _told_apart(self, experts, subsets):
        """Return the nats (S,) that regressions on x tell of whether rows belong to the subsets."""
        own = self.weight[:, list(experts)].astype(np.float64)
        total = own.sum(axis=1)
        gram = weighted_grams(self.X, total[:, None])[0]
        gram[np.diag_indices(len(gram))] += 1e-6 * gram[0, 0]
        cross = weighted_crosses(self.X, own)
        explained = cross @ solve_psd(gram[None], cross.T[None])[0]
        member = np.array([[expert in subset for expert in experts] for subset in subsets], float)
        whole = max(total.sum(), 1e-300)
        share = np.clip(member @ cross[:, 0] / whole, 1e-12, 1.0 - 1e-12)
        between = np.einsum("sk,kl,sl->s", member, explained, member) / whole - share**2
        entropy = -share * np.log(share) - (1.0 - share) * np.log1p(-share)
        return whole * entropy * between / (share * (1.0 - share))

    def _gain(self, groups):
        """Return the log-likelihood of a gate that divides the groups."""
        weight = np.stack([self.weight[:, list(group)].sum(axis=1) for group in groups], axis=0).T
        gate = SoftmaxGate()
        theta = gate.init(self.X, len(groups))
        for _ in range(STEPS):
            theta = gate.m_step(theta, gate.statistics(theta, self.X, weight))
        return float(np.sum(weight * gate.log_prob(theta, self.X), dtype=np.float64))


def _candidates(centers, experts, size):
    """Return subsets of ``size`` experts: all of them, or where they lie along some directions."""
    if comb(len(experts), size) <= MOST_DIVISIONS:
        return list(combinations(experts, size))
    spread = centers - centers.mean(axis=0)
    directions = np.linalg.svd(spread, full_matrices=False)[2]
    pairs = np.concatenate([directions[:-1] + directions[1:], directions[:-1] - directions[1:]])
    subsets = []
    for direction in (*directions, *pairs):
        order = np.argsort(spread @ direction, kind="stable")
        for ranked in (order, order[::-1]):
            subsets.append(tuple(sorted(experts[i] for i in ranked[:size])))
    return list(dict.fromkeys(subsets))


def _count(nested):
    return sum(map(_count, nested)) if nested else 1
