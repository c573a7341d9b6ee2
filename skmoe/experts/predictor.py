"""Families with linear predictors: what they share is everything but a few derivatives."""

from abc import abstractmethod
from dataclasses import dataclass, replace

import numpy as np

from skmoe._math.checks import check_flag, check_fraction, check_number
from skmoe._math.elastic_net import snapped
from skmoe._math.grams import linear, weighted_crosses, weighted_grams
from skmoe._math.newton import damped, newton_step
from skmoe._math.softmax_regression import DAMPING
from skmoe.base import Components, Experts, Parameters, Statistics
from skmoe.experts.common_slope import common_newton_step


@dataclass(frozen=True)
class PredictorParameters(Parameters):
    """Coefficients (K, m, d), intercepts (K, m) of m predictors, and dispersions (K, r)."""

    coef: np.ndarray
    intercept: np.ndarray
    dispersion: np.ndarray


@dataclass(frozen=True)
class PredictorStatistics(Statistics):
    """Sums over rows at the present parameters.

    Score (K, m, p) and curvature (K, m, p, p) of the predictors, weight (K,) of the rows, and what
    a family gathers on its dispersions (K, s).
    """

    score: np.ndarray
    curvature: np.ndarray
    count: np.ndarray
    spread: np.ndarray


class PredictorExperts(Experts):
    """Experts whose density depends on x through eta = A_k x + b_k alone.

    A family writes down its log-density, its derivatives in eta, and what a dispersion asks for.
    Arrays of rows are (n, K, m) for predictors and (n, K, q) for outputs.
    """

    #: Whether a Newton step has to be damped (the mean is exponential in eta, or the like).
    damps = True
    #: Whether all experts have one slope.
    common_slope = False
    settling_steps = 3

    def check(self):
        check_number("alpha", self.alpha)
        check_fraction("l1_ratio", self.l1_ratio)
        check_flag("common_slope", self.common_slope)

    # ------------------------------------------------------------------ what a family writes down

    def n_predictors(self, n_outputs):
        """Return the number m of predictors for q outputs."""
        return n_outputs

    @abstractmethod
    def neutral(self, y):
        """Return the predictors (m,) and dispersions (r,) of one expert for all of y (n, q)."""

    @abstractmethod
    def log_density(self, y, eta, dispersion):
        """Return log-densities (..., n, K) of y (..., n, 1, q) at predictors eta (n, K, m)."""

    @abstractmethod
    def derivatives(self, y, eta, dispersion):
        """Return slopes and curvatures (n, K, m) of the log-density in eta."""

    def spread(self, y, eta, dispersion, weight):
        """Return sums (K, s) that the dispersions ask for, under weights (n, K)."""
        return np.zeros((weight.shape[1], 0))

    def new_dispersion(self, dispersion, spread, count, gain):
        """Return dispersions (K, r) after a step of the predictors.

        Parameters
        ----------
        dispersion : ndarray of shape (K, r)
        spread : ndarray of shape (K, s)
        count : ndarray of shape (K,)
        gain : ndarray of shape (K, m)
            What the step should add to the log-density, by its quadratic model.
        """
        return dispersion

    def dispersion_slope(self, dispersion, spread, count):
        """Return the derivative (K, r) of the log-density in the dispersions."""
        return np.zeros_like(dispersion)

    def bounded(self, dispersion, n_outputs):
        """Return dispersions (K, r) brought back within the family's bounds."""
        return dispersion

    @abstractmethod
    def moments(self, eta, dispersion):
        """Return means and variances, both (n, K, q)."""

    @abstractmethod
    def frozen(self, eta, dispersion):
        """Return the frozen `scipy.stats` distribution of every row, expert and output."""

    # --------------------------------------------------------------------- what follows from that

    def init(self, X, y, n_experts):
        eta, dispersion = self.neutral(np.asarray(y, dtype=np.float64))
        K, m = n_experts, len(eta)
        coef = np.zeros((K, m, X.shape[1]))
        coef[:, :, self._offsets(X.shape[1])] = 1.0
        return self.hold(
            PredictorParameters(
                coef, np.repeat(eta[None], K, axis=0), np.repeat(dispersion[None], K, axis=0)
            )
        )

    def predictors(self, theta, X):
        """Return eta_k(x), shape (n, K, m)."""
        K, m, d = theta.coef.shape
        flat = linear(X, theta.coef.swapaxes(0, 1).reshape(m * K, d), theta.intercept.T.ravel())
        return flat.T.reshape(m, K, len(X)).T

    def log_prob(self, theta, X, y):
        return self.log_density(y[:, None, :], *self._at(theta, X))

    def mean(self, theta, X):
        return self.moments(*self._at(theta, X))[0]

    def components(self, theta, X):
        return PredictorComponents(self, *self._at(theta, X), n_outputs=self._n_outputs(theta))

    def statistics(self, theta, X, y, weight):
        eta, dispersion = self._at(theta, X)
        slope, curvature = self.derivatives(y[:, None, :], eta, dispersion)
        shape = (theta.coef.shape[1], theta.coef.shape[0])
        score = weighted_crosses(X, _by_predictor(slope * weight[:, :, None]))
        grams = weighted_grams(X, _by_predictor(curvature * weight[:, :, None]))
        return PredictorStatistics(
            score=score.reshape(*shape, -1).swapaxes(0, 1),
            curvature=grams.reshape(*shape, *grams.shape[1:]).swapaxes(0, 1),
            count=weight.sum(axis=0, dtype=np.float64),
            spread=self.spread(y[:, None, :], eta, dispersion, weight),
        )

    def carry(self, statistics, old, new):
        move = np.concatenate(
            [(new.intercept - old.intercept)[:, :, None], new.coef - old.coef], axis=2
        )
        pull = np.einsum("kmpr,kmr->kmp", statistics.curvature, move)
        return replace(statistics, score=statistics.score - pull)

    def m_step(self, theta, statistics):
        step = self._step(theta, statistics)
        gain = np.einsum("kmp,kmp->km", step, statistics.score)
        gain -= 0.5 * np.einsum("kmp,kmpr,kmr->km", step, statistics.curvature, step)
        dispersion = self.new_dispersion(
            theta.dispersion, statistics.spread, np.maximum(statistics.count, 1e-300), gain
        )
        fed = self._fed(theta, statistics)
        sloped = fed | self.common_slope
        return self.hold(
            PredictorParameters(
                theta.coef + np.where(sloped[:, None, None], step[:, :, 1:], 0.0),
                theta.intercept + np.where(fed[:, None], step[:, :, 0], 0.0),
                np.where(fed[:, None], dispersion, theta.dispersion),
            )
        )

    def hold(self, theta):
        return PredictorParameters(
            snapped(theta.coef, self.alpha * self.l1_ratio),
            theta.intercept,
            self.bounded(theta.dispersion, self._n_outputs(theta)),
        )

    def gradient(self, theta, statistics):
        if self.alpha * self.l1_ratio > 0:
            return None
        fed = self._fed(theta, statistics).astype(np.float64)
        pull = (statistics.score[:, :, 1:] - self.alpha * theta.coef) * fed[:, None, None]
        pull[:, :, self._offsets(theta.coef.shape[2])] = 0.0
        if self.common_slope:
            pull = np.repeat(pull.mean(axis=0, keepdims=True), len(pull), axis=0)
        spread = self.dispersion_slope(theta.dispersion, statistics.spread, statistics.count)
        return PredictorParameters(
            pull, statistics.score[:, :, 0] * fed[:, None], spread * fed[:, None]
        )

    def penalty(self, theta):
        coef = np.delete(theta.coef, self._offsets(theta.coef.shape[2]), axis=2)
        lasso, ridge = self.alpha * self.l1_ratio, self.alpha * (1.0 - self.l1_ratio)
        return -lasso * float(np.abs(coef).sum()) - 0.5 * ridge * float(np.square(coef).sum())

    def n_parameters(self, theta):
        held = len(self._offsets(theta.coef.shape[2])) * theta.intercept.size
        lasso = self.alpha * self.l1_ratio > 0
        coefficients = np.count_nonzero(theta.coef) if lasso else theta.coef.size
        slopes = (coefficients - held) // (len(theta.coef) if self.common_slope else 1)
        return slopes + theta.intercept.size + theta.dispersion.size

    def translated(self, theta, change):
        coef, intercept = change.X.of_lines(theta.coef, theta.intercept)
        return self.remeasured(PredictorParameters(coef, intercept, theta.dispersion), change.y)

    def remeasured(self, theta, y):
        """Return theta for y measured anew: ``y.ratio`` (q,) times new y plus ``y.shift`` is old.

        Families that take y as it comes have nothing to do.
        """
        return theta

    def slopes(self, theta, scaling):
        """Return coefficients (K, m, d) and intercepts (K, m) of rows that are not standardized."""
        coef = np.where(scaling.X.constant, 0.0, theta.coef / scaling.X.scale)
        return coef, theta.intercept - coef @ scaling.X.mean

    # ------------------------------------------------------------------------------------ details

    def _at(self, theta, X):
        return self.predictors(theta, X), theta.dispersion.astype(X.dtype, copy=False)

    def _n_outputs(self, theta):
        return theta.coef.shape[1]

    def _offsets(self, n_features):
        """Numbers of the columns whose coefficient is known to be one."""
        return []

    def _fed(self, theta, statistics):
        """Experts (K,) that hold more rows than a predictor has coefficients."""
        own = 0 if self.common_slope else theta.coef.shape[2]
        return statistics.count > own + 1.0 + 1e-6

    def _step(self, theta, statistics):
        """Return the step (K, m, p) of intercepts and coefficients."""
        K, m, d = theta.coef.shape
        free = np.delete(np.arange(d + 1), [1 + j for j in self._offsets(d)])
        now = np.concatenate([theta.intercept[:, :, None], theta.coef], axis=2)[:, :, free]
        score = statistics.score[:, :, free]
        curvature = statistics.curvature[:, :, free[:, None], free]
        diagonal = np.arange(len(free))
        curvature[:, :, diagonal, diagonal] += DAMPING * statistics.count[:, None, None]
        full = np.zeros((K, m, d + 1))
        if self.common_slope:
            lasso, ridge = self.alpha * self.l1_ratio, self.alpha * (1.0 - self.l1_ratio)
            full[:, :, free] = common_newton_step(now, score, curvature, lasso, ridge, self.damps)
            return full
        curvature = curvature.reshape(K * m, len(free), len(free))
        penalized = np.where(free == 0, 0.0, self.alpha)
        step = newton_step(
            now.reshape(K * m, -1),
            score.reshape(K * m, -1),
            curvature,
            penalized * self.l1_ratio,
            penalized * (1.0 - self.l1_ratio),
        )
        if self.damps:
            step = self._damp(step, curvature, m)
        full[:, :, free] = step.reshape(K, m, -1)
        return full

    def _damp(self, step, curvature, n_predictors):
        return damped(step, curvature, curvature[:, 0, 0])


