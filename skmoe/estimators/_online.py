"""Learning from one block of rows after the other: ``partial_fit``."""

import numpy as np
from sklearn.utils.metaestimators import available_if

from skmoe.batches import InMemory, threads_for_rows
from skmoe.estimators import _parts, _validation
from skmoe.fitters.watch import visit

__all__ = ["OnlineMixin"]


def _learns_online(estimator):
    """Raise unless the fitter learns from blocks that it sees once."""
    fitter = _parts.build("fitter", estimator.fitter)
    if not hasattr(fitter, "learn"):
        raise AttributeError(
            f"partial_fit needs fitter='online_em'; fitter={estimator.fitter!r} sees its rows "
            "again and again."
        )
    return True


class OnlineMixin:
    """Adds ``partial_fit`` to mixtures; goes before `BaseMixture`."""

    @available_if(_learns_online)
    def partial_fit(self, X, y, sample_weight=None):
        """Learn from a block of rows, and forget them.

        The first block is fitted as a whole, to find a start, and gives columns their scales; it
        should hold some hundred rows for each expert. Later blocks move the running average of
        the statistics.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows to learn from.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            Their answers.
        sample_weight : array-like of shape (n_samples,), optional
            Non-negative weights of the rows.

        Returns
        -------
        self
            The fitted estimator.

        Raises
        ------
        ValueError
            For rows or arguments that cannot be used; the message names the argument.

        Examples
        --------
        >>> import numpy as np
        >>> from skmoe import MixtureOfExpertsRegressor
        >>> rng = np.random.default_rng(0)
        >>> est = MixtureOfExpertsRegressor(2, fitter="online_em", random_state=0)
        >>> for _ in range(5):
        ...     X = rng.standard_normal((500, 1))
        ...     est = est.partial_fit(X, np.abs(X[:, 0]) + 0.1 * rng.standard_normal(500))
        >>> bool(est.score(X, np.abs(X[:, 0])) > 0.9)
        True
        """
        fitter = _parts.build("fitter", self.fitter)
        first = getattr(self, "_memory", None) is None
        if first:
            self._learn(X, y, sample_weight, fitter=fitter.scout())
        block = self._weighted(X, y, sample_weight)
        with threads_for_rows() as n_threads:
            if first:
                batches = InMemory(block, self.batch_size, n_threads)
                self._memory = fitter.begin(visit(self._mixture, self.theta_, batches))
            else:
                self._memory = self._taught(fitter, block)
        for name, value in self._learned(self._mixture, self._memory.theta, block.X.dtype).items():
            setattr(self, name, value)
        return self

    def _taught(self, fitter, block):
        """Return what is remembered after the rows of a block, taken as they come."""
        memory = self._memory
        for start in range(0, block.n_rows, fitter.batch_size):
            rows = block.rows(slice(start, start + fitter.batch_size))
            memory = fitter.learn(self._mixture, memory, rows)
        return memory

    def _weighted(self, X, y, sample_weight):
        """Return the standardized Block of the rows whose weight is positive."""
        table = self._table(X)
        block = self._answered(table, y)
        weight = _validation.check_weights(sample_weight, block.X) / self._weight_unit
        kept = np.flatnonzero(weight > 0)
        weighted = type(block)(block.X, block.X_gate, block.y, weight.astype(block.weight.dtype))
        return weighted if len(kept) == len(weight) else weighted.rows(kept)
