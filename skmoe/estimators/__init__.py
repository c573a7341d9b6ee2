"""The scikit-learn face: validate, build the sentence, run it, publish what was learned."""

from skmoe.estimators.regressor import MixtureOfExpertsRegressor
from skmoe.estimators.sparse_classifier import SparseMixtureOfExpertsClassifier
from skmoe.estimators.sparse_regressor import SparseMixtureOfExpertsRegressor

__all__ = [
    "MixtureOfExpertsRegressor",
    "SparseMixtureOfExpertsClassifier",
    "SparseMixtureOfExpertsRegressor",
]
