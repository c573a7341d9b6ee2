"""One predictive mixture out of several."""

import numpy as np

from skmoe.base import Components
from skmoe.distribution.mixture import MixtureDistribution
from skmoe.experts.concatenation import ConcatenatedComponents

__all__ = ["pooled"]


def pooled(distributions, shares=None):
    """Return the mixture of predictive mixtures of the same rows: all their components together.

    Parameters
    ----------
    distributions : sequence of MixtureDistribution
        For the same rows and outputs.
    shares : array-like of shape (m,), optional
        What each counts for; they add up to 1. None: all the same.

    Returns
    -------
    MixtureDistribution
        Its density is the mean of the densities under the shares.

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
    parts = [_in_units_of(first, each) for each in distributions]
    return MixtureDistribution(
        np.concatenate(weights, axis=1).astype(first.dtype, copy=False),
        ConcatenatedComponents(parts),
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
