"""The scikit-learn face: validate, build the sentence, run it, publish what was learned."""

from skmoe.estimators.adaptive import AdaptiveLocalExpertsRegressor
from skmoe.estimators.classifier import MixtureOfExpertsClassifier
from skmoe.estimators.regressor import MixtureOfExpertsRegressor

__all__ = [
    "AdaptiveLocalExpertsRegressor",
    "MixtureOfExpertsClassifier",
    "MixtureOfExpertsRegressor",
]
