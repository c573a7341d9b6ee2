"""One predictive mixture out of several."""

import numpy as np

from skmoe.base import Components
from skmoe.distribution.mixture import MixtureDistribution
from skmoe.experts.concatenation import ConcatenatedComponents

__all__ = ["pooled"]


def pooled(distributions, shares=None, spread=1.0):
    """Return the mixture of predictive mixtures of the same rows: all their components together.

    Parameters
    ----------
    distributions : sequence of MixtureDistribution
        For the same rows and outputs.
    shares : array-like of shape (m,), optional
        What each counts for; they add up to 1. None: all the same.
    spread : float, default=1.0
        Components are made so many times as wide, around their own means.

    Returns
    -------
    MixtureDistribution
        Its density is the mean of the densities under the shares.

    Notes
    -----
    Where distributions differ in their means, their mixture is wider than each of them: a pool of
    calibrated members is too wide, and a spread below 1 makes up for it.

    References
    ----------
    Gneiting and Ranjan (2013), Combining predictive distributions: the spread-adjusted linear pool.

    Examples
    --------
    >>> from skmoe.distribution import MixtureDistribution, RowGaussians, pooled
    >>> one = MixtureDistribution([[1.0]], RowGaussians([[[0.0]]], [[[1.0]]]), loc=2.0)
    >>> two = MixtureDistribution([[1.0]], RowGaussians([[[0.0]]], [[[1.0]]]), loc=4.0, scale=3.0)
    >>> pooled([one, two]).mean(), pooled([one, two]).pdf(2.0).round(3)
    (array([3.]), array([0.253]))
    """
    first = distributions[0]
    if shares is None:
        shares = np.full(len(distributions), 1.0 / len(distributions))
    weights = [share * each.weights for share, each in zip(shares, distributions, strict=True)]
    components = ConcatenatedComponents([_in_units_of(first, each) for each in distributions])
    return MixtureDistribution(
        np.concatenate(weights, axis=1).astype(first.dtype, copy=False),
        components if spread == 1.0 else _Spread(components, spread),
        loc=first.loc,
        scale=first.scale,
        squeeze=first.squeeze,
    )


def _in_units_of(first, other):
    """Return the components of one distribution in the units of another one's."""
    scale, loc = other.scale / first.scale, (other.loc - first.loc) / first.scale
    if (scale == 1.0).all() and (loc == 0.0).all():
        return other.components
    return _Remeasured(other.components, loc, scale)


class _Remeasured(Components):
    """The components of ``loc + scale * y``, for loc and positive scale (q,)."""

    def __init__(self, inner, loc, scale):
        self.inner, self.loc, self.scale = inner, loc, scale

    @property
    def shape(self):
        return self.inner.shape

    def take(self, rows):
        """Return the components of the given rows: an index array of shape (p,) or a slice."""
        return _Remeasured(self.inner.take(rows), self.loc, self.scale)

    def gaussians(self):
        """Return means and deviations, (n, K, q) each, or None."""
        found = self.inner.gaussians()
        return found and (self.loc + self.scale * found[0], self.scale * found[1])

    def log_prob(self, y):
        return self.inner.log_prob((y - self.loc) / self.scale) - np.log(self.scale).sum()

    def mean(self):
        return self.loc + self.scale * self.inner.mean()

    def covariance(self):
        return self.inner.covariance() * np.outer(self.scale, self.scale)

    def cdf(self, y):
        return self.inner.cdf((y - self.loc) / self.scale)

    def ppf(self, q):
        return self.loc + self.scale * self.inner.ppf(q)

    def sample(self, expert, rng):
        return self.loc + self.scale * self.inner.sample(expert, rng)


class _Spread(Components):
    """Components whose answers lie ``factor`` times as far from their means."""

    def __init__(self, inner, factor):
        self.inner, self.factor = inner, factor

    @property
    def shape(self):
        return self.inner.shape

    def take(self, rows):
        """Return the components of the given rows: an index array of shape (p,) or a slice."""
        return _Spread(self.inner.take(rows), self.factor)

    def gaussians(self):
        """Return means and deviations, (n, K, q) each, or None."""
        found = self.inner.gaussians()
        return found and (found[0], self.factor * found[1])

    def log_prob(self, y):
        return self.inner.log_prob(self._nearer(y)) - self.shape[2] * np.log(self.factor)

    def mean(self):
        return self.inner.mean()

    def covariance(self):
        return self.inner.covariance() * self.factor**2

    def cdf(self, y):
        return self.inner.cdf(self._nearer(y))

    def ppf(self, q):
        mean = self.inner.mean()
        return mean + self.factor * (self.inner.ppf(q) - mean)

    def sample(self, expert, rng):
        mean = self.inner.mean()[np.arange(self.shape[0]), expert]
        return mean + self.factor * (self.inner.sample(expert, rng) - mean)

    def _nearer(self, y):
        mean = self.inner.mean()
        return mean + (y - mean) / self.factor
