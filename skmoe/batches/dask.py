"""Rows of Dask collections: a pass is a map over partitions and a tree of sums on the cluster."""

from operator import add

import dask
import numpy as np
from threadpoolctl import threadpool_limits

from skmoe.batches.sources import ArraySource, Rows, Source

__all__ = ["DaskSource", "partitions"]

# Sums that are added up in one task.
FAN_IN = 8


class DaskSource(Source):
    """Partitions of a Dask array or frame, which never leave their workers.

    Parameters
    ----------
    X : dask array of shape (n, d), or dask frame
    y : dask array or series of as many rows; an array-like is cut to the partitions of X
    sample_weight : the same, or None
    """

    def __init__(self, X, y, sample_weight=None):
        parts = [partitions(X, "X")]
        for name, value in (("y", y), ("sample_weight", sample_weight)):
            parts.append([None] * len(parts[0]) if value is None else partitions(value, name, X))
            if len(parts[-1]) != len(parts[0]):
                raise ValueError(
                    f"{name} has {len(parts[-1])} partitions and X has {len(parts[0])}; "
                    "rechunk or repartition one of them."
                )
        self.parts = list(zip(*parts, strict=True))

    def sweep(self, function, block_rows, n_threads=1):
        task = dask.delayed(_sweep_partition, pure=False)
        shared = dask.delayed(function, pure=False, traverse=False)
        sums = [task(shared, block_rows, *part) for part in self.parts]
        together = dask.delayed(_sum, pure=False)
        while len(sums) > 1:
            sums = [together(sums[i : i + FAN_IN]) for i in range(0, len(sums), FAN_IN)]
        return dask.compute(sums[0])[0]

    def blocks(self, block_rows, rng=None):
        order = range(len(self.parts)) if rng is None else rng.permutation(len(self.parts))
        for number in order:
            X, y, weight = dask.compute(*self.parts[number])
            yield from ArraySource(X, y, weight).blocks(block_rows, rng)


def _sweep_partition(function, block_rows, X, y, weight):
    """Sweep a partition on its worker, whose cores belong to other partitions, too."""
    X = X.to_numpy() if hasattr(X, "to_numpy") else np.asarray(X)
    with threadpool_limits(1, "blas"):
        if not len(X):
            return function(Rows(X, np.asarray(y), np.ones(0)))
        return ArraySource(X, np.asarray(y), weight).sweep(function, block_rows)


def _sum(parts):
    total = parts[0]
    for part in parts[1:]:
        total = add(total, part)
    return total


def partitions(collection, name, like=None):
    """Return the partitions of a collection as Dask's delayed objects.

    Parameters
    ----------
    collection : dask array, frame or series, or array-like
    name : str
        Of the argument, for messages.
    like : dask collection or None
        Rows to whose partitions an array is cut.
    """
    if hasattr(collection, "to_dask_array"):
        return list(collection.to_delayed())
    if not hasattr(collection, "to_delayed"):
        collection = _as_array(collection, name, like)
    if collection.ndim == 2 and collection.numblocks[1] > 1:
        collection = collection.rechunk({1: -1})
    chunks = getattr(like, "chunks", None)
    if chunks is not None and collection.chunks[0] != chunks[0]:
        collection = collection.rechunk({0: chunks[0]})
    return list(collection.to_delayed().ravel())


def _as_array(values, name, like):
    import dask.array

    if getattr(like, "chunks", None) is None:
        raise ValueError(f"{name} must be a Dask collection of the partitions of X.")
    values = np.asarray(values)
    return dask.array.from_array(values, chunks=(like.chunks[0], *values.shape[1:]))
