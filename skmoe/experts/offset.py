"""Families with linear predictors that take an offset: an exposure, say."""

import numbers
from dataclasses import replace

import numpy as np

from skmoe.experts.predictor import PredictorExperts

# Counts a row below which an expert is said to hold zeros, whose log-mean is minus infinity.
HARDLY = 0.01


class OffsetExperts(PredictorExperts):
    """Families that take an offset: a column of X whose coefficient is known to be one.

    The hyper-parameter ``offset_column`` numbers it; the column stays in the user's units.
    """

    def raw_columns(self, n_features):
        return self._offsets(n_features)

    def with_names(self, names):
        if not isinstance(self.offset_column, str):
            return self
        known = [] if names is None else list(names)
        if self.offset_column not in known:
            raise ValueError(f"offset_column={self.offset_column!r} is none of the names {known}.")
        return self._at_column(known.index(self.offset_column))

    def with_offset(self, column):
        if self.offset_column is not None:
            raise ValueError(
                f"offset was given, and {type(self).__name__} have offset_column="
                f"{self.offset_column!r} already; use one of them."
            )
        return self._at_column(column)

    def check(self):
        super().check()
        if not isinstance(self.offset_column, str | numbers.Integral | None):
            raise TypeError(
                f"offset_column={self.offset_column!r} must be a column's number or name, or None."
            )

    def _at_column(self, column):
        return type(self)(**{**self.get_params(deep=False), "offset_column": column})

    def _offsets(self, n_features):
        if self.offset_column is None:
            return []
        if not -n_features <= self.offset_column < n_features:
            raise ValueError(
                f"offset_column={self.offset_column} is no column; the experts see {n_features}."
            )
        return [self.offset_column % n_features]

    def init(self, X, y, n_experts):
        theta = super().init(X, y, n_experts)
        exposure = np.exp(self.offset_of(X).astype(np.float64)).mean()
        return replace(theta, intercept=theta.intercept - np.log(exposure))

    @property
    def takes_notes(self):
        """Whether zeros may call for an infinite predictor."""
        return self.target.discrete

    def notes(self, theta, X, y, weight):
        held = weight.sum(axis=0, dtype=np.float64)
        empty = ((weight.T @ y).sum(axis=1) < HARDLY * held) & (held > 0.5)
        if not (self.takes_notes and empty.any()):
            return []
        return [f"experts {np.flatnonzero(empty).tolist()} hold hardly anything but zeros"]

    def offset_of(self, X):
        """Return the offsets of the rows, shape (n, 1)."""
        return X[:, self._offsets(X.shape[1])].sum(axis=1, keepdims=True)
