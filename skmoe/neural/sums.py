"""Sums over one axis as products with ones: the fastest way to add up large blocks."""

import numpy as np

__all__ = ["column_means", "column_sums", "row_sums"]


def row_sums(A):
    """Return the sums over the columns of A (n, d), shape (n,)."""
    return A @ np.ones(A.shape[1], A.dtype)


def column_sums(A):
    """Return the sums over the rows of A (n, d), shape (d,)."""
    return np.ones(len(A), A.dtype) @ A


def column_means(A):
    """Return the means over the rows of A (n, d), shape (d,); zeros where there are none."""
    return column_sums(A) / A.dtype.type(max(1, len(A)))
