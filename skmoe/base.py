"""The contracts: what an expert bank, a gate, a criterion and their records promise.

Every classical estimator of the package is a sentence made of these nouns. Shapes are written with
``n`` rows, ``d`` features, ``q`` outputs and ``K`` experts; rows come first and experts last.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields, replace

import numpy as np
from sklearn.base import BaseEstimator

from skmoe.targets import REAL, Target


class Parameters:
    """Learned numbers of a part: a frozen dataclass whose fields are arrays or Parameters.

    A field may live on a curved domain (a variance is positive). Such a field is stored in a free
    coordinate (its logarithm), so that any vector in the neighborhood of ``flatten()`` is again a
    valid set of parameters: accelerators and optimizers move in that space.
    """

    def flatten(self):
        """Return all numbers as one float64 vector of shape (size,)."""
        pieces = [
            value.flatten() if isinstance(value, Parameters) else np.ravel(value)
            for value in self._values()
        ]
        return np.concatenate(pieces, dtype=np.float64) if pieces else np.zeros(0)

    @property
    def size(self):
        """Length of ``flatten()``."""
        return sum(np.size(value) for value in self._values())

    def unflatten(self, vector):
        """Return parameters of this shape that hold the numbers of ``vector`` (size,)."""
        values, start = [], 0
        for value in self._values():
            stop = start + np.size(value)
            piece = vector[start:stop]
            values.append(
                value.unflatten(piece)
                if isinstance(value, Parameters)
                else piece.reshape(np.shape(value))
            )
            start = stop
        return type(self)(*values)

    def of_experts(self, numbers, n_experts):
        """Return the parameters of the numbered experts of a bank of n_experts > 1.

        Fields that all experts share, of one row or none, stay as they are.
        """
        return self._changed(
            lambda value: (
                value.of_experts(numbers, n_experts)
                if isinstance(value, Parameters)
                else (value[numbers] if _is_each_experts(value, n_experts) else value)
            )
        )

    def with_experts(self, numbers, other, n_experts):
        """Return parameters in which the numbered experts, of n_experts > 1, are those of other."""
        others = iter(other._values())

        def changed(value):
            new = next(others)
            if isinstance(value, Parameters):
                return value.with_experts(numbers, new, n_experts)
            if not _is_each_experts(value, n_experts):
                return value
            value = value.copy()
            value[numbers] = new
            return value

        return self._changed(changed)

    def layout(self):
        """Return kind and shapes of the fields, as nested tuples that can be compared."""
        return type(self).__name__, tuple(
            value.layout()
            if isinstance(value, Parameters)
            else getattr(value, "shape", type(value).__name__)
            for value in self._values()
        )

    def _changed(self, change):
        """Return parameters whose fields went through a function."""
        return type(self)(*(change(value) for value in self._values()))

    def _values(self):
        return [getattr(self, name) for name in self.__dataclass_fields__]


def _is_each_experts(value, n_experts):
    """Return whether an array has a row for each expert."""
    return np.ndim(value) > 0 and len(value) == n_experts


class Statistics:
    """What a part needs to know of the rows: a frozen dataclass whose fields can be added.

    ``statistics`` of two blocks of rows add up to those of their union; ``m_step`` sees the sum
    and never the rows. Fields are arrays, numbers or again Statistics.
    """

    def __add__(self, other):
        return replace(
            self, **{f.name: getattr(self, f.name) + getattr(other, f.name) for f in fields(self)}
        )

    def __mul__(self, factor):
        return replace(self, **{f.name: getattr(self, f.name) * factor for f in fields(self)})

    __rmul__ = __mul__


@dataclass(frozen=True)
class Rows(Statistics):
    """Rows themselves, for parts that have no finite statistic; adding is concatenating.

    Attributes
    ----------
    X : ndarray of shape (n, d)
    y : ndarray of shape (n, q)
        Without columns for a gate.
    weight : ndarray of shape (n, K)
    """

    X: np.ndarray
    y: np.ndarray
    weight: np.ndarray

    def __add__(self, other):
        pairs = ((getattr(self, f.name), getattr(other, f.name)) for f in fields(self))
        return type(self)(*(np.concatenate(pair) for pair in pairs))

    def __mul__(self, factor):
        return replace(self, weight=self.weight * factor)

    __rmul__ = __mul__


class Part(BaseEstimator, ABC):
    """An expert bank or a gate: hyper-parameters only; what it learns is handed in and out.

    Attributes
    ----------
    monotone : bool
        Whether one M-step (shortened if need be) never lowers the part's expected log-density.
    settling_steps : int
        M-steps from a neutral start after which given shares are followed well enough.
    sees_features : bool
        Whether the part's answers depend on x.
    takes_arrays : bool
        Whether rows may be arrays of other libraries than numpy, on their devices.
    """

    sees_features = True
    takes_arrays = False
    monotone = True
    settling_steps = 1

    def check(self):
        """Raise ValueError or TypeError for hyper-parameters that cannot be used."""
        return None

    @abstractmethod
    def m_step(self, theta, statistics):
        """Return new Parameters from the present ones and the summed Statistics."""

    @abstractmethod
    def n_parameters(self, theta):
        """Return the number of free parameters (an int) for AIC and BIC."""

    def carry(self, statistics, old, new):
        """Return the statistics of a pass at ``old`` as if they had been taken at ``new``.

        Sums that do not depend on theta stay; a score moves along its curvature. Online fitters
        average statistics that were taken at different places.
        """
        return statistics

    def hold(self, theta):
        """Return theta brought back within the part's bounds (a variance's floor, say)."""
        return theta

    def gradient(self, theta, statistics):
        """Return the slope of the penalized bound at theta, as Parameters of the same layout.

        By Fisher's identity the statistics of a pass at theta hold the gradient of the observed
        log-likelihood, too: responsibilities weigh the parts' own gradients. Coordinates that a
        floor or a safeguard holds fast have slope zero. None where a part has no gradient;
        accelerators then do without.
        """
        return None

    def penalty(self, theta):
        """Return what the part adds to the bound: its log prior, or minus its penalty (a float)."""
        return 0.0

    def charges(self, theta):
        """Return what the penalty charges for each expert (K,), where priors see to their number.

        An expert that loses its rows saves no more than that. Infinity where a part cannot say.
        """
        return np.inf

    def translated(self, theta, change):
        """Return theta for rows that are standardized in another way, or None if it cannot.

        Parameters
        ----------
        theta : Parameters
            Learned on rows that were standardized in the old way.
        change : skmoe.batches.Change
            For X, X_gate and y: old columns are ``ratio`` times new ones plus ``shift``.
        """
        return None

    def units(self, theta, scaling):
        """Return a dict of attribute name -> array, in the units of the user's data.

        Parameters
        ----------
        theta : Parameters
            Learned on standardized rows.
        scaling : skmoe.batches.Scaling
            How the rows were standardized (``x_mean, x_scale, y_mean, y_scale``).
        """
        return {}


class Experts(Part):
    """K conditional densities p(y | x, theta_k) of one family, evaluated and fitted together.

    Attributes
    ----------
    target : Target
        What the family takes for an answer. The estimator checks y against it, and standardizes,
        scales or leaves y as it says.
    switches_off : bool
        Whether experts that are not needed are meant to lose their rows; a prior keeps them sound.
    exchangeable : bool
        Whether any number of experts is a bank of the same kind, so that two may do what one did.
    takes_notes : bool
        Whether `notes` has anything to say.
    centers : bool
        Whether the columns of X are centered before the experts see them; lines through the
        origin of the data ask for columns that are not.
    """

    target: Target = REAL
    takes_notes = False
    centers = True
    exchangeable = True
    switches_off = False

    def raw_columns(self, n_features):
        """Return the numbers of the columns of X that stay in the user's units (offsets)."""
        return []

    def with_names(self, names):
        """Return these experts where columns of X have names, (d,) or None; names to numbers."""
        return self

    def with_common_noise(self):
        """Return these experts with one Gaussian noise for all of them.

        Raises
        ------
        ValueError
            Where a family has no such noise.
        """
        raise ValueError(
            f"{type(self).__name__} cannot share one Gaussian noise, in which errors are measured; "
            "allowed are 'linear' and 'constant' experts."
        )

    def with_offset(self, column):
        """Return these experts with the offset in the given column of X.

        Raises
        ------
        ValueError
            Where a family has no use for an offset.
        """
        raise ValueError(f"{type(self).__name__} take no offset.")

    def for_rows(self, scaling):
        """Return these experts for rows that were standardized as ``scaling`` says.

        Only experts that know something in the user's units have anything to do.
        """
        return self

    def without(self, theta, lost):
        """Return the bank and its parameters without the lost experts.

        Parameters
        ----------
        theta : Parameters
            Of two experts at least.
        lost : ndarray of shape (K,), bool
            At least one is left.
        """
        return self, theta.of_experts(np.flatnonzero(~lost), len(lost))

    def response(self, X, y):
        """Return y (n, q) on the scale on which the experts are linear, for first guesses."""
        return y

    def potential(self, theta, X, y, weight):
        """Return what dividing each expert in two could gain at most, in nats, shape (K,).

        Infinity where a family cannot say.
        """
        return np.full(weight.shape[1], np.inf)

    def least_rows(self, theta):
        """Return how many rows an expert must hold to learn its noise (a float)."""
        return 0.0

    def notes(self, theta, X, y, weight):
        """Return what was held back in a fit, a list of str: separated classes, say."""
        return []

    @abstractmethod
    def init(self, X, y, n_experts):
        """Return neutral Parameters for rows like X (n, d) and y (n, q)."""

    @abstractmethod
    def log_prob(self, theta, X, y):
        """Return log p(y | x, theta_k), shape (n, K), for X (n, d) and y (n, q)."""

    def evidence(self, theta, X, y):
        """Return what drives learning, shape (n, K); the log-density unless a part says else."""
        return self.log_prob(theta, X, y)

    @abstractmethod
    def statistics(self, theta, X, y, weight):
        """Return the Statistics of a block of rows under the weights (n, K).

        Experts that can share one noise also take answers (n, K, q), one for each expert.
        """

    @abstractmethod
    def mean(self, theta, X):
        """Return the experts' means, shape (n, K, q)."""

    @abstractmethod
    def components(self, theta, X):
        """Return the experts' densities at the rows of X (n, d) as `Components`."""


