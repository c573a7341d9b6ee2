"""Gradient ascent on the observed log-likelihood: full batch by L-BFGS, or by mini-batches."""

import numpy as np
from scipy.optimize import minimize

from skmoe._math.checks import check_choice, check_count, check_flag, check_fraction, check_number
from skmoe._math.optimizers import adam, sgd
from skmoe._math.schedules import SCHEDULES
from skmoe.base import Fitter
from skmoe.fitters.em import EM
from skmoe.fitters.watch import Stop, Watch, visit

OPTIMIZERS = {"adam": adam, "sgd": sgd}
# Iterations of L-BFGS over which a rise is looked for before the ascent is over.
PATIENCE = 5
# Bounds of the squared units in which coordinates are measured when L-BFGS begins anew.
MOST_UNEVEN = 1e-8, 1e12


class GradientAscent(Fitter):
    """Gradient ascent for every mixture whose parts have a gradient.

    Parameters
    ----------
    solver : {"lbfgs", "adam", "sgd"}, default="lbfgs"
        Full batch with curvature learned from gradients, or mini-batches.
    learning_rate_init : float, default=0.01
        Step of "adam" and "sgd", in the parts' free coordinates: coefficients of standardized
        columns and logarithms of variances.
    learning_rate : {"constant", "invscaling", "cosine", "linear"}, default="cosine"
        How the step falls over the epochs allowed.
    batch_size : int, default=256
        Rows of a mini-batch.
    early_stopping : bool, default=False
        Whether a share of the rows is set aside to tell when mini-batches no longer pay.
    validation_fraction : float, default=0.1
        That share.
    n_iter_no_change : int, default=10
        Epochs without a rise after which mini-batches stop.
    memory : int, default=30
        Corrections that "lbfgs" remembers.
    random_state : int, default=0
        Order of the rows for mini-batches.

    Notes
    -----
    By Fisher's identity the slope of the observed log-likelihood is that of the expected one at
    the same place: with responsibilities h_nk, d/dtheta sum_n log sum_k g_k p_k =
    sum_nk h_nk d/dtheta (log g_k + log p_k). So the statistics of one pass are all that is needed.
    For "lbfgs" a pass is an evaluation of bound and slope; for mini-batches it is an epoch, and
    the bound of an epoch is that of all rows (or of those set aside) at its end. The best place
    is kept. L-BFGS creeps where coordinates differ much in curvature, as under a gate whose
    coefficients run away: where its rises are over and an M-step at the best place still promises
    more than ``tol``, it begins anew in units that the M-step sets.

    References
    ----------
    Jacobs, Jordan, Nowlan and Hinton (1991), eq. 1.3; Jordan and Xu (1995), Convergence results
    for the EM approach to mixtures of experts architectures. Liu and Nocedal (1989), On the limited
    memory BFGS method. Kingma and Ba (2015), Adam.

    Examples
    --------
    >>> from skmoe.fitters import GradientAscent
    >>> GradientAscent(solver="adam", learning_rate_init=0.05)
    GradientAscent(learning_rate_init=0.05, solver='adam')
    """

    def __init__(
        self,
        solver="lbfgs",
        learning_rate_init=0.01,
        learning_rate="cosine",
        batch_size=256,
        early_stopping=False,
        validation_fraction=0.1,
        n_iter_no_change=10,
        memory=30,
        random_state=0,
    ):
        self.solver = solver
        self.learning_rate_init = learning_rate_init
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.memory = memory
        self.random_state = random_state

    def check(self):
        check_choice("solver", self.solver, ("lbfgs", *OPTIMIZERS))
        check_choice("learning_rate", self.learning_rate, SCHEDULES)
        check_number("learning_rate_init", self.learning_rate_init, above=0.0)
        check_flag("early_stopping", self.early_stopping)
        check_fraction("validation_fraction", self.validation_fraction)
        for name in ("batch_size", "n_iter_no_change", "memory"):
            check_count(name, getattr(self, name))
        check_count("random_state", self.random_state, least=0)

    def scout(self):
        """Return EM, which every part can do and which needs the fewest passes."""
        return EM()

    def fit(self, mixture, theta, batches, *, max_iter, tol, on_pass=None):
        if not mixture.criterion.smooth:
            raise ValueError(
                f"fitter=GradientAscent() needs shares that move smoothly; "
                f"criterion={mixture.criterion!r} deals rows out one by one."
            )
        watch = Watch(max_iter, on_pass)
        ascend = self._full_batch if self.solver == "lbfgs" else self._mini_batches
        try:
            reason = ascend(mixture, theta, batches, watch, tol)
        except Stop as stop:
            reason = str(stop)
        except KeyboardInterrupt:
            reason = watch.interrupted()
        return watch.result(reason)

    def _full_batch(self, mixture, theta, batches, watch, tol):
        start, units, reached = mixture.hold(theta), 1.0, -np.inf
        while True:
            is_over = self._descend(mixture, start, units, batches, watch, tol)
            best = watch.best
            units, promise = _units(mixture, best)
            little = tol * best.statistics.total
            if best.bound - reached <= little or (is_over and promise <= little):
                return "converged"
            start, reached = best.theta, best.bound

    def _descend(self, mixture, start, units, batches, watch, tol):
        """Run L-BFGS in coordinates of these units; return whether its rises were over.

        They are not where a line search was lost: the next run begins without what the memory
        led it to believe.
        """
        total = batches.sweep(lambda block: block.total)
        rises = _Rises(tol)

        def descent(vector):
            place = visit(mixture, start.unflatten(vector * units), batches)
            watch.note(place)
            slope = slope_of(mixture, place.theta, place.statistics) * units
            if not np.isfinite(place.bound):
                return np.inf, np.zeros_like(slope)
            return -place.bound / total, -slope / total

        def after_iteration(vector):
            watch.n_iter += 1
            if rises.are_over(watch.best.bound / total):
                raise StopIteration

        minimize(
            descent,
            start.flatten() / units,
            jac=True,
            method="L-BFGS-B",
            callback=after_iteration,
            options={
                "maxiter": watch.max_iter,
                "maxfun": 2 * watch.max_iter,
                "maxcor": self.memory,
                "ftol": 0.0,
                "gtol": 0.0,
            },
        )
        return rises.are_over(watch.best.bound / total)

    def _mini_batches(self, mixture, theta, batches, watch, tol):
        rng = np.random.RandomState(self.random_state)
        seen, judged = batches, batches
        if self.early_stopping:
            seen, judged = batches.split(self.validation_fraction, rng)
        optimizer = OPTIMIZERS[self.solver]()
        schedule = SCHEDULES[self.learning_rate]
        vector = theta.flatten()
        state, step, rises = optimizer.init(vector), 0, _Rises(tol, self.n_iter_no_change)
        place = visit(mixture, theta, judged)
        watch.note(place)
        total = seen.sweep(lambda block: block.total)
        while True:
            for block in seen.shuffled(self.batch_size, rng):
                step += 1
                rate = self.learning_rate_init * schedule(watch.n_passes / watch.max_iter, step)
                statistics = mixture.sweep(theta, block)
                # As if all rows were like these.
                whole = statistics * (total / statistics.total)
                slope = slope_of(mixture, theta, whole) / total
                vector, state = optimizer.update(vector, -slope, state, rate)
                theta = mixture.hold(theta.unflatten(vector))
                vector = theta.flatten()
            watch.n_iter += 1
            place = visit(mixture, theta, judged)
            watch.note(place)
            if rises.are_over(watch.best.bound / place.statistics.total):
                return "converged"


