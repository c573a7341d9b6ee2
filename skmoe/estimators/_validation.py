"""Checks of what users hand in; messages name the argument, the value and what is allowed."""

import re
from contextlib import contextmanager

import numpy as np
from sklearn.utils import check_array, check_consistent_length, column_or_1d
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, _check_y, validate_data

from skmoe._math import sums
from skmoe.estimators._table import Table

DTYPES = [np.float64, np.float32]


@contextmanager
def naming(argument):
    """Put the argument's name in front of messages that do without."""
    try:
        yield
    except (TypeError, ValueError) as error:
        if re.search(rf"\b{argument}\b", str(error)):
            raise
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(f"{argument}: {error}") from error


def check_table(estimator, raw, whole, needs_frame, reset=False, finite=True):
    """Return the Table of what was handed in as X.

    Parameters
    ----------
    estimator : estimator
    raw : array-like or frame of shape (n, d)
    whole : bool
        Whether experts or gate see every column, which then have to be numbers.
    needs_frame : bool
        Whether a transformer looks at the rows as they came.
    reset : bool
        Whether number and names of the columns are learned or compared.
    finite : bool
        Whether to look for NaN and infinity, too.
    """
    with naming("X"):
        if whole:
            X = validate_data(estimator, raw, reset=reset, dtype=DTYPES, ensure_all_finite=finite)
            return Table(raw if needs_frame else X, X, finite)
        table = Table(raw)
        if np.ndim(table.raw) != 2:
            raise ValueError(f"expected 2D array, got one of shape {np.shape(table.raw)}.")
        validate_data(estimator, raw, reset=reset, skip_check_array=True)
        return table


def check_finite(estimator, table):
    """Raise unless the numbers of a Table are finite."""
    if not table.is_finite:
        with naming("X"):
            check_array(table.X, dtype=DTYPES, input_name="X", estimator=estimator)


def check_numbers(columns, argument):
    """Return the columns of X that ``argument`` asks for as numbers (n, p)."""
    try:
        return check_array(columns, dtype=DTYPES, input_name="X", ensure_min_features=0)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{argument} asks for columns of X that cannot be used: {error}") from None


def check_made(made, argument, n_rows):
    """Return the columns (n, p) that a transformer made, as finite numbers."""
    made = made.toarray() if hasattr(made, "toarray") else made
    try:
        made = check_array(made, dtype=DTYPES, ensure_min_features=0)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"the transformer of {argument} made columns that cannot be used: {error}"
        ) from None
    if len(made) != n_rows:
        raise ValueError(f"the transformer of {argument} made {len(made)} rows of {n_rows}.")
    return made


def check_targets(estimator, y, table):
    """Return y (n, q) as floats, and whether it was flat."""
    if y is None:
        raise ValueError(
            f"This {type(estimator).__name__} estimator requires y to be passed, but the target y "
            "is None."
        )
    if getattr(y, "shape", ())[1:] == (0,):
        raise ValueError(f"y has 0 features (shape {y.shape}); at least one target is needed.")
    with naming("y"):
        y = _check_y(y, multi_output=True, y_numeric=True, estimator=estimator)
        if y.dtype.kind not in "fiub":
            raise ValueError(f"numbers are needed; these are of {y.dtype}.")
        check_consistent_length(table.raw, y)
    if y.dtype.kind != "f":
        y = y.astype(np.float64)
    return y.reshape(len(y), -1), y.ndim == 1


def weights_as_rows(weight):
    """Return weights (n,) that count rows, and the unit they were divided by (a float).

    Penalties and the question whether an expert has shrunk onto a few rows ask how many rows
    there are. Weights that average at least one are taken for numbers of rows, so that integer
    ones equal repetition; smaller ones (normalized to sum to one, say) are measured in their mean.
    """
    unit = min(1.0, float(weight.mean(dtype=np.float64)))
    return (weight if unit == 1.0 else (weight / unit).astype(weight.dtype)), unit


def check_weights(sample_weight, X):
    """Return the weights (n,) of the rows X (n, d)."""
    with naming("sample_weight"):
        return _check_sample_weight(sample_weight, X, dtype=X.dtype, ensure_non_negative=True)


def check_enough_rows(n_experts, n_rows, weighted):
    """Raise unless there are as many rows of positive weight as experts."""
    if n_rows < n_experts:
        positive = " of positive sample_weight" if weighted else ""
        raise ValueError(
            f"n_experts={n_experts} needs at least as many rows{positive}; "
            f"X has n_samples={n_rows} of them."
        )


def check_classes(y, table, known=None):
    """Return the classes (C,), known or those in y, and the code of each row's class (n,)."""
    with naming("y"):
        y = column_or_1d(y, warn=True)
        check_classification_targets(y)
        check_consistent_length(table.raw, y)
    if known is None:
        return np.unique(y, return_inverse=True)
    return known, _codes(y, known)


def check_class_answers(estimator, y, table):
    """Return codes (n,) of the classes in y for a fitted classifier."""
    with naming("y"):
        y = column_or_1d(y)
        check_consistent_length(table.raw, y)
    return _codes(y, estimator.classes_)


def _codes(y, known):
    """Return codes (n,) of the classes y among the known ones (C,), sorted."""
    unknown = np.setdiff1d(y, known)
    if len(unknown):
        raise ValueError(f"y holds {unknown.tolist()}; known are {known.tolist()}.")
    return np.searchsorted(known, y)


def check_offset(offset, n_rows, dtype):
    """Return the offsets (n,) of all rows; None means zeros."""
    if offset is None:
        return np.zeros(n_rows, dtype)
    with naming("offset"):
        offset = check_array(offset, dtype=dtype, ensure_2d=False, input_name="offset")
    if offset.shape != (n_rows,):
        raise ValueError(f"offset has shape {offset.shape}; X asks for ({n_rows},).")
    return offset


def check_groups(groups, n_rows):
    """Return the numbers (n,) of the groups of all rows the user handed in."""
    groups = column_or_1d(groups)
    if len(groups) != n_rows:
        raise ValueError(f"groups has {len(groups)} entries; X has {n_rows} rows.")
    return np.unique(groups, return_inverse=True)[1]


def check_answers(estimator, y, table):
    """Return y (n, q) for a fitted estimator."""
    y, _ = check_targets(estimator, y, table)
    if y.shape[1] != estimator._n_targets:
        raise ValueError(
            f"y has {y.shape[1]} targets; the estimator was fitted with {estimator._n_targets}."
        )
    return y


def check_rows(rows, dtype):
    """Raise unless Rows of a block are finite and their weights not negative."""
    for name, values in (("X", rows.X), ("y", rows.y), ("sample_weight", rows.weight)):
        if isinstance(values, np.ndarray):
            flat = name != "X"
            kind = None if flat else dtype
            check_array(
                values, dtype=kind, ensure_2d=not flat, input_name=name, ensure_min_samples=0
            )
        elif not sums.all_finite(sums.as_floats(values, np.float64)):
            raise ValueError(f"Input {name} contains NaN or infinity.")
    least = sums.least(rows.weight)
    if least < 0:
        raise ValueError(f"sample_weight holds {least:g}; it must not be negative.")
