"""What rows tell about parameters: scores, information, and the covariance that follows."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from skmoe.base import Parameters
from skmoe.batches import InMemory
from skmoe.mixture import GroupedMixture, Mixture

__all__ = ["Likelihood"]

# Steps of differences: a share of the deviation at which one row would notice.
STEP = 1e-4
# Curvature below this share of the largest, each coordinate in its own unit, is rounding.
RANK = 1e-7
# Curvature of the wrong sign from this share on is none.
SADDLE = 1e-3
# Slopes whose derivative is less symmetric than this move tied coordinates together.
ASYMMETRY = 1e-4


@dataclass(frozen=True)
class Likelihood:
    """The observed log-likelihood of rows around parameters, in the parts' free coordinates.

    Attributes
    ----------
    mixture : skmoe.mixture.Mixture
    theta : Parameters
        With p free coordinates.
    batches : InMemory
        Standardized rows.

    Notes
    -----
    Coordinates that are *held* have no standard error: a bound keeps them where they are (the floor
    of a variance), or the rows say nothing of them (coefficients of a constant column).
    """

    mixture: Mixture
    theta: Parameters
    batches: InMemory

    @cached_property
    def score_products(self):
        """Sum of w s s' over rows of weight w and score s, shape (p, p).

        Rows of a group have one score. It is the derivative of log p(y | x) by central differences;
        sums over rows of the parts' own gradients are the same (Fisher's identity).
        """
        return self._sum_of_products(self._steps)

    @cached_property
    def held(self):
        """Whether coordinates are held, shape (p,)."""
        silent = np.diagonal(self.score_products) <= 0.0
        data, _ = self._curvatures
        return self._bounded | silent | ~data.any(axis=0) | ~data.any(axis=1)

    @cached_property
    def information(self):
        """Minus the second derivatives of the log-likelihood at theta, shape (p, p)."""
        return self._symmetric(self._curvatures[0])

    @cached_property
    def penalized_information(self):
        """The information and minus the second derivatives of the penalties, shape (p, p)."""
        return self._symmetric(self._curvatures[0] + self._curvatures[1])

    def covariance(self, kind):
        """Return the covariance (p, p) of the estimates.

        Parameters
        ----------
        kind : {"information", "score", "sandwich"}

        Returns
        -------
        ndarray of shape (p, p)
            Zeros where coordinates are held, NaN where theta is no maximum.
        """
        free = ~self.held
        scores = np.where(free[:, None] & free, self.score_products, 0.0)
        if kind == "score":
            return _inverse(scores, scores)
        bread = _inverse(self.penalized_information, self.information)
        return bread if kind == "information" else bread @ scores @ bread

    def _symmetric(self, curvature):
        """Return a curvature (p, p) in the moves that the parts can make.

        Slopes that are no gradient field belong to parts that tie coordinates (a common slope):
        they are the gradient's projection, and point wherever a move is possible.
        """
        curvature = np.where(self.held[:, None] | self.held, 0.0, curvature)
        gap = np.abs(curvature - curvature.T).max(initial=0.0)
        if gap > ASYMMETRY * np.abs(curvature).max(initial=0.0):
            left, values, _ = np.linalg.svd(curvature)
            basis = left[:, values > RANK * values[0]]
            curvature = basis @ (basis.T @ curvature @ basis) @ basis.T
        return 0.5 * (curvature + curvature.T)

    @cached_property
    def _vector(self):
        return self.theta.flatten()

    @cached_property
    def _steps(self):
        """Steps (p,) that a row notices about equally in every coordinate."""
        rough = np.full(len(self._vector), STEP)
        square = np.diagonal(self._sum_of_products(rough, diagonal=True))
        total = self.batches.sweep(lambda block: block.total)
        size = np.sqrt(square / total)
        return np.clip(STEP / np.where(size > 0, size, 1.0), 1e-8, 1e-2)

    @cached_property
    def _curvatures(self):
        """Minus the derivatives (p, p) of the slopes of log-likelihood and penalties."""
        columns = []
        for i, step in enumerate(self._steps):
            up, down = (self._slopes(self._moved(i, sign * step)) for sign in (1, -1))
            columns.append((down - up) / (2.0 * step))
        return np.moveaxis(np.stack(columns), 0, -1)

    @cached_property
    def _bounded(self):
        """Whether the parts turn back a step down or up from a coordinate, (p,)."""
        turned = np.zeros(len(self._vector), dtype=bool)
        for i, step in enumerate(self._steps):
            for sign in (1, -1):
                there = self._moved(i, sign * step)
                kept = self.mixture.hold(there).flatten()[i]
                turned[i] |= abs(kept - self._vector[i]) < 0.5 * step
        return turned

    def _moved(self, i, step):
        vector = self._vector.copy()
        vector[i] += step
        return self.theta.unflatten(vector)

    def _slopes(self, theta):
        """Return the slopes (2, p) of the log-likelihood and of the penalties at theta."""
        statistics = self.batches.sweep(lambda block: self.mixture.sweep(theta, block))
        once = self.mixture.gradient(theta, statistics)
        if once is None:
            raise ValueError(
                "kind must be 'bootstrap' or 'parametric_bootstrap': "
                f"experts={self.mixture.experts!r} with gate={self.mixture.gate!r} have no "
                "gradient to differentiate."
            )
        # Rows count once and twice, penalties once and once.
        twice = self.mixture.gradient(theta, statistics * 2.0)
        return np.stack([twice - once, 2.0 * once - twice])

    def _sum_of_products(self, steps, diagonal=False):
        def products(block):
            scores, weight = self._scores(block, steps)
            if diagonal:
                return np.diag(weight @ np.square(scores))
            return (scores * weight[:, None]).T @ scores

        return self.batches.sweep(products)

    def _scores(self, block, steps):
        """Return the scores (m, p) and weights (m,) of m rows, or of m groups of rows."""
        scores = []
        for i, step in enumerate(steps):
            up, down = (self._logs(self._moved(i, sign * step), block) for sign in (1, -1))
            scores.append((up - down) / (2.0 * step))
        scores = np.column_stack(scores)
        weight = block.weight if block.group is None else np.ones(len(scores))
        return scores, weight

    def _logs(self, theta, block):
        """Return the log-likelihoods (m,) of rows or of groups."""
        if block.group is not None and isinstance(self.mixture, GroupedMixture):
            return self.mixture.pooled(theta, block)
        return self.mixture.criterion.pool_and_share(self.mixture.joint(theta, block))[0]


def _inverse(matrix, told):
    """Return the pseudo-inverse of a matrix (p, p) in the directions that another one tells of.

    Parameters
    ----------
    matrix : ndarray of shape (p, p)
    told : ndarray of shape (p, p)
        Semidefinite; its null directions (a softmax gate's scores may be shifted) are left out.

    Returns
    -------
    ndarray of shape (p, p)
        NaN in coordinates along which ``told`` is negative.
    """
    size = np.sqrt(np.abs(np.diagonal(told)))
    unit = np.where(size > 0, size, 1.0)
    values, vectors = np.linalg.eigh(told / unit[:, None] / unit)
    # Back from units of their own, in which coordinates are not orthogonal.
    span = np.linalg.qr(unit[:, None] * vectors[:, values > RANK * values[-1]])[0]
    inverse = span @ np.linalg.solve(span.T @ matrix @ span, span.T)
    uphill = vectors[:, values < -SADDLE * values[-1]]
    lost = (np.abs(uphill) > SADDLE).any(axis=1)
    inverse[lost], inverse[:, lost] = np.nan, np.nan
    return inverse
