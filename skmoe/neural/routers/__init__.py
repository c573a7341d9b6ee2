"""Routers: which experts see which rows, and with what weight."""

from skmoe.neural.routers.assignment import balanced_assignment
from skmoe.neural.routers.balance import BiasUpdate, Importance, Load, SmoothLoad, SwitchLoss, ZLoss
from skmoe.neural.routers.base import Router
from skmoe.neural.routers.capacity import Capacity
from skmoe.neural.routers.conditional import ConditionalRouter
from skmoe.neural.routers.hashing import HashRouter
from skmoe.neural.routers.hierarchical import HierarchicalRouter
from skmoe.neural.routers.presets import SHORT_NAMES, Preset, build_router
from skmoe.neural.routers.router import TokenRouter
from skmoe.neural.routers.scores import CosineScore, LinearScore, MLPScore, NoisyScore
from skmoe.neural.routers.selection import All, Assignment, ExpertChoice, Quota, Sample, TopK
from skmoe.neural.routers.soft import SoftRouter

__all__ = [
    "SHORT_NAMES",
    "All",
    "Assignment",
    "BiasUpdate",
    "Capacity",
    "ConditionalRouter",
    "CosineScore",
    "ExpertChoice",
    "HashRouter",
    "HierarchicalRouter",
    "Importance",
    "LinearScore",
    "Load",
    "MLPScore",
    "NoisyScore",
    "Preset",
    "Quota",
    "Router",
    "Sample",
    "SmoothLoad",
    "SoftRouter",
    "SwitchLoss",
    "TokenRouter",
    "TopK",
    "ZLoss",
    "balanced_assignment",
    "build_router",
]
