"""How many rows an expert takes from a batch, and what becomes of the others."""

from typing import final

import numpy as np

from skmoe._math.checks import check_choice, check_number
from skmoe.neural.routers.base import Part

__all__ = ["Capacity"]

#: who gets the places, and what becomes of rows beyond them
ORDERS, OVERFLOWS = ("arrival", "weight"), ("drop", "next")


@final
class Capacity(Part):
    """At most C = ceil(factor k S / E) of the S rows of a training batch for each expert.

    Parameters
    ----------
    factor : float, default=1.25
        Places, as a multiple of what balanced experts need. Other libraries leave out k.
    order : {"arrival", "weight"}, default="arrival"
        Who gets the places. All first choices come before any second one; among equals, rows in
        order of arrival, or in order of their greatest affinity (batch prioritized routing).
    overflow : {"drop", "next"}, default="drop"
        Rows beyond C are left to the residual connection, or go on to the next best expert that
        has room.

    Notes
    -----
    Capacity is a matter of training. Predictions are dropless: what is said of a row must not
    depend on its batch mates.

    References
    ----------
    Lepikhin et al. (2020), GShard, section 2.2; Riquelme et al. (2021), section 4.

    Examples
    --------
    >>> from skmoe.neural.routers import Capacity
    >>> Capacity(1.25).places(n_rows=1024, n_choices=2, n_experts=16)
    160
    """

    def __init__(self, factor=1.25, order="arrival", overflow="drop"):
        self.factor = factor
        self.order = order
        self.overflow = overflow

    def check(self):
        check_number("factor", self.factor, above=0.0)
        check_choice("order", self.order, ORDERS)
        check_choice("overflow", self.overflow, OVERFLOWS)

    def places(self, n_rows, n_choices, n_experts):
        """Return C, an int of at least 1."""
        return max(1, int(np.ceil(self.factor * n_choices * n_rows / n_experts - 1e-9)))

    def place(self, choice, affinity, n_choices):
        """Say in ``choice`` who takes a place, and move rows on where that is the rule.

        Parameters
        ----------
        choice : Choice
            ``kept``, and ``experts`` with ``overflow="next"``, are replaced.
        affinity : ndarray of shape (n, E)
        n_choices : float
            Experts of a row, k.
        """
        n, k = choice.experts.shape
        n_experts = affinity.shape[1]
        size = self.places(n, n_choices, n_experts)
        queue = self._queue(choice, affinity)
        wanted = choice.placed()
        if wanted is not None:
            queue = queue[wanted.T.ravel()[queue]]
        experts = choice.experts.T.ravel().copy()
        kept = np.zeros(n * k, dtype=bool)
        kept[queue] = _rank(experts[queue], n_experts) < size
        if self.overflow == "next" and k < n_experts:
            late = queue[~kept[queue]]
            _move_on(late, experts, kept, affinity, size, choice.experts)
            choice.experts = experts.reshape(k, n).T
        choice.kept = kept.reshape(k, n).T

    def _queue(self, choice, affinity):
        """Return the choices (n k,), numbered choice by choice, in the order of their turn."""
        n, k = choice.experts.shape
        if self.order == "arrival":
            return np.arange(n * k)
        best = np.take_along_axis(affinity, choice.experts[:, :1], axis=1)[:, 0]
        rows = np.argsort(-best, kind="stable")
        return (np.arange(k)[:, None] * n + rows).ravel()


def _rank(experts, n_experts):
    """Return how many earlier entries name the same expert, for every entry (m,)."""
    order = np.argsort(experts.astype(np.min_scalar_type(n_experts)), kind="stable")
    counts = np.bincount(experts, minlength=n_experts)
    rank = np.empty(len(experts), dtype=np.intp)
    rank[order] = np.arange(len(experts)) - np.repeat(np.cumsum(counts) - counts, counts)
    return rank


def _move_on(late, experts, kept, affinity, size, chosen):
    """Give late choices the next best experts with room; ``experts`` and ``kept`` change."""
    n, n_experts = affinity.shape
    k = chosen.shape[1]
    open_keys = np.array(affinity, order="C")
    np.put_along_axis(open_keys, chosen, -np.inf, axis=1)
    ranking = np.argsort(-open_keys, axis=1, kind="stable")
    tried = np.zeros(n, dtype=np.intp)
    room = size - np.bincount(experts[kept], minlength=n_experts)
    while len(late):
        rows = late % n
        turn = tried[rows] + _rank(rows, n)
        late, rows, turn = (a[turn < n_experts - k] for a in (late, rows, turn))
        np.maximum.at(tried, rows, turn + 1)
        target = ranking[rows, turn]
        fits = _rank(target, n_experts) < room[target]
        experts[late[fits]], kept[late[fits]] = target[fits], True
        room -= np.bincount(target[fits], minlength=n_experts)
        late = late[~fits]
