"""Descent on all rows at once, by L-BFGS, for networks of a few thousand numbers."""

import numpy as np
from scipy.optimize import minimize

from skmoe.neural.run import Buffers, Run

__all__ = ["descend"]

# Corrections that are remembered.
_MEMORY = 20


def descend(network, session, rows, *, alpha=0.0, max_iter=500, tol=1e-9, on_epoch=None):
    """Descend from ``session.theta`` until a step brings next to nothing.

    Parameters
    ----------
    network : skmoe.neural.network.Network
        Without noise and without state that moves.
    session : skmoe.neural.training.Session
        Changed in place; its loss curve is the objective after every step and never rises.
    rows : skmoe.neural.training.Rows
    alpha : float
        L2 penalty of the numbers that decay, divided by the rows.
    max_iter : int
    tol : float
        Least fall of the objective, as a share of it.
    on_epoch : callable or None
        ``on_epoch(session)``; a true answer stops.
    """
    objective = _Objective(network, rows, alpha)
    start = objective(session.theta)[0]
    session.loss_curve.append(start)

    def after_step(intermediate_result):
        session.theta = intermediate_result.x.copy()
        session.loss_curve.append(float(intermediate_result.fun))
        session.converged = on_epoch is not None and bool(on_epoch(session))
        if session.converged:
            raise StopIteration

    options = {"maxiter": max_iter, "maxfun": 5 * max_iter, "maxcor": _MEMORY}
    options |= {"ftol": tol, "gtol": 1e-10}
    try:
        found = minimize(
            objective,
            session.theta,
            jac=True,
            method="L-BFGS-B",
            callback=after_step,
            options=options,
        )
    except KeyboardInterrupt:
        session.interrupted, session.stop_reason = True, "interrupted"
        return
    if found.fun <= start:
        session.theta = found.x
    if session.converged:
        session.stop_reason = "stopped by a callback"
        return
    # Status 1 says that the budget is used up.
    session.converged = found.status != 1
    session.stop_reason = (
        f"a step brings less than tol={tol}"
        if session.converged
        else f"max_iter={max_iter} steps are over"
    )


class _Objective:
    """Data loss, penalties and their gradient as a function of the flat buffer."""

    def __init__(self, network, rows, alpha):
        self.network, self.rows = network, rows
        self.layout = network.layout
        self.decay = (alpha / max(1, len(rows.X))) * self.layout.decays()
        self.buffers = Buffers()

    def __call__(self, theta):
        """Return the objective (a float) and its gradient (size,)."""
        gradient = np.zeros_like(theta)
        run = Run(training=True, buffers=self.buffers)
        batch = self.rows.X, self.rows.y, self.rows.weight
        views, slopes = self.layout.views(theta), self.layout.views(gradient)
        loss = self.network.step(views, slopes, batch, run) + run.loss
        shrunk = self.decay * theta
        return loss + 0.5 * float(shrunk @ theta), gradient + shrunk
