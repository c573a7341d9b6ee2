"""The answer: one predictive mixture per row, with the methods of a frozen scipy distribution."""

from __future__ import annotations

import math
from typing import final

import numpy as np
from sklearn.utils import check_random_state

# Numbers in one temporary array: 32 MB of float64.
_BLOCK = 2**22
_EPS = np.finfo(np.float64).eps
_MAX_HALVINGS = 400
_MAX_CLIMBS = 200


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

    Examples
    --------
    >>> import numpy as np
    >>> from skmoe.distribution import MixtureDistribution
    >>> from skmoe.experts.gaussian import GaussianComponents
    >>> from skmoe.experts.noise import SphericalNoise
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
        self.weights = np.asarray(weights, dtype=np.float64)
        self.components = components
        self.shape = components.shape
        n_outputs = self.shape[2]
        self.loc = np.broadcast_to(np.asarray(loc, dtype=np.float64), (n_outputs,))
        self.scale = np.broadcast_to(np.asarray(scale, dtype=np.float64), (n_outputs,))
        self.squeeze = squeeze

    def mean(self):
        """Return the means, shape (n, q)."""
        return self._publish(self.loc + self.scale * self._mean())

    def var(self):
        """Return the variances, shape (n, q)."""
        spread = np.square(self.components.mean() - self._mean()[:, None])
        own = np.diagonal(self.components.covariance(), axis1=-2, axis2=-1)
        return self._publish(self.scale**2 * self._blend(spread + own))

    def std(self):
        """Return the standard deviations, shape (n, q)."""
        return np.sqrt(self.var())

    def covariance(self):
        """Return the covariances of the outputs, shape (n, q, q)."""
        offset = self.components.mean() - self._mean()[:, None]
        n, n_experts, n_outputs = self.shape
        products = offset[..., :, None] * offset[..., None, :] + self.components.covariance()
        blended = self._blend(products.reshape(n, n_experts, n_outputs**2))
        return blended.reshape(n, n_outputs, n_outputs) * np.outer(self.scale, self.scale)

    def pdf(self, y):
        """Return the density at y, joint over the outputs; shapes as in `logpdf`."""
        return np.exp(self.logpdf(y))

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
        """
        log_weights = _log(self.weights)

        def density(block):
            return _log_density(log_weights, self.components, block)

        return self._in_blocks(density, self._internal(y)) - np.log(self.scale).sum()

    def cdf(self, y):
        """Return the distribution functions, output by output.

        Parameters
        ----------
        y : array-like that broadcasts against (n, q)
            As in `logpdf`.

        Returns
        -------
        ndarray of the shape of y, broadcast
        """

        def distribution(block):
            return _cdf(self.weights, self.components, block)

        return self._publish(self._in_blocks(distribution, self._internal(y)))

    def ppf(self, q):
        """Return quantiles, output by output: the inverse of `cdf`.

        Parameters
        ----------
        q : float or array-like of shape (m,)
            Levels; outside [0, 1] the answer is NaN.

        Returns
        -------
        ndarray of shape (n, q), or (n, m, q) for m levels
        """
        levels = np.asarray(q, dtype=np.float64)
        n, n_experts, n_outputs = self.shape
        quantiles = np.empty((levels.size, n, n_outputs))
        step = max(1, _BLOCK // max(1, n * n_experts * n_outputs))
        for start in range(0, levels.size, step):
            block = slice(start, start + step)
            quantiles[block] = self._quantiles(levels.ravel()[block])
        quantiles = np.moveaxis(quantiles, 0, 1).reshape(n, *levels.shape, n_outputs)
        return self._publish(self.loc + self.scale * quantiles)

    def median(self):
        """Return the medians, shape (n, q)."""
        return self.ppf(0.5)

    def interval(self, confidence=0.95):
        """Return the ends of the central intervals, output by output.

        Parameters
        ----------
        confidence : float, default=0.95
            Probability of the interval; half of the rest lies on each side.

        Returns
        -------
        low, high : ndarrays of shape (n, q)
        """
        tail = 0.5 * (1.0 - confidence)
        ends = self.ppf([tail, 1.0 - tail])
        return ends[:, 0], ends[:, 1]

    def mode(self):
        """Return where the density, joint over the outputs, is greatest; shape (n, q).

        Newton's method climbs from every component (with several outputs also from between
        them), and the highest summit wins. A density that jumps, as at the end of a support, may
        be greater at the jump.
        """
        n, n_experts, n_outputs = self.shape
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
            modes[block] = _highest_summit(part)
        return self._publish(self.loc + self.scale * modes)

    def rvs(self, size=1, random_state=None):
        """Draw at random.

        Parameters
        ----------
        size : int or tuple of ints, default=1
            Draws at each row.
        random_state : int, RandomState, Generator or None

        Returns
        -------
        ndarray of shape (n, q), or (n, size, q) where size is not 1
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
        cumulated = np.cumsum(self.weights, axis=1)
        level = rng.random((n_draws, self.shape[0])) * cumulated[:, -1]
        expert = np.zeros(level.shape, dtype=np.intp)
        for k in range(self.shape[1] - 1):
            expert += level >= cumulated[:, k]
        return expert

    def _mean(self):
        """Return the means (n, q) in the components' units."""
        return self._blend(self.components.mean())

    def _blend(self, values):
        """Return the weighted sums (n, q) of values (n, K, q)."""
        # A component without weight must not matter, even where its moments are infinite.
        values = np.where(self.weights[:, :, None] > 0, values, 0.0)
        return np.einsum("nk,nkq->nq", self.weights, values)

    def _internal(self, y):
        """Return y in the components' units, shape (..., n, q)."""
        y = np.asarray(y, dtype=np.float64)
        if self.squeeze and self.shape[2] == 1:
            y = y[..., None]
        y = (y - self.loc) / self.scale
        return np.broadcast_to(y, np.broadcast_shapes(y.shape, self.shape[::2]))

    def _publish(self, values):
        """Leave a single output out of the shape (..., q)."""
        return values[..., 0] if self.squeeze and self.shape[2] == 1 else values

    def _in_blocks(self, function, y):
        """Apply a function to some of the leading axes of y (..., n, q) at a time."""
        leading, (n, n_experts, n_outputs) = y.shape[:-2], self.shape
        flat = y.reshape(math.prod(leading), n, n_outputs)
        step = max(1, _BLOCK // max(1, n * n_experts * n_outputs))
        starts = range(0, max(1, len(flat)), step)
        values = np.concatenate([function(flat[start : start + step]) for start in starts])
        return values.reshape(leading + values.shape[1:])

    def _quantiles(self, levels):
        """Return quantiles (m, n, q) at levels (m,), in the components' units."""
        brackets = [self._bracket(level) for level in levels]
        low, high = (np.concatenate(ends) for ends in zip(*brackets, strict=True))
        trials = _Trials(self.weights, self.components, len(levels))
        level = np.repeat(levels, self.shape[0])[:, None]

        def excess(active, y):
            return trials(_cdf, active, y) / level[active] - 1.0

        return _roots(excess, low, high).reshape(len(levels), *self.shape[::2])

    def _bracket(self, level):
        """Return bounds (n, q) of the quantile: the least and the greatest of the components."""
        if not 0.0 <= level <= 1.0:
            missing = np.full(self.shape[::2], np.nan)
            return missing, missing
        quantiles = self.components.ppf(level)
        idle = self.weights[:, :, None] <= 0
        low = np.where(idle, np.inf, quantiles).min(axis=1)
        high = np.where(idle, -np.inf, quantiles).max(axis=1)
        # The ends of the support are reached by the outermost component, no matter its weight.
        return (low if level < 1.0 else high), (high if level > 0.0 else low)


class _Trials:
    """m points at each of n rows, in one axis with the rows running fastest.

    Calls evaluate a function at any of them, so that the points that are done cost no more.
    """

    def __init__(self, weights, components, n_trials):
        self._weights, self._components = weights, components
        self._n_trials = n_trials

    def __call__(self, function, active, y):
        """Return ``function(weights, components, y)`` at the points numbered in active (p,).

        y has shape (..., p, q); the answer has p where y has it.
        """
        n, n_points = len(self._weights), len(self._weights) * self._n_trials
        if len(active) < n_points and hasattr(self._components, "take"):
            rows = active % n
            return function(self._weights[rows], self._components.take(rows), y)
        full = np.zeros((*y.shape[:-2], n_points, y.shape[-1]))
        full[..., active, :] = y
        values = function(
            self._weights,
            self._components,
            full.reshape(*y.shape[:-2], self._n_trials, n, y.shape[-1]),
        )
        axis = y.ndim - 2
        flat = values.reshape(*values.shape[:axis], n_points, *values.shape[axis + 2 :])
        return flat[(slice(None),) * axis + (active,)]


def _log(weights):
    with np.errstate(divide="ignore"):
        return np.log(weights)


def _log_joint(log_weights, components, y):
    """Return log weight times density of each component, (..., n, K), at y (..., n, q)."""
    with np.errstate(over="ignore"):
        return components.log_prob(y[..., None, :]) + log_weights


def _log_density(log_weights, components, y):
    """Return the log-densities (..., n) at y (..., n, q)."""
    return _log_sum(_log_joint(log_weights, components, y))


def _log_sum(joint):
    """Return log sum exp over the last axis; -inf where all are."""
    peak = joint.max(axis=-1)
    peak = np.where(np.isfinite(peak), peak, 0.0)
    return peak + _log(np.exp(joint - peak[..., None]).sum(axis=-1))


def _cdf(weights, components, y):
    """Return the marginal distribution functions (..., n, q) at y (..., n, q)."""
    values = np.einsum("nk,...nkq->...nq", weights, components.cdf(y[..., None, :]))
    return np.minimum(values, 1.0, out=values)


def _roots(function, low, high):
    """Return the roots of many increasing functions at once.

    Chandrupatla's method (Advances in Engineering Software 28, 1997): inverse quadratic
    interpolation where it can be trusted, bisection elsewhere.

    Parameters
    ----------
    function : callable
        ``function(active, x)``: values (p, q) at x (p, q) of the functions numbered in active (p,).
    low, high : ndarrays of shape (P, q)
        Brackets of the roots; the answer has their shape.
    """
    roots = low.copy()
    active = np.flatnonzero((high > low).any(axis=1))
    a, b = high[active], low[active]
    fa, fb = function(active, a), function(active, b)
    t = np.full(a.shape, 0.5)
    for _ in range(_MAX_HALVINGS):
        best, is_open, margin = _examine(a, b, fa, fb)
        roots[active] = best
        going = is_open.any(axis=1)
        if not going.any():
            break
        # A root that is found waits (t = 0) for those of its row's other outputs.
        t = np.where(is_open, np.clip(t, margin, 1.0 - margin), 0.0)
        if not going.all():
            active = active[going]
            a, b, fa, fb, t = (v[going] for v in (a, b, fa, fb, t))
        x = a + t * (b - a)
        fx = function(active, x)
        same = np.sign(fx) == np.sign(fa)
        c, fc = np.where(same, a, b), np.where(same, fa, fb)
        b, fb = np.where(same, b, a), np.where(same, fb, fa)
        a, fa = x, fx
        t = _interpolate(a, b, c, fa, fb, fc)
    return roots


def _examine(a, b, fa, fb):
    """Return the better end of each bracket, whether to go on, and the least step inwards."""
    best = np.where(np.abs(fa) < np.abs(fb), a, b)
    value = np.minimum(np.abs(fa), np.abs(fb))
    with np.errstate(divide="ignore", invalid="ignore"):
        margin = (2.0 * _EPS * np.abs(best) + np.finfo(np.float64).tiny) / np.abs(b - a)
    is_open = (value > 4.0 * _EPS) & (margin < 0.5) & (np.sign(fa) != np.sign(fb))
    return np.where(np.isnan(value), np.nan, best), is_open, np.minimum(margin, 0.5)


def _interpolate(a, b, c, fa, fb, fc):
    """Return the next point, as a fraction of the way from a to b."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        xi, phi = (a - b) / (c - b), (fa - fb) / (fc - fb)
        trusted = (phi * phi < xi) & ((1.0 - phi) ** 2 < 1.0 - xi)
        t = fa / (fb - fa) * fc / (fb - fc) + (c - a) / (b - a) * fa / (fc - fa) * fb / (fc - fb)
    return np.where(trusted & np.isfinite(t), t, 0.5)


def _highest_summit(mixture):
    """Return the global maxima (n, q) of the mixture's densities, in the components' units."""
    starts, heights = _starts(mixture)
    n_starts, n, n_outputs = starts.shape
    # Components whose own peaks are this low add next to nothing to the highest summit.
    worthwhile = heights > heights.max(axis=0) - math.log(10.0 * mixture.shape[1])
    trials = _Trials(_log(mixture.weights), mixture.components, n_starts)
    summits, heights = _climb(
        trials,
        starts.reshape(-1, n_outputs),
        heights.ravel(),
        np.flatnonzero(worthwhile),
        _spread(mixture.components),
    )
    best = heights.reshape(n_starts, n).argmax(axis=0)
    return summits.reshape(starts.shape)[best, np.arange(n)]


def _spread(components):
    """Return half the central 68% intervals, (n, K, q): finite where variances need not be."""
    spread = 0.5 * (components.ppf(0.8413447460685429) - components.ppf(0.15865525393145707))
    return np.maximum(spread, np.finfo(np.float64).tiny ** 0.25)


def _starts(mixture):
    """Return where to climb from (m, n, q) and the log-densities there (m, n)."""
    means = np.moveaxis(np.asarray(mixture.components.mean(), dtype=np.float64), 1, 0)
    heights = _heights(mixture, means)
    if mixture.shape[2] > 1 and mixture.shape[1] > 1:
        crossings, crossing_heights = _crossings(mixture)
        means = np.concatenate([means, crossings])
        heights = np.concatenate([heights, crossing_heights])
    return means, heights


def _crossings(mixture):
    """Return the K highest points (K, n, q) where a product of two components peaks; heights too.

    Two long, thin densities that cross have a summit there, which belongs to neither mean.
    """
    n, n_experts, n_outputs = mixture.shape
    covariance = np.broadcast_to(
        mixture.components.covariance(), (n, n_experts, n_outputs, n_outputs)
    )
    means = mixture.components.mean()
    i, j = np.triu_indices(n_experts, 1)
    # inv(P_i + P_j) (P_i m_i + P_j m_j) without inverses of each covariance
    offset = (means[:, j] - means[:, i])[..., None]
    shift = covariance[:, i] @ np.linalg.solve(covariance[:, i] + covariance[:, j], offset)
    points = np.moveaxis(means[:, i] + shift[..., 0], 1, 0)
    heights = _heights(mixture, points)
    order = np.argsort(-heights, axis=0)[:n_experts]
    points = np.take_along_axis(points, order[..., None], axis=0)
    return points, np.take_along_axis(heights, order, axis=0)


def _heights(mixture, y):
    """Return the log-densities (m, n) at y (m, n, q), -inf where there are none."""
    heights = _log_density(_log(mixture.weights), mixture.components, y)
    return np.where(np.isnan(heights), -np.inf, heights)


def _climb(trials, y, heights, active, spread):
    """Return the points y (P, q) and their log-densities (P,) after the active ones have climbed.

    Newton steps of at most one local spread on the log-density, with derivatives from
    differences; a step that does not climb is shortened.
    """
    summits, heights, n = y.copy(), heights.copy(), len(spread)
    shortening = np.ones(len(y))
    for _ in range(_MAX_CLIMBS):
        here = summits[active]
        step, length = _newton_step(trials, active, here, spread[active % n])
        there = here + shortening[active, None] * step
        height = trials(_log_density, active, there)
        better = height > heights[active]
        climbed = active[better]
        summits[climbed], heights[climbed] = there[better], height[better]
        shortening[climbed] = np.minimum(1.0, 4.0 * shortening[climbed])
        shortening[active[~better]] *= 0.25
        # Differences settle a summit to about 1e-8 spreads; shorter steps are noise.
        active = active[length * shortening[active] > 1e-8]
        if not len(active):
            break
    return summits, heights


def _newton_step(trials, active, y, spread):
    """Return ascent steps (p, q) at y (p, q) and their lengths (p,) in local spreads."""
    unit = _local_unit(trials(_log_joint, active, y), spread)
    n_outputs, width = y.shape[1], 1e-4
    stencil = _stencil(n_outputs)
    values = trials(_log_density, active, y + width * stencil[:, None, :] * unit)
    gradient, curvature = _differences(values, n_outputs, width)
    step = _bounded_newton(gradient, curvature)
    length = np.sqrt(np.sum(step * step, axis=1))
    return step * unit, length


def _local_unit(joint, spread):
    """Return the length (p, q) at which the density bends, from the components felt here."""
    share = np.exp(joint - joint.max(axis=-1, keepdims=True))
    share /= share.sum(axis=-1, keepdims=True)
    return 1.0 / np.sqrt(np.einsum("pk,pkq->pq", share, spread**-2.0))


def _stencil(n_outputs):
    """Return offsets (t, q): none, every +e_i, every -e_i, every e_i + e_j, every -e_i - e_j."""
    axes = np.eye(n_outputs)
    i, j = np.triu_indices(n_outputs, 1)
    pairs = axes[i] + axes[j]
    return np.concatenate([np.zeros((1, n_outputs)), axes, -axes, pairs, -pairs])


def _differences(values, n_outputs, width):
    """Return the gradient (p, q) and minus the Hessian (p, q, q) of values (t, p) on a stencil."""
    center = values[0]
    plus, minus = values[1 : n_outputs + 1], values[n_outputs + 1 : 2 * n_outputs + 1]
    forth, back = np.split(values[2 * n_outputs + 1 :], 2)
    with np.errstate(invalid="ignore"):
        gradient = ((plus - minus) / (2.0 * width)).T
        second = (plus - center) + (minus - center)
        curvature = np.empty((len(center), n_outputs, n_outputs))
        diagonal = np.arange(n_outputs)
        curvature[:, diagonal, diagonal] = (-second / width**2).T
        i, j = np.triu_indices(n_outputs, 1)
        mixed = (forth - center) + (back - center) - second[i] - second[j]
        curvature[:, i, j] = curvature[:, j, i] = (-mixed / (2.0 * width**2)).T
    # Beyond the support there is nothing to climb: stay.
    known = np.isfinite(gradient).all(axis=1) & np.isfinite(curvature).all(axis=(1, 2))
    return np.where(known[:, None], gradient, 0.0), np.where(known[:, None, None], curvature, 1.0)


def _bounded_newton(gradient, curvature):
    """Return Newton steps (p, q) of at most unit length, uphill also where the surface is convex.

    ``curvature`` is minus the Hessian, in units in which a component's own is about 1.
    """
    if gradient.shape[1] == 1:
        values, vectors = curvature[:, 0], np.ones_like(curvature)
    else:
        values, vectors = np.linalg.eigh(curvature)
    values = np.where(values > 1e-6, values, 1.0)
    along = np.einsum("pij,pi->pj", vectors, gradient) / values
    step = np.einsum("pij,pj->pi", vectors, along)
    length = np.sqrt(np.sum(step * step, axis=1, keepdims=True))
    return step / np.maximum(length, 1.0)
