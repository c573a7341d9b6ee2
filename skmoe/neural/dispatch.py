"""Rows sorted by expert, so that every expert is one matrix product."""

from functools import lru_cache

import numpy as np

__all__ = ["Dispatch", "table_of"]


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
    n_slots : int
    rows : ndarray of int of shape (n_slots,)
        The row in every slot.
    position : ndarray of int of shape (n, k)
        The slot of every choice; 0 for those that were not kept.
    counts : ndarray of int of shape (E,)
        Rows an expert takes.

    Notes
    -----
    Experts of few rows are products of their own, too: filling them up to common numbers of rows
    for batched products was slower, however close the numbers.
    """

    def __init__(self, experts, kept, n_experts):
        n, k = experts.shape
        self.shape, self.kept = (n, k), kept
        flat = experts.T.ravel()
        if kept is not None:
            flat = np.where(kept.T.ravel(), flat, n_experts)
        small = np.min_scalar_type(n_experts)
        order = np.argsort(flat.astype(small), kind="stable")
        self.counts = np.bincount(flat, minlength=n_experts + 1)[:n_experts]
        ends = np.cumsum(self.counts)
        self.n_slots = int(ends[-1])
        self._order = order = order[: self.n_slots]
        position = np.zeros(n * k, dtype=np.intp)
        position[order] = _arange(self.n_slots)
        self.position = position.reshape(k, n).T
        self.rows = np.remainder(order, n) if k > 1 else order
        self._busy = np.flatnonzero(self.counts).tolist()
        stops = ends[self._busy].tolist()
        self._slots = list(map(slice, [0, *stops[:-1]], stops))

    def stacked(self, A):
        """Return the rows of A (n_slots, w) of every expert that has some."""
        return [A[slots] for slots in self._slots]

    def of(self, A):
        """Return the part of A (E, ...) of every expert that has rows."""
        return [A[expert] for expert in self._busy]

    def to_slots(self, values):
        """Return values (n, k) of the choices as (n_slots,)."""
        return values.T.ravel()[self._order]

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
