"""The gate of a meta-pi network in training: its rows, its network, the place it has reached."""

import numpy as np
from sklearn.utils import check_random_state

from skmoe.estimators._differentiable import pupil_of
from skmoe.estimators._gate_layer import GateLayer
from skmoe.neural.blend import Blend, Given, Voice
from skmoe.neural.full_batch import descend
from skmoe.neural.heads import SquaredError
from skmoe.neural.network import Network
from skmoe.neural.run import Run
from skmoe.neural.training import Rows, Session, TrainingOptions, train

__all__ = ["BlendProblem"]

# Log-odds of the best expert against each other one: where a descent starts, and one that is heard
# alone.
_LEANING, _ALONE = 3.0, 50.0
# Rows of a mini-batch, and how many of them make an epoch, for ``batch_size="auto"``.
_BATCH, _STEPS = (32, 1024), 32


class BlendProblem:
    """One gate to be trained: rows, network, and the place that was reached.

    Attributes
    ----------
    session : skmoe.neural.training.Session
    theta : skmoe.base.Parameters
        Of the gate.
    error : float
        Mean of ||y - f||^2, in units of y's standard deviations, divided by the targets.
    single_errors : ndarray of shape (K,)
        The same of every expert alone.
    """

    def __init__(self, estimator, gate, Z, y, weight):
        self.estimator, self.gate = estimator, gate
        self.Z, self.y, self.weight = Z, np.ascontiguousarray(y), weight
        self.total = float(weight.sum())
        self.rng = np.random.default_rng(
            check_random_state(estimator.random_state).randint(2**31 - 1)
        )

    def hear(self, answers):
        """Take the experts' answers (n, K, q), in the units of the data, and measure each."""
        scaling = self.estimator._y_scaling
        n, K, q = answers.shape
        self.answers = (answers - scaling.mean) / scaling.scale
        self.single_errors = np.array([self._error(self.answers[:, k]) for k in range(K)])
        self.neutral = self.gate.init(self.Z, K)

    def train_gate(self, watcher):
        """Descend with experts that stay as they are."""
        n, K, q = self.answers.shape
        voices = [(self.answers[:, k], Given()) for k in range(K)]
        network, rows = self._network(voices)
        leaning = self.gate.leaning(self.neutral, int(self.single_errors.argmin()), _LEANING)
        starts = [each.flatten() for each in (self.neutral, leaning) if each is not None]
        self._descend(network, rows, starts, watcher)

    def train_together(self, names, models, raw, watcher):
        """Descend with gate and experts, from the trained gate and random ones; return experts."""
        classes = getattr(self.estimator, "classes_", None)
        pupils = [
            pupil_of(name, model, raw, self.answers[:, k], self.estimator._y_scaling, classes)
            for k, (name, model) in enumerate(zip(names, models, strict=True))
        ]
        network, rows = self._network([(pupil.columns, pupil.layer) for pupil in pupils])
        learned = np.concatenate([pupil.start for pupil in pupils])
        spread = self.rng.standard_normal((self.estimator.n_init, self.neutral.size))
        gates = [self.theta.flatten(), *(self.neutral.flatten() + spread)]
        starts = [np.concatenate([gate, learned]) for gate in gates]
        self._descend(network, rows, starts, watcher)
        ends = np.cumsum([self.neutral.size, *(pupil.start.size for pupil in pupils)])
        pieces = np.split(self.session.theta, ends[:-1])[1:]
        return [pupil.write(piece) for pupil, piece in zip(pupils, pieces, strict=True)]

    def settle(self):
        """Measure the blend, and keep the best expert alone where the blend does not do better."""
        self.error = self._blend_error()
        best = int(self.single_errors.argmin())
        alone = self.gate.leaning(self.neutral, best, _ALONE)
        if self.error > self.single_errors[best] and alone is not None:
            self.theta = alone
            self.error = self._blend_error()

    def _network(self, voices):
        """Return the network of experts (columns, layer), and the rows that it sees."""
        columns = [self.Z, *(seen for seen, _ in voices)]
        ends = np.cumsum([seen.shape[1] for seen in columns])
        stretches = [slice(e - c.shape[1], e) for e, c in zip(ends, columns, strict=True)]
        gate = Voice(stretches[0], GateLayer(self.gate, self.neutral, self.total))
        experts = [
            Voice(stretch, layer) for stretch, (_, layer) in zip(stretches[1:], voices, strict=True)
        ]
        network = Network(Blend(gate, experts), {}, SquaredError(self.y.shape[1]))
        return network, self._rows(np.hstack(columns))

    def _rows(self, X):
        even = np.all(self.weight == self.weight[0])
        return Rows(X, self.y, None if even else self.weight / self.weight.mean())

    def _descend(self, network, rows, starts, watcher):
        """Keep the session that ends lowest; mini-batches go from the lowest start alone."""
        losses = _Losses(network, rows)
        if self.estimator.solver != "lbfgs":
            starts = [min(starts, key=losses)]
        sessions = [self._session(network, rows, start, losses, watcher) for start in starts]
        self.session = min(sessions, key=lambda session: losses(session.theta))
        self.theta = self.neutral.unflatten(self.session.theta[: self.neutral.size])

    def _session(self, network, rows, start, losses, watcher):
        est, session = self.estimator, Session(start.copy(), {}, self.rng)

        def on_epoch(session):
            return watcher.on_pass(len(session.loss_curve), session.loss_curve[-1], None)

        with np.errstate(over="ignore", invalid="ignore"):
            if est.solver == "lbfgs":
                limits = {"alpha": est.alpha, "max_iter": est.max_iter, "tol": est.tol}
                descend(network, session, rows, **limits, on_epoch=on_epoch)
            else:
                session.loss_curve.append(losses(start))
                session.remember_if_best(-losses(start))
                options = self._options(len(rows.X))
                train(network, session, rows, options, lambda v, _: -losses(v), on_epoch)
        return session

    def _options(self, n_rows):
        est, names = self.estimator, ("solver", "alpha", "learning_rate", "learning_rate_init")
        names += ("max_iter", "tol", "n_iter_no_change", "shuffle")
        batch_size = est.batch_size
        if batch_size == "auto":
            batch_size = int(np.clip(n_rows // _STEPS, *_BATCH))
        chosen = {name: getattr(est, name) for name in names}
        return TrainingOptions(batch_size=min(batch_size, n_rows), **chosen)

    def _blend_error(self):
        return self._error(
            np.einsum("nk,nkq->nq", self.gate.weights(self.theta, self.Z), self.answers)
        )

    def _error(self, answer):
        square = np.square(answer - self.y).mean(axis=1)
        return float(np.average(square, weights=self.weight))


class _Losses:
    """The objective of a network on all rows as a function of its numbers, without a slope."""

    def __init__(self, network, rows):
        self.network, self.rows = network, rows

    def __call__(self, theta):
        run = Run(training=True)
        views = self.network.layout.views(theta)
        out, _ = self.network.body.forward(views, self.rows.X, run)
        losses, _ = self.network.head.loss(out, self.rows.y)
        return float(np.average(losses, weights=self.rows.weight)) + run.loss
