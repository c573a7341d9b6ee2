"""The answer: one predictive mixture per row, with the methods of a frozen scipy distribution."""

from __future__ import annotations

import math
from typing import final

import numpy as np
from sklearn.utils import check_random_state

from skmoe.distribution.crps import (
    component_knots,
    gaussian_crps,
    integrated_crps,
    ranked_crps,
)
from skmoe.distribution.densities import log_density, log_weights, marginal_cdf
from skmoe.distribution.discrete import highest_probability
from skmoe.distribution.modes import highest_summit
from skmoe.distribution.quantiles import quantiles_at

# Numbers in one temporary array: 32 MB of float64.
_BLOCK = 2**22


@final
class MixtureDistribution:
    """A mixture of K densities of y at each of n rows.

    The mixture describes ``(y - loc) / scale``. With one output, results have shape (n,) unless
    ``squeeze`` is false; what follows writes (n, q) for the shape of n rows and q outputs.

    Parameters
    ----------
    weights : array-like of shape (n, K)
        Weights of the components, which add up to 1 in each row.
    components : skmoe.base.Components
        Their densities. A method ``take(rows)``, if there is one, hands out some of the rows and
        makes ``ppf`` and ``mode`` faster.
    loc, scale : float or array-like of shape (q,), default=0 and 1
        Origin and (positive) unit of y.
    squeeze : bool, default=True
        Whether a single output is left out of the shapes.

    Attributes
    ----------
    weights : ndarray of shape (n, K)
    components : skmoe.base.Components
    loc, scale : ndarray of shape (q,)
    dtype : dtype
        Precision of the answers: that of the weights. Arithmetic is in double precision.

    References
    ----------
    Jacobs, Jordan, Nowlan and Hinton (1991), Adaptive mixtures of local experts; Bishop (1994),
    Mixture density networks.

    Examples
    --------
    >>> import numpy as np
    >>> from skmoe.distribution import MixtureDistribution
    >>> from skmoe.experts.gaussian import GaussianComponents
    >>> from skmoe.noise import SphericalNoise
    >>> mean = np.array([[[0.0], [4.0]], [[1.0], [1.0]]])  # two rows, two experts, one output
    >>> components = GaussianComponents(mean, SphericalNoise(np.zeros(2)))
    >>> answer = MixtureDistribution([[0.25, 0.75], [0.5, 0.5]], components)
    >>> answer.mean()
    array([3., 1.])
    >>> answer.std().round(3)
    array([2., 1.])
    >>> answer.median().round(3)
    array([3.569, 1.   ])
    >>> answer.mode().round(3)
    array([4., 1.])
    >>> answer.cdf(1.0).round(3)
    array([0.211, 0.5  ])
    """

    def __init__(self, weights, components, loc=0.0, scale=1.0, squeeze=True):
        weights = np.asarray(weights)
        self.dtype = np.dtype(np.float32 if weights.dtype == np.float32 else np.float64)
        self.weights = weights.astype(self.dtype, copy=False)
        self._weights = weights.astype(np.float64, copy=False)
        self.components = components
        self.shape = components.shape
        n_outputs = self.shape[2]
        self.loc = np.broadcast_to(np.asarray(loc, dtype=np.float64), (n_outputs,))
        self.scale = np.broadcast_to(np.asarray(scale, dtype=np.float64), (n_outputs,))
        self.squeeze = squeeze

    def mean(self):
        """Return the means.

        Returns
        -------
        ndarray of shape (n, q)
            In units of y.

        Examples
        --------
        >>> from skmoe import MixtureOfExpertsRegressor
        >>> X, y = [[i] for i in range(10)], [0, 1, 3, 3, 4, 4, 3, 1, 1, 0]
        >>> answer = MixtureOfExpertsRegressor(2, random_state=0).fit(X, y).predict_distribution(X)
        >>> answer.mean().shape
        (10,)
        """
        return self._publish(self.loc + self.scale * self._mean())

    def var(self):
        """Return the variances.

        Returns
        -------
        ndarray of shape (n, q)
            In squared units of y.

        Examples
        --------
        >>> from skmoe import MixtureOfExpertsRegressor
        >>> X, y = [[i] for i in range(10)], [0, 1, 3, 3, 4, 4, 3, 1, 1, 0]
        >>> answer = MixtureOfExpertsRegressor(2, random_state=0).fit(X, y).predict_distribution(X)
        >>> answer.var().shape
        (10,)
        """
        with np.errstate(over="ignore"):
            return self._publish(self.scale**2 * self._variance())

    def std(self):
        """Return the standard deviations.

        Returns
        -------
        ndarray of shape (n, q)
            In units of y.

        Examples
        --------
        >>> from skmoe import MixtureOfExpertsRegressor
        >>> X, y = [[i] for i in range(10)], [0, 1, 3, 3, 4, 4, 3, 1, 1, 0]
        >>> answer = MixtureOfExpertsRegressor(2, random_state=0).fit(X, y).predict_distribution(X)
        >>> answer.std().shape
        (10,)
        """
        return self._publish(self.scale * np.sqrt(self._variance()))

    def covariance(self):
        """Return the covariances of the outputs.

        Returns
        -------
        ndarray of shape (n, q, q)
            In products of their units.

        Examples
        --------
        >>> from skmoe import MixtureOfExpertsRegressor
        >>> X, y = [[i] for i in range(10)], [0, 1, 3, 3, 4, 4, 3, 1, 1, 0]
        >>> answer = MixtureOfExpertsRegressor(2, random_state=0).fit(X, y).predict_distribution(X)
        >>> answer.covariance().shape
        (10, 1, 1)
        """
        offset = self.components.mean() - self._mean()[:, None]
        n, n_experts, n_outputs = self.shape
        products = offset[..., :, None] * offset[..., None, :] + self.components.covariance()
        blended = self._blend(products.reshape(n, n_experts, n_outputs**2))
        covariances = blended.reshape(n, n_outputs, n_outputs) * np.outer(self.scale, self.scale)
        return covariances.astype(self.dtype, copy=False)

    def pdf(self, y):
        """Return the density, joint over the outputs; probabilities where answers are counts.

        Parameters
        ----------
        y : array-like that broadcasts against (n, q)
            As in `logpdf`.

        Returns
        -------
        ndarray of shape (..., n)
            Per unit of y.

        Examples
        --------
        >>> from skmoe import MixtureOfExpertsRegressor
        >>> X, y = [[i] for i in range(10)], [0, 1, 3, 3, 4, 4, 3, 1, 1, 0]
        >>> answer = MixtureOfExpertsRegressor(2, random_state=0).fit(X, y).predict_distribution(X)
        >>> answer.pdf(y).shape
        (10,)
        """
        return np.exp(self._log_density(y)).astype(self.dtype, copy=False)

    def logpdf(self, y):
        """Return the logarithm of the density, joint over the outputs.

        Parameters
        ----------
        y : array-like that broadcasts against (n, q)
            With one output, for example a number, (n,), or (m, n) for m values at each row; with
            several, (..., n, q).

        Returns
        -------
        ndarray of shape (..., n)
            Nats, for y in its own units.

        Examples
        --------
        >>> from skmoe import MixtureOfExpertsRegressor
        >>> X, y = [[i] for i in range(10)], [0, 1, 3, 3, 4, 4, 3, 1, 1, 0]
        >>> answer = MixtureOfExpertsRegressor(2, random_state=0).fit(X, y).predict_distribution(X)
        >>> answer.logpdf(y).shape
        (10,)
        """
        return self._log_density(y).astype(self.dtype, copy=False)

    def cdf(self, y):
        """Return the distribution functions, output by output.

        Parameters
        ----------
        y : array-like that broadcasts against (n, q)
            As in `logpdf`.

        Returns
        -------
        ndarray of the shape of y, broadcast
            Probabilities of at most y.

        Examples
        --------
        >>> from skmoe import MixtureOfExpertsRegressor
        >>> X, y = [[i] for i in range(10)], [0, 1, 3, 3, 4, 4, 3, 1, 1, 0]
        >>> answer = MixtureOfExpertsRegressor(2, random_state=0).fit(X, y).predict_distribution(X)
        >>> answer.cdf(100.0)
        array([1., 1., 1., 1., 1., 1., 1., 1., 1., 1.])
        """
        return self._publish(self._cdf(self._internal(y)))

    def crps(self, y):
        """Return the continuous ranked probability scores, output by output.

        Parameters
        ----------
        y : array-like that broadcasts to (n, q)
            What was observed.

        Returns
        -------
        ndarray of shape (n, q)
            In units of y.

        Notes
        -----
        The integral of (F(x) - 1{x >= y})^2: in closed form for components that name their
        ``gaussians()``, else by Gauss's rule between the components' quantiles.

        References
        ----------
        Gneiting and Raftery (2007), Strictly proper scoring rules, prediction, and estimation.

        Examples
        --------
        >>> from skmoe import MixtureOfExpertsRegressor
        >>> X, y = [[i] for i in range(10)], [0, 1, 3, 3, 4, 4, 3, 1, 1, 0]
        >>> answer = MixtureOfExpertsRegressor(2, random_state=0).fit(X, y).predict_distribution(X)
        >>> answer.crps(y).shape
        (10,)
        """
        y = self._internal(y)
        gaussians = self.components.gaussians()
        if gaussians is not None:
            score = gaussian_crps(self._weights, *gaussians, y)
        elif getattr(self.components, "discrete", False):
            last = max(quantiles_at(self, np.array([1.0 - 1e-9])).max(), y.max())
            score = ranked_crps(self._cdf, last, y)
        else:
            knots = component_knots(self._weights, self.components)
            score = integrated_crps(self._cdf, knots, y)
        return self._publish(self.scale * score)

    def ppf(self, q):
        """Return quantiles, output by output: the inverse of `cdf`.

        Parameters
        ----------
        q : float or array-like of shape (m,)
            Levels; outside [0, 1] the answer is NaN.

        Returns
        -------
        ndarray of shape (n, q), or (n, m, q) for m levels
            In units of y.

        Examples
        --------
        >>> from skmoe import MixtureOfExpertsRegressor
        >>> X, y = [[i] for i in range(10)], [0, 1, 3, 3, 4, 4, 3, 1, 1, 0]
        >>> answer = MixtureOfExpertsRegressor(2, random_state=0).fit(X, y).predict_distribution(X)
        >>> answer.ppf([0.05, 0.5, 0.95]).shape
        (10, 3)
        """
        levels = np.asarray(q, dtype=np.float64)
        n, n_experts, n_outputs = self.shape
        quantiles = np.empty((levels.size, n, n_outputs))
        step = max(1, _BLOCK // max(1, n * n_experts * n_outputs))
        for start in range(0, levels.size, step):
            block = slice(start, start + step)
            quantiles[block] = quantiles_at(self, levels.ravel()[block])
        quantiles = np.moveaxis(quantiles, 0, 1).reshape(n, *levels.shape, n_outputs)
        return self._publish(self.loc + self.scale * quantiles)

    def median(self):
        """Return the medians, output by output.

        Returns
        -------
        ndarray of shape (n, q)
            In units of y.

        Examples
        --------
        >>> from skmoe import MixtureOfExpertsRegressor
        >>> X, y = [[i] for i in range(10)], [0, 1, 3, 3, 4, 4, 3, 1, 1, 0]
        >>> answer = MixtureOfExpertsRegressor(2, random_state=0).fit(X, y).predict_distribution(X)
        >>> answer.median().shape
        (10,)
        """
        return self.ppf(0.5)

    def interval(self, confidence=0.95):
        """Return the ends of the central intervals, output by output.

        Parameters
        ----------
        confidence : float, default=0.95
            Probability of the interval; half of the rest lies on each side.

        Returns
        -------
        low : ndarray of shape (n, q)
            Lower ends, in units of y.
        high : ndarray of shape (n, q)
            Upper ends.

        Raises
        ------
        ValueError
            If ``confidence`` does not lie between 0 and 1.

        Examples
        --------
        >>> from skmoe import MixtureOfExpertsRegressor
        >>> X, y = [[i] for i in range(10)], [0, 1, 3, 3, 4, 4, 3, 1, 1, 0]
        >>> answer = MixtureOfExpertsRegressor(2, random_state=0).fit(X, y).predict_distribution(X)
        >>> low, high = answer.interval(0.9)
        >>> bool((low < high).all())
        True
        """
        confidence = np.asarray(confidence, dtype=np.float64)
        if not ((confidence >= 0.0) & (confidence <= 1.0)).all():
            raise ValueError(f"confidence={confidence} must lie between 0 and 1.")
        tail = 0.5 * (1.0 - confidence)
        ends = self.ppf([tail, 1.0 - tail])
        return ends[:, 0], ends[:, 1]

    def mode(self):
        """Return where the density, joint over the outputs, is greatest.

        Returns
        -------
        ndarray of shape (n, q)
            In units of y.

        Notes
        -----
        Newton's method climbs from every component (with several outputs also from between
        them), and the highest summit wins. A density that jumps, as at the end of a support, may
        be greater at the jump.

        Examples
        --------
        >>> from skmoe import MixtureOfExpertsRegressor
        >>> X, y = [[i] for i in range(10)], [0, 1, 3, 3, 4, 4, 3, 1, 1, 0]
        >>> answer = MixtureOfExpertsRegressor(2, random_state=0).fit(X, y).predict_distribution(X)
        >>> answer.mode().shape
        (10,)
        """
        n, n_experts, n_outputs = self.shape
        discrete = getattr(self.components, "discrete", False)
        summit = highest_probability if discrete else highest_summit
        modes = np.empty((n, n_outputs))
        cost = n_experts * n_experts * n_outputs * (1 + n_outputs) ** 2
        step = max(1, _BLOCK // cost) if hasattr(self.components, "take") else max(1, n)
        for start in range(0, n, step):
            block = slice(start, start + step)
            part = (
                self
                if step >= n
                else MixtureDistribution(self.weights[block], self.components.take(block))
            )
            modes[block] = summit(part)
        return self._publish(self.loc + self.scale * modes)

    def rvs(self, size=1, random_state=None):
        """Draw at random.

        Parameters
        ----------
        size : int or tuple of ints, default=1
            Draws at each row.
        random_state : int, RandomState, Generator or None, default=None
            Seed of the draws.

        Returns
        -------
        ndarray of shape (n, q), or (n, size, q) where size is not 1
            In units of y.

        Examples
        --------
        >>> from skmoe import MixtureOfExpertsRegressor
        >>> X, y = [[i] for i in range(10)], [0, 1, 3, 3, 4, 4, 3, 1, 1, 0]
        >>> answer = MixtureOfExpertsRegressor(2, random_state=0).fit(X, y).predict_distribution(X)
        >>> answer.rvs(size=5, random_state=0).shape
        (10, 5)
        """
        rng = random_state
        if not isinstance(rng, np.random.Generator):
            rng = check_random_state(rng)
        n, _, n_outputs = self.shape
        sizes = () if np.isscalar(size) and size == 1 else tuple(np.atleast_1d(size))
        expert = self._draw_experts(rng, math.prod(sizes))
        draws = np.moveaxis(self.components.sample(expert, rng), 0, 1)
        return self._publish(self.loc + self.scale * draws.reshape(n, *sizes, n_outputs))

    def _draw_experts(self, rng, n_draws):
        """Return numbers of experts, shape (n_draws, n), drawn by weight."""
        cumulated = np.cumsum(self._weights, axis=1)
        level = rng.random((n_draws, self.shape[0])) * cumulated[:, -1]
        expert = np.zeros(level.shape, dtype=np.intp)
        for k in range(self.shape[1] - 1):
            expert += level >= cumulated[:, k]
        return expert

    def _cdf(self, y):
        """Return the distribution functions (..., n, q) in the components' units."""

        def distribution(block):
            return marginal_cdf(self._weights, self.components, block)

        return self._in_blocks(distribution, y)

    def _mean(self):
        """Return the means (n, q) in the components' units."""
        return self._blend(self.components.mean())

    def _variance(self):
        """Return the variances (n, q) in the components' units."""
        spread = np.square(self.components.mean() - self._mean()[:, None])
        own = np.diagonal(self.components.covariance(), axis1=-2, axis2=-1)
        return self._blend(spread + own)

    def _blend(self, values):
        """Return the weighted sums (n, q) of values (n, K, q)."""
        # A component without weight must not matter, even where its moments are infinite.
        values = np.where(self._weights[:, :, None] > 0, values, 0.0)
        return np.einsum("nk,nkq->nq", self._weights, values)

    def _internal(self, y):
        """Return y in the components' units, shape (..., n, q)."""
        y = np.asarray(y, dtype=np.float64)
        if self.squeeze and self.shape[2] == 1:
            y = y[..., None]
        y = (y - self.loc) / self.scale
        return np.broadcast_to(y, np.broadcast_shapes(y.shape, self.shape[::2]))

    def _publish(self, values):
        """Round to the precision of the answers; leave a single output out of (..., q)."""
        with np.errstate(over="ignore"):
            values = values.astype(self.dtype, copy=False)
        return values[..., 0] if self.squeeze and self.shape[2] == 1 else values

    def _log_density(self, y):
        """Return the log-density (..., n) in double precision."""
        log_weight = log_weights(self._weights)

        def density(block):
            return log_density(log_weight, self.components, block)

        return self._in_blocks(density, self._internal(y)) - np.log(self.scale).sum()

    def _in_blocks(self, function, y):
        """Apply a function to some of the leading axes of y (..., n, q) at a time."""
        leading, (n, n_experts, n_outputs) = y.shape[:-2], self.shape
        flat = y.reshape(math.prod(leading), n, n_outputs)
        step = max(1, _BLOCK // max(1, n * n_experts * n_outputs))
        starts = range(0, max(1, len(flat)), step)
        values = np.concatenate([function(flat[start : start + step]) for start in starts])
        return values.reshape(leading + values.shape[1:])
