"""Variational Bayesian mixtures of experts."""

import warnings
from copy import copy
from dataclasses import replace
from functools import partial
from numbers import Integral

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state

from skmoe.distribution.pool import pooled
from skmoe.estimators._bases import Deal, likeliest, settings_for
from skmoe.estimators._classes import ClassesMixin
from skmoe.estimators._mixture import BaseMixture
from skmoe.estimators._numbers import NumbersMixin
from skmoe.estimators._spread import best_spread
from skmoe.estimators._watch import with_callbacks
from skmoe.fitters import EM

# An expert that holds less than this weight of rows is switched off.
LEAST_SHARE = 1.0
# What expert_features="auto" settles, in this order.
SETTLED = "expert_features", "n_experts"
# Most starts and passes, and least tolerance, where features are tried.
TRIAL_STARTS, TRIAL_PASSES, TRIAL_TOL = 2, 100, 1e-3
# Degrees of freedom that answers may be held to. Fewer than 6 would pass for an idle expert's.
TAILS = np.inf, 30.0, 12.0, 6.0
# Nats of all rows held out that make fewer of them worth it.
TAILS_WORTH = 2.0
# Rows' worth of belief that answers are as wide as they should be: a trial knows less than the fit.
TRIAL_ROWS = 100.0


class BayesianMixin:
    """What Bayesian mixtures add to others; goes before `BaseMixture`."""

    # The rest of the sentence is fixed.
    criterion, start = "likelihood", "directions"

    def _learn(self, X, y, sample_weight, offset=None, groups=None, fitter=None):
        """Fit; ``expert_features="auto"`` is settled first."""
        if not _is_auto(self.expert_features):
            self.spread_, self.most_df_ = 1.0, np.inf
            return super()._learn(X, y, sample_weight, offset, groups, fitter)
        self._check_hyper_parameters()
        if self.warm_start and hasattr(self, "_settled"):
            settled = self._with(self._settled)
        else:
            settled = self._settle(X, y, sample_weight)
        own = self.get_params(deep=False)
        self._settled = tuple(getattr(settled, name) for name in SETTLED)
        BaseMixture._learn(settled, X, y, sample_weight, offset, groups, fitter)
        self.__dict__.update(vars(settled), _settled=self._settled, **own)
        return self

    def _settle(self, X, y, sample_weight):
        """Return a copy with features and number of experts under which unseen rows are likeliest.

        It is searched for anew: trials are coarse.
        """
        deal = Deal.of(X, y, sample_weight)
        settings = settings_for(deal, self.n_experts)
        if len(settings) == 1:
            settled = self._with(settings[0])
            settled.spread_, settled.most_df_ = 1.0, np.inf
            return settled
        seed = _own_seed(self.random_state)
        trials = [_Trial(self._with(each), seed) for each in settings]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            number = likeliest(trials, deal, self.n_jobs)
        settled = self._with(settings[number])
        settled.spread_, settled.most_df_ = trials[number].width()
        return settled

    def _with(self, settings):
        """Return a copy with other features and number of experts."""
        other = copy(self)
        for name, value in zip(SETTLED, settings, strict=True):
            setattr(other, name, value)
        return other

    @property
    def fitter(self):
        """EM. Posteriors hold many numbers; it remembers fewer moves than it might."""
        return EM(memory=30)

    def _publish(self, mixture, result, block, stopped):
        wide = getattr(self, "spread_", 1.0), getattr(self, "most_df_", np.inf)
        if wide != (1.0, np.inf):
            experts = mixture.experts.widened(result.theta.experts, *wide)
            result = replace(result, theta=replace(result.theta, experts=experts))
        super()._publish(mixture, result, block, stopped)
        self.n_active_experts_ = int(np.count_nonzero(result.shares >= LEAST_SHARE))


def _is_auto(features):
    return isinstance(features, str) and features == "auto"


def _own_seed(random_state):
    """Return the seed of every trial: none draws from what the others draw from."""
    if isinstance(random_state, Integral):
        return random_state
    return check_random_state(random_state).randint(np.iinfo(np.int32).max)


