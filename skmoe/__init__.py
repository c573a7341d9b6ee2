"""Mixtures of experts in scikit-learn's style."""

from skmoe._version import __version__
from skmoe.distribution import MixtureDistribution
from skmoe.estimators import MixtureOfExpertsClassifier, MixtureOfExpertsRegressor

__all__ = [
    "MixtureDistribution",
    "MixtureOfExpertsClassifier",
    "MixtureOfExpertsRegressor",
    "__version__",
]
