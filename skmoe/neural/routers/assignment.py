"""The balanced assignment of rows to experts, by an auction."""

import numpy as np
from scipy.optimize import linear_sum_assignment

__all__ = ["balanced_assignment"]

# Least raise of a bid, as a share of the scores' spread, in the first and in the last round.
_FIRST, _LAST, _FACTOR = 0.3, 5e-3, 8.0
# Rows times places up to which the exact solution is as fast as an auction.
_SMALL = 2**14


def balanced_assignment(scores):
    """Return the expert of every row, near the greatest total score with balanced loads.

    Parameters
    ----------
    scores : array-like of shape (S, E)
        What each expert is worth to each row.

    Returns
    -------
    ndarray of int of shape (S,)
        No expert occurs more than ceil(S / E) times.

    Notes
    -----
    An auction: rows without a place bid for the expert that is worth most to them, up to where the
    second best would do; an expert keeps its highest bids, and its price is the lowest of them.
    The total is within S times the least raise of the optimum. Large raises first, smaller ones
    from the prices found so far, down to 0.5% of the scores' standard deviation.

    References
    ----------
    Bertsekas (1992), Auction algorithms for network flow problems, section 4.
    Lewis et al. (2021), BASE layers, section 3.1.1.

    Examples
    --------
    >>> from skmoe.neural.routers import balanced_assignment
    >>> balanced_assignment([[3.0, 0.0], [2.0, 1.0], [1.0, 0.9], [0.5, 0.0]])
    array([0, 0, 1, 1])
    """
    values = np.array(scores, dtype=np.float64)
    n_rows, n_experts = values.shape
    capacity = -(-n_rows // n_experts)
    if n_experts == 1:
        return np.zeros(n_rows, dtype=np.intp)
    spread = values.std()
    if not spread > 0:
        return np.arange(n_rows) % n_experts
    if n_rows * capacity * n_experts <= _SMALL:
        places = linear_sum_assignment(np.repeat(values, capacity, axis=1), maximize=True)[1]
        return places // capacity
    # Places that nobody needs are taken by rows that like every expert equally.
    spare = capacity * n_experts - n_rows
    values = np.concatenate([values, np.zeros((spare, n_experts))])
    prices = np.zeros(n_experts)
    raise_by = _FIRST
    while True:
        experts, prices = _auction(values, prices, capacity, raise_by * spread)
        if raise_by <= _LAST:
            return experts[:n_rows]
        raise_by = max(_LAST, raise_by / _FACTOR)


def _auction(values, prices, capacity, least_raise):
    """Return experts (n,) and prices (E,) when every row has a place; as many places as rows."""
    n, n_experts = values.shape
    experts, bids, prices = np.full(n, -1), np.zeros(n), prices.copy()
    waiting = np.arange(n)
    while len(waiting):
        worth = values[waiting] - prices
        best = worth.argmax(axis=1)
        lines = np.arange(len(waiting))
        top = worth[lines, best]
        worth[lines, best] = -np.inf
        bids[waiting] = prices[best] + top - worth.max(axis=1) + least_raise
        experts[waiting] = best
        for e in np.unique(best):
            holders = np.flatnonzero(experts == e)
            if len(holders) >= capacity:
                order = np.argpartition(-bids[holders], capacity - 1)
                experts[holders[order[capacity:]]] = -1
                prices[e] = bids[holders[order[capacity - 1]]]
        waiting = np.flatnonzero(experts < 0)
    return experts, prices
