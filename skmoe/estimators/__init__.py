"""The scikit-learn face: validate, build the sentence, run it, publish what was learned."""

from skmoe._lazy import lazy_names

_HOMES = {
    "AdaptiveLocalExpertsRegressor": "skmoe.estimators.adaptive",
    "MixtureOfExpertsClassifier": "skmoe.estimators.classifier",
    "MixtureOfExpertsRegressor": "skmoe.estimators.regressor",
    "regularization_path": "skmoe.estimators.path",
    "SparseMixtureOfExpertsClassifier": "skmoe.estimators.sparse_classifier",
    "SparseMixtureOfExpertsRegressor": "skmoe.estimators.sparse_regressor",
}

__all__ = list(_HOMES)

__getattr__, __dir__ = lazy_names("skmoe.estimators", _HOMES)