class _Trial:
    """A mixture that is tried for its features: quick fits are good enough.

    Attributes
    ----------
    est : mixture
    told : tuple of list of MixtureDistribution, y and weight, or None
        What it said of the first rows held out, under each of `TAILS`, and what they were. Later
        ones have been among those that it began with.
    """

    def __init__(self, est, seed):
        self.est, self.told = est, None
        # What an earlier fit has learned of widths is not to be told twice.
        self.est.spread_, self.est.most_df_ = 1.0, np.inf
        self.est.warm_start, self.est.n_jobs, self.est.random_state = False, None, seed
        self.est.n_init = min(est.n_init, TRIAL_STARTS)
        self.est.max_iter = min(est.max_iter, TRIAL_PASSES)
        self.est.tol = max(est.tol, TRIAL_TOL)

    def log_density(self, seen, held_out):
        """Return the log-densities (m,) of rows held out, after learning from others.

        Parameters
        ----------
        seen, held_out : tuple of X, y and weight
        """
        BaseMixture._learn(self.est, *seen)
        # Other rows lead on from there.
        self.est.warm_start = True
        X, y, weight = held_out
        if self.told is None and hasattr(self.est.experts_, "widened"):
            self.told = [self._said(X, most_df) for most_df in TAILS], y, weight
        return self.est.score_samples(X, y)

    def width(self):
        """Return how much wider its densities should have been, and their most df; two floats."""
        if self.told is None:
            return 1.0, np.inf
        said, y, weight = self.told
        found = []
        for answer, most_df in zip(said, TAILS, strict=True):
            log_density = partial(_spread_log_density, answer, y, weight)
            spread = best_spread(log_density, TRIAL_ROWS)
            found.append((log_density(spread), spread, most_df))
        best = max(found)
        return best[1:] if best[0] > found[0][0] + TAILS_WORTH else found[0][1:]

    def _said(self, X, most_df):
        """Return the answers for rows if they had at most so many degrees of freedom."""
        theta = self.est.theta_
        tailed = self.est.experts_.widened(theta.experts, 1.0, most_df)
        self.est.theta_ = replace(theta, experts=tailed)
        answer = self.est.predict_distribution(X)
        self.est.theta_ = theta
        return answer


def _spread_log_density(answer, y, weight, spread):
    return float(weight @ pooled([answer], spread=spread).logpdf(y))


