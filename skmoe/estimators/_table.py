"""The rows that a user hands in: a frame or an array, and its numbers."""

import numpy as np
from sklearn.utils import _safe_indexing
from sklearn.utils.validation import _num_samples

__all__ = ["Table"]


class Table:
    """What a user handed in as X.

    Parameters
    ----------
    raw : array-like or frame of shape (n, d)
        As it came; transformers see it.
    X : ndarray of shape (n, d) or None
        Validated numbers, or None where the columns that are not numbers are left to transformers.
    is_finite : bool, default=True
        Whether X is known to hold no NaN and no infinity.

    Attributes
    ----------
    raw, X, is_finite
    n_rows : int
    """

    def __init__(self, raw, X=None, is_finite=True):
        as_it_is = hasattr(raw, "columns") or hasattr(raw, "toarray") or raw is X
        self.raw = raw if as_it_is else np.asarray(raw)
        self.X = X
        self.is_finite = is_finite
        self.n_rows = _num_samples(raw)

    def rows(self, index):
        """Return the table of some rows: a slice or an array of row numbers."""
        if self.raw is self.X:
            part = self.X[index]
            return Table(part, part, self.is_finite)
        return Table(
            _safe_indexing(self.raw, index),
            None if self.X is None else self.X[index],
            self.is_finite,
        )

    def columns(self, index):
        """Return the columns numbered in ``index`` as they came."""
        return _safe_indexing(self.raw, index, axis=1)
