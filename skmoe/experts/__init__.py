"""Expert banks. One file per family, one line per name."""

from skmoe.experts.constant import ConstantExperts
from skmoe.experts.linear import LinearExperts

SHORT_NAMES = {
    "constant": ConstantExperts,
    "linear": LinearExperts,
}

__all__ = ["SHORT_NAMES", "ConstantExperts", "LinearExperts"]
