"""Scores of predictive distributions as scikit-learn's tools want them."""

from skmoe.metrics.densities import crps, interval_coverage, negative_log_density

__all__ = [
    "DensityScorer",
    "log_density_scorer",
    "make_density_scorer",
    "neg_coverage_error_scorer",
    "neg_crps_scorer",
]


class DensityScorer:
    """A score of ``estimator.predict_distribution(X)`` for ``scoring=``; greater is better.

    Parameters
    ----------
    score : callable
        ``score(y_true, distribution, sample_weight=None, **kwargs)``.
    sign : {1, -1}
        -1 where less is better.
    kwargs : dict
        What else the score is told.
    """

    def __init__(self, score, sign, kwargs):
        self.score, self.sign, self.kwargs = score, sign, kwargs

    def __call__(self, estimator, X, y_true, sample_weight=None):
        """Return the signed score of an estimator's predictions for X, a float."""
        distribution = estimator.predict_distribution(X)
        value = self.score(y_true, distribution, sample_weight=sample_weight, **self.kwargs)
        return self.sign * value

    def __repr__(self):
        told = "".join(f", {name}={value!r}" for name, value in self.kwargs.items())
        better = "" if self.sign == 1 else ", greater_is_better=False"
        return f"make_density_scorer({self.score.__name__}{better}{told})"


def make_density_scorer(score, *, greater_is_better=False, **kwargs):
    """Return a scorer for scikit-learn's ``scoring=`` from a score of `skmoe.metrics`.

    Parameters
    ----------
    score : callable
        ``score(y_true, distribution, sample_weight=None, **kwargs)``, as those of `skmoe.metrics`.
    greater_is_better : bool, default=False
        If not, the scorer hands out the score with the sign changed.
    **kwargs : dict
        What else the score is told: ``width`` or ``confidence``, say.

    Returns
    -------
    callable
        ``scorer(estimator, X, y, sample_weight=None)``, for any estimator with
        ``predict_distribution``.

    Examples
    --------
    >>> from sklearn.model_selection import GridSearchCV
    >>> from skmoe import MixtureOfExpertsRegressor
    >>> from skmoe.datasets import make_mixture_of_experts
    >>> from skmoe.metrics import binned_negative_log_likelihood, make_density_scorer
    >>> X, y, _ = make_mixture_of_experts(400, 1, 3, random_state=0)
    >>> est = MixtureOfExpertsRegressor(n_init=4, random_state=0)
    >>> scorer = make_density_scorer(binned_negative_log_likelihood, width=0.1)
    >>> GridSearchCV(est, {"n_experts": [1, 3]}, scoring=scorer).fit(X, y).best_params_
    {'n_experts': 3}
    """
    return DensityScorer(score, 1 if greater_is_better else -1, kwargs)


def _coverage_error(y_true, distribution, *, confidence=0.9, sample_weight=None):
    coverage = interval_coverage(
        y_true, distribution, confidence=confidence, sample_weight=sample_weight
    )
    return abs(coverage - confidence)


#: Mean log-density of the rows.
log_density_scorer = make_density_scorer(negative_log_density)
#: Minus the mean continuous ranked probability score.
neg_crps_scorer = make_density_scorer(crps)
#: Minus how far the coverage of 90% intervals is from 90%.
neg_coverage_error_scorer = make_density_scorer(_coverage_error)
