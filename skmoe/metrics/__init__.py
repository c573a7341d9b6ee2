"""Scores of predictive distributions, as functions and as scikit-learn scorers."""

from skmoe.metrics.densities import (
    binned_negative_log_likelihood,
    crps,
    interval_coverage,
    interval_width,
    negative_log_density,
)
from skmoe.metrics.scorers import (
    log_density_scorer,
    make_density_scorer,
    neg_coverage_error_scorer,
    neg_crps_scorer,
)

__all__ = [
    "binned_negative_log_likelihood",
    "crps",
    "interval_coverage",
    "interval_width",
    "log_density_scorer",
    "make_density_scorer",
    "neg_coverage_error_scorer",
    "neg_crps_scorer",
    "negative_log_density",
]
