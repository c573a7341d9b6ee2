"""Fitters: how theta moves. One file per way, one line per name."""

from skmoe.fitters.em import EM
from skmoe.fitters.gradient import GradientAscent
from skmoe.fitters.hard import HardEM
from skmoe.fitters.online import OnlineEM

SHORT_NAMES = {
    "em": EM,
    "gradient_ascent": GradientAscent,
    "hard_em": HardEM,
    "online_em": OnlineEM,
}

__all__ = ["EM", "GradientAscent", "HardEM", "OnlineEM", "SHORT_NAMES"]