class Gate(Part):
    """Gate g(x): whom to ask. Its log-weights are normalized over the experts.

    Attributes
    ----------
    follows_score : bool
        Whether the M-step follows the score h - g of the rows alone, so that shares h which add
        up to one will do even where some lie below zero.
    """

    follows_score = False

    @abstractmethod
    def init(self, X, n_experts):
        """Return neutral Parameters: every expert is asked equally often."""

    @abstractmethod
    def log_prob(self, theta, X):
        """Return the log-weights log g_k(x), shape (n, K)."""

    def tree(self, n_experts):
        """Return the Tree in which the gate asks its experts, or None where all are equals."""
        return None

    def resized(self, n_experts):
        """Return the gate for another number of experts, where some rows are looked at alone."""
        return self

    def weights(self, theta, X):
        """Return the weights g_k(x), shape (n, K); rows sum to 1."""
        return np.exp(self.log_prob(theta, X))

    def evidence(self, theta, X):
        """Return what drives learning, shape (n, K); the log-weights unless a part says else."""
        return self.log_prob(theta, X)

    @abstractmethod
    def statistics(self, theta, X, weight):
        """Return the Statistics of a block of rows that go to the experts with weight (n, K)."""

    def slope(self, theta, X, weight):
        """Return the slope of sum_nk weight_nk log g_k(x_n) plus penalty, as Parameters.

        Weights (n, K) may be negative here; it is linear in them. A gate overrides it where it can
        do without statistics that only an M-step asks for. None where it has no gradient.
        """
        return self.gradient(theta, self.statistics(theta, X, weight))

    def leaning(self, theta, expert, log_odds):
        """Return neutral theta with one expert ahead of the others, or None if the gate cannot.

        Parameters
        ----------
        theta : Parameters
            From ``init``.
        expert : int
        log_odds : float
            By how much its score leads, wherever it competes.
        """
        return None

    def referred(self, theta, expert):
        """Return the same gate with scores that are told from those of one expert, or None.

        Only differences of scores weigh experts, but a prior may like one choice better.
        """
        return None


