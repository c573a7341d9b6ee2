"""Rows in an order of their own: what is learned depends on what they say, not on how they came."""

import numpy as np

__all__ = ["canonical_rows"]


def canonical_rows(X, y, weight):
    """Return rows sorted by a hash of what they hold, equal ones merged and their weights added.

    A row of weight 2 and the same row twice become the same training set, to the last bit; so do
    the rows in any order.

    Parameters
    ----------
    X : ndarray of shape (n, d)
    y : ndarray of shape (n, q)
    weight : ndarray of shape (n,)
    """
    codes = _codes(X, y)
    order = np.argsort(codes, kind="stable")
    codes = codes[order]
    first = np.concatenate([[True], codes[1:] != codes[:-1]])
    if first.all():
        return X[order], y[order], weight[order]
    group = np.cumsum(first) - 1
    same = order[np.flatnonzero(first)][group]
    # Rows that share a code without being equal stay apart.
    apart = ~(np.all(X[order] == X[same], axis=1) & np.all(y[order] == y[same], axis=1))
    first |= apart
    group = np.cumsum(first) - 1
    total = np.bincount(group, weight[order].astype(np.float64))
    kept = order[first]
    return X[kept], y[kept], total.astype(weight.dtype)


def _codes(X, y):
    """Return a 64-bit hash of every row, (n,)."""
    codes = np.zeros(len(X), dtype=np.uint64)
    multiplier, shift = np.uint64(0x9E3779B97F4A7C15), np.uint64(29)
    for column in (*X.T, *y.T):
        # Adding zero turns -0.0 into 0.0, which equals it.
        codes ^= (np.asarray(column, dtype=np.float64) + 0.0).view(np.uint64)
        codes *= multiplier
        codes ^= codes >> shift
    return codes
