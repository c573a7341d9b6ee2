"""Rows in an order of their own: what is learned depends on what they say, not on how they came."""

import numpy as np
from sklearn.utils import _safe_indexing

__all__ = [
    "canonical_rows",
    "canonical_training_set",
    "distinct_rows",
    "joined",
    "parted",
    "sorted_rows",
]

# Parts into which equal rows may come apart.
MOST_PARTS = 100


def canonical_rows(X, y, weight):
    """Return rows sorted by their columns, equal ones merged and their weights added.

    A row of weight 2 and the same row twice become the same training set, to the last bit; so do
    the rows in any order, and in any units.

    Parameters
    ----------
    X : ndarray of shape (n, d)
    y : ndarray of shape (n, q)
    weight : ndarray of shape (n,)
    """
    kept, weight = distinct_rows(X, y, weight)
    return X[kept], y[kept], weight


def sorted_rows(X, y, weight):
    """Return rows sorted by their columns, then by their weights; equal ones stay apart.

    For rows of which some are held out: where x and y take few values, a held-out set of distinct
    rows would ask for just the pairs that training never saw.

    Parameters are those of `canonical_rows`.
    """
    order, _ = _order((*X.T, *y.T, weight))
    return X[order], y[order], weight[order]


def distinct_rows(X, y, weight):
    """Return the numbers (m,) of distinct rows in sorted order, and their weights (m,).

    Parameters are those of `canonical_rows`.
    """
    order, group = _order((*X.T, *y.T))
    if group[-1] == len(order) - 1:
        return order, weight[order]
    first = np.flatnonzero(np.diff(group, prepend=-1))
    # Sorted weights add up to the same number, whatever order they came in.
    weight = np.sort(np.rec.fromarrays([group, weight[order]]), order=["f0", "f1"])
    return order[first], np.bincount(weight["f0"], weight["f1"])


def canonical_training_set(X, y, sample_weight):
    """Return rows of numbers sorted, equal ones merged and their weights added; others as they are.

    Chance then treats a row of weight two like two equal ones. What cannot be used is left for the
    members to refuse.
    """
    if any(hasattr(X, name) for name in ("toarray", "dask")):
        return X, y, sample_weight
    try:
        table, answers = np.asarray(X), np.asarray(y)
        weight = np.ones(len(table)) if sample_weight is None else np.asarray(sample_weight)
    except ValueError:
        return X, y, sample_weight
    known = table.ndim == 2 and answers.ndim in (1, 2) and weight.ndim == 1
    known = known and len(table) == len(answers) == len(weight) > 0
    numbers = known and all(
        each.dtype.kind in "fiub" and np.isfinite(each).all() for each in (table, answers, weight)
    )
    if not numbers or (weight < 0).any() or not (weight > 0).any():
        return X, y, sample_weight
    there = np.flatnonzero(weight > 0)
    kept, merged = distinct_rows(
        table[there], answers[there].reshape(len(there), -1), weight[there]
    )
    same = sample_weight is None and len(kept) == len(table)
    kept = there[kept]
    rows = _safe_indexing(X, kept) if hasattr(X, "columns") else table[kept]
    return rows, answers[kept], None if same else merged


def parted(X, weight):
    """Return parts of rows that may be dealt out apart: a row of weight two is two of them.

    Rows whose x has several answers come apart. Where x and y take few values, distinct rows that
    are held out would be just the pairs that training never saw. Others stay whole: their weight
    may mean that they are precise.

    Parameters
    ----------
    X : array-like of shape (n, d)
        Distinct rows in sorted order.
    weight : ndarray of shape (n,)
        Their weights.

    Returns
    -------
    number : ndarray of shape (n_parts,)
        Which row each is a part of, in order.
    share : ndarray of shape (n_parts,)
        How much of that row it is.
    """
    table = np.asarray(X)
    same = (table[1:] == table[:-1]).all(axis=1)
    shares_x = np.append(same, False) | np.append(False, same)
    times = np.where(shares_x, np.clip(np.round(weight), 1, MOST_PARTS), 1).astype(int)
    number = np.repeat(np.arange(len(times)), times)
    return number, 1.0 / times[number]


def joined(number, share):
    """Return the rows (m,) that parts belong to, sorted, and how much (m,) of each is there."""
    rows, position = np.unique(number, return_inverse=True)
    return rows, np.bincount(position, share)


def _order(columns):
    """Return the lexicographic order (n,), and numbers of groups of equal rows along it (n,).

    Columns are looked at only as long as rows are tied.
    """
    order = np.argsort(columns[0], kind="stable")
    group = _groups(columns[0][order], np.zeros(len(order)))
    for column in columns[1:]:
        if group[-1] == len(order) - 1:
            break
        values = column[order]
        again = np.lexsort((values, group))
        order, values, group = order[again], values[again], group[again]
        group = _groups(values, group)
    return order, group


def _groups(values, group):
    """Return numbers of the groups that values and groups, both sorted, tell apart."""
    new = np.zeros(len(values), dtype=np.intp)
    new[1:] = (values[1:] != values[:-1]) | (group[1:] != group[:-1])
    return np.cumsum(new)
