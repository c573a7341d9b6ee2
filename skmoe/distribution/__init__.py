"""The answer: one predictive mixture per row."""

from skmoe.distribution.gaussians import RowGaussians
from skmoe.distribution.mixture import MixtureDistribution
from skmoe.distribution.pool import pooled

__all__ = ["MixtureDistribution", "RowGaussians", "pooled"]
