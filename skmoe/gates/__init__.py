"""Gates: whom to ask. One file per kind, one line per name."""

from skmoe.gates.bayesian_softmax import BayesianSoftmaxGate
from skmoe.gates.bayesian_tree import BayesianTreeGate
from skmoe.gates.constant import ConstantGate
from skmoe.gates.dirichlet import DirichletGate
from skmoe.gates.estimator import EstimatorGate
from skmoe.gates.floored import FlooredGate
from skmoe.gates.localized import LocalizedGate
from skmoe.gates.mlp import MLPGate
from skmoe.gates.softmax import SoftmaxGate
from skmoe.gates.tree import TreeGate

SHORT_NAMES = {
    "bayesian_softmax": BayesianSoftmaxGate,
    "bayesian_tree": BayesianTreeGate,
    "constant": ConstantGate,
    "dirichlet": DirichletGate,
    "localized": LocalizedGate,
    "mlp": MLPGate,
    "softmax": SoftmaxGate,
    "tree": TreeGate,
}

__all__ = [
    "BayesianSoftmaxGate",
    "BayesianTreeGate",
    "ConstantGate",
    "DirichletGate",
    "EstimatorGate",
    "FlooredGate",
    "LocalizedGate",
    "MLPGate",
    "SHORT_NAMES",
    "SoftmaxGate",
    "TreeGate",
]
