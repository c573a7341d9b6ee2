"""Mixtures of experts in scikit-learn's style."""

from importlib import import_module

from skmoe._version import __version__

# Public name -> where it lives. Names are imported when they are first asked for, so that
# ``import skmoe`` costs nothing for what is not used.
_HOMES = {
    "AdaptiveLocalExpertsRegressor": "skmoe.estimators",
    "MixtureDistribution": "skmoe.distribution",
    "MixtureOfExpertsClassifier": "skmoe.estimators",
    "MixtureOfExpertsRegressor": "skmoe.estimators",
}
_SUBPACKAGES = (
    "batches",
    "criteria",
    "datasets",
    "errors",
    "experts",
    "fitters",
    "gates",
    "inspection",
)

__all__ = ["__version__", *_HOMES]


def __getattr__(name):
    if name in _HOMES:
        value = getattr(import_module(_HOMES[name]), name)
    elif name in _SUBPACKAGES:
        value = import_module(f"skmoe.{name}")
    else:
        raise AttributeError(f"module 'skmoe' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__():
    return sorted([*__all__, *_SUBPACKAGES])
