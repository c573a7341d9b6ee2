"""The contracts: what an expert bank, a gate, a criterion and their records promise.

Every classical estimator of the package is a sentence made of these nouns. Shapes are written with
``n`` rows, ``d`` features, ``q`` outputs and ``K`` experts; rows come first and experts last.
"""

from skmoe.base.components import Components
from skmoe.base.criterion import Criterion, Division
from skmoe.base.experts import Experts
from skmoe.base.fitter import FitResult, Fitter
from skmoe.base.gate import Gate
from skmoe.base.parameters import Parameters
from skmoe.base.part import Part
from skmoe.base.statistics import Rows, Statistics

__all__ = [
    "Components",
    "Criterion",
    "Division",
    "Experts",
    "FitResult",
    "Fitter",
    "Gate",
    "Parameters",
    "Part",
    "Rows",
    "Statistics",
]
