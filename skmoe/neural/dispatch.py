"""Rows sorted by expert, so that every expert is one matrix product."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

__all__ = ["Dispatch", "table_of"]

# Experts that share a batched product at most, and rows of padding that cost what a call costs.
_GROUP, _WORTH = 16, 24
# Above this many rows an expert, a product of its own costs next to nothing to call.
_FEW = 96


@dataclass(frozen=True)
class Group:
    """Neighboring experts with the same number of slots each."""

    first: int
    last: int
    start: int
    rows: int

    @property
    def experts(self):
        """The experts, as a slice."""
        return slice(self.first, self.last)

    @property
    def slots(self):
        """Their slots, as a slice."""
        return slice(self.start, self.start + (self.last - self.first) * self.rows)

    def stacked(self, A):
        """Return the rows of A (slots, w) by expert: (rows, w), or (experts, rows, w)."""
        block = A[self.slots]
        if self.last - self.first == 1:
            return block
        return block.reshape(self.last - self.first, self.rows, block.shape[1])

    def of(self, A):
        """Return the experts' part of A (E, ...), without the first axis if it is one expert."""
        return A[self.first] if self.last - self.first == 1 else A[self.first : self.last]


class Dispatch:
    """Slots for the chosen experts of every row, in the order of the experts.

    Parameters
    ----------
    experts : ndarray of int of shape (n, k)
        Chosen experts.
    kept : ndarray of bool of shape (n, k), or None
        Which choices take a slot; None: all.
    n_experts : int

    Attributes
    ----------
    rows : ndarray of int of shape (n_slots,)
        The row in every slot. Slots that only fill up a group hold row 0, and weight 0.
    position : ndarray of int of shape (n, k)
        The slot of every choice; 0 for those that were not kept.
    counts : ndarray of int of shape (E,)
        Rows an expert takes.
    groups : list of Group
    """

    def __init__(self, experts, kept, n_experts):
        n, k = experts.shape
        self.shape, self.kept = (n, k), kept
        flat = experts.T.ravel()
        if kept is not None:
            flat = np.where(kept.T.ravel(), flat, n_experts)
        small = np.min_scalar_type(n_experts)
        order = np.argsort(flat.astype(small), kind="stable")
        counts = np.bincount(flat, minlength=n_experts + 1)[:n_experts]
        order = order[: counts.sum()]
        self.counts = counts
        self.groups, starts, self.n_slots = _groups(counts)
        self._fill(order, counts, starts)

    def _fill(self, order, counts, starts):
        n, k = self.shape
        position = np.zeros(n * k, dtype=np.intp)
        if self.n_slots == len(order):
            position[order] = _arange(len(order))
            self.rows = np.remainder(order, n) if k > 1 else order
        else:
            shift = np.repeat(starts - np.cumsum(counts) + counts, counts)
            slots = _arange(len(order)) + shift
            position[order] = slots
            self.rows = np.zeros(self.n_slots, dtype=np.intp)
            self.rows[slots] = np.remainder(order, n)
        self.position = position.reshape(k, n).T
        self._order = order

    def to_slots(self, values):
        """Return values (n, k) of the choices as (n_slots,), zero where a slot only fills up."""
        flat = values.T.ravel()
        if self.n_slots == len(self._order):
            return flat[self._order]
        slots = np.zeros(self.n_slots, dtype=values.dtype)
        slots[self.position.T.ravel()[self._order]] = flat[self._order]
        return slots

    def to_choices(self, slots):
        """Return values (n_slots,) as (n, k), zero for choices that were not kept."""
        values = slots[self.position] if self.n_slots else np.zeros(self.shape, slots.dtype)
        if self.kept is not None:
            values = np.where(self.kept, values, 0)
        return values

    def gather(self, A, out):
        """Write the rows of A (n, w) to the slots ``out`` (n_slots, w)."""
        if self.n_slots:
            np.take(A, self.rows, axis=0, out=out, mode="clip")
        return out

    def combine(self, slots, weight, scratch):
        """Return sum_j weight_nj slots[position_nj], shape (n, w).

        Parameters
        ----------
        slots : ndarray of shape (n_slots, w)
        weight : ndarray of shape (n, k) or None
            Zero for choices that were not kept; None: ones for those that were.
        scratch : ndarray of shape (n, w)
        """
        n, k = self.shape
        total = np.empty((n, slots.shape[1]), dtype=slots.dtype)
        if not self.n_slots:
            total[...] = 0.0
            return total
        if weight is None and self.kept is not None:
            weight = self.kept.astype(slots.dtype)
        for j in range(k):
            target = scratch if j else total
            np.take(slots, self.position[:, j], axis=0, out=target, mode="clip")
            if weight is not None:
                target *= weight[:, j, None]
            if j:
                total += target
        return total


@lru_cache(maxsize=32)
def _arange(n):
    numbers = np.arange(n)
    numbers.flags.writeable = False
    return numbers


def _groups(counts):
    """Return the groups, the first slot of every expert (E,), and the number of slots."""
    n_experts, listed = len(counts), counts.tolist()
    ends = np.cumsum(counts)
    if ends[-1] >= _FEW * n_experts or n_experts < _GROUP:
        starts = ends - counts
        places = zip(range(n_experts), starts.tolist(), listed, strict=True)
        return [Group(e, e + 1, s, c) for e, s, c in places if c], starts, int(ends[-1])
    groups, starts, start = [], np.empty(n_experts, dtype=np.intp), 0
    for first in range(0, n_experts, _GROUP):
        for e, size, rows in _alike(listed[first : first + _GROUP], first):
            starts[e : e + size] = range(start, start + size * rows, rows) if rows else start
            if rows:
                groups.append(Group(e, e + size, start, rows))
            start += size * rows
    return groups, starts, start


def _alike(counts, first):
    """Return (first expert, experts, rows) of groups in which padding costs less than a call."""
    size, tallest = len(counts), max(counts)
    if size == 1 or size * tallest - sum(counts) <= _WORTH * (size - 1):
        return [(first, size, tallest)]
    half = size // 2
    return _alike(counts[:half], first) + _alike(counts[half:], first + half)


def table_of(rows, experts, weights, n_rows):
    """Return pairs of rows and experts as a table with one line a row.

    Parameters
    ----------
    rows, experts : ndarray of int of shape (m,)
    weights : ndarray of shape (m,)
    n_rows : int

    Returns
    -------
    experts : ndarray of int of shape (n, k)
        k is the largest number of experts of a row (at least 1); the rest is filled with 0.
    weights : ndarray of shape (n, k)
    kept : ndarray of bool of shape (n, k)
    """
    order = np.argsort(rows, kind="stable")
    counts = np.bincount(rows, minlength=n_rows)
    width = max(1, int(counts.max(initial=0)))
    column = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
    shape = (width, n_rows)
    table = np.zeros(shape, dtype=np.intp), np.zeros(shape, weights.dtype), np.zeros(shape, bool)
    line = rows[order]
    table[0][column, line], table[1][column, line] = experts[order], weights[order]
    table[2][column, line] = True
    return tuple(part.T for part in table)
