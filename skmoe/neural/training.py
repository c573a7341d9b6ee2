"""The training loop: batches, steps, early stopping, and what users watch."""

from dataclasses import dataclass, field

import numpy as np

from skmoe._math.optimizers import adam, adamw, sgd
from skmoe._math.schedules import SCHEDULES, warmed_up
from skmoe.neural.routers.reports import merge_reports, summarize
from skmoe.neural.run import Buffers, Run

__all__ = ["Rows", "Session", "TrainingOptions", "train"]

# ``learning_rate="adaptive"`` divides by this, and gives up below the other, as scikit-learn does.
_ADAPTIVE_FACTOR, _LEAST_RATE = 5.0, 1e-6


@dataclass(frozen=True)
class Rows:
    """Rows to train on.

    Attributes
    ----------
    X : ndarray of shape (n, d)
    y : ndarray of shape (n, q), or of int of shape (n,) for classes
    weight : ndarray of shape (n,) or None
        With mean one; None: ones.
    keys : dict
        Name of a mixture layer -> experts (n,) that a hash fixed for the rows.
    """

    X: np.ndarray
    y: np.ndarray
    weight: np.ndarray | None = None
    keys: dict = field(default_factory=dict)


@dataclass(frozen=True)
class TrainingOptions:
    """How a network is trained; the names are those of scikit-learn's multilayer perceptrons."""

    solver: str = "adam"
    alpha: float = 1e-4
    batch_size: int = 200
    learning_rate: str = "constant"
    learning_rate_init: float = 1e-3
    warmup_steps: int = 0
    max_iter: int = 200
    shuffle: bool = True
    tol: float = 1e-4
    n_iter_no_change: int = 10
    momentum: float = 0.9
    nesterovs_momentum: bool = True
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8
    first_stage: float = 0.5


@dataclass
class Session:
    """Training as far as it has come: enough to go on, and to go back to the best epoch.

    Attributes
    ----------
    theta : ndarray of shape (size,)
    state : dict
        The routers' state.
    rng : numpy.random.Generator
    optimizer_state : dict or None
    loss_curve : list of float
        Data loss of every epoch.
    validation_scores : list of float
    routing_history : list of dict
        For every epoch: name of the mixture layer -> see `skmoe.neural.routers.reports.summarize`.
    best_iter : int
        Epoch of the best parameters, counted from 1; 0 before the first.
    converged : bool
    stop_reason : str
    """

    theta: np.ndarray
    state: dict
    rng: np.random.Generator
    optimizer_state: dict | None = None
    loss_curve: list = field(default_factory=list)
    validation_scores: list = field(default_factory=list)
    routing_history: list = field(default_factory=list)
    best_iter: int = 0
    best_score: float = -np.inf
    best: tuple | None = None
    n_steps: int = 0
    rate_factor: float = 1.0
    converged: bool = False
    interrupted: bool = False
    stop_reason: str = ""

    def remember_if_best(self, score):
        """Keep a copy of the parameters if the score is the best so far."""
        if self.best is None or score > self.best_score:
            self.best_score, self.best_iter = score, len(self.loss_curve)
            self.best = self.theta.copy(), copy_state(self.state)

    def restore_best(self):
        """Go back to the best parameters, and let go of the copy."""
        if self.best is not None:
            (self.theta, self.state), self.best = self.best, None


def copy_state(state):
    """Return a copy of the routers' state."""
    return {name: {k: v.copy() for k, v in arrays.items()} for name, arrays in state.items()}


def optimizer_of(options, layout):
    """Return the `skmoe._math.optimizers.Optimizer` that the options name."""
    moments = {
        "beta_1": options.beta_1,
        "beta_2": options.beta_2,
        "epsilon": options.epsilon,
    }
    if options.solver == "adam":
        return adam(**moments)
    if options.solver == "adamw":
        return adamw(options.alpha, layout.decays().astype(np.float32), **moments)
    return sgd(options.momentum, options.nesterovs_momentum)


