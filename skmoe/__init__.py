"""Mixtures of experts in scikit-learn's style."""

from typing import TYPE_CHECKING

from skmoe._lazy import lazy_names
from skmoe._version import __version__

if TYPE_CHECKING:  # What type checkers cannot look up; a test holds it against _HOMES.
    from skmoe.distribution import MixtureDistribution as MixtureDistribution
    from skmoe.estimators import AdaptiveLocalExpertsRegressor as AdaptiveLocalExpertsRegressor
    from skmoe.estimators import (
        BayesianMixtureOfExpertsClassifier as BayesianMixtureOfExpertsClassifier,
    )
    from skmoe.estimators import (
        BayesianMixtureOfExpertsRegressor as BayesianMixtureOfExpertsRegressor,
    )
    from skmoe.estimators import (
        HierarchicalMixtureOfExpertsClassifier as HierarchicalMixtureOfExpertsClassifier,
    )
    from skmoe.estimators import (
        HierarchicalMixtureOfExpertsRegressor as HierarchicalMixtureOfExpertsRegressor,
    )
    from skmoe.estimators import MetaPiClassifier as MetaPiClassifier
    from skmoe.estimators import MetaPiRegressor as MetaPiRegressor
    from skmoe.estimators import MixtureOfExpertsClassifier as MixtureOfExpertsClassifier
    from skmoe.estimators import MixtureOfExpertsEnsemble as MixtureOfExpertsEnsemble
    from skmoe.estimators import MixtureOfExpertsRegressor as MixtureOfExpertsRegressor
    from skmoe.estimators import MixtureOfSoftmaxesClassifier as MixtureOfSoftmaxesClassifier
    from skmoe.estimators import (
        SparseMixtureOfExpertsClassifier as SparseMixtureOfExpertsClassifier,
    )
    from skmoe.estimators import SparseMixtureOfExpertsRegressor as SparseMixtureOfExpertsRegressor
    from skmoe.estimators import TimeDelayClassifier as TimeDelayClassifier
    from skmoe.estimators import regularization_path as regularization_path

# Public name -> where it lives; ``import skmoe`` costs nothing for what is not used.
_HOMES = {
    "AdaptiveLocalExpertsRegressor": "skmoe.estimators",
    "BayesianMixtureOfExpertsClassifier": "skmoe.estimators",
    "BayesianMixtureOfExpertsRegressor": "skmoe.estimators",
    "HierarchicalMixtureOfExpertsClassifier": "skmoe.estimators",
    "HierarchicalMixtureOfExpertsRegressor": "skmoe.estimators",
    "MetaPiClassifier": "skmoe.estimators",
    "MetaPiRegressor": "skmoe.estimators",
    "MixtureDistribution": "skmoe.distribution",
    "MixtureOfExpertsClassifier": "skmoe.estimators",
    "MixtureOfExpertsEnsemble": "skmoe.estimators",
    "MixtureOfExpertsRegressor": "skmoe.estimators",
    "MixtureOfSoftmaxesClassifier": "skmoe.estimators",
    "regularization_path": "skmoe.estimators",
    "SparseMixtureOfExpertsClassifier": "skmoe.estimators",
    "SparseMixtureOfExpertsRegressor": "skmoe.estimators",
    "TimeDelayClassifier": "skmoe.estimators",
}
_MODULES = (
    "batches",
    "criteria",
    "datasets",
    "errors",
    "estimators",
    "experts",
    "features",
    "fitters",
    "gates",
    "inspection",
    "metrics",
    "model_selection",
    "neural",
)

__all__ = ["__version__", *_HOMES]

__getattr__, __dir__ = lazy_names("skmoe", _HOMES, _MODULES)
