"""Heads: what the outputs of a network mean, and the loss that they are trained by."""

from abc import ABC, abstractmethod
from typing import final

import numpy as np
from scipy.special import expit

from skmoe._math.logspace import log_softmax, pool_and_share, softmax
from skmoe.distribution import MixtureDistribution, RowGaussians

__all__ = ["HEADS", "CrossEntropy", "GaussianHead", "Head", "MixtureHead", "SquaredError"]

_LOG_2PI = float(np.log(2.0 * np.pi))
# Least standard deviation of a density, in standard deviations of y: a likelihood is bounded.
_FLOOR = 1e-3
# softplus(_ONE) = 1.
_ONE = float(np.log(np.e - 1.0))


class Head(ABC):
    """Outputs of a network (n, n_out) -> answers and losses.

    Parameters
    ----------
    n_targets : int
        Columns of y, or classes.

    Attributes
    ----------
    n_out : int
        Outputs that the network has to have.
    """

    def __init__(self, n_targets):
        self.n_targets = n_targets
        self.n_out = n_targets

    def bias(self):
        """Return where the outputs start, (n_out,)."""
        return np.zeros(self.n_out)

    @abstractmethod
    def loss(self, out, y):
        """Return the losses of the rows (n,) and their gradients (n, n_out)."""

    @abstractmethod
    def mean(self, out):
        """Return the answers (n, n_targets): means, or probabilities of classes."""


@final
class SquaredError(Head):
    """loss = mean over targets of (f - y)^2 / 2."""

    def loss(self, out, y):
        residual = out - y
        scale = out.dtype.type(1.0 / self.n_targets)
        return 0.5 * scale * np.einsum("nq,nq->n", residual, residual), residual * scale

    def mean(self, out):
        return out


@final
class CrossEntropy(Head):
    """loss = -log softmax(f)_y for a class y (n,)."""

    def loss(self, out, y):
        logs = log_softmax(out)
        lines = np.arange(len(out))
        gradient = np.exp(logs)
        gradient[lines, y] -= 1.0
        return -logs[lines, y], gradient

    def mean(self, out):
        return softmax(out)

    def log_probability(self, out):
        """Return the log-probabilities of the classes (n, n_targets)."""
        return log_softmax(out)


class DensityHead(Head):
    """Outputs that describe a density of y, one mixture of Gaussians at each row."""

    @abstractmethod
    def parameters(self, out):
        """Return log-weights (n, K), means (n, K, q) and deviations (n, K, q)."""

    def distribution(self, out, loc, scale, squeeze):
        """Return the `skmoe.distribution.MixtureDistribution` of loc + scale * y."""
        log_weight, means, deviations = self.parameters(np.asarray(out, dtype=np.float64))
        return MixtureDistribution(
            np.exp(log_weight), RowGaussians(means, deviations), loc, scale, squeeze
        )

    def mean(self, out):
        log_weight, means, _ = self.parameters(out)
        return np.einsum("nk,nkq->nq", np.exp(log_weight), means)


@final
class GaussianHead(DensityHead):
    """y_q ~ N(f_q, s_q^2), s = softplus(a) + 0.001: outputs are f and a; loss = -log density.

    References
    ----------
    Nix and Weigend (1994), Estimating the mean and variance of the target probability
    distribution.
    """

    def __init__(self, n_targets):
        super().__init__(n_targets)
        self.n_out = 2 * n_targets

    def bias(self):
        return np.repeat([0.0, _ONE], self.n_targets)

    def loss(self, out, y):
        q = self.n_targets
        deviation, raw = _deviation(out[:, q:])
        z = (out[:, :q] - y) / deviation
        losses = np.sum(0.5 * z * z + np.log(deviation), axis=1) + 0.5 * q * _LOG_2PI
        gradient = np.empty_like(out)
        gradient[:, :q] = z / deviation
        gradient[:, q:] = (1 - z * z) / deviation * expit(raw)
        return losses.astype(out.dtype, copy=False), gradient

    def parameters(self, out):
        q = self.n_targets
        deviation, _ = _deviation(out[:, q:])
        return np.zeros((len(out), 1), out.dtype), out[:, None, :q], deviation[:, None]


@final
class MixtureHead(DensityHead):
    """y ~ sum_k pi_k N(m_k, diag s_k^2): a mixture-density network; loss = -log density.

    Outputs are K logits of pi, K q means and K q numbers a, s = softplus(a) + 0.001.

    Parameters
    ----------
    n_targets : int
    n_components : int

    Examples
    --------
    >>> import numpy as np
    >>> from skmoe.neural.heads import MixtureHead
    >>> head = MixtureHead(n_targets=1, n_components=2)
    >>> answer = head.distribution(head.bias()[None], 0.0, 1.0, True)
    >>> answer.mean().round(6), answer.mode().round(3).shape
    (array([0.]), (1,))

    References
    ----------
    Bishop (1994), Mixture density networks, equations 16 to 27.
    """

    def __init__(self, n_targets, n_components):
        super().__init__(n_targets)
        self.n_components = n_components
        self.n_out = n_components * (1 + 2 * n_targets)

    def bias(self):
        # Components that start alike would stay alike.
        means = np.linspace(-1.0, 1.0, self.n_components) if self.n_components > 1 else [0.0]
        size = self.n_components * self.n_targets
        return np.concatenate(
            [np.zeros(self.n_components), np.repeat(means, self.n_targets), np.full(size, _ONE)]
        )

    def _split(self, out):
        K, q = self.n_components, self.n_targets
        means = out[:, K : K + K * q].reshape(-1, K, q)
        deviation, raw = _deviation(out[:, K + K * q :].reshape(-1, K, q))
        return log_softmax(out[:, :K]), means, deviation, raw

    def loss(self, out, y):
        K = self.n_components
        log_weight, means, deviation, raw = self._split(out)
        z = (means - y[:, None, :]) / deviation
        logs = -np.sum(0.5 * z * z + np.log(deviation) + 0.5 * _LOG_2PI, axis=2)
        pooled, share = pool_and_share(log_weight + logs)
        gradient = np.empty_like(out)
        gradient[:, :K] = np.exp(log_weight) - share
        pull = share[:, :, None] / deviation
        n, size = len(out), K * self.n_targets
        gradient[:, K : K + size] = (pull * z).reshape(n, size)
        gradient[:, K + size :] = (pull * (1 - z * z) * expit(raw)).reshape(n, size)
        return -pooled, gradient

    def parameters(self, out):
        return self._split(out)[:3]


def _deviation(raw):
    """Return softplus(raw) + floor, and raw."""
    return np.logaddexp(raw, raw.dtype.type(0)) + raw.dtype.type(_FLOOR), raw


#: ``head=`` -> builds a Head from the number of targets and of components
HEADS = {
    None: lambda n_targets, n_components: SquaredError(n_targets),
    "gaussian": lambda n_targets, n_components: GaussianHead(n_targets),
    "mixture": MixtureHead,
}
