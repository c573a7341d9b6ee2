"""The answer: one predictive mixture per row."""

from skmoe.distribution.gaussians import RowGaussians
from skmoe.distribution.mixture import MixtureDistribution

__all__ = ["MixtureDistribution", "RowGaussians"]
