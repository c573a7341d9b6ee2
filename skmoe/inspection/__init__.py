"""What people look at: tables and pictures of a fitted mixture."""

from skmoe.inspection.coefficients import CoefficientTable, coefficient_table

__all__ = ["CoefficientTable", "coefficient_table"]
