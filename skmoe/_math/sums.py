"""Sums over rows and experts, in double precision, for arrays of any library."""

import numpy as np

from skmoe._math.array_api import everywhere


@everywhere
def total(values):
    """Return the sum of all values (a float)."""
    return float(values.sum(dtype=np.float64))


@everywhere
def row_totals(values):
    """Return the sums (n,) over the columns of values (n, K), in their precision."""
    return values.sum(axis=1)


@everywhere
def column_totals(values):
    """Return the sums (K,) over the rows of values (n, K)."""
    return values.sum(axis=0, dtype=np.float64)


@everywhere
def weighted_total(values, weight):
    """Return sum_n weight_n values_n (a float)."""
    return float(np.dot(values.astype(np.float64), weight))


@everywhere
def moments(A, weight):
    """Return weighted means (d,) of the columns of A (n, d), and sums of squares around them."""
    A, weight = A.astype(np.float64, copy=False), weight.astype(np.float64, copy=False)
    weighed = float(weight.sum())
    mean = weight @ A / weighed if weighed > 0 else np.zeros(A.shape[1])
    return mean, weight @ np.square(A - mean)


@everywhere
def all_finite(array):
    """Return whether no entry is NaN or infinite."""
    return bool(np.isfinite(array).all())


@everywhere
def least(values):
    """Return the least of some values (a float); infinity where there are none."""
    return float(values.min(initial=np.inf))


@everywhere
def as_floats(array, dtype):
    """Return an array in a floating-point precision."""
    return array.astype(dtype, copy=False)


@everywhere
def as_table(array):
    """Return an array (n,) or (n, q) as (n, q)."""
    return array.reshape(len(array), -1)


@everywhere
def columns(array, index):
    """Return the columns of an array (n, d) that are numbered in ``index`` (p,)."""
    return array[:, index]


@everywhere
def blend(weights, means):
    """Return sum_k weights_nk means_nkq, shape (n, q)."""
    return np.einsum("nk,nkq->nq", weights, means)