def train(network, session, rows, options, score=None, on_epoch=None):
    """Train until an epoch brings no more, or ``max_iter`` of them are over.

    Parameters
    ----------
    network : skmoe.neural.network.Network
    session : Session
        Changed in place. It ends with the parameters of its best epoch, also when interrupted.
    rows : Rows
        In the precision of the training.
    options : TrainingOptions
    score : callable or None
        ``score(theta, state)`` of held-out rows, better if greater; None: minus the training loss.
    on_epoch : callable or None
        ``on_epoch(session)``; a true answer stops.
    """
    loop = _Loop(network, session, rows, options)
    idle = 0
    try:
        for epoch in range(options.max_iter):
            loop.epoch(epoch)
            if not np.isfinite(session.loss_curve[-1]):
                session.stop_reason = "the loss is no longer finite"
                break
            before = session.best_score
            reached = -session.loss_curve[-1]
            if score is not None:
                reached = score(session.theta, session.state)
                session.validation_scores.append(reached)
            session.remember_if_best(reached)
            idle = 0 if reached > before + options.tol else idle + 1
            if on_epoch is not None and on_epoch(session):
                session.stop_reason = "stopped by a callback"
                session.converged = True
                break
            if idle >= options.n_iter_no_change:
                if options.learning_rate == "adaptive" and loop.slow_down():
                    idle = 0
                    continue
                session.converged = True
                session.stop_reason = f"no progress of tol={options.tol} in {idle} epochs"
                break
        else:
            session.stop_reason = f"max_iter={options.max_iter} epochs are over"
    except KeyboardInterrupt:
        session.interrupted = True
        session.stop_reason = "interrupted"
    session.restore_best()


class _Loop:
    """Epochs over the rows of one fit."""

    def __init__(self, network, session, rows, options):
        self.network, self.session, self.rows, self.options = network, session, rows, options
        self.optimizer = optimizer_of(options, network.layout)
        if session.optimizer_state is None:
            session.optimizer_state = self.optimizer.init(session.theta)
        self.gradient = np.zeros_like(session.theta)
        self.views = network.layout.views(session.theta)
        self.grad_views = network.layout.views(self.gradient)
        self.buffers = Buffers()
        self.schedule = warmed_up(SCHEDULES[options.learning_rate], options.warmup_steps)
        decayed = options.alpha if options.solver != "adamw" else 0.0
        self.decay = None
        if decayed:
            decayed = decayed / options.batch_size
            self.decay = (decayed * network.layout.decays()).astype(session.theta.dtype)

    def epoch(self, number):
        """Visit all rows once."""
        n, session = len(self.rows.X), self.session
        order = session.rng.permutation(n) if self.options.shuffle else np.arange(n)
        starts = list(range(0, n, self.options.batch_size))
        # A last batch of a few rows would be mostly noise: it joins the one before.
        if len(starts) > 1 and n - starts[-1] < self.options.batch_size // 4:
            starts.pop()
        losses, reports = 0.0, {}
        for i, start in enumerate(starts):
            index = order[start:] if i == len(starts) - 1 else order[start : starts[i + 1]]
            progress = (number + i / len(starts)) / self.options.max_iter
            run = self._run(index, progress, watch=i == len(starts) - 1)
            losses += len(index) * self._step(index, run, progress)
            for name, report in run.reports.items():
                reports[name] = merge_reports(reports.get(name), report)
        session.loss_curve.append(losses / n)
        session.routing_history.append(
            {name: summarize(report) for name, report in reports.items()}
        )

    def _run(self, index, progress, watch):
        return Run(
            training=True,
            rng=self.session.rng,
            state=self.session.state,
            keys={name: keys[index] for name, keys in self.rows.keys.items()},
            buffers=self.buffers,
            second_stage=progress >= self.options.first_stage,
            watch=watch,
        )

    def _step(self, index, run, progress):
        session, rows = self.session, self.rows
        weight = None if rows.weight is None else rows.weight[index]
        X = np.take(rows.X, index, axis=0)
        batch = X, np.take(rows.y, index, axis=0), weight
        loss = self.network.step(self.views, self.grad_views, batch, run)
        pull = self.decay
        if pull is not None and len(index) != self.options.batch_size:
            # As in scikit-learn, the penalty counts once a batch and not once a row.
            pull = pull * pull.dtype.type(self.options.batch_size / len(index))
        session.n_steps += 1
        rate = self.options.learning_rate_init * session.rate_factor
        rate *= self.schedule(progress, session.n_steps)
        self.optimizer.update(
            session.theta, self.gradient, session.optimizer_state, rate, in_place=True, pull=pull
        )
        return loss

    def slow_down(self):
        """Divide the learning rate; return whether it is still worth going on."""
        self.session.rate_factor /= _ADAPTIVE_FACTOR
        return self.options.learning_rate_init * self.session.rate_factor > _LEAST_RATE
