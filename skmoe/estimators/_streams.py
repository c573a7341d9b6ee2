"""Fits of rows that are too many to copy: they are measured, sampled and made ready in blocks."""

from dataclasses import dataclass

import numpy as np

from skmoe._math import sums
from skmoe.base import Statistics
from skmoe.batches import ArraySource, Block, DeviceSource, Moments, Scaling, Source, sources
from skmoe.estimators import _elsewhere, _validation
from skmoe.estimators._table import Table

__all__ = ["Measure", "Picked", "Preparation", "check_alone", "sample_of", "source_of"]

# Arrays above this many bytes are not copied as a whole.
LARGE = 2**29
# Rows on which to look for a start: in all, and for each expert and column.
SAMPLE_ROWS, SAMPLE_ROWS_OF_COEFFICIENT = 20_000, 30
# Rows measured at a time.
MEASURED_ROWS = 2**15


def source_of(X, y, sample_weight):
    """Return the Source of rows that are not held in memory as a whole, or None for those that are.

    Parameters
    ----------
    X : array-like, Source, Dask array or frame, or array of another library
    y : array-like or None
    sample_weight : array-like or None

    Raises
    ------
    ValueError
        For y or sample_weight beside blocks that hold their own.
    """
    if _elsewhere.is_on_a_device(X):
        return DeviceSource(X, y, sample_weight)
    if isinstance(X, Source):
        for name, value in (("y", y), ("sample_weight", sample_weight)):
            if value is not None:
                raise ValueError(f"{name} is a part of the blocks that X yields; leave it out.")
        return X
    if type(X).__module__.partition(".")[0] in ("dask", "dask_expr"):
        from skmoe.batches.dask import DaskSource

        return DaskSource(X, y, sample_weight)
    if isinstance(X, np.ndarray) and X.nbytes > LARGE and X.ndim == 2 and y is not None:
        return ArraySource(X, y, sample_weight)
    return None


def check_alone(**arguments):
    """Raise for arguments that go with rows in memory only."""
    for name, value in arguments.items():
        if value is not None:
            raise ValueError(f"{name} needs rows in memory; X is read block by block.")


def sample_of(source, n_experts):
    """Return rows of a source at regular distances: X, y and weights that count rows."""
    first = next(iter(source.blocks(1)), None)
    if first is None:
        raise ValueError("X yields no block of rows (n_samples=0).")
    n_features = np.shape(first.X)[1]
    wanted = max(SAMPLE_ROWS, SAMPLE_ROWS_OF_COEFFICIENT * n_experts * (n_features + 2))
    sample = sources.sample_of(source, wanted, MEASURED_ROWS)
    return sample.X, sample.y, sample.weight


@dataclass(frozen=True)
class Picked:
    """Which columns experts and gate see of Rows, in one precision.

    Attributes
    ----------
    columns : tuple of two choosers
    dtype : numpy dtype
    """

    columns: tuple
    dtype: np.dtype

    def pick(self, rows):
        """Return what experts and gate see, and y as a table (n, q)."""
        X = sums.as_floats(rows.X, self.dtype)
        table = Table(X, X)
        seen, seen_by_gate = (chooser.pick(table) for chooser in self.columns)
        same = seen_by_gate is seen
        seen = sums.as_floats(seen, self.dtype)
        seen_by_gate = seen if same else sums.as_floats(seen_by_gate, self.dtype)
        return seen, seen_by_gate, sums.as_table(sums.as_floats(rows.y, self.dtype))


@dataclass(frozen=True)
class MomentsOfRows(Statistics):
    """Moments of what experts see, of what the gate sees, and of y."""

    X: Moments
    X_gate: Moments
    y: Moments


@dataclass(frozen=True)
class Measure:
    """Checks Rows and measures them: a function of Rows."""

    picked: Picked
    target: object

    def __call__(self, rows):
        _validation.check_rows(rows, self.picked.dtype)
        weight = sums.as_floats(rows.weight, np.float64)
        seen, seen_by_gate, y = self.picked.pick(rows)
        if isinstance(y, np.ndarray):
            self.target.check(y)
        X = Moments.of(seen, weight)
        X_gate = X if seen_by_gate is seen else Moments.of(seen_by_gate, weight)
        return MomentsOfRows(X, X_gate, Moments.of(y, weight))


@dataclass(frozen=True)
class Preparation:
    """Makes Rows ready for the parts: a function of Rows that returns a Block.

    Attributes
    ----------
    picked : Picked
    scaling : Scaling
    unit : float
        Weight that counts for one row.
    """

    picked: Picked
    scaling: Scaling
    unit: float

    def __call__(self, rows):
        seen, seen_by_gate, y = self.picked.pick(rows)
        X = self.scaling.X.apply(seen)
        same = seen_by_gate is seen and self.scaling.X_gate is self.scaling.X
        X_gate = X if same else self.scaling.X_gate.apply(seen_by_gate)
        weight = sums.as_floats(rows.weight, self.picked.dtype) / self.unit
        return Block(X, X_gate, self.scaling.y.apply(y), weight)
