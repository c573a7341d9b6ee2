"""Columns of X that a display varies, and rows in which they are varied."""

from dataclasses import dataclass
from numbers import Integral

import numpy as np
from sklearn.utils import _safe_indexing, check_random_state
from sklearn.utils.validation import _num_samples, check_is_fitted

from skmoe._math.checks import check_count

__all__ = ["Varied", "needs"]

# What an estimator has -> what can be looked at there.
INSTEAD = {
    "route": " Its experts are hidden layers, whose answers are no y: GateDisplay draws which of "
    "them see a row, LoadDisplay how many rows each sees.",
    "predict_experts": " GateDisplay draws its gate; ExpertsDisplay.from_predictions draws "
    "answers that are at hand.",
    "predict_distribution": " PredictiveDisplay draws its answer.",
}


def needs(est, display, *methods):
    """Raise unless an estimator is fitted and has the methods that a display asks."""
    check_is_fitted(est)
    for method in methods:
        if not hasattr(est, method):
            instead = next((text for has, text in INSTEAD.items() if hasattr(est, has)), "")
            raise ValueError(
                f"est={type(est).__name__} has no method {method}, which {display} draws.{instead}"
            )


def _columns(X):
    """Return the columns of a frame or an array-like, a list of (n,) arrays or series."""
    if hasattr(X, "columns"):
        return [X[name] for name in X.columns]
    return list(np.asarray(X).T)


@dataclass(frozen=True, eq=False)
class Varied:
    """One or two columns of X, on a grid between their extremes.

    Attributes
    ----------
    X : frame or ndarray of shape (n, d)
        The rows that are varied.
    columns : tuple of int
    names : tuple of str
    grids : tuple of ndarray
        Values of each varied column.
    values : tuple of ndarray
        What all rows hold in these columns, (n,) each.
    """

    X: object
    columns: tuple
    names: tuple
    grids: tuple
    values: tuple

    @classmethod
    def of(cls, X, features, most, resolution=100, subsample=500, random_state=None):
        """Return what is varied of X.

        Parameters
        ----------
        X : frame or array-like of shape (n, d)
        features : int, str, a sequence of them, or None
            None: all columns.
        most : int
            Features that can be varied at once.
        resolution : int
            Values of each feature.
        subsample : int
            Rows that are varied at most, drawn at random.
        random_state : int, RandomState or None

        Raises
        ------
        ValueError
            If there are no columns of such names, or too many.
        """
        check_count("grid_resolution", resolution, least=2)
        check_count("subsample", subsample)
        X = X if hasattr(X, "columns") else np.asarray(X)
        if not hasattr(X, "columns") and X.ndim != 2:
            raise ValueError(f"X has the shape {X.shape}; it must be (n_samples, n_features).")
        names = [str(name) for name in getattr(X, "columns", range(X.shape[1]))]
        names = names if hasattr(X, "columns") else [f"x{name}" for name in names]
        columns = _numbers(features, names, most)
        values = [np.asarray(_columns(X)[j]) for j in columns]
        for j, value in zip(columns, values, strict=True):
            if value.dtype.kind not in "biuf":
                raise ValueError(f"features={names[j]!r} holds no numbers; only those are varied.")
        grids = tuple(np.linspace(np.nanmin(v), np.nanmax(v), resolution) for v in values)
        n_rows = _num_samples(X)
        if n_rows > subsample and len(columns) < len(names):
            kept = check_random_state(random_state).permutation(n_rows)[:subsample]
            X = _safe_indexing(X, kept)
        return cls(X, tuple(columns), tuple(names[j] for j in columns), grids, tuple(values))

    @property
    def points(self):
        """The varied values in all combinations, (m, 1) or (m, 2)."""
        return np.stack(np.meshgrid(*self.grids, indexing="ij"), axis=-1).reshape(
            -1, len(self.grids)
        )

    def mean_of(self, answer):
        """Return the mean over rows of ``answer(X)`` (n, ...) at each point, (m, ...)."""
        points = self.points
        if len(self.columns) == len(_columns(self.X)):
            return np.asarray(answer(self._with(points, np.zeros(len(points), dtype=int))))
        n_rows = _num_samples(self.X)
        answers = []
        for block in np.array_split(points, max(1, len(points) * n_rows // 100_000)):
            rows = np.tile(np.arange(n_rows), len(block))
            answer_of_all = np.asarray(answer(self._with(np.repeat(block, n_rows, axis=0), rows)))
            answers.append(answer_of_all.reshape(len(block), n_rows, *answer_of_all.shape[1:]))
        return np.concatenate([each.mean(axis=1) for each in answers])

    def beside(self, at):
        """Return the grid with the other columns held: those of the row ``at``, or medians."""
        rows = np.zeros(len(self.points), dtype=int)
        held = self.X if at is None else (at if hasattr(at, "columns") else np.atleast_2d(at))
        if len(_columns(held)) != len(_columns(self.X)):
            raise ValueError(
                f"at has {len(_columns(held))} columns; X has {len(_columns(self.X))}."
            )
        if at is None:
            held = self._median()
        return self._with(self.points, rows, held)

    def _median(self):
        """Return a table of one row: medians of numbers, the most frequent value of the rest."""
        middles = [_middle(np.asarray(column)) for column in _columns(self.X)]
        if not hasattr(self.X, "columns"):
            return np.array([middles])
        pairs = zip(self.X.columns, middles, strict=True)
        return type(self.X)({name: [value] for name, value in pairs})

    def _with(self, points, rows, held=None):
        """Return rows of X, or of ``held``, in which the varied columns have other values."""
        table = _safe_indexing(self.X if held is None else held, rows)
        if not hasattr(table, "columns"):
            table = np.array(table, dtype=np.result_type(table, points))
            table[:, list(self.columns)] = points
            return table
        changed = dict(zip(table.columns, _columns(table), strict=True))
        for j, values in zip(self.columns, points.T, strict=True):
            name = list(table.columns)[j]
            series = changed[name]
            changed[name] = type(series)(values, **_index_of(series))
        return type(table)(changed)


def _index_of(series):
    """Return the index that another series needs to stand beside this one, a dict."""
    return {"index": series.index} if hasattr(series, "index") else {}


def _middle(values):
    if values.dtype.kind in "biuf":
        return np.nanmedian(values)
    kinds, counts = np.unique(values.astype(str), return_counts=True)
    return values[values.astype(str) == kinds[counts.argmax()]][0]


def _numbers(features, names, most):
    """Return the numbers of the columns that ``features`` asks for, a list."""
    allowed = "one of" if most == 1 else "one or two of"
    if features is None:
        wanted = list(range(len(names)))
    elif isinstance(features, str | Integral):
        wanted = [features]
    else:
        wanted = list(features)
    for each in wanted:
        known = names if isinstance(each, str) else range(len(names))
        if each not in known:
            raise ValueError(f"features={each!r} is not known; X has the columns {names}.")
    if not 1 <= len(wanted) <= most or len(set(wanted)) < len(wanted):
        raise ValueError(f"features={features!r} must name {allowed} X's {len(names)} columns.")
    return [names.index(each) if isinstance(each, str) else int(each) for each in wanted]
