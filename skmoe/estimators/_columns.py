"""Which columns the experts or the gate see."""

import numbers
from dataclasses import dataclass

import numpy as np
from sklearn.base import clone


@dataclass(frozen=True)
class AllColumns:
    """Every column."""

    def names(self, known):
        """Return the names of the columns picked, or None."""
        return known

    def pick(self, X, raw):
        """Return the columns of the validated array X (n, d)."""
        return X


@dataclass(frozen=True)
class SomeColumns:
    """Columns by number."""

    index: np.ndarray

    def names(self, known):
        """Return the names of the columns picked, or None."""
        return None if known is None else np.asarray(known)[self.index]

    def pick(self, X, raw):
        """Return the columns of the validated array X (n, d)."""
        return X[:, self.index]


@dataclass(frozen=True)
class Transformed:
    """Columns that a fitted transformer makes from the user's own table."""

    transformer: object

    def names(self, known):
        """Return the names of the columns made, or None."""
        named = getattr(self.transformer, "get_feature_names_out", None)
        return None if known is None or named is None else named()

    def pick(self, X, raw):
        """Return the transformed columns of the user's table."""
        made = self.transformer.transform(raw)
        made = made.toarray() if hasattr(made, "toarray") else np.asarray(made)
        return made.astype(X.dtype, copy=False)


def choose(argument, wanted, raw, n_features, names):
    """Return the chooser that ``expert_features=`` or ``gate_features=`` asks for.

    Parameters
    ----------
    argument : str
        Name of the argument, for messages.
    wanted : None, list of int, list of str, or transformer
    raw : array-like or frame of shape (n, d)
        What the user handed in; a transformer is fitted to it.
    n_features : int
    names : sequence of str or None
    """
    if wanted is None:
        return AllColumns()
    if hasattr(wanted, "fit") and hasattr(wanted, "transform"):
        return Transformed(clone(wanted).fit(raw))
    columns = [wanted] if isinstance(wanted, str | numbers.Integral) else list(wanted)
    index = [_number(argument, column, n_features, names) for column in columns]
    return SomeColumns(np.array(index, dtype=np.intp))


def _number(argument, column, n_features, names):
    if isinstance(column, str):
        if names is None or column not in list(names):
            known = "the data has no column names" if names is None else f"known: {list(names)}"
            raise ValueError(f"{argument} names the column {column!r}; {known}.")
        return list(names).index(column)
    if not isinstance(column, numbers.Integral) or not -n_features <= column < n_features:
        raise ValueError(
            f"{argument} asks for column {column!r}; allowed are names and "
            f"numbers from 0 to {n_features - 1}."
        )
    return int(column) % n_features
