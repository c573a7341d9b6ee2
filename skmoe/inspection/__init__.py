"""What people look at: tables and pictures of a fitted mixture."""

from skmoe.inspection.coefficients import CoefficientTable, coefficient_table
from skmoe.inspection.trees import export_text

__all__ = ["CoefficientTable", "coefficient_table", "export_text"]
