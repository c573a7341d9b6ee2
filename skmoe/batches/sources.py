"""Where rows come from when they are too many to hold: mapped files and iterators of blocks."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from operator import add

import numpy as np

from skmoe._math.array_api import beside, is_elsewhere
from skmoe._math.array_api import view as at_home
from skmoe.base import Statistics
from skmoe.batches.rows import map_blocks

__all__ = ["ArraySource", "RowBlocks", "Rows", "Sample", "Source", "sample_of"]


@dataclass(frozen=True)
class Rows:
    """Rows as the user has them.

    Attributes
    ----------
    X : ndarray of shape (n, d), or frame
    y : ndarray of shape (n,) or (n, q)
    weight : ndarray of shape (n,)
    """

    X: object
    y: object
    weight: np.ndarray

    def __len__(self):
        return self.y.shape[0]


@dataclass(frozen=True)
class Sample(Statistics):
    """Some of the rows, a tuple of Rows; samples add up like any Statistics."""

    parts: tuple

    def rows(self):
        """Return all of them as Rows of arrays."""
        X, y, weight = (
            np.concatenate([np.asarray(getattr(part, name)) for part in self.parts])
            for name in ("X", "y", "weight")
        )
        return Rows(X, y, weight)


class Source(ABC):
    """Rows that can be swept, block by block, as often as need be."""

    @abstractmethod
    def sweep(self, function, block_rows, n_threads=1):
        """Return the sum of ``function(Rows)`` over blocks of at most block_rows rows."""

    @abstractmethod
    def blocks(self, block_rows, rng=None):
        """Yield Rows of at most block_rows rows; rng asks for an order at random."""


class ArraySource(Source):
    """Arrays or mapped files of which a block is read when it is needed.

    Parameters
    ----------
    X : array-like of shape (n, d)
        Or a frame, or a mapped file.
    y : array-like of shape (n,) or (n, q)
        Answers.
    weight : array-like of shape (n,), or None
        None: every row counts once.
    """

    def __init__(self, X, y, weight=None):
        if len(X) != len(y):
            raise ValueError(f"X has {len(X)} rows and y has {len(y)}.")
        if weight is not None and len(weight) != len(y):
            raise ValueError(f"sample_weight has {len(weight)} rows and y has {len(y)}.")
        self.X, self.y, self.weight = X, y, weight

    def _rows(self, where):
        X, y = np.asarray(self.X[where]), np.asarray(self.y[where])
        return Rows(X, y, _weights(self.weight, where, len(y)))

    def sweep(self, function, block_rows, n_threads=1):
        blocks = map_blocks(
            lambda where: function(self._rows(where)), len(self.y), block_rows, n_threads
        )
        return reduce(add, blocks)

    def blocks(self, block_rows, rng=None):
        starts = np.arange(0, len(self.y), block_rows)
        for start in starts if rng is None else rng.permutation(starts):
            yield self._rows(slice(start, start + block_rows))


class RowBlocks(Source):
    """An iterator of blocks of rows, to be handed to ``fit`` in place of X and y.

    Parameters
    ----------
    blocks : iterable, or callable that returns one
        Of tuples (X, y) or (X, y, sample_weight): arrays of shape (n, d), (n,) or (n, q), and
        (n,). It has to begin anew each time it is asked to, since EM looks at the rows again and
        again: a list or a function that opens the file will do, a generator will not.

    Raises
    ------
    TypeError
        For a generator, which runs dry after one pass.

    Examples
    --------
    >>> import numpy as np
    >>> from skmoe import MixtureOfExpertsRegressor
    >>> from skmoe.batches import RowBlocks
    >>> def read():
    ...     for seed in range(5):
    ...         X = np.random.default_rng(seed).standard_normal((200, 2))
    ...         yield X, np.abs(X[:, 0])
    >>> est = MixtureOfExpertsRegressor(2, random_state=0).fit(RowBlocks(read))
    >>> est.n_features_in_
    2
    """

    def __init__(self, blocks):
        if iter_is_spent(blocks):
            raise TypeError(
                f"blocks={blocks!r} runs dry after one pass; hand in a list, or a function that "
                "returns a new iterator. For a single pass use partial_fit."
            )
        self._blocks = blocks

    def __iter__(self):
        blocks = self._blocks() if isinstance(self._blocks, Callable) else self._blocks
        for block in blocks:
            X, y, *weight = block
            y = np.asarray(y)
            yield Rows(X, y, _weights(weight[0] if weight else None, slice(None), len(y)))

    def sweep(self, function, block_rows, n_threads=1):
        total = None
        for rows in self:
            source = ArraySource(np.asarray(rows.X), rows.y, rows.weight)
            part = source.sweep(function, block_rows, n_threads)
            total = part if total is None else total + part
        if total is None:
            raise ValueError("X yields no block of rows (n_samples=0).")
        return total

    def blocks(self, block_rows, rng=None):
        for rows in self:
            yield from ArraySource(np.asarray(rows.X), rows.y, rows.weight).blocks(block_rows, rng)


def iter_is_spent(blocks):
    """Return whether an object is an iterator, which gives its blocks only once."""
    return hasattr(blocks, "__next__")


class DeviceSource(Source):
    """Arrays of another library than numpy, which stay on their device.

    Parameters
    ----------
    X, y, weight : arrays of shape (n, d), (n,) or (n, q), and (n,) or None
        Arrays of numpy's follow X to its device.
    """

    # Launching work on a device costs more than a long block.
    LEAST_ROWS = 2**17

    def __init__(self, X, y, weight=None):
        y = y if is_elsewhere(y) else beside(np.asarray(y), X)
        if y.shape[0] != X.shape[0]:
            raise ValueError(f"X has {X.shape[0]} rows and y has {y.shape[0]}.")
        weight = np.ones(X.shape[0]) if weight is None else weight
        weight = weight if is_elsewhere(weight) else beside(np.asarray(weight), X)
        if weight.shape[0] != X.shape[0]:
            raise ValueError(f"sample_weight has {weight.shape[0]} rows and X has {X.shape[0]}.")
        self.X, self.y, self.weight = X, y, weight

    def sweep(self, function, block_rows, n_threads=1):
        return reduce(add, map(function, self.blocks(max(block_rows, self.LEAST_ROWS))))

    def blocks(self, block_rows, rng=None):
        n_rows = self.X.shape[0]
        starts = np.arange(0, n_rows, block_rows)
        for start in starts if rng is None else rng.permutation(starts):
            where = slice(int(start), int(min(start + block_rows, n_rows)))
            yield Rows(self.X[where, :], self.y[where, ...], self.weight[where])


def sample_of(source, n_rows, block_rows):
    """Return about n_rows rows of a source at regular distances.

    Parameters
    ----------
    source : Source
        It is swept twice.
    n_rows : int
        Rows to return; up to twice as many where distances do not divide them.
    block_rows : int
        Rows of a block of the sweeps.

    Returns
    -------
    Rows
        Of numpy arrays.
    """
    n = source.sweep(len, block_rows)
    stride = max(1, n // n_rows)

    def some(rows):
        arrays = (rows.X[::stride, ...], rows.y[::stride, ...], rows.weight[::stride])
        return Sample((Rows(*(np.array(at_home(array)) for array in arrays)),))

    return source.sweep(some, block_rows).rows()


def _weights(weight, where, n_rows):
    return np.ones(n_rows) if weight is None else np.asarray(weight[where])
