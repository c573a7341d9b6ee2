"""How many experts: criteria, cross-validation, and a test of one more."""

from skmoe.model_selection.likelihood_ratio import BootstrapTest, bootstrap_lrt
from skmoe.model_selection.n_experts import Selection, select_n_experts

__all__ = ["BootstrapTest", "Selection", "bootstrap_lrt", "select_n_experts"]