class PredictorComponents(Components):
    """The densities of a predictor family at the rows of a table.

    Parameters
    ----------
    family : PredictorExperts
    eta : ndarray of shape (n, K, m)
    dispersion : ndarray of shape (K, r)
    n_outputs : int
    """

    def __init__(self, family, eta, dispersion, n_outputs):
        self.family, self.eta, self.dispersion = family, eta, dispersion
        self.n_outputs = n_outputs

    @property
    def shape(self):
        return (*self.eta.shape[:2], self.n_outputs)

    @property
    def discrete(self):
        """Whether answers are whole numbers."""
        return self.family.target.discrete

    def take(self, rows):
        """Return the components of the given rows: an index array of shape (p,) or a slice."""
        return PredictorComponents(self.family, self.eta[rows], self.dispersion, self.n_outputs)

    def log_prob(self, y):
        return self.family.log_density(y, self.eta, self.dispersion)

    def mean(self):
        return self.family.moments(self.eta, self.dispersion)[0]

    def covariance(self):
        variance = self.family.moments(self.eta, self.dispersion)[1]
        return np.where(np.eye(self.n_outputs, dtype=bool), variance[..., None], 0.0)

    def cdf(self, y):
        return self._frozen().cdf(y)

    def ppf(self, q):
        found = self._frozen().ppf(q)
        # scipy has no quantiles of counts beyond 1e15, whose spread is nothing beside their mean.
        lost = np.isnan(found) & (0.0 < q) & (q < 1.0)
        found = np.where(lost, self.mean(), found)
        # It puts the level 0 of whole numbers one below the support.
        return np.maximum(found, self.family.target.least)

    def sample(self, expert, rng):
        drawn = np.empty((*expert.shape, self.n_outputs))
        rows = np.broadcast_to(np.arange(expert.shape[1]), expert.shape)
        for k in range(self.shape[1]):
            chosen = expert == k
            family = self.family.frozen(
                self.eta[rows[chosen], k][:, None], self.dispersion[k : k + 1]
            )
            shape = (int(chosen.sum()), 1, self.n_outputs)
            drawn[chosen] = family.rvs(size=shape, random_state=rng)[:, 0]
        return drawn

    def _frozen(self):
        return self.family.frozen(self.eta, self.dispersion)


def _by_predictor(values):
    """Return values (n, K, m) as (n, m K), the experts of one predictor side by side."""
    n, K, m = values.shape
    return values.T.reshape(m * K, n).T


def sums(values, weight):
    """Return sums over rows (K, q) of values (n, K, q) under weights (n, K), in float64."""
    return np.einsum("nkq,nk->kq", values, weight).astype(np.float64)


def typical(y):
    """Return the mean of the distinct values of y (n, q), (q,), above zero.

    Neutral parameters must not count rows: a row of weight two is no other than two equal ones.
    """
    return np.array([max(np.unique(column).mean(), 1e-3) for column in y.T])
