"""Classes of rows that are read block by block."""

from dataclasses import dataclass, replace

import numpy as np
from sklearn.utils import column_or_1d, compute_class_weight

from skmoe.base import Statistics
from skmoe.batches import Source

__all__ = ["Coded", "coded", "one_hot"]


def one_hot(codes, classes, dtype):
    """Return one column of zeros and ones a class, (n, C), for codes (n,) of classes (C,)."""
    return np.asfortranarray(codes[:, None] == np.arange(len(classes)), dtype=dtype)


@dataclass(frozen=True)
class ClassCounts(Statistics):
    """How many rows of positive weight there are of which class; counts add up."""

    classes: np.ndarray
    counts: np.ndarray

    def __add__(self, other):
        if not len(self.classes) or not len(other.classes):
            return self if len(self.classes) else other
        classes, where = np.unique(
            np.concatenate([self.classes, other.classes]), return_inverse=True
        )
        counts = np.bincount(where, np.concatenate([self.counts, other.counts]))
        return ClassCounts(classes, counts)


def count_classes(rows):
    """Return the ClassCounts of Rows."""
    labels = column_or_1d(np.asarray(rows.y))[np.asarray(rows.weight) > 0]
    if labels.dtype.kind == "f" and not np.isfinite(labels).all():
        raise ValueError("Input y contains NaN or infinity.")
    return ClassCounts(*np.unique(labels, return_counts=True))


class Coded(Source):
    """Rows of another source, with a column of zeros and ones for each class in place of y.

    Parameters
    ----------
    source : Source
    classes : ndarray of shape (C,)
    factors : ndarray of shape (C,)
        Weights of the classes.
    """

    def __init__(self, source, classes, factors):
        self.source, self.classes, self.factors = source, classes, factors

    def __call__(self, rows):
        """Return the coded Rows; those of no weight may be of any class."""
        labels = column_or_1d(np.asarray(rows.y))
        codes = np.minimum(np.searchsorted(self.classes, labels), len(self.classes) - 1)
        weight = np.asarray(rows.weight) * self.factors[codes]
        return replace(rows, y=one_hot(codes, self.classes, np.float64), weight=weight)

    def sweep(self, function, block_rows, n_threads=1):
        code = Coded(None, self.classes, self.factors)
        return self.source.sweep(lambda rows: function(code(rows)), block_rows, n_threads)

    def blocks(self, block_rows, rng=None):
        for rows in self.source.blocks(block_rows, rng):
            yield self(rows)


def coded(source, class_weight, block_rows):
    """Return the source with coded classes, and the classes (C,).

    Parameters
    ----------
    source : Source
    class_weight : dict, "balanced" or None
    block_rows : int
    """
    found = source.sweep(count_classes, block_rows)
    if class_weight == "balanced":
        factors = found.counts.sum() / (len(found.classes) * found.counts)
    else:
        factors = compute_class_weight(class_weight, classes=found.classes, y=found.classes)
    return Coded(source, found.classes, factors), found.classes
