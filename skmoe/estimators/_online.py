"""Learning from one block of rows after the other: ``partial_fit``."""

import numpy as np
from sklearn.utils import _safe_indexing, check_consistent_length, column_or_1d
from sklearn.utils.metaestimators import available_if

from skmoe.batches import InMemory, threads_for_rows
from skmoe.estimators import _parts, _validation
from skmoe.fitters.watch import visit

__all__ = ["OnlineClassesMixin", "OnlineMixin"]


#: Rows over which one row's weight of a class is spread that the first block lacks.
UNSEEN_ROWS = 20


def _learns_online(estimator):
    """Raise unless the fitter learns from blocks that it sees once."""
    fitter = _parts.build("fitter", estimator.fitter)
    if not hasattr(fitter, "learn"):
        raise AttributeError(
            f"partial_fit needs fitter='online_em'; fitter={estimator.fitter!r} sees its rows "
            "again and again."
        )
    return True


class BlocksMixin:
    """Learns from blocks of rows; goes before `BaseMixture`."""

    # What is remembered of the blocks.
    _memory = None

    def _learn_block(self, X, y, sample_weight):
        fitter = _parts.build("fitter", self.fitter)
        first = self._memory is None
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
        weight = self._check_weights(sample_weight, self._check_answers(y, table), block.X)
        weight = weight / self._weight_unit
        kept = np.flatnonzero(weight > 0)
        weighted = type(block)(block.X, block.X_gate, block.y, weight.astype(block.weight.dtype))
        return weighted if len(kept) == len(weight) else weighted.rows(kept)


def _with_unseen(classes, X, y, sample_weight):
    """Return rows to which a little of every class is added that they lack.

    What is impossible in the first block would stay so: where a probability is nothing, so is its
    slope.
    """
    with _validation.naming("y"):
        y = column_or_1d(y)
        check_consistent_length(X, y)
    missing = np.setdiff1d(classes, y)
    if len(missing) == 0:
        return X, y, sample_weight
    n = len(y)
    spread = np.linspace(0, n - 1, min(n, UNSEEN_ROWS)).astype(int)
    index = np.concatenate([np.arange(n), *[spread] * len(missing)])
    weight = np.ones(n) if sample_weight is None else np.asarray(sample_weight, dtype=float)
    added = np.full(len(index) - n, 1.0 / len(spread))
    y = np.concatenate([y, np.repeat(missing, len(spread))])
    return _safe_indexing(X, index), y, np.concatenate([weight, added])


class OnlineMixin(BlocksMixin):
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
        return self._learn_block(X, y, sample_weight)


class OnlineClassesMixin(BlocksMixin):
    """Adds ``partial_fit`` to classifiers; goes before `ClassesMixin`."""

    @available_if(_learns_online)
    def partial_fit(self, X, y, classes=None, sample_weight=None):
        """Learn from a block of rows, and forget them.

        The first block is fitted as a whole, to find a start, and gives columns their scales; it
        should hold some hundred rows for each expert, and some of every class. Later blocks move
        the running average of the statistics.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows to learn from.
        y : array-like of shape (n_samples,)
            Their classes.
        classes : array-like of shape (n_classes,), optional
            All classes that may come, on the first call; None: those of its rows. One that these
            rows lack is taught as if one row of them, spread over the block, had it.
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
        >>> from skmoe import MixtureOfExpertsClassifier
        >>> rng = np.random.default_rng(0)
        >>> est = MixtureOfExpertsClassifier(2, fitter="online_em", random_state=0)
        >>> for _ in range(5):
        ...     X = rng.standard_normal((500, 2))
        ...     est = est.partial_fit(X, X.prod(axis=1) > 0, classes=[False, True])
        >>> bool(est.score(X, X.prod(axis=1) > 0) > 0.9)
        True
        """
        if isinstance(self.class_weight, str):
            raise ValueError(
                f"class_weight={self.class_weight!r} needs all rows; for partial_fit it must be a "
                "dict or None."
            )
        classes = None if classes is None else np.unique(classes)
        if self._memory is None:
            self._announced = classes
            if classes is not None:
                X, y, sample_weight = _with_unseen(classes, X, y, sample_weight)
        elif classes is not None and not np.array_equal(classes, self.classes_):
            raise ValueError(
                f"classes={classes.tolist()} are not those of the first call: "
                f"{self.classes_.tolist()}."
            )
        try:
            return self._learn_block(X, y, sample_weight)
        finally:
            self._announced = None
