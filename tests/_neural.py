"""What the tests of the neural half share: gradients by differences, with the noise frozen."""

import numpy as np

from skmoe.neural.parameters import Layout
from skmoe.neural.run import Run
from skmoe.neural.training import copy_state

N_CHECKED = 80


class Frozen:
    """A layer on fixed rows, with parameters off zero, and noise that is the same in every call.

    The objective is a random linear function of the outputs plus the auxiliary losses, so that its
    gradient reaches everything that the layer computes.
    """

    def __init__(self, layer, x, state=None, keys=None, training=True, seed=0, spread=0.5):
        rng = np.random.default_rng(seed)
        self.layer, self.x = layer, x
        self.layout = Layout(layer.specs())
        self.theta = self.layout.init(rng) + spread * rng.standard_normal(self.layout.size)
        self.state, self.keys, self.training, self.seed = state or {}, keys or {}, training, seed
        self.slope = None

    def run(self):
        return Run(
            training=self.training,
            rng=np.random.default_rng(self.seed + 1),
            state=copy_state(self.state),
            keys=self.keys,
        )

    def objective(self, theta, x):
        run = self.run()
        y, _ = self.layer.forward(self.layout.views(theta), x, run)
        if self.slope is None:
            self.slope = np.random.default_rng(self.seed + 2).standard_normal(y.shape)
        return float(np.sum(y * self.slope)) + run.loss

    def gradients(self):
        """Return the analytic gradients of the parameters and of the rows."""
        self.objective(self.theta, self.x)
        run, grad = self.run(), np.full(self.layout.size, np.nan)
        views = self.layout.views(self.theta)
        _, cache = self.layer.forward(views, self.x, run)
        dx = self.layer.backward(
            views, cache, self.slope.copy(), self.layout.views(grad), run, need_input=True
        )
        return grad, dx

    def check(self, rtol=1e-6):
        """Compare with central differences; errors count relative to the largest slope."""
        grad, dx = self.gradients()
        assert np.isfinite(grad).all(), "a parameter was left without a gradient"
        # All rows, and a sample of the parameters of large layers.
        some = np.random.default_rng(self.seed).permutation(self.layout.size)[:N_CHECKED]
        by_theta = differences(lambda v: self.objective(v, self.x), self.theta, some)
        by_x = differences(
            lambda v: self.objective(self.theta, v.reshape(self.x.shape)), self.x.ravel()
        ).reshape(self.x.shape)
        for analytic, numeric in ((grad[some], by_theta), (dx, by_x)):
            if analytic.size:
                scale = max(np.abs(numeric).max(), 1e-3)
                np.testing.assert_allclose(analytic, numeric, rtol=0, atol=rtol * scale)
        assert np.abs(by_x).max() > 1e-3


def differences(function, vector, chosen=None, step=2e-5):
    """Return (the chosen entries of) a scalar function's gradient, by fourth-order differences."""
    chosen = np.arange(len(vector)) if chosen is None else chosen
    slopes = np.empty(len(chosen))
    for j, i in enumerate(chosen):
        shift = np.zeros(len(vector))
        shift[i] = step
        near = function(vector + shift) - function(vector - shift)
        far = function(vector + 2 * shift) - function(vector - 2 * shift)
        slopes[j] = (8.0 * near - far) / (12.0 * step)
    return slopes


def rows(n=9, d=4, seed=3):
    """Return random rows (n, d), float64."""
    return np.random.default_rng(seed).standard_normal((n, d))
