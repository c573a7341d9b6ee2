"""Adaptive mixtures of local experts, as first published: constant experts by gradient ascent."""

from functools import partial

import numpy as np
from scipy.optimize import minimize
from sklearn.utils import check_random_state

from skmoe._math.checks import check_choice, check_count, check_number
from skmoe.base import FitResult
from skmoe.errors import ERRORS
from skmoe.estimators._mixture import BaseMixture
from skmoe.estimators._numbers import NumbersMixin
from skmoe.estimators._watch import with_callbacks
from skmoe.experts import UnitExperts
from skmoe.gates import SoftmaxGate
from skmoe.mixture import MixtureParameters

# How steps grow after a success and shrink after a failure.
_GROW, _SHRINK = 1.1, 0.5
# How much of the last step the next one keeps.
_MOMENTUM = 0.9
# Successes in a row that hardly help before the walk is over.
_PATIENCE = 10


class AdaptiveLocalExpertsRegressor(NumbersMixin, BaseMixture):
    """Constant experts of unit variance and a linear softmax gate, by gradient ascent.

    Parameters
    ----------
    n_experts : int, default=3
        Number of experts K.
    error : {"likelihood", "competitive", "cooperative"}, default="likelihood"
        The error function: -log sum_i w_i exp(-||y - f_i||^2 / 2), which makes experts local;
        sum_i w_i ||y - f_i||^2; or ||y - sum_i w_i f_i||^2, in which experts blend.
    noise : float, default=1.0
        Unit of the answers: y is divided by it before errors are taken. Unlike the other mixtures'
        noise it is not learned, so that this estimator depends on the units of y.
    gate_features : list of int or str, transformer, or None, default=None
        Columns that the gate sees.
    solver : {"lbfgs", "gradient"}, default="lbfgs"
        Whether the gradients of all rows are followed with L-BFGS's sense of curvature, or as they
        are, with momentum 0.9.
    learning_rate : float, default=0.5
        For ``solver="gradient"``: first step along the gradient of the mean error; it grows after
        successes and shrinks after failures.
    n_init : int, default=8
        Random starts; the least error wins.
    max_iter : int, default=2000
        Steps allowed to each start.
    tol : float, default=1e-9
        A start is over when a step lowers the mean error by less than this share of it
        (``"lbfgs"``), or ten in a row by less than this (``"gradient"``).
    random_state : int, RandomState or None, default=None
        Seed of the starts.
    verbose : int, default=0
        Print a line a step.

    Attributes
    ----------
    intercept_ : ndarray of shape (n_experts,) or (n_experts, n_targets)
        The experts' answers f_i.
    coef_ : ndarray
        Zeros: experts ignore x.
    gate_coef_, gate_intercept_ : ndarray of shape (n_experts, n_features), (n_experts,)
    error_curve_ : ndarray
        Mean error after every step of the best start; it never rises.
    lower_bound_, lower_bounds_ : float, ndarray
        Minus the total errors.
    n_iter_, n_passes_, converged_, stop_reason_, n_parameters_, theta_ :
        As for `MixtureOfExpertsRegressor`.

    Notes
    -----
    With the likelihood, the posterior h_i = w_i N_i / sum_j w_j N_j shares out the rows:
    d log f / df_i = h_i (y - f_i) and d log f / d[k_i, b_i] = [x, 1] (h_i - w_i). The expert that
    does better on a row than the others gets more of it, and becomes better on it: experts turn
    local. Densities and samples are those of the mixture of N(f_i, noise^2 I), whatever the error.

    References
    ----------
    Nowlan and Hinton (1990), Evaluation of adaptive mixtures of competing experts.
    Jacobs, Jordan, Nowlan and Hinton (1991), Adaptive mixtures of local experts.

    Examples
    --------
    >>> import numpy as np
    >>> from skmoe import AdaptiveLocalExpertsRegressor
    >>> X = np.linspace(-1, 1, 60)[:, None]
    >>> y = np.where(X[:, 0] < 0, -3.0, 3.0)
    >>> est = AdaptiveLocalExpertsRegressor(n_experts=2, random_state=0).fit(X, y)
    >>> np.sort(est.intercept_).round(1)
    array([-3.,  3.])
    """

    # The rest of the sentence is fixed.
    gate, criterion, fitter, start = "softmax", "likelihood", "em", "directions"
    expert_features, warm_start, batch_size, n_jobs = None, False, None, None

    def __init__(
        self,
        n_experts=3,
        *,
        error="likelihood",
        noise=1.0,
        gate_features=None,
        solver="lbfgs",
        learning_rate=0.5,
        n_init=8,
        max_iter=2000,
        tol=1e-9,
        random_state=None,
        verbose=0,
    ):
        self.n_experts = n_experts
        self.error = error
        self.noise = noise
        self.gate_features = gate_features
        self.solver = solver
        self.learning_rate = learning_rate
        self.n_init = n_init
        self.max_iter = max_iter
        self.tol = tol
        self.random_state = random_state
        self.verbose = verbose

    @property
    def experts(self):
        """The bank: experts of unit variance."""
        return UnitExperts(self.noise)

    @with_callbacks
    def fit(self, X, y, sample_weight=None):
        """Fit the mixture.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows to learn from.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            Their answers.
        sample_weight : array-like of shape (n_samples,), optional
            Non-negative weights of the rows.

        Returns
        -------
        self
            The fitted estimator.

        Raises
        ------
        ValueError
            For rows or arguments that cannot be used; the message names the argument.

        Examples
        --------
        >>> from skmoe import AdaptiveLocalExpertsRegressor
        >>> X, y = [[i] for i in range(10)], [0, 0, 0, 0, 0, 3, 3, 3, 3, 3]
        >>> AdaptiveLocalExpertsRegressor(2, random_state=0).fit(X, y).predict([[1]]).shape
        (1,)
        """
        check_choice("error", self.error, ERRORS)
        check_choice("solver", self.solver, ("lbfgs", "gradient"))
        check_number("noise", self.noise, above=0.0)
        check_number("learning_rate", self.learning_rate, above=0.0)
        check_count("n_init", self.n_init)
        return self._learn(X, y, sample_weight)

    def _start(self, mixture, fitter, batches, watcher):
        """Return None: every walk has a start of its own."""

    def _climb(self, mixture, fitter, theta, batches, watcher):
        rng, block = check_random_state(self.random_state), batches.block
        problem = _Problem(ERRORS[self.error], mixture, block, self.n_experts, self.noise)
        walks = [self._walk(problem, problem.start(rng)) for _ in range(self.n_init)]
        vector, curve, reason = min(walks, key=lambda walk: walk[1][-1])
        self.error_curve_ = np.array(curve)
        theta = problem.parameters(vector)
        learned = partial(self._learned, mixture, theta, block.X.dtype)
        watcher.climb(len(curve))
        for n_passes, error in enumerate(curve, start=1):
            if watcher.on_pass(n_passes, -error * problem.total, learned):
                break
        weights = mixture.share(theta, block) * block.weight[:, None]
        return FitResult(
            theta=theta,
            bounds=tuple(-problem.total * self.error_curve_),
            shares=weights.sum(axis=0, dtype=np.float64),
            n_iter=len(curve) - 1,
            converged=reason == "converged",
            stop_reason=reason,
        )

    def _walk(self, problem, start):
        """Return where one start ends, the errors on the way, and why it ended."""
        if self.solver == "gradient":
            return _descend(problem, start, self.learning_rate, self.max_iter, self.tol)
        curve = [problem(start)[0]]
        found = minimize(
            problem,
            start,
            jac=True,
            method="L-BFGS-B",
            callback=lambda intermediate_result: curve.append(intermediate_result.fun),
            options={"maxiter": self.max_iter, "ftol": self.tol, "gtol": 1e-9},
        )
        return found.x, curve, "converged" if found.success else "max_iter"

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        # Steps are no fit for a line.
        tags.regressor_tags.poor_score = True
        return tags