class _Rises:
    """Tells when the best bound has risen by less than tol over some rounds."""

    def __init__(self, tol, rounds=PATIENCE):
        self.tol = tol
        self.rounds = rounds
        self.bounds = []

    def are_over(self, bound):
        """Note the best bound for each unit of weight; return whether the rise is over."""
        self.bounds.append(bound)
        if len(self.bounds) <= self.rounds:
            return False
        return self.bounds[-1] - self.bounds[-1 - self.rounds] < self.tol


def _units(mixture, place):
    """Return units (size,) for the coordinates at a place, and the rise that an M-step promises.

    An M-step moves by the slope in the metric of the complete data. Its diagonal tells how far
    each coordinate has to go for one unit of slope: far for a gate that is nearly sure, little for
    a precise expert. Parts without such a step keep their units, and promise nothing.
    """
    if not mixture.monotone:
        return 1.0, 0.0
    slope = slope_of(mixture, place.theta, place.statistics)
    step = mixture.m_step(place.theta, place.statistics).flatten() - place.theta.flatten()
    squares = np.ones_like(slope)
    uphill = slope * step > 0
    squares[uphill] = step[uphill] / slope[uphill] * place.statistics.total
    return np.sqrt(np.clip(squares, *MOST_UNEVEN)), float(slope @ step)


def slope_of(mixture, theta, statistics):
    """Return the slope (size,) of the bound from the statistics of a pass at theta.

    Raises
    ------
    ValueError
        If a part has no gradient.
    """
    slope = mixture.gradient(theta, statistics)
    if slope is None:
        raise ValueError(
            "fitter=GradientAscent() needs parts with a gradient; "
            f"experts={mixture.experts!r} with gate={mixture.gate!r} do without. Use fitter='em'."
        )
    return slope
