"""Rows in blocks that fit the cache, and threads that work on them side by side."""

from abc import ABC, abstractmethod
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache, reduce
from operator import add

import numpy as np
from threadpoolctl import ThreadpoolController

from skmoe._math.sums import total

__all__ = ["Batches", "Block", "InMemory", "cache_rows", "map_blocks", "threads_for_rows"]

# Numbers that stay within a core's share of the cache. Shorter blocks pay for interpreter time,
# longer ones for memory traffic.
CACHE_NUMBERS = 2**19
LEAST_ROWS, MOST_ROWS = 512, 4096
# Blocks a thread must have before a second one pays.
LEAST_BLOCKS = 4
# Blocks that threads may be ahead of the sum.
BLOCKS_AHEAD = 4


@dataclass(frozen=True)
class Block:
    """Rows on their way to the parts.

    Attributes
    ----------
    X : ndarray of shape (n, d)
        What the experts see.
    X_gate : ndarray of shape (n, d_gate)
        What the gate sees; often the same array.
    y : ndarray of shape (n, q)
    weight : ndarray of shape (n,)
    group : ndarray of shape (n,), int, or None
        Numbers of groups whose rows share one responsibility; equal numbers are neighbors.
    """

    X: np.ndarray
    X_gate: np.ndarray
    y: np.ndarray
    weight: np.ndarray
    group: np.ndarray | None = None

    def rows(self, index):
        """Return the rows of a slice or of an array of row numbers."""
        X = self.X[index]
        X_gate = X if self.X_gate is self.X else self.X_gate[index]
        group = None if self.group is None else self.group[index]
        return Block(X, X_gate, self.y[index], self.weight[index], group)

    def by_group(self, group):
        """Return the rows in the order of their groups (n,), which they are told to share."""
        order = np.argsort(group, kind="stable")
        X = np.asfortranarray(self.X[order])
        X_gate = X if self.X_gate is self.X else np.asfortranarray(self.X_gate[order])
        y = np.asfortranarray(self.y[order])
        return Block(X, X_gate, y, self.weight[order], np.asarray(group)[order])

    def frozen(self):
        """Return a block of read-only views: parts look at rows, they own none."""
        X, y, weight = (_read_only(array) for array in (self.X, self.y, self.weight))
        X_gate = X if self.X_gate is self.X else _read_only(self.X_gate)
        return Block(X, X_gate, y, weight, self.group)

    @property
    def n_rows(self):
        """Number of rows."""
        return self.y.shape[0]

    @property
    def total(self):
        """Weight of all rows (a float)."""
        return total(self.weight)


def _read_only(array):
    if not isinstance(array, np.ndarray):
        return array
    view = array.view()
    view.flags.writeable = False
    return view


class Batches(ABC):
    """A source of row blocks that can be swept again and again."""

    @abstractmethod
    def sweep(self, function):
        """Return the sum of ``function(block)`` over all blocks."""

    @abstractmethod
    def shuffled(self, n_rows, rng):
        """Yield blocks of about n_rows rows, each row once, in an order as random as can be."""

    @abstractmethod
    def resident(self, rng):
        """Return InMemory batches on which to look for a start: all rows, or a fair sample."""


class InMemory(Batches):
    """Row blocks of arrays that are held in memory.

    Parameters
    ----------
    block : Block
        All rows; column-major arrays are the fast ones.
    block_rows : int or None, default=None
        Rows handed out at a time; None fits their quadratic features into the cache.
    n_threads : int, default=1
        Blocks worked on side by side. Sums are taken in the order of the rows, so that results
        do not depend on it.
    """

    def __init__(self, block, block_rows=None, n_threads=1):
        self.block = block.frozen()
        self.block_rows = block_rows or cache_rows(block.X.shape[1])
        if block.group is not None:
            # A cut might go through a group.
            self.block_rows = max(1, block.n_rows)
        self.n_threads = n_threads

    def resident(self, rng):
        return self

    def shuffled(self, n_rows, rng):
        order = rng.permutation(self.block.n_rows)
        for start in range(0, len(order), n_rows):
            yield self.block.rows(order[start : start + n_rows])

    def split(self, share, rng):
        """Return batches of some rows at random, and of the share of them that is set aside."""
        order = rng.permutation(self.block.n_rows)
        n_aside = min(max(1, round(share * len(order))), len(order) - 1)
        aside, kept = np.sort(order[:n_aside]), np.sort(order[n_aside:])
        return self.of(self.block.rows(kept)), self.of(self.block.rows(aside))

    def of(self, block):
        """Return batches of other arrays for the same rows."""
        return InMemory(block, self.block_rows, self.n_threads)

    def sweep(self, function):
        n, step = self.block.n_rows, self.block_rows
        if n <= step:
            return function(self.block)
        blocks = map_blocks(lambda rows: function(self.block.rows(rows)), n, step, self.n_threads)
        return reduce(add, blocks)


def map_blocks(task, n_rows, block_rows, n_threads=1):
    """Return an iterable of ``task(slice)`` over blocks of rows, in their order.

    Parameters
    ----------
    task : callable
        ``task(slice) -> object``.
    n_rows : int
        Rows in all.
    block_rows : int
        Rows of a block.
    n_threads : int
        Blocks worked on side by side, where there are enough of them to pay.

    Returns
    -------
    iterable
        Of what the task returns, to be asked for once.
    """
    slices = [slice(start, start + block_rows) for start in range(0, n_rows, block_rows)]
    if n_threads == 1 or len(slices) < LEAST_BLOCKS * n_threads:
        return map(task, slices)
    return _map_in_threads(task, slices, n_threads)


def _map_in_threads(task, slices, n_threads):
    waiting = deque()
    with ThreadPoolExecutor(n_threads) as pool:
        for rows in slices:
            waiting.append(pool.submit(task, rows))
            # Answers that nobody has fetched yet hold memory.
            if len(waiting) > BLOCKS_AHEAD * n_threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


@lru_cache(maxsize=1)
def _blas_libraries():
    """Return the controller of the BLAS libraries, which takes milliseconds to find them."""
    return ThreadpoolController().select(user_api="blas")


@contextmanager
def threads_for_rows():
    """Hold BLAS to one thread, and yield the number of threads that rows may use instead.

    BLAS threads hurt products as small as a block's; the user's limit on them is kept.

    Yields
    ------
    int
        Threads that BLAS would have used.
    """
    blas = _blas_libraries()
    n_threads = max((library["num_threads"] for library in blas.info()), default=1)
    with blas.limit(limits=1):
        yield n_threads


def cache_rows(n_features):
    """Return how many rows make a block whose quadratic features fit the cache.

    Parameters
    ----------
    n_features : int
        Columns of X.

    Returns
    -------
    int
        Between 512 and 4096.
    """
    products = (n_features + 1) * (n_features + 2) // 2
    return int(min(MOST_ROWS, max(LEAST_ROWS, CACHE_NUMBERS // products)))
