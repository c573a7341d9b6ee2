"""Functions of the Gamma function that stay exact where its own differences cancel."""

import numpy as np
from scipy.special import gammaln, psi

__all__ = ["gamma_excess"]

# From here on a series of three terms is exact, and a difference of functions is not.
_LARGE = 1e3


def gamma_excess(a):
    """Return a psi(a) - log Gamma(a) - a for positive a, an ndarray or a float.

    The entropy of Gamma and Dirichlet densities is made of it. It grows like log(a) / 2 while its
    terms grow like a log(a): a search that runs far off would take their rounding for a bound.
    """
    small, large = np.minimum(a, _LARGE), np.maximum(a, _LARGE)
    exact = small * psi(small) - gammaln(small) - small
    series = 0.5 * np.log(large / (2.0 * np.pi)) - 0.5 - 1.0 / (6.0 * large) + large**-3.0 / 90.0
    return np.where(a < _LARGE, exact, series)