@dataclass(frozen=True)
class Division:
    """How rows are divided among the experts.

    Attributes
    ----------
    pooled : ndarray of shape (n,)
        What each row adds to the bound.
    share : ndarray of shape (n, K)
        Weights under which the experts learn.
    gate_share : ndarray of shape (n, K)
        Shares that the gate follows; often the same array.
    answers : ndarray of shape (n, q) or (n, K, q)
        What the experts learn.
    """

    pooled: np.ndarray
    share: np.ndarray
    gate_share: np.ndarray
    answers: np.ndarray


class Criterion(BaseEstimator, ABC):
    """What is climbed, and how the rows are shared out among the experts.

    Attributes
    ----------
    smooth : bool
        Whether the shares move smoothly with the parameters (accelerators need it).
    monotone : bool
        Whether M-steps under its shares never lower the bound.
    is_likelihood : bool
        Whether it is a likelihood of mixtures: rows of a group multiply, curvature tells
        standard errors.
    takes_arrays : bool
        Whether rows may be arrays of other libraries than numpy, on their devices.
    patience : int
        Passes without a new best place after which there will be none, where passes may lose
        height.
    """

    smooth = True
    monotone = True
    is_likelihood = True
    takes_arrays = False
    patience = 5

    def suited(self, experts, gate):
        """Return the experts as this criterion needs them.

        Raises
        ------
        ValueError
            Where experts or gate cannot learn by it.
        """
        return experts

    @abstractmethod
    def pool_and_share(self, joint):
        """Return the pooled evidence (n,) and the responsibilities (n, K) of joint (n, K)."""

    def divide(self, mixture, theta, block):
        """Return the Division of a block of rows at theta."""
        pooled, share = self.pool_and_share(mixture.joint(theta, block))
        return Division(pooled, share, share, block.y)

    @abstractmethod
    def predictive_weights(self, gate):
        """Return the weights (n, K) of the answer, from those of the gate (n, K)."""

    def answer(self, weights, components):
        """Return weights and components of the predictive mixture, from those of gate and experts.

        Parameters
        ----------
        weights : ndarray of shape (n, K)
        components : Components
        """
        return self.predictive_weights(weights), components

    @abstractmethod
    def log_density(self, mixture, theta, block):
        """Return the log-density (n,) of the rows' answers under the predictive mixture."""


