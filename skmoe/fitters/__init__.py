"""Fitters: how theta moves. One file per way, one line per name."""

from skmoe.fitters.em import EM

SHORT_NAMES = {
    "em": EM,
}

__all__ = ["EM", "SHORT_NAMES"]
