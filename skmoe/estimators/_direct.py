"""Parameters that act on rows as they come, so that answers need no standardized copy of them."""

import numpy as np

from skmoe._math.extremes import squares_overflow
from skmoe.batches import Affine, Change

__all__ = ["acts_on", "direct_parameters"]

# A column that lies further from zero than this many of its deviations would lose digits.
LARGEST_SHIFT = 1e4
# Coefficients beyond this are those of columns in extreme units.
LARGEST_NUMBER = 1e100


def direct_parameters(mixture, theta, scaling):
    """Return theta for columns as they are and standardized answers, or None.

    None where a part cannot be translated, or where standardizing first is the more exact way.
    """
    affines = [_from_raw(each) for each in (scaling.X, scaling.X_gate)]
    if max(np.abs(each.shift).max(initial=0.0) for each in affines) > LARGEST_SHIFT:
        return None
    q = len(scaling.y.mean)
    change = Change(*affines, Affine(np.ones(q), np.zeros(q)))
    direct = mixture.translated(theta, change)
    if direct is None or not np.abs(direct.flatten()).max(initial=0.0) < LARGEST_NUMBER:
        return None
    return direct


def acts_on(seen):
    """Return whether columns (n, d) of X may be answered for as they come."""
    with np.errstate(over="ignore"):
        return seen.dtype == np.float64 and not squares_overflow(seen)


def _from_raw(standardizer):
    """Return how standardized columns follow from raw ones; constant columns become zeros."""
    ratio = np.where(standardizer.constant, 0.0, 1.0 / standardizer.scale)
    return Affine(ratio, -standardizer.mean * ratio)
