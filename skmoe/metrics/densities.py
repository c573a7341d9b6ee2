"""Scores of predictive distributions."""

import numpy as np

from skmoe.distribution.crps import integrated_crps

__all__ = [
    "binned_negative_log_likelihood",
    "crps",
    "interval_coverage",
    "interval_width",
    "negative_log_density",
]

# Levels at whose quantiles other distributions than ours are integrated piece by piece.
LEVELS = np.concatenate(
    [[1e-7, 1e-5, 1e-3], np.linspace(0.01, 0.99, 50), 1.0 - np.array([1e-3, 1e-5, 1e-7])]
)


def negative_log_density(y_true, distribution, *, sample_weight=None):
    """Return the mean of -log p(y): what is lost, in nats a row, by not knowing y.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,) or (n_samples, n_targets)
        What was observed.
    distribution : MixtureDistribution or frozen `scipy.stats` distribution
        What was predicted for these rows.
    sample_weight : array-like of shape (n_samples,), optional
        Weights of the rows.

    Returns
    -------
    float
        Nats; changes by log c if y is measured in units c times smaller.

    See Also
    --------
    binned_negative_log_likelihood : For targets that take few values.

    Notes
    -----
    Of a target that takes few values (a quality from 3 to 8), a density may learn the values
    themselves and grow without bound on them: the score then says nothing.

    Examples
    --------
    >>> from scipy import stats
    >>> from skmoe.metrics import negative_log_density
    >>> round(negative_log_density([0.0, 1.0], stats.norm([0.0, 0.0], 1.0)), 3)
    1.169
    """
    return _mean(-distribution.logpdf(_observed(y_true)), sample_weight)


def binned_negative_log_likelihood(y_true, distribution, *, width, sample_weight=None):
    """Return the mean of -log P(y - width / 2 < Y < y + width / 2).

    Parameters
    ----------
    y_true : array-like of shape (n_samples,) or (n_samples, n_targets)
        What was observed, as multiples of ``width`` say.
    distribution : MixtureDistribution or frozen `scipy.stats` distribution
        What was predicted for these rows.
    width : float
        Distance between neighboring values of y, in units of y.
    sample_weight : array-like of shape (n_samples,), optional
        Weights of the rows.

    Returns
    -------
    float
        Nats, zero or more; several targets are averaged.

    Notes
    -----
    For targets that were rounded, or take few values: probabilities stay below one where
    densities grow without bound.

    Examples
    --------
    >>> from scipy import stats
    >>> from skmoe.metrics import binned_negative_log_likelihood
    >>> round(binned_negative_log_likelihood([0.0], stats.norm([0.0], 1.0), width=1.0), 3)
    0.96
    """
    if not width > 0:
        raise ValueError(f"width={width!r} must be positive.")
    y = _observed(y_true)
    inside = distribution.cdf(y + 0.5 * width) - distribution.cdf(y - 0.5 * width)
    tiny = np.finfo(np.float64).tiny
    return _mean(-np.log(np.maximum(inside, tiny)), sample_weight)


def crps(y_true, distribution, *, sample_weight=None):
    """Return the mean continuous ranked probability score.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,) or (n_samples, n_targets)
        What was observed.
    distribution : MixtureDistribution or frozen `scipy.stats` distribution
        What was predicted for these rows.
    sample_weight : array-like of shape (n_samples,), optional
        Weights of the rows.

    Returns
    -------
    float
        In units of y; several targets are averaged. For a prediction without spread it is the
        absolute error.

    Notes
    -----
    The integral of (F(x) - 1{x >= y})^2 = E|Y - y| - E|Y - Y'| / 2: in closed form for mixtures of
    Gaussians, else by Gauss's rule between quantiles.

    References
    ----------
    Gneiting and Raftery (2007), Strictly proper scoring rules, prediction, and estimation.

    Examples
    --------
    >>> from scipy import stats
    >>> from skmoe.metrics import crps
    >>> round(crps([0.0], stats.norm([0.0], 1.0)), 4)
    0.2337
    """
    y = _observed(y_true)
    if hasattr(distribution, "crps"):
        return _mean(distribution.crps(y), sample_weight)
    knots = np.stack([distribution.ppf(level) for level in LEVELS])
    return _mean(integrated_crps(distribution.cdf, knots, y), sample_weight)


def interval_coverage(y_true, distribution, *, confidence=0.9, sample_weight=None):
    """Return the share of the rows whose y lies in its central predictive interval.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,) or (n_samples, n_targets)
        What was observed.
    distribution : MixtureDistribution or frozen `scipy.stats` distribution
        What was predicted for these rows.
    confidence : float, default=0.9
        What the share should be.
    sample_weight : array-like of shape (n_samples,), optional
        Weights of the rows.

    Returns
    -------
    float
        From 0 to 1; several targets are averaged.

    Examples
    --------
    >>> from scipy import stats
    >>> from skmoe.metrics import interval_coverage
    >>> interval_coverage([0.0, 2.0], stats.norm([0.0, 0.0], 1.0), confidence=0.9)
    0.5
    """
    y, (low, high) = _observed(y_true), distribution.interval(confidence)
    return _mean(((y >= low) & (y <= high)).astype(np.float64), sample_weight)


def interval_width(y_true, distribution, *, confidence=0.9, sample_weight=None):
    """Return the mean width of the central predictive intervals.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,) or (n_samples, n_targets)
        Not looked at; all scores are called alike.
    distribution : MixtureDistribution or frozen `scipy.stats` distribution
        What was predicted for these rows.
    confidence : float, default=0.9
        Probability of the intervals.
    sample_weight : array-like of shape (n_samples,), optional
        Weights of the rows.

    Returns
    -------
    float
        In units of y; several targets are averaged.

    Examples
    --------
    >>> from scipy import stats
    >>> from skmoe.metrics import interval_width
    >>> round(interval_width([0.0], stats.norm([0.0], 1.0), confidence=0.9), 3)
    3.29
    """
    low, high = distribution.interval(confidence)
    return _mean(high - low, sample_weight)


def _observed(y):
    y = np.asarray(y)
    return y if y.dtype.kind == "f" else y.astype(np.float64)


def _mean(values, sample_weight):
    """Return the weighted mean over rows, and the mean over targets, a float."""
    values = np.asarray(values, dtype=np.float64)
    by_row = values.reshape(len(values), -1).mean(axis=1)
    return float(np.average(by_row, weights=sample_weight))
