"""The scikit-learn face: validate, build the sentence, run it, publish what was learned."""

from typing import TYPE_CHECKING

from skmoe._lazy import lazy_names

if TYPE_CHECKING:  # What type checkers cannot look up; a test holds it against _HOMES.
    from skmoe.estimators.adaptive import (
        AdaptiveLocalExpertsRegressor as AdaptiveLocalExpertsRegressor,
    )
    from skmoe.estimators.bayesian import (
        BayesianMixtureOfExpertsClassifier as BayesianMixtureOfExpertsClassifier,
    )
    from skmoe.estimators.bayesian import (
        BayesianMixtureOfExpertsRegressor as BayesianMixtureOfExpertsRegressor,
    )
    from skmoe.estimators.classifier import MixtureOfExpertsClassifier as MixtureOfExpertsClassifier
    from skmoe.estimators.ensemble import MixtureOfExpertsEnsemble as MixtureOfExpertsEnsemble
    from skmoe.estimators.hierarchical_classifier import (
        HierarchicalMixtureOfExpertsClassifier as HierarchicalMixtureOfExpertsClassifier,
    )
    from skmoe.estimators.hierarchical_regressor import (
        HierarchicalMixtureOfExpertsRegressor as HierarchicalMixtureOfExpertsRegressor,
    )
    from skmoe.estimators.meta_pi_classifier import MetaPiClassifier as MetaPiClassifier
    from skmoe.estimators.meta_pi_regressor import MetaPiRegressor as MetaPiRegressor
    from skmoe.estimators.path import regularization_path as regularization_path
    from skmoe.estimators.regressor import MixtureOfExpertsRegressor as MixtureOfExpertsRegressor
    from skmoe.estimators.softmaxes_classifier import (
        MixtureOfSoftmaxesClassifier as MixtureOfSoftmaxesClassifier,
    )
    from skmoe.estimators.sparse_classifier import (
        SparseMixtureOfExpertsClassifier as SparseMixtureOfExpertsClassifier,
    )
    from skmoe.estimators.sparse_regressor import (
        SparseMixtureOfExpertsRegressor as SparseMixtureOfExpertsRegressor,
    )
    from skmoe.estimators.time_delay_classifier import TimeDelayClassifier as TimeDelayClassifier

_HOMES = {
    "AdaptiveLocalExpertsRegressor": "skmoe.estimators.adaptive",
    "BayesianMixtureOfExpertsClassifier": "skmoe.estimators.bayesian",
    "BayesianMixtureOfExpertsRegressor": "skmoe.estimators.bayesian",
    "HierarchicalMixtureOfExpertsClassifier": "skmoe.estimators.hierarchical_classifier",
    "HierarchicalMixtureOfExpertsRegressor": "skmoe.estimators.hierarchical_regressor",
    "MetaPiClassifier": "skmoe.estimators.meta_pi_classifier",
    "MetaPiRegressor": "skmoe.estimators.meta_pi_regressor",
    "MixtureOfExpertsClassifier": "skmoe.estimators.classifier",
    "MixtureOfExpertsEnsemble": "skmoe.estimators.ensemble",
    "MixtureOfExpertsRegressor": "skmoe.estimators.regressor",
    "MixtureOfSoftmaxesClassifier": "skmoe.estimators.softmaxes_classifier",
    "regularization_path": "skmoe.estimators.path",
    "SparseMixtureOfExpertsClassifier": "skmoe.estimators.sparse_classifier",
    "SparseMixtureOfExpertsRegressor": "skmoe.estimators.sparse_regressor",
    "TimeDelayClassifier": "skmoe.estimators.time_delay_classifier",
}

__all__ = list(_HOMES)

__getattr__, __dir__ = lazy_names("skmoe.estimators", _HOMES)
