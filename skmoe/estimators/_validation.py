"""Checks of what users hand in; messages name the argument, the value and what is allowed."""

import numpy as np
from sklearn.utils import check_array, check_consistent_length, column_or_1d
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, _num_samples, validate_data

from skmoe._math.checks import check_count

DTYPES = [np.float64, np.float32]


def check_training_rows(estimator, X, y, sample_weight, reset):
    """Return X (n, d), y (n, q) and weights (n,) in one precision, and whether y was flat."""
    if getattr(y, "shape", ())[1:] == (0,):
        raise ValueError(f"y has 0 features (shape {y.shape}); at least one target is needed.")
    X, y = validate_data(
        estimator,
        X,
        y,
        reset=reset,
        dtype=DTYPES,
        multi_output=True,
        y_numeric=True,
    )
    check_count("n_experts", estimator.n_experts)
    weight = _check_sample_weight(sample_weight, X, dtype=X.dtype, ensure_non_negative=True)
    kept = weight > 0
    if not kept.all():
        X, y, weight = X[kept], y[kept], weight[kept]
    check_enough_rows(estimator, X)
    y = np.asarray(y, dtype=X.dtype)
    return X, y.reshape(len(y), -1), weight, y.ndim == 1, kept


def check_enough_rows(estimator, X):
    """Raise unless there are as many rows X (n, d) of positive weight as experts."""
    if len(X) < estimator.n_experts:
        raise ValueError(
            f"n_experts={estimator.n_experts} needs at least as many rows of positive weight; "
            f"X has n_samples={len(X)} of them."
        )


def check_training_classes(estimator, X, y, sample_weight):
    """Return X (n, d), codes (n,) of the classes, weights (n,) and the classes (C,)."""
    X, y = validate_data(estimator, X, y, dtype=DTYPES)
    check_classification_targets(y)
    weight = _check_sample_weight(sample_weight, X, dtype=X.dtype, ensure_non_negative=True)
    classes, codes = np.unique(y, return_inverse=True)
    return X, codes, weight, classes


def check_class_answers(estimator, X, y):
    """Return X (n, d) and codes (n,) for a fitted classifier."""
    X, y = validate_data(estimator, X, y, reset=False, dtype=DTYPES)
    unknown = np.setdiff1d(y, estimator.classes_)
    if len(unknown):
        raise ValueError(f"y holds {unknown.tolist()}; known are {estimator.classes_.tolist()}.")
    return X, np.searchsorted(estimator.classes_, y)


def check_offset(offset, raw, dtype):
    """Return the offsets (n,) of all rows the user handed in; None means zeros."""
    n = _num_samples(raw)
    if offset is None:
        return np.zeros(n, dtype)
    offset = check_array(offset, dtype=dtype, ensure_2d=False, input_name="offset")
    if offset.shape != (n,):
        raise ValueError(f"offset has shape {offset.shape}; X asks for ({n},).")
    return offset


def check_groups(groups, raw):
    """Return the numbers (n,) of the groups of all rows the user handed in."""
    groups = column_or_1d(groups)
    check_consistent_length(raw, groups)
    return np.unique(groups, return_inverse=True)[1]


def check_rows(estimator, X, finite=True):
    """Return X (n, d) for a fitted estimator."""
    return validate_data(estimator, X, reset=False, dtype=DTYPES, ensure_all_finite=finite)


def check_answers(estimator, X, y):
    """Return X (n, d) and y (n, q) for a fitted estimator."""
    raw_q = estimator._n_targets
    X, y = validate_data(
        estimator, X, y, reset=False, dtype=DTYPES, multi_output=True, y_numeric=True
    )
    y = np.asarray(y, dtype=X.dtype).reshape(len(X), -1)
    if y.shape[1] != raw_q:
        raise ValueError(f"y has {y.shape[1]} targets; the estimator was fitted with {raw_q}.")
    return X, y