class Components(ABC):
    """The K densities of y at each of n rows, as an expert bank hands them to the answer.

    Every method broadcasts like the frozen distributions of `scipy.stats`: ``y`` has a shape that
    broadcasts against ``(n, K, q)`` and results lose the last axis where they join the outputs.

    Attributes
    ----------
    shape : tuple (n, K, q)
    """

    @property
    @abstractmethod
    def shape(self):
        """(n, K, q): rows, experts, outputs."""

    def gaussians(self):
        """Return means and deviations, (n, K, q) each, of Gaussians; None for other densities."""
        return None

    @abstractmethod
    def log_prob(self, y):
        """Return log p_k(y) of the joint over outputs; y (..., n, 1, q) -> (..., n, K)."""

    @abstractmethod
    def mean(self):
        """Return the means, shape (n, K, q)."""

    @abstractmethod
    def covariance(self):
        """Return the covariances, broadcastable to (n, K, q, q)."""

    @abstractmethod
    def cdf(self, y):
        """Return the marginal distribution functions; y (..., n, 1, q) -> (..., n, K, q)."""

    @abstractmethod
    def ppf(self, q):
        """Return the marginal quantiles at the level q (a number in [0, 1]), shape (n, K, q)."""

    @abstractmethod
    def sample(self, expert, rng):
        """Return draws, shape (m, n, q), from the experts numbered in ``expert`` (m, n)."""


@dataclass(frozen=True)
class FitResult:
    """What a fitter hands back.

    Attributes
    ----------
    theta : Parameters
        The best parameters reached.
    bounds : tuple of float
        The bound held after each pass over the rows; never falling where the parts are monotone.
    shares : ndarray of shape (K,)
        Weight of rows each expert is responsible for.
    n_iter : int
        Accepted moves.
    converged : bool
    stop_reason : str
    """

    theta: Parameters
    bounds: tuple
    shares: np.ndarray
    n_iter: int
    converged: bool
    stop_reason: str

    @property
    def bound(self):
        """The bound at ``theta``: weighted evidence summed over rows, plus penalties."""
        return self.bounds[-1]

    @property
    def n_passes(self):
        """Passes over the rows, those that a safeguard turned back included."""
        return len(self.bounds)


class Fitter(BaseEstimator, ABC):
    """How theta moves."""

    def check(self):
        """Raise ValueError or TypeError for hyper-parameters that cannot be used."""
        return None

    def scout(self):
        """Return the fitter of the short runs that look for a start; itself unless it says else."""
        return self

    @abstractmethod
    def fit(self, mixture, theta, batches, *, max_iter, tol, on_pass=None):
        """Climb from theta.

        Parameters
        ----------
        mixture : skmoe.mixture.Mixture
        theta : Parameters
            Where to begin.
        batches : skmoe.batches.Batches
            The rows.
        max_iter : int
            Passes allowed.
        tol : float
            Stop when the bound is expected to rise by less than ``tol`` per unit of weight.
        on_pass : callable or None
            Called as ``on_pass(n_passes, bound, theta)``; a true answer stops the fit.

        Returns
        -------
        FitResult
        """
