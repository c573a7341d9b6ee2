"""Pairs of classes, and up to how many classes their curvatures are worth keeping."""

from functools import lru_cache

import numpy as np

# Up to this many classes a regression keeps the curvature of every pair. Beyond, pairs cost more
# than they save passes: measured, the two kinds of step take the same time at about 8 classes.
MOST_PAIRED = 6


@lru_cache
def pairs(n_classes):
    """Return the numbers (P,), (P,) of the classes of every pair j < k."""
    return np.triu_indices(n_classes, k=1)
