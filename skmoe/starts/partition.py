"""Recursive partition: a tree's first guesses, from the root down.

The rows are divided among the root's branches by a mixture of as many experts, those of each
branch among its own, and so on: every leaf begins with rows of its own, however deep the tree.
"""

from dataclasses import replace

import numpy as np

from skmoe.batches import Block
from skmoe.starts.directions import random_shares, slices, subsample
from skmoe.starts.runs import best_of

__all__ = ["partition"]

# Rows that one division looks at for each branch, and starts that it tries.
DIVISION_ROWS, DIVISION_STARTS = 750, 6
# Rows for each branch and coefficient below which rows are cut in slices, and not fitted.
LEAST_ROWS = 3.0
# Rows of which less than this arrives are left out of a division.
LEAST_SHARE = 0.05


def partition(mixture, fitter, block, tree, rng):
    """Return shares (n, K) of the leaves of a tree in the rows of a block.

    Parameters
    ----------
    mixture : skmoe.mixture.Mixture
        With experts of which there may be any number.
    fitter : skmoe.base.Fitter
    block : skmoe.batches.Block
    tree : skmoe.tree.Tree
    rng : numpy.random.RandomState

    References
    ----------
    Waterhouse and Robinson (1995), Constructive algorithms for hierarchical mixtures of experts.
    """
    share = np.empty((block.n_rows, tree.n_leaves), dtype=block.X.dtype, order="F")
    arriving = [np.ones(block.n_rows, dtype=block.X.dtype)]
    for node, own in enumerate(tree.branches):
        parts = _divide(mixture, fitter, block, arriving[node], own.stop - own.start, rng)
        # The heaviest part goes where most leaves wait.
        waiting = np.argsort(-tree.under[own].sum(axis=1), kind="stable")
        heaviest = np.argsort(-(block.weight @ parts), kind="stable")
        for branch, part in zip(waiting, heaviest, strict=True):
            end, rows = tree.child[own.start + branch], arriving[node] * parts[:, part]
            if end < 0:
                share[:, -1 - end] = rows
            else:
                arriving += [None] * (end + 1 - len(arriving))
                arriving[end] = rows
    return share


def _divide(mixture, fitter, block, arriving, n_branches, rng):
    """Return how rows (n,) that arrive at a node are divided among its branches, (n, b)."""
    mass = arriving * block.weight
    held = np.flatnonzero(arriving > LEAST_SHARE)
    if mass[held].sum() < LEAST_ROWS * n_branches * (block.X.shape[1] + 2):
        return slices(Block(block.X, block.X_gate, block.y, mass), n_branches, rng)
    own = block.rows(held)
    own = Block(own.X, own.X_gate, own.y, mass[held])
    own = subsample(own, rng, DIVISION_ROWS * n_branches)
    pair = replace(mixture, gate=mixture.gate.resized(n_branches))
    guesses = random_shares(mixture.experts, own, n_branches, DIVISION_STARTS, rng)
    return pair.share(best_of(pair, fitter, own, guesses).result.theta, block)