class _Problem:
    """The mean error of rows as a function of one vector: answers, then the gate's table."""

    def __init__(self, error, mixture, block, n_experts, noise):
        self.error, self.mixture, self.block = error, mixture, block
        self.y = block.y.astype(np.float64) / noise
        self.noise, self.shape = noise, (n_experts, block.y.shape[1])
        self.design = np.column_stack([np.ones(block.n_rows), block.X_gate]).astype(np.float64)
        self.total = float(block.weight.sum(dtype=np.float64))
        self.part = block.weight.astype(np.float64) / self.total

    def start(self, rng):
        """Return random answers within the spread of y, and a gate that is all but even."""
        mean = self.part @ self.y
        spread = np.sqrt(self.part @ np.square(self.y - mean))
        answers = mean + spread * rng.standard_normal(self.shape)
        gate = 0.1 * rng.standard_normal((self.shape[0], self.design.shape[1]))
        return np.concatenate([answers.ravel(), (gate - gate.mean(axis=0)).ravel()])

    def split(self, vector):
        """Return the answers (K, q) and the gate's table (K, d + 1)."""
        size = self.shape[0] * self.shape[1]
        return vector[:size].reshape(self.shape), vector[size:].reshape(self.shape[0], -1)

    def __call__(self, vector):
        """Return the mean error and its gradient (size,)."""
        answers, gate = self.split(vector)
        scores = self.design @ gate.T
        weights = np.exp(scores - scores.max(axis=1, keepdims=True))
        weights /= weights.sum(axis=1, keepdims=True)
        every = np.broadcast_to(answers, (len(self.y), *self.shape))
        error, by_answer, by_score = self.error(weights, every, self.y)
        slope = np.einsum("n,nkq->kq", self.part, by_answer)
        table = (by_score * self.part[:, None]).T @ self.design
        return float(self.part @ error), np.concatenate([slope.ravel(), table.ravel()])

    def parameters(self, vector):
        """Return the Parameters of experts and gate."""
        answers, gate = self.split(vector)
        block, K = self.block, self.shape[0]
        experts = self.mixture.experts.init(block.X, block.y, K)
        learned = answers.ravel() * self.noise
        flat = np.concatenate([learned, experts.flatten()[learned.size :]])
        neutral = SoftmaxGate().init(block.X_gate, K)
        gate = gate - gate.mean(axis=0)
        return MixtureParameters(
            experts.unflatten(flat),
            neutral.unflatten(np.concatenate([gate[:, 1:].ravel(), gate[:, 0]])),
        )


def _descend(problem, vector, step, max_iter, tol):
    """Roll down the gradient; return where it ends, the errors on the way, and why it ended.

    A step keeps some of the last one; where the error would rise, it starts afresh and shorter.
    """
    error, slope = problem(vector)
    last, curve, quiet = vector, [error], 0
    for _ in range(max_iter):
        trial = vector - step * slope + _MOMENTUM * (vector - last)
        new_error, new_slope = problem(trial)
        if not new_error <= error:
            step *= _SHRINK
            last = vector
            if step < 1e-12:
                return vector, curve, "converged"
            continue
        quiet = quiet + 1 if error - new_error < tol else 0
        last, vector, error, slope = vector, trial, new_error, new_slope
        curve.append(error)
        step *= _GROW
        if quiet == _PATIENCE:
            return vector, curve, "converged"
    return vector, curve, "max_iter"
