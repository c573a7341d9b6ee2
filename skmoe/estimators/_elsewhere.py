"""Rows that are not numpy's: answers for them are made where they are."""

from functools import wraps
from importlib import import_module

import numpy as np
from sklearn import get_config

from skmoe._math.array_api import is_elsewhere, view

__all__ = ["DistributionElsewhere", "anywhere", "at_home", "is_on_a_device"]

# Top modules of lazy collections.
LAZY = "dask", "dask_expr"


def anywhere(method):
    """Let a method that answers for the rows of X take them from where they are.

    Dask collections are answered for lazily, partition by partition; arrays of other libraries
    with arrays of their own, where scikit-learn's ``array_api_dispatch`` is on. Any other X goes
    to the method as it is.
    """

    @wraps(method)
    def answer(self, X, *args, **kwargs):
        place = _place_of(X)
        if place is None:
            return method(self, X, *args, **kwargs)
        # Imported where they are wanted, like the libraries that they need.
        module = import_module(f"skmoe.estimators.{place}")
        return module.answer(self, method, X, args, kwargs)

    return answer


def _place_of(X):
    if isinstance(X, np.ndarray):
        return None
    if type(X).__module__.partition(".")[0] in LAZY:
        return "_dask_answers"
    return "_device_answers" if is_on_a_device(X) else None


def is_on_a_device(X):
    """Return whether X is an array of another library, to be treated as such."""
    return is_elsewhere(X) and get_config().get("array_api_dispatch", False)


def at_home(array):
    """Return an array as numpy's, without a copy where the computer's memory holds it.

    Raises
    ------
    ValueError
        For arrays on other devices that cannot be moved.
    """
    if not is_elsewhere(array):
        return array
    try:
        return view(array)
    except (RuntimeError, TypeError, ValueError) as error:
        raise ValueError(
            f"X is on the device {array.device!r}, which this mixture cannot use: {error}"
        ) from error


class DistributionElsewhere:
    """The predictive mixture of rows that are elsewhere: what a `MixtureDistribution` answers.

    Parameters
    ----------
    ask : callable
        ``ask(name, *args, **kwargs)`` returns the answer of a method where the rows are. Arrays in
        ``args`` have an entry for each row.
    """

    def __init__(self, ask):
        self._ask = ask

    def mean(self):
        """Return the means."""
        return self._ask("mean")

    def var(self):
        """Return the variances."""
        return self._ask("var")

    def std(self):
        """Return the standard deviations."""
        return self._ask("std")

    def covariance(self):
        """Return the covariances of the outputs."""
        return self._ask("covariance")

    def median(self):
        """Return the medians."""
        return self._ask("median")

    def mode(self):
        """Return the modes."""
        return self._ask("mode")

    def pdf(self, y):
        """Return the densities at y."""
        return self._ask("pdf", y)

    def logpdf(self, y):
        """Return the log-densities at y."""
        return self._ask("logpdf", y)

    def cdf(self, y):
        """Return the distribution functions at y."""
        return self._ask("cdf", y)

    def ppf(self, q):
        """Return the quantiles at the levels q."""
        return self._ask("ppf", q=q)

    def interval(self, confidence=0.95):
        """Return the ends of the central intervals."""
        return self._ask("interval", confidence=confidence)

    def rvs(self, size=1, random_state=None):
        """Draw at random."""
        return self._ask("rvs", size=size, random_state=random_state)
