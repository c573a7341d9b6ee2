"""Weighted Gram matrices of a block of rows, many weights at once."""

import threading
import weakref
from functools import lru_cache

import numpy as np

from skmoe._math.array_api import everywhere


class _Scratch(threading.local):
    """The quadratic features last computed in this thread, and the rows they belong to.

    Gate and experts ask for the Grams of the same rows one after the other, and a small data set
    is one block in every pass; a buffer that stays also spares the system's page faults.
    """

    buffer = np.empty(0)
    features = None
    source = None

    def lookup(self, X):
        """Return the features of X if they are still here, else None."""
        return self.features if self.source is not None and self.source() is X else None

    def claim(self, shape, dtype):
        """Return an uninitialized array of the buffer; what was there is forgotten."""
        self.source = self.features = None
        size = shape[0] * shape[1]
        if self.buffer.dtype != dtype or self.buffer.size < size:
            self.buffer = np.empty(size, dtype)
        return self.buffer[:size].reshape(shape)

    def keep(self, X, features):
        """Remember the features of X; only of arrays that nobody may write to."""
        if not X.flags.writeable:
            self.source, self.features = weakref.ref(X), features


_scratch = _Scratch()


def quadratic_features(X):
    """Return the products of all pairs of columns of [1, X], upper triangle by rows.

    Parameters
    ----------
    X : ndarray of shape (n, d)

    Returns
    -------
    ndarray of shape ((d + 1) (d + 2) / 2, n)
        One contiguous row for each pair: features first, since the product with the weights runs
        along the rows of the data. Valid until the next call in this thread.
    """
    features = _scratch.lookup(X)
    if features is None:
        n, d = X.shape
        features = _scratch.claim(((d + 1) * (d + 2) // 2, n), X.dtype)
        _fill_products(X.T, features)
        _scratch.keep(X, features)
    return features


def _fill_products(columns, out):
    d = len(columns)
    out[0] = 1.0
    out[1 : d + 1] = columns
    start = d + 1
    for i in range(d):
        np.multiply(columns[i:], columns[i], out=out[start : start + d - i])
        start += d - i


@everywhere
def weighted_grams(X, weight):
    """Return sum_n weight_nj [1, x_n] [1, x_n]' for every column j of the weights.

    One product of stored quadratic features with all weights replaces a product per weight: half
    the arithmetic, at the speed of a large matrix product.

    Parameters
    ----------
    X : ndarray of shape (n, d)
    weight : ndarray of shape (n, J)

    Returns
    -------
    ndarray of shape (J, d + 1, d + 1), float64
    """
    p = X.shape[1] + 1
    upper = (quadratic_features(X) @ weight).astype(np.float64, copy=False).T
    grams = np.empty((weight.shape[1], p, p))
    rows, columns = _upper_triangle(p)
    grams[:, rows, columns] = upper
    grams[:, columns, rows] = upper
    return grams


@lru_cache
def _upper_triangle(p):
    return np.triu_indices(p)


@everywhere
def weighted_crosses(X, weight):
    """Return sum_n weight_nj [1, x_n], shape (J, d + 1), float64."""
    crosses = np.empty((weight.shape[1], X.shape[1] + 1))
    crosses[:, 0] = weight.sum(axis=0)
    crosses[:, 1:] = weight.T @ X
    return crosses


@everywhere
def linear(X, coef, intercept):
    """Return coef_j' x_n + intercept_j, shape (n, J), stored so that the rows run fastest.

    Reductions over a handful of experts are several times faster in this order of memory.
    """
    scores = coef.astype(X.dtype, copy=False) @ X.T
    scores += intercept.astype(X.dtype, copy=False)[:, None]
    return scores.T


@everywhere
def lines(X, coef, intercept):
    """Return coef_k x_n + intercept_k, shape (n, K, q), for coef (K, q, d) and intercept (K, q)."""
    K, q, d = coef.shape
    coef = coef.transpose(1, 0, 2).reshape(q * K, d)
    flat = linear(X, coef, intercept.T.ravel())
    return flat.T.reshape(q, K, len(X)).T


@everywhere
def residuals(y, means):
    """Return y - means, (n, K, q), in the place of the means, for y (n, q)."""
    return np.subtract(y[:, None, :], means, out=means)


@everywhere
def weighted_products(X, y, weight):
    """Return what regressions on [1, x] need to know of y.

    Parameters
    ----------
    X : ndarray of shape (n, d)
    y : ndarray of shape (n, q), or (n, K, q): answers of each expert's own
    weight : ndarray of shape (n, K)

    Returns
    -------
    cross : ndarray of shape (K, d + 1, q)
        sum_n weight_nk [1, x_n] y_n'.
    square : ndarray of shape (K, q, q)
        sum_n weight_nk y_n y_n'.
    """
    K, q = weight.shape[1], y.shape[-1]
    cross, square = np.empty((K, X.shape[1] + 1, q)), np.empty((K, q, q))
    for j in range(q):
        weighted = weight * (y[:, j, None] if y.ndim == 2 else y[:, :, j])
        cross[:, 0, j] = weighted.sum(axis=0)
        cross[:, 1:, j] = weighted.T @ X
        square[:, j] = weighted.T @ y if y.ndim == 2 else np.einsum("nk,nkq->kq", weighted, y)
    return cross, square
