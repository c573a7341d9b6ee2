"""Checks of what users hand in; messages name the argument, the value and what is allowed."""

import numpy as np
from sklearn.utils.validation import _check_sample_weight, validate_data

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
    if len(X) < estimator.n_experts:
        raise ValueError(
            f"n_experts={estimator.n_experts} needs at least as many rows of positive weight; "
            f"X has n_samples={len(X)} of them."
        )
    y = np.asarray(y, dtype=X.dtype)
    return X, y.reshape(len(y), -1), weight, y.ndim == 1, kept


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