class BayesianMixtureOfExpertsRegressor(BayesianMixin, NumbersMixin, BaseMixture):
    """Mixture of experts with posteriors, which switches off the experts that it does not need.

    Parameters
    ----------
    n_experts : int, default=10
        Most experts K. Those that the data do not ask for lose their rows.
    experts : str or Experts, default="bayesian_linear"
        The expert bank; an instance sets its prior (`skmoe.experts.BayesianLinearExperts`).
    gate : {"bayesian_softmax", "bayesian_tree", "dirichlet"} or Gate, default="bayesian_softmax"
        Who decides whom to ask.
    expert_features : list of int or str, basis, transformer, None or "auto", default="auto"
        Columns that the experts see; a transformer makes them from X, and "quadratic", "spline",
        "spline_quadratic" and "fourier" name those of `skmoe.features`. None: all columns.
        "auto": the columns themselves, or products or splines or both (as far as the rows can
        fill them), the richer ones with few experts; what makes rows likeliest that are held out
        in turn. ``n_experts`` is then the most that are begun with.
    gate_features : list of int or str, basis, transformer, or None, default=None
        Columns that the gate sees.
    n_init : int, default=4
        Directions from which short runs start; the best is followed to the end. From 3 on, the
        search also tries to do without each expert; with fewer, more of them stay active.
    max_iter : int, default=1000
        Passes over the rows allowed for the long run.
    tol : float, default=1e-8
        The fit has converged when the bound is expected to rise by less than this per unit of
        sample weight.
    warm_start : bool, default=False
        Whether ``fit`` goes on from the last solution.
    random_state : int, RandomState or None, default=None
        Seed of the directions.
    n_jobs : int or None, default=None
        Short runs side by side (joblib). The result does not depend on it.
    batch_size : int or None, default=None
        Rows handed to the parts at a time; None fits the cache.
    verbose : int, default=0
        Print a line a pass.

    Attributes
    ----------
    n_active_experts_ : int
        Experts that are responsible for at least one row's weight.
    coef_, intercept_ : ndarray
        Posterior means, as for `MixtureOfExpertsRegressor`.
    relevance_ : ndarray of shape (n_experts, n_features)
        How far the rows, not the prior, determine each coefficient, from 0 to 1. What is near 0
        has been found irrelevant.
    covariances_ : ndarray of shape (n_experts,) or (n_experts, n_targets)
        Expected noise variances in squared units of y.
    spread_ : float
        Factor of the experts' noise that ``expert_features="auto"`` has learned from rows held
        out: where experts bend, they believe themselves more than they should. Else 1.
    most_df_ : float
        Most degrees of freedom of the answers, learned from the same rows: infinity, or few where
        some of them lay far off.
    gate_coef_, gate_intercept_, experts_, gate_, theta_, n_parameters_ :
        As for `MixtureOfExpertsRegressor`; parameters are counted as far as the rows determine
        them.
    lower_bound_, lower_bounds_ : float, ndarray of shape (n_passes_,)
        The variational bound of the log-evidence of standardized rows, at the end and after each
        pass. It never falls.
    n_iter_, n_passes_, n_search_passes_, converged_, stop_reason_ :
        As for `MixtureOfExpertsRegressor`.
    n_features_in_ : int
    feature_names_in_ : ndarray of str

    Notes
    -----
    Labels, experts and gate have posteriors q of their own, and the bound

        sum_n log sum_k exp(E_q[log g_k(x_n)] + E_q[log p_k(y_n | x_n)]) - KL(q || prior)

    is climbed by the same loop of EM as other mixtures' likelihoods; precisions of the priors are
    learned with it (type II). Answers average over the posterior: the predictive distribution
    is a mixture of Student-t's, wider where few rows have been seen.

    References
    ----------
    Waterhouse, MacKay and Robinson (1996), Bayesian methods for mixtures of experts. Ueda and
    Ghahramani (2002), Bayesian model search for mixture models based on optimizing variational
    bounds. Baldacchino, Cross, Worden and Rowson (2016), Variational Bayesian mixture of experts
    models and sensitivity analysis for nonlinear dynamical systems.

    Examples
    --------
    >>> from skmoe import BayesianMixtureOfExpertsRegressor
    >>> from skmoe.datasets import make_mixture_of_experts
    >>> X, y, _ = make_mixture_of_experts(1000, 2, 2, random_state=0)
    >>> est = BayesianMixtureOfExpertsRegressor(n_experts=6, random_state=0).fit(X, y)
    >>> est.n_active_experts_
    2
    """

    def __init__(
        self,
        n_experts=10,
        *,
        experts="bayesian_linear",
        gate="bayesian_softmax",
        expert_features="auto",
        gate_features=None,
        n_init=4,
        max_iter=1000,
        tol=1e-8,
        warm_start=False,
        random_state=None,
        n_jobs=None,
        batch_size=None,
        verbose=0,
    ):
        self.n_experts = n_experts
        self.experts = experts
        self.gate = gate
        self.expert_features = expert_features
        self.gate_features = gate_features
        self.n_init = n_init
        self.max_iter = max_iter
        self.tol = tol
        self.warm_start = warm_start
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.batch_size = batch_size
        self.verbose = verbose

    @with_callbacks
    def fit(self, X, y, sample_weight=None, groups=None):
        """Fit the mixture.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows; columns that are no numbers are welcome where only transformers see them.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            Their answers.
        sample_weight : array-like of shape (n_samples,), optional
            Non-negative; an integer weight equals repetition of the row.
        groups : array-like of shape (n_samples,), optional
            Rows of one group, repeated measures of a subject say, share one responsibility.

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
        >>> from skmoe import BayesianMixtureOfExpertsRegressor
        >>> X, y = [[i] for i in range(10)], [0, 1, 3, 3, 4, 4, 3, 1, 1, 0]
        >>> est = BayesianMixtureOfExpertsRegressor(3, random_state=0)
        >>> est.fit(X, y).coef_.shape
        (3, 1)
        """
        return self._learn(X, y, sample_weight, groups=groups)


