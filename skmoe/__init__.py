"""Mixtures of experts in scikit-learn's style."""

from skmoe._lazy import lazy_names
from skmoe._version import __version__

# Public name -> where it lives; ``import skmoe`` costs nothing for what is not used.
_HOMES = {
    "AdaptiveLocalExpertsRegressor": "skmoe.estimators",
    "MixtureDistribution": "skmoe.distribution",
    "MixtureOfExpertsClassifier": "skmoe.estimators",
    "MixtureOfExpertsRegressor": "skmoe.estimators",
    "regularization_path": "skmoe.estimators",
    "SparseMixtureOfExpertsClassifier": "skmoe.estimators",
    "SparseMixtureOfExpertsRegressor": "skmoe.estimators",
}
_MODULES = (
    "batches",
    "criteria",
    "datasets",
    "errors",
    "estimators",
    "experts",
    "fitters",
    "gates",
    "inspection",
    "neural",
)

__all__ = ["__version__", *_HOMES]

__getattr__, __dir__ = lazy_names("skmoe", _HOMES, _MODULES)
