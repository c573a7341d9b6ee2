"""Learned numbers on their way to the user's attributes."""

import numpy as np

from skmoe._math.extremes import at_an_end, within_numbers
from skmoe.estimators._warnings import warn_caller

__all__ = ["in_precision"]


def in_precision(name, value, dtype):
    """Return value in a precision; in double where it does not fit, and cut off where nothing does.

    Parameters
    ----------
    name : str
        Of the attribute, for the warning.
    value : ndarray
    dtype : dtype
        Precision of the user's data.
    """
    with np.errstate(over="ignore", under="ignore"):
        cast = value.astype(dtype)
    if at_an_end(value):
        warn_caller(
            f"{name} holds numbers beyond the numbers of {value.dtype}, which are cut off; choose "
            "other units for X or y."
        )
    fits = np.isfinite(cast).all() and ((cast == 0) == (value == 0)).all()
    return cast if fits else within_numbers(value)