class BayesianMixtureOfExpertsClassifier(BayesianMixin, ClassesMixin, BaseMixture):
    """Mixture of logistic experts with posteriors, which switches off those that it does not need.

    Parameters
    ----------
    n_experts : int, default=10
        Most experts K. Those that the data do not ask for lose their rows.
    experts : str or Experts, default="bayesian_logistic"
        The expert bank; an instance sets its prior (`skmoe.experts.BayesianLogisticExperts`).
    gate : {"bayesian_softmax", "bayesian_tree", "dirichlet"} or Gate, default="bayesian_softmax"
        Who decides whom to ask.
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes, multiplied with ``sample_weight``.
    expert_features, gate_features : list of int or str, basis, transformer, or None, default=None
        Columns that experts or gate see, as for `BayesianMixtureOfExpertsRegressor`.
    n_init : int, default=4
        Directions from which short runs start; the best is followed to the end. From 3 on, the
        search also tries to do without each expert; with fewer, more of them stay active.
    max_iter : int, default=1000
        Passes over the rows allowed for the long run.
    tol : float, default=1e-8
        The fit has converged when the bound is expected to rise by less than this per unit of
        sample weight.
    warm_start : bool, default=False
        Whether ``fit`` goes on from the last solution.
    random_state : int, RandomState or None, default=None
        Seed of the directions.
    n_jobs : int or None, default=None
        Short runs side by side (joblib). The result does not depend on it.
    batch_size : int or None, default=None
        Rows handed to the parts at a time; None fits the cache.
    verbose : int, default=0
        Print a line a pass.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    n_active_experts_ : int
        Experts that are responsible for at least one row's weight.
    coef_, intercept_, gate_coef_, gate_intercept_, experts_, gate_, theta_, n_parameters_ :
        Posterior means and parts, as for `MixtureOfExpertsClassifier`.
    lower_bound_, lower_bounds_ : float, ndarray of shape (n_passes_,)
        The variational bound of the log-evidence, at the end and after each pass. It never falls.
    n_iter_, n_passes_, n_search_passes_, converged_, stop_reason_ :
        As for `MixtureOfExpertsClassifier`.
    n_features_in_ : int
    feature_names_in_ : ndarray of str

    Notes
    -----
    As `BayesianMixtureOfExpertsRegressor`, with logistic experts under the same tilted bound as
    the gate. Probabilities are moderated: nearer to each other where few rows have been seen.

    References
    ----------
    Waterhouse, MacKay and Robinson (1996), Bayesian methods for mixtures of experts. Bishop and
    Svensen (2003), Bayesian hierarchical mixtures of experts.

    Examples
    --------
    >>> from skmoe import BayesianMixtureOfExpertsClassifier
    >>> from skmoe.datasets import load_vowels
    >>> X, y = load_vowels(return_X_y=True)
    >>> X, y = X[::37], y[::37] == "i"
    >>> est = BayesianMixtureOfExpertsClassifier(2, random_state=0).fit(X, y)
    >>> est.predict_proba(X).shape
    (42, 2)
    """

    def __init__(
        self,
        n_experts=10,
        *,
        experts="bayesian_logistic",
        gate="bayesian_softmax",
        class_weight=None,
        expert_features=None,
        gate_features=None,
        n_init=4,
        max_iter=1000,
        tol=1e-8,
        warm_start=False,
        random_state=None,
        n_jobs=None,
        batch_size=None,
        verbose=0,
    ):
        self.n_experts = n_experts
        self.experts = experts
        self.gate = gate
        self.class_weight = class_weight
        self.expert_features = expert_features
        self.gate_features = gate_features
        self.n_init = n_init
        self.max_iter = max_iter
        self.tol = tol
        self.warm_start = warm_start
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.batch_size = batch_size
        self.verbose = verbose

    @with_callbacks
    def fit(self, X, y, sample_weight=None, groups=None):
        """Fit the mixture.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows; columns that are no numbers are welcome where only transformers see them.
        y : array-like of shape (n_samples,)
            Classes.
        sample_weight : array-like of shape (n_samples,), optional
            Non-negative; an integer weight equals repetition of the row.
        groups : array-like of shape (n_samples,), optional
            Rows of one group, repeated measures of a subject say, share one responsibility.

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
        >>> from skmoe import BayesianMixtureOfExpertsClassifier
        >>> X, y = [[i] for i in range(10)], [0, 0, 0, 1, 0, 1, 1, 1, 1, 1]
        >>> est = BayesianMixtureOfExpertsClassifier(2, random_state=0)
        >>> est.fit(X, y).predict([[0], [9]])
        array([0, 1])
        """
        return self._learn(X, y, sample_weight, groups=groups)
