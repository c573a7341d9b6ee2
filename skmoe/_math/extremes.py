"""Numbers near the ends of what a precision can hold."""

import numpy as np

# Rows whose squares overflow are brought back to this power of the largest number: far from any
# data, and near enough that squares remain numbers when a small variance divides them.
_POWER = 0.35
_NUMBERS = np.finfo(np.float64)
_LOG_ENDS = np.log(_NUMBERS.tiny), np.log(_NUMBERS.max) - 1e-3


def squares_overflow(A):
    """Return whether the squares of the entries of A, contiguous, add up to infinity."""
    flat = A.ravel(order="K")
    return not np.isfinite(np.dot(flat, flat))


def far_rows(A, mean, scale):
    """Return (A - mean) / scale, (n, d), with rows out of reach pulled in along their direction.

    Parameters
    ----------
    A : ndarray of shape (n, d)
        Finite numbers.
    mean, scale : ndarray of shape (d,)
    """
    # Halves do not overflow in a difference, logarithms not in a quotient.
    half = 0.5 * A.astype(np.float64) - 0.5 * mean
    with np.errstate(divide="ignore"):
        size = np.log(np.abs(half)) - np.log(0.5 * scale)
    reach = _POWER * np.log(np.finfo(A.dtype).max)
    beyond = np.maximum(size.max(axis=1, initial=0.0) - reach, 0.0)
    return (np.sign(half) * np.exp(size - beyond[:, None])).astype(A.dtype)


def within_numbers(values):
    """Return values with infinities replaced by the largest finite numbers of their precision."""
    return values if np.isfinite(values).all() else np.nan_to_num(values, nan=np.nan)


def positive_numbers(logs):
    """Return exp(logs), kept between the least and the largest positive float64."""
    return np.exp(np.clip(logs, *_LOG_ENDS))


def at_an_end(values):
    """Return whether any of the values is as large or as small as float64 can be."""
    size = np.abs(values)
    return bool(
        ((size >= 0.99 * _NUMBERS.max) | ((size > 0) & (size <= 1.01 * _NUMBERS.tiny))).any()
    )


def spread_of(centered, share):
    """Return the standard deviations (d,) of centered columns (n, d) under shares (n,) of rows.

    The squares of very large and very small columns are taken in units of their own.
    """
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        variance = share @ np.square(centered, dtype=np.float64)
    scale = np.sqrt(variance)
    odd = ~np.isfinite(variance) | (variance < _NUMBERS.tiny / _NUMBERS.eps)
    if odd.any():
        columns = centered[:, odd]
        unit = np.abs(columns).max(axis=0)
        unit[unit == 0.0] = 1.0
        scale[odd] = unit * np.sqrt(share @ np.square(columns / unit))
    return scale
