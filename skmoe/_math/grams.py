"""Weighted Gram matrices of a block of rows, many weights at once."""

from functools import lru_cache

import numpy as np


def quadratic_features(X):
    """Return the products of all pairs of columns of [1, X], upper triangle by rows.

    Parameters
    ----------
    X : ndarray of shape (n, d)

    Returns
    -------
    ndarray of shape ((d + 1) (d + 2) / 2, n)
        One contiguous row for each pair: features first, since the product with the weights runs
        along the rows of the data.
    """
    n, d = X.shape
    columns = X.T
    products = np.empty(((d + 1) * (d + 2) // 2, n), dtype=X.dtype)
    products[0] = 1.0
    products[1 : d + 1] = columns
    start = d + 1
    for i in range(d):
        np.multiply(columns[i:], columns[i], out=products[start : start + d - i])
        start += d - i
    return products


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


def weighted_crosses(X, weight):
    """Return sum_n weight_nj [1, x_n], shape (J, d + 1), float64."""
    crosses = np.empty((weight.shape[1], X.shape[1] + 1))
    crosses[:, 0] = weight.sum(axis=0)
    crosses[:, 1:] = weight.T @ X
    return crosses


def linear(X, coef, intercept):
    """Return coef_j' x_n + intercept_j, shape (n, J), stored so that the rows run fastest.

    Reductions over a handful of experts are several times faster in this order of memory.
    """
    scores = coef.astype(X.dtype, copy=False) @ X.T
    scores += intercept.astype(X.dtype, copy=False)[:, None]
    return scores.T
