"""Gates: whom to ask. One file per kind, one line per name."""

from skmoe.gates.constant import ConstantGate
from skmoe.gates.estimator import EstimatorGate
from skmoe.gates.softmax import SoftmaxGate

SHORT_NAMES = {
    "constant": ConstantGate,
    "softmax": SoftmaxGate,
}

__all__ = ["ConstantGate", "EstimatorGate", "SHORT_NAMES", "SoftmaxGate"]
