"""Row blocks that are made ready one by one, on their way from a source to the parts."""

from dataclasses import dataclass

import numpy as np

from skmoe._math import sums
from skmoe.base import Statistics
from skmoe.batches.rows import Batches, InMemory
from skmoe.batches.scaling import Standardizer

__all__ = ["Moments", "Prepared"]


class Prepared(Batches):
    """Batches over a source whose rows are picked and standardized block by block.

    Parameters
    ----------
    source : skmoe.batches.Source
        Where the rows come from.
    prepare : callable
        ``prepare(Rows) -> Block``: what experts and gate see, standardized.
    sample : Block
        Rows on which to look for a start.
    block_rows : int
        Rows handed out at a time.
    n_threads : int, default=1
        Blocks worked on side by side, in the source's own way.
    """

    def __init__(self, source, prepare, sample, block_rows, n_threads=1):
        self.source = source
        self.prepare = prepare
        self.block = sample
        self.block_rows = block_rows
        self.n_threads = n_threads

    def sweep(self, function):
        prepare = self.prepare
        return self.source.sweep(
            lambda rows: function(prepare(rows).frozen()), self.block_rows, self.n_threads
        )

    def shuffled(self, n_rows, rng):
        for rows in self.source.blocks(n_rows, rng):
            yield self.prepare(rows)

    def resident(self, rng):
        return InMemory(self.block, None, self.n_threads)


@dataclass(frozen=True)
class Moments(Statistics):
    """Count, weight, weighted means and squared deviations of columns; they add up exactly.

    Attributes
    ----------
    n_rows : int
        Rows counted.
    total : float
        Their weight.
    mean, square : ndarray of shape (d,)
        Weighted means, and weighted sums of squared deviations from them.

    References
    ----------
    Chan, Golub and LeVeque (1983), Algorithms for computing the sample variance.
    """

    n_rows: int
    total: float
    mean: np.ndarray
    square: np.ndarray

    @classmethod
    def of(cls, A, weight):
        """Measure the columns of A (n, d) under the row weights (n,)."""
        return cls(A.shape[0], sums.total(weight), *sums.moments(A, weight))

    def __add__(self, other):
        total = self.total + other.total
        part = other.total / total if total > 0 else 0.0
        gap = other.mean - self.mean
        return Moments(
            self.n_rows + other.n_rows,
            total,
            self.mean + part * gap,
            self.square + other.square + self.total * part * gap * gap,
        )

    def standardizer(self, dtype):
        """Return the Standardizer of the columns, which are stored as ``dtype``."""
        return Standardizer.from_moments(self.mean, np.sqrt(self.square / self.total), dtype)
