"""Answers for Dask collections: lazy arrays, one task a partition, made on the workers."""

from operator import itemgetter

import dask
import dask.array
import numpy as np
from sklearn.base import is_classifier
from sklearn.utils import check_random_state
from threadpoolctl import threadpool_limits

from skmoe.batches.dask import partitions
from skmoe.distribution import MixtureDistribution
from skmoe.estimators._elsewhere import DistributionElsewhere

__all__ = ["answer"]


def answer(estimator, method, X, args, kwargs):
    """Return what a method answers for a Dask collection, without computing it.

    Parameters
    ----------
    estimator : fitted estimator
    method : function
        ``method(estimator, X, *args, **kwargs)`` for rows in numpy.
    X : dask array of shape (n, d), or dask frame
    args, kwargs
        Of the method. Arrays have an entry for each row, and are cut to the partitions of X.
    """

    def reply(rows, *args, **kwargs):
        return method(estimator, rows, *args, **kwargs)

    questions = _Questions(estimator, X)
    sample = questions.sample(reply, args, kwargs)
    if not isinstance(sample, MixtureDistribution):
        return questions.ask(reply, args, kwargs, sample)
    if any(value is not None for value in (*args, *kwargs.values())):
        raise ValueError("offset needs rows in memory; the experts' offset_column does not.")

    def ask(name, *args, **kwargs):
        def of_distribution(rows, *args, **kwargs):
            return getattr(reply(rows), name)(*args, **kwargs)

        if name == "rvs":
            seeds = check_random_state(kwargs.pop("random_state"))
            return questions.draw(of_distribution, kwargs, seeds)
        return questions.ask(of_distribution, args, kwargs)

    return DistributionElsewhere(ask)


class _Questions:
    """One collection of rows, and the questions that are put to its partitions."""

    def __init__(self, estimator, X):
        self.estimator, self.X = estimator, X
        self.parts = partitions(X, "X")
        frame = hasattr(X, "to_dask_array")
        self.n_rows = [np.nan] * len(self.parts) if frame else X.chunks[0]

    def sample(self, reply, args, kwargs):
        """Return the answer for a made-up row, which tells the shape of the others."""
        X = self.X
        made = (
            X._meta_nonempty if hasattr(X, "_meta_nonempty") else np.ones((2, X.shape[1]), X.dtype)
        )
        args = [self._made(value, len(made)) for value in args]
        kwargs = {name: self._made(value, len(made)) for name, value in kwargs.items()}
        return reply(made, *args, **kwargs)

    def _made(self, value, n_rows):
        if not hasattr(value, "shape"):
            return value
        one = self.estimator.classes_[0] if is_classifier(self.estimator) else 1.0
        return np.full((n_rows, *value.shape[1:]), one)

    def ask(self, reply, args, kwargs, sample=None):
        """Return lazy answers of the shape of a sample."""
        sample = self.sample(reply, args, kwargs) if sample is None else sample
        cut = [self._cut(value) for value in args]
        named = {name: self._cut(value) for name, value in kwargs.items()}
        told = [
            ([each[i] for each in cut], {name: each[i] for name, each in named.items()})
            for i in range(len(self.parts))
        ]
        return self._gather(reply, told, sample)

    def draw(self, reply, kwargs, rng):
        """Return lazy draws; every partition has a seed of its own."""
        sample = self.sample(reply, (), kwargs | {"random_state": 0})
        seeds = rng.randint(2**31 - 1, size=len(self.parts))
        told = [([], kwargs | {"random_state": int(seed)}) for seed in seeds]
        return self._gather(reply, told, sample)

    def _cut(self, value):
        """Return what each partition is told of an argument."""
        if not hasattr(value, "shape") or not np.ndim(value):
            return [value] * len(self.parts)
        parts = partitions(value, "y", self.X)
        if len(parts) != len(self.parts):
            raise ValueError(f"y has {len(parts)} partitions and X has {len(self.parts)}.")
        return parts

    def _gather(self, reply, told, sample):
        """Return the lazy answers of all partitions, each told arguments of its own."""
        run = dask.delayed(_answer_for_partition, pure=False)
        shared = dask.delayed(reply, pure=False, traverse=False)
        answers = [
            run(shared, part, *args, **kwargs)
            for part, (args, kwargs) in zip(self.parts, told, strict=True)
        ]
        if isinstance(sample, tuple):
            pick = [dask.delayed(itemgetter(i), pure=False) for i in range(len(sample))]
            return tuple(
                self._array([pick[i](each) for each in answers], sample[i])
                for i in range(len(sample))
            )
        return self._array(answers, sample)

    def _array(self, answers, sample):
        blocks = [
            dask.array.from_delayed(each, (n, *sample.shape[1:]), sample.dtype)
            for each, n in zip(answers, self.n_rows, strict=True)
        ]
        return dask.array.concatenate(blocks, allow_unknown_chunksizes=True)


def _answer_for_partition(reply, rows, *args, **kwargs):
    """Answer on a worker, whose cores belong to other partitions, too."""
    with threadpool_limits(1, "blas"):
        return reply(rows, *args, **kwargs)
