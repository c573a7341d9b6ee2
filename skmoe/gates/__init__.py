"""Gates: whom to ask. One file per kind, one line per name."""

from skmoe.gates.constant import ConstantGate
from skmoe.gates.softmax import SoftmaxGate

SHORT_NAMES = {
    "constant": ConstantGate,
    "softmax": SoftmaxGate,
}

__all__ = ["ConstantGate", "SHORT_NAMES", "SoftmaxGate"]
