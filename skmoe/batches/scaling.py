"""Units in which every column counts alike: how rows are standardized, and how that changes."""

from dataclasses import dataclass

import numpy as np

from skmoe._math.array_api import standardized
from skmoe._math.extremes import far_rows, spread_of, squares_overflow

__all__ = ["Affine", "Change", "Scaling", "Standardizer"]


@dataclass(frozen=True)
class Standardizer:
    """Shift and scale of the columns of one array.

    Attributes
    ----------
    mean : ndarray of shape (d,)
    scale : ndarray of shape (d,)
        Standard deviations; 1 for a constant column.
    constant : ndarray of shape (d,), bool
        Columns that do not vary; they become exact zeros.
    """

    mean: np.ndarray
    scale: np.ndarray
    constant: np.ndarray

    @classmethod
    def of(cls, A, weight):
        """Measure the columns of A (n, d) under the row weights (n,)."""
        share = weight.astype(np.float64) / weight.sum(dtype=np.float64)
        with np.errstate(over="ignore", invalid="ignore"):
            mean = share @ A
            # A second sweep takes out what the first sum lost to rounding.
            centered = A - mean
            mean = mean + share @ centered
            centered = A - mean
        if not np.isfinite(mean).all():
            # Halves of the largest numbers can be added.
            inner = cls.of(A * A.dtype.type(0.25), weight)
            return cls(inner.mean * 4.0, inner.scale * 4.0, inner.constant)
        return cls.from_moments(mean, spread_of(centered, share), A.dtype)

    @classmethod
    def from_moments(cls, mean, scale, dtype):
        """Return the standardization to means and deviations (d,) of columns of a dtype."""
        precision = np.finfo(dtype).eps
        # Less spread than the rounding of its own mean: no information.
        constant = scale <= 10 * precision * np.abs(mean)
        return cls(mean, np.where(constant, 1.0, scale), constant)

    @classmethod
    def of_target(cls, y, weight, target):
        """Measure y (n, q) as far as the target may be shifted or scaled."""
        return cls.of(y, weight).for_target(target)

    def for_target(self, target):
        """Return the same standardization as far as the target may be shifted or scaled."""
        mean, scale = self.mean if target.shifted else np.zeros_like(self.mean), self.scale
        if not target.shifted:
            positive = target.least >= 0.0
            scale = np.abs(self.mean) if positive else self.uncentered().scale
        unit = (scale > 0) & target.scaled
        return Standardizer(mean, np.where(unit, scale, 1.0), self.constant & target.shifted)

    def uncentered(self):
        """Return the standardization by root mean squares that leaves the origin where it is."""
        size = np.hypot(self.mean, np.where(self.constant, 0.0, self.scale))
        return Standardizer(np.zeros_like(size), np.where(size > 0, size, 1.0), size == 0)

    def without(self, columns):
        """Return the same standardization that leaves the numbered columns as they are."""
        if not len(columns):
            return self
        mean, scale, constant = self.mean.copy(), self.scale.copy(), self.constant.copy()
        mean[columns], scale[columns], constant[columns] = 0.0, 1.0, False
        return Standardizer(mean, scale, constant)

    def change_to(self, new):
        """Return the Affine by which columns standardized as ``new`` become this one's."""
        ratio, shift = new.scale / self.scale, (new.mean - self.mean) / self.scale
        return Affine(ratio, np.where(self.constant, 0.0, shift))

    def apply(self, A):
        """Return the standardized columns, column-major, in the precision of A."""
        if not isinstance(A, np.ndarray):
            return standardized(A, self.mean, self.scale, self.constant)
        with np.errstate(over="ignore", invalid="ignore"):
            columns = np.subtract(A.T, self.mean[:, None], dtype=A.dtype, order="C")
            columns *= (1.0 / self.scale)[:, None].astype(A.dtype)
            out_of_reach = squares_overflow(columns)
        if out_of_reach:
            return self._apply_far(A)
        if self.constant.any():
            columns[self.constant] = 0.0
        return columns.T

    def _apply_far(self, A):
        """Return the standardized columns where their squares overflow."""
        varied = ~self.constant
        columns = np.zeros(A.shape, A.dtype, order="F")
        columns[:, varied] = far_rows(A[:, varied], self.mean[varied], self.scale[varied])
        return columns


@dataclass(frozen=True)
class Affine:
    """From new columns to old ones: old = ratio * new + shift.

    Attributes
    ----------
    ratio, shift : ndarray of shape (d,)
    """

    ratio: np.ndarray
    shift: np.ndarray

    def of_lines(self, coef, intercept):
        """Return coefficients (..., d) and intercepts (...) that act on new columns."""
        return coef * self.ratio, intercept + coef @ self.shift

    @property
    def is_none(self):
        """Whether old and new are the same."""
        return bool((self.ratio == 1.0).all() and (self.shift == 0.0).all())


@dataclass(frozen=True)
class Change:
    """From one scaling of the rows to another one.

    Attributes
    ----------
    X, X_gate, y : Affine
        Of the experts' features, the gate's and the targets.
    """

    X: Affine
    X_gate: Affine
    y: Affine

    def without_features(self):
        """Return the same change for experts that are shown no feature."""
        return Change(Affine(self.X.ratio[:0], self.X.shift[:0]), self.X_gate, self.y)

    @property
    def is_none(self):
        """Whether nothing has changed."""
        return self.X.is_none and self.X_gate.is_none and self.y.is_none


@dataclass(frozen=True)
class Scaling:
    """How rows were standardized: experts' features, gate's features and targets.

    Nothing that is learned depends on the units of X or y, since the parts only ever see
    standardized columns; ``units`` of the parts brings coefficients back.

    Attributes
    ----------
    X, X_gate, y : Standardizer
        Of the experts' features, the gate's and the targets.
    """

    X: Standardizer
    X_gate: Standardizer
    y: Standardizer

    def change_to(self, new):
        """Return the Change from this scaling to a new one."""
        pairs = ((self.X, new.X), (self.X_gate, new.X_gate), (self.y, new.y))
        return Change(*(old.change_to(now) for old, now in pairs))

    def without_features(self):
        """Return the same scaling for experts that are shown no feature."""
        X = Standardizer(self.X.mean[:0], self.X.scale[:0], self.X.constant[:0])
        return Scaling(X, self.X_gate, self.y)
