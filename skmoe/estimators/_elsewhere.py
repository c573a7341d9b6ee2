"""Rows that are not numpy's: answers for them are made where they are."""

from functools import wraps
from importlib import import_module

__all__ = ["DistributionElsewhere", "anywhere"]

#: Top modules of arrays and frames -> the module that answers for them.
PLACES = {
    "dask": "skmoe.estimators._dask_answers",
    "dask_expr": "skmoe.estimators._dask_answers",
}


def anywhere(method):
    """Let a method that answers for the rows of X take them from where they are.

    Dask collections are answered for lazily, partition by partition. Any other X goes to the
    method as it is.
    """

    @wraps(method)
    def answer(self, X, *args, **kwargs):
        place = PLACES.get(type(X).__module__.partition(".")[0])
        if place is None:
            return method(self, X, *args, **kwargs)
        return import_module(place).answer(self, method, X, args, kwargs)

    return answer


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
