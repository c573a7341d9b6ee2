"""What people look at: tables and pictures of a fitted mixture."""

from skmoe.inspection.coefficients import CoefficientTable, coefficient_table
from skmoe.inspection.experts_display import ExpertsDisplay
from skmoe.inspection.gate_display import GateDisplay
from skmoe.inspection.load_display import LoadDisplay
from skmoe.inspection.predictive_display import PredictiveDisplay
from skmoe.inspection.training_display import TrainingDisplay
from skmoe.inspection.tree_display import TreeDisplay
from skmoe.inspection.trees import export_text

__all__ = [
    "CoefficientTable",
    "ExpertsDisplay",
    "GateDisplay",
    "LoadDisplay",
    "PredictiveDisplay",
    "TrainingDisplay",
    "TreeDisplay",
    "coefficient_table",
    "export_text",
]
