"""Warnings that point at the line that called the package."""

import sys
import warnings

__all__ = ["warn_caller"]

_INSIDE = "skmoe.", "sklearn.callback."


def warn_caller(message, category=UserWarning):
    """Warn at the first line outside of the package and of what wraps its methods.

    Parameters
    ----------
    message : str
    category : type of Warning, default=UserWarning
    """
    level, frame = 2, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals["__name__"].startswith(_INSIDE):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)
