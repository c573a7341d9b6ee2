"""Is one more expert worth it? A likelihood-ratio test whose distribution is drawn."""

import warnings
from dataclasses import dataclass

import numpy as np
from joblib import Parallel, delayed
from sklearn.base import BaseEstimator, clone
from sklearn.utils import check_random_state

from skmoe._math.checks import check_count

__all__ = ["BootstrapTest", "bootstrap_lrt"]


@dataclass(frozen=True, eq=False, repr=False)
class BootstrapTest:
    """K against K + 1 experts.

    Attributes
    ----------
    n_experts : int
        K, what the null hypothesis says.
    statistic : float
        2 (l_{K+1} - l_K), twice the gain in log-likelihood.
    p_value : float
    draws : ndarray of shape (n_bootstrap,)
        The statistic of data drawn from the fit of K experts.
    null_estimator_, estimator_ : fitted estimators
        Of K and of K + 1 experts.

    Examples
    --------
    >>> from skmoe import MixtureOfExpertsRegressor
    >>> from skmoe.datasets import make_mixture_of_experts
    >>> from skmoe.model_selection import bootstrap_lrt
    >>> X, y, _ = make_mixture_of_experts(300, 1, 2, random_state=0)
    >>> est = MixtureOfExpertsRegressor(1, n_init=1, random_state=0)
    >>> test = bootstrap_lrt(est, X, y, n_bootstrap=9, random_state=0)
    >>> test.n_experts, len(test.draws), test.statistic > 0
    (1, 9, True)
    """

    n_experts: int
    statistic: float
    p_value: float
    draws: np.ndarray
    null_estimator_: BaseEstimator
    estimator_: BaseEstimator

    def __str__(self):
        return (
            f"{self.n_experts} against {self.n_experts + 1} experts: "
            f"2 log(likelihood ratio) = {self.statistic:.2f}, p = {self.p_value:.3g} "
            f"({len(self.draws)} draws, median {np.median(self.draws):.2f})"
        )

    __repr__ = __str__


def bootstrap_lrt(
    estimator, X, y, *, n_experts=None, n_bootstrap=99, random_state=None, n_jobs=None
):
    """Test K experts against K + 1 by a parametric bootstrap of the likelihood ratio.

    Parameters
    ----------
    estimator : mixture of experts
        It is cloned; all but ``n_experts`` stays as it is.
    X : array-like of shape (n_samples, n_features)
        Rows to fit.
    y : array-like of shape (n_samples,) or (n_samples, n_targets)
        Their answers.
    n_experts : int or None, default=None
        K; None is the estimator's.
    n_bootstrap : int, default=99
        Data sets that are drawn, and fitted twice each.
    random_state : int, RandomState or None, default=None
        Seed of the draws.
    n_jobs : int or None, default=None
        Draws worked on side by side, by joblib. Results do not depend on it.

    Returns
    -------
    BootstrapTest
        Statistic, p-value, draws and both fits.

    Raises
    ------
    ValueError, TypeError
        For arguments that are not allowed; the message names them.

    Notes
    -----
    Under the null hypothesis a parameter lies on its bound or is not identified, so that the
    statistic has no chi-squared distribution. Answers drawn from the fit of K experts, fitted anew
    by K and by K + 1, have the statistic's own; p = (1 + #{draws >= statistic}) / (1 + B).

    References
    ----------
    McLachlan (1987), On bootstrapping the likelihood ratio test statistic for the number of
    components in a normal mixture.

    Examples
    --------
    >>> from skmoe import MixtureOfExpertsRegressor
    >>> from skmoe.datasets import make_mixture_of_experts
    >>> from skmoe.model_selection import bootstrap_lrt
    >>> X, y, _ = make_mixture_of_experts(200, 1, 2, random_state=1)
    >>> est = MixtureOfExpertsRegressor(1, n_init=2, random_state=0)
    >>> bootstrap_lrt(est, X, y, n_bootstrap=9, random_state=0).p_value
    0.1
    """
    n_experts = estimator.n_experts if n_experts is None else n_experts
    check_count("n_experts", n_experts)
    check_count("n_bootstrap", n_bootstrap)
    null, other = _fits(estimator, n_experts, X, y)
    statistic = _statistic(null, other, X, y)
    rng = check_random_state(random_state)
    seeds = rng.randint(np.iinfo(np.int32).max, size=n_bootstrap)
    draws = np.array(
        Parallel(n_jobs=n_jobs)(
            delayed(_draw)(estimator, null, n_experts, X, int(seed)) for seed in seeds
        )
    )
    p_value = float((1 + np.count_nonzero(draws >= statistic)) / (1 + n_bootstrap))
    return BootstrapTest(n_experts, statistic, p_value, draws, null, other)


def _fits(estimator, n_experts, X, y):
    """Return fits of K and of K + 1 experts."""
    return [clone(estimator).set_params(n_experts=K).fit(X, y) for K in (n_experts, n_experts + 1)]


def _statistic(null, other, X, y):
    return 2.0 * (other.log_likelihood(X, y) - null.log_likelihood(X, y))


def _draw(estimator, null, n_experts, X, seed):
    """Return the statistic of answers drawn from the null hypothesis."""
    y = null.sample(X, random_state=seed)
    with warnings.catch_warnings():
        # What one expert too many lacks is no news to whoever tests for it.
        warnings.simplefilter("ignore")
        return _statistic(*_fits(estimator, n_experts, X, y), X, y)
