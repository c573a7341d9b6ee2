"""Which columns the experts or the gate see."""

import numbers
from dataclasses import dataclass

import numpy as np
from sklearn.base import clone

from skmoe._math.sums import columns
from skmoe.estimators._validation import check_made, check_numbers
from skmoe.features import BASES

__all__ = ["automatic", "choose", "most_columns", "sees_all"]

MOST_COLUMNS = 160


@dataclass(frozen=True)
class AllColumns:
    """Every column."""

    needs_frame = False

    def names(self, known):
        """Return the names of the columns picked, or None."""
        return known

    def pick(self, table):
        """Return the columns of a `Table`, (n, d)."""
        return table.X

    def same_as(self, last):
        """Return whether a chooser of an earlier fit picks the same columns."""
        return isinstance(last, AllColumns)


@dataclass(frozen=True)
class SomeColumns:
    """Columns by number."""

    argument: str
    index: np.ndarray

    needs_frame = False

    def names(self, known):
        """Return the names of the columns picked, or None."""
        return None if known is None else np.asarray(known)[self.index]

    def pick(self, table):
        """Return the columns of a `Table`, (n, d)."""
        if table.X is not None:
            return columns(table.X, self.index)
        return check_numbers(table.columns(self.index), self.argument)

    def same_as(self, last):
        """Return whether a chooser of an earlier fit picks the same columns."""
        return isinstance(last, SomeColumns) and np.array_equal(self.index, last.index)


@dataclass(frozen=True)
class Transformed:
    """Columns that a fitted transformer makes from the user's own table."""

    argument: str
    transformer: object

    needs_frame = True

    def names(self, known):
        """Return the names of the columns made, or None."""
        named = getattr(self.transformer, "get_feature_names_out", None)
        return None if known is None or named is None else named()

    def pick(self, table):
        """Return the columns made of a `Table`, (n, d)."""
        made = self.transformer.transform(table.raw)
        return check_made(made, self.argument, table.n_rows)

    def same_as(self, last):
        """Return whether a chooser of an earlier fit was made by such a transformer."""
        return isinstance(last, Transformed) and _recipe(self.transformer) == _recipe(
            last.transformer
        )


@dataclass(frozen=True)
class Expanded:
    """Columns of a fitted basis."""

    basis: object

    needs_frame = False

    def names(self, known):
        """Return the names of the columns made: none."""
        return None

    def pick(self, table):
        """Return the columns made of a `Table`, (n, d)."""
        return self.basis.transform(table.X)

    def same_as(self, last):
        """Return whether a chooser of an earlier fit was made by such a basis."""
        return isinstance(last, Expanded) and _recipe(self.basis) == _recipe(last.basis)


def sees_all(wanted, names):
    """Return whether an argument asks for every column of X as a number."""
    return wanted is None or _names_basis(wanted, names) or hasattr(wanted, "n_columns")


def _names_basis(wanted, names):
    known = isinstance(wanted, str) and (wanted in BASES or wanted == "auto")
    return known and (names is None or wanted not in list(names))


def most_columns(n_rows):
    """Return how many columns so many rows can fill."""
    return min(MOST_COLUMNS, n_rows / 4)


def automatic(n_features, n_rows):
    """Return the richest basis, an unfitted transformer, that so many rows can fill, or None.

    Beyond `MOST_COLUMNS`, a pass over the rows costs too much; beyond a quarter of the rows,
    experts know too little.
    """
    for name in ("spline_quadratic", "quadratic", "spline"):
        basis = BASES[name]()
        if basis.n_columns(n_features) <= most_columns(n_rows):
            return basis
    return None


def choose(argument, wanted, table, y, n_features, names, weight=None):
    """Return the chooser that ``expert_features=`` or ``gate_features=`` asks for.

    Parameters
    ----------
    argument : str
        Name of the argument, for messages.
    wanted : None, name of a basis or "auto", list of int, list of str, mask of d bools, transformer
    table : Table
        The rows that count; a transformer is fitted to them.
    y : ndarray of shape (n,) or (n, q)
        As users know it: numbers, or classes.
    n_features : int
    names : sequence of str or None
    weight : ndarray of shape (n,) or None
        Weights of the rows; a basis heeds them.
    """
    if wanted is None:
        return AllColumns()
    if _names_basis(wanted, names):
        auto = wanted == "auto"
        basis = automatic(n_features, table.n_rows) if auto else BASES[wanted]()
        if basis is None:
            return AllColumns()
        return Expanded(basis.fit(table.X, sample_weight=weight))
    if hasattr(wanted, "n_columns"):
        return Expanded(clone(wanted).fit(table.X, sample_weight=weight))
    if hasattr(wanted, "fit") and hasattr(wanted, "transform"):
        return Transformed(argument, clone(wanted).fit(table.raw, y))
    return SomeColumns(argument, _numbers(argument, wanted, n_features, names))


def _numbers(argument, wanted, n_features, names):
    """Return the numbers (p,) of the columns wanted."""
    columns = [wanted] if isinstance(wanted, str | numbers.Integral) else _listed(argument, wanted)
    if columns and all(isinstance(column, bool | np.bool_) for column in columns):
        if len(columns) != n_features:
            raise ValueError(
                f"{argument} is a mask of {len(columns)} bools; X has {n_features} columns."
            )
        return np.flatnonzero(columns)
    index = [_number(argument, column, n_features, names) for column in columns]
    if len(set(index)) < len(index):
        raise ValueError(f"{argument}={wanted!r} asks for a column twice.")
    return np.array(index, dtype=np.intp)


def _listed(argument, wanted):
    try:
        return list(wanted)
    except TypeError:
        raise TypeError(
            f"{argument}={wanted!r} must be a list of columns' names or numbers, a mask, a "
            "transformer, or None."
        ) from None


def _number(argument, column, n_features, names):
    if isinstance(column, str):
        if names is None or column not in list(names):
            known = "the data has no column names" if names is None else f"known: {list(names)}"
            raise ValueError(f"{argument} names the column {column!r}; {known}.")
        return list(names).index(column)
    whole = isinstance(column, numbers.Integral) and not isinstance(column, bool | np.bool_)
    if not whole or not -n_features <= column < n_features:
        raise ValueError(
            f"{argument} asks for column {column!r}; allowed are names and "
            f"numbers from 0 to {n_features - 1}."
        )
    return int(column) % n_features


def _recipe(transformer):
    """Return what tells apart two transformers before they are fitted."""
    params = transformer.get_params(deep=True) if hasattr(transformer, "get_params") else {}
    return type(transformer), sorted((name, repr(value)) for name, value in params.items())
