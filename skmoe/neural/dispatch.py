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
            placed = np.flatnonzero(kept.T)
            flat = flat[placed]
        # Numbers of few bytes are sorted by counting them.
        order = np.argsort(flat.astype(np.min_scalar_type(n_experts)), kind="stable")
        self.counts = np.bincount(flat, minlength=n_experts)
        self.n_slots = len(flat)
        self._order = order if kept is None else placed[order]
        self.rows = _rows(n, k)[self._order]
        position = np.zeros(n * k, dtype=np.intp)
        position[self._order] = _numbers(self.n_slots)
        self.position = position.reshape(k, n).T
        ends = np.cumsum(self.counts)
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
        n, k = self.shape
        values = np.zeros(n * k, slots.dtype)
        values[self._order] = slots
        return values.reshape(k, n).T

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


@lru_cache(maxsize=8)
def _numbers(n):
    numbers = np.arange(n)
    numbers.flags.writeable = False
    return numbers


@lru_cache(maxsize=8)
def _rows(n, k):
    """Return the rows of the choices of n rows, (n k,), the first choices of all rows first."""
    rows = np.tile(np.arange(n), k)
    rows.flags.writeable = False
    return rows


def table_of(rows, experts, n_rows):
    """Return pairs of rows and experts as a table with one line a row.

    Parameters
    ----------
    rows, experts : ndarray of int of shape (m,)
    n_rows : int

    Returns
    -------
    experts : ndarray of int of shape (n, k)
        k is the largest number of experts of a row (at least 1); the rest is filled with 0.
    kept : ndarray of bool of shape (n, k)
        Which entries are pairs.
    """
    order = np.argsort(rows.astype(np.min_scalar_type(n_rows)), kind="stable")
    counts = np.bincount(rows, minlength=n_rows)
    width = max(1, int(counts.max(initial=0)))
    # The place of a pair, in a table that is filled column by column.
    place = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
    place *= n_rows
    place += rows[order]
    table, kept = np.zeros(width * n_rows, np.intp), np.zeros(width * n_rows, bool)
    table[place], kept[place] = experts[order], True
    return table.reshape(width, n_rows).T, kept.reshape(width, n_rows).T
