"""Mixtures of experts in scikit-learn's style."""

from skmoe._version import __version__
from skmoe.distribution import MixtureDistribution
from skmoe.estimators import (
    MixtureOfExpertsRegressor,
    SparseMixtureOfExpertsClassifier,
    SparseMixtureOfExpertsRegressor,
)

__all__ = [
    "MixtureDistribution",
    "MixtureOfExpertsRegressor",
    "SparseMixtureOfExpertsClassifier",
    "SparseMixtureOfExpertsRegressor",
    "__version__",
]
