"""Scores of the experts: linear, noisy, cosine, multilayer."""

from typing import final

import numpy as np

from skmoe._math.checks import check_choice, check_count, check_number
from skmoe.neural.layers import FeedForward
from skmoe.neural.parameters import Spec, normal, zeros
from skmoe.neural.routers.base import Score, Scores, affinity_of
from skmoe.neural.run import Run
from skmoe.neural.sums import column_sums

__all__ = ["CosineScore", "LinearScore", "MLPScore", "NoisyScore"]

# Up to this many experts, sums over them are fastest when the rows run fastest in memory.
_FEW_EXPERTS = 48
# Where softplus is a straight line.
_STRAIGHT = 40.0
# What Shazeer et al.'s code adds to the learned deviation of the noise.
_LEAST_NOISE = 0.01


def product(h, W):
    """Return h W (n, E), stored in the order in which sums over the experts are fast."""
    return (W.T @ h.T).T if W.shape[1] <= _FEW_EXPERTS else h @ W


@final
class LinearScore(Score):
    """L = h Wg + b.

    Parameters
    ----------
    bias : bool, default=True
        Whether there is a b. Rows here are standardized features and need an origin; papers on
        language models leave it out.
    jitter : float, default=0.0
        In training the router sees h times U(1 - jitter, 1 + jitter), element by element.
    spread : float, default=1.0
        Standard deviation of the first scores of standardized rows.
    activation : {"softmax", "sigmoid"}, default="softmax"
        How scores become affinities.

    Examples
    --------
    >>> from skmoe.neural.routers import LinearScore, TokenRouter, TopK
    >>> router = TokenRouter(LinearScore(jitter=0.01), TopK(2))
    >>> router.check()
    """

    def __init__(self, bias=True, jitter=0.0, spread=1.0, activation="softmax"):
        self.bias = bias
        self.jitter = jitter
        self.spread = spread
        self.activation = activation

    def check(self):
        check_number("jitter", self.jitter)
        check_number("spread", self.spread)
        check_choice("activation", self.activation, ("softmax", "sigmoid"))

    def specs(self, width, n_experts):
        specs = {"W": Spec((width, n_experts), normal(self.spread / np.sqrt(max(1, width))))}
        return specs | ({"b": Spec((n_experts,), zeros)} if self.bias else {})

    def forward(self, theta, h, run):
        factor = None
        if run.training and self.jitter:
            factor = run.rng.random(h.shape, dtype=np.float32).astype(h.dtype)
            factor *= 2.0 * self.jitter
            factor += 1.0 - self.jitter
            h = h * factor
        logits = product(h, theta["W"])
        if self.bias:
            logits += theta["b"]
        affinity = affinity_of(logits, self.activation)
        return Scores(logits, affinity, self.activation, logits, cache=(h, factor))

    def backward(self, theta, scores, grad, need_input):
        h, factor = scores.cache
        dlogits = scores.pull()
        if "clean" in scores.gradients:
            dlogits = dlogits + scores.gradients["clean"]
        np.matmul(h.T, dlogits, out=grad["W"])
        if self.bias:
            grad["b"][...] = column_sums(dlogits)
        if not need_input:
            return None
        dh = dlogits @ theta["W"].T
        return dh if factor is None else dh * factor


@final
class NoisyScore(Score):
    """H = h Wg + b + epsilon * sigma with epsilon ~ N(0, 1) in training, sigma = 0 else.

    Parameters
    ----------
    learned : bool, default=True
        Whether sigma = softplus(h Wnoise + c) + 0.01; else sigma = 1 / E.
    bias : bool, default=True
        Whether there are b and c.
    spread : float, default=0.0
        Standard deviation of the first scores of standardized rows. Wg and Wnoise start at zero:
        a state of equal load.

    References
    ----------
    Shazeer et al. (2017), Outrageously large neural networks, equation 4 and appendix A.
    Riquelme et al. (2021), Scaling vision with sparse mixture of experts, equation 1 (fixed sigma).

    Examples
    --------
    >>> from skmoe.neural.routers import NoisyScore, TokenRouter, TopK
    >>> router = TokenRouter(NoisyScore(), TopK(2))
    >>> router.check()
    """

    def __init__(self, learned=True, bias=True, spread=0.0):
        self.learned = learned
        self.bias = bias
        self.spread = spread

    def check(self):
        check_number("spread", self.spread)

    def specs(self, width, n_experts):
        first = normal(self.spread / np.sqrt(max(1, width))) if self.spread else zeros
        specs = {"W": Spec((width, n_experts), first)}
        if self.learned:
            specs["N"] = Spec((width, n_experts), zeros)
        if self.bias:
            specs["b"] = Spec((n_experts,), zeros)
            if self.learned:
                specs["c"] = Spec((n_experts,), zeros)
        return specs

    def forward(self, theta, h, run):
        clean = product(h, theta["W"])
        if self.bias:
            clean += theta["b"]
        if not run.training:
            return Scores(clean, affinity_of(clean, "softmax"), "softmax", clean)
        slope = None
        sigma = 1.0 / clean.shape[1]
        if self.learned:
            raw = product(h, theta["N"])
            if self.bias:
                raw += theta["c"]
            sigma, slope = softplus_and_slope(raw)
            sigma += _LEAST_NOISE
        epsilon = standard_normal(run.rng, clean)
        logits = epsilon * sigma
        logits += clean
        cache = h, slope, epsilon
        return Scores(logits, affinity_of(logits, "softmax"), "softmax", clean, sigma, cache)

    def backward(self, theta, scores, grad, need_input):
        h, slope, epsilon = scores.cache
        dlogits = scores.pull()
        dclean = dlogits
        if "clean" in scores.gradients:
            dclean = dlogits + scores.gradients["clean"]
        np.matmul(h.T, dclean, out=grad["W"])
        draw = self._noise_gradient(scores, dlogits, slope, epsilon) if self.learned else None
        if draw is not None:
            np.matmul(h.T, draw, out=grad["N"])
        if self.bias:
            grad["b"][...] = column_sums(dclean)
            if draw is not None:
                grad["c"][...] = column_sums(draw)
        if not need_input:
            return None
        dh = dclean @ theta["W"].T
        return dh if draw is None else dh + draw @ theta["N"].T

    def _noise_gradient(self, scores, dlogits, slope, epsilon):
        dsigma = dlogits * epsilon
        if "sigma" in scores.gradients:
            dsigma += scores.gradients["sigma"]
        dsigma *= slope
        return dsigma


@final
class CosineScore(Score):
    """L = exp(s) l2norm([h, 1]) l2norm(Wg): cosines times a learned inverse temperature.

    Parameters
    ----------
    scale : float, default=10.0
        First value of exp(s).
    origin : bool, default=True
        Whether rows get a column of ones first. Cosines forget how long a row is; this column
        keeps it, since rows here are standardized features.

    References
    ----------
    Chi et al. (2022), On the representation collapse of sparse mixture of experts, section 3.

    Examples
    --------
    >>> from skmoe.neural.routers import CosineScore, TokenRouter, TopK
    >>> router = TokenRouter(CosineScore(scale=5.0), TopK(2))
    >>> router.check()
    """

    def __init__(self, scale=10.0, origin=True):
        self.scale = scale
        self.origin = origin

    def check(self):
        check_number("scale", self.scale, above=0.0)

    def specs(self, width, n_experts):
        log_scale = float(np.log(self.scale))
        return {
            "W": Spec((width + bool(self.origin), n_experts), normal(1.0)),
            "s": Spec((1,), lambda rng, shape: np.full(shape, log_scale)),
        }

    def forward(self, theta, h, run):
        if self.origin:
            h = np.concatenate([h, np.ones((len(h), 1), h.dtype)], axis=1)
        rows, lengths = unit_rows(h)
        columns, widths = unit_rows(theta["W"].T)
        cosine = product(rows, columns.T)
        logits = cosine * np.exp(theta["s"])
        cache = rows, lengths, columns, widths, cosine
        return Scores(logits, affinity_of(logits, "softmax"), "softmax", logits, cache=cache)

    def backward(self, theta, scores, grad, need_input):
        rows, lengths, columns, widths, cosine = scores.cache
        dlogits = scores.pull()
        if "clean" in scores.gradients:
            dlogits = dlogits + scores.gradients["clean"]
        scale = np.exp(theta["s"])
        grad["s"][...] = np.sum(dlogits * cosine) * scale
        dcosine = dlogits * scale
        grad["W"][...] = through_unit_rows(dcosine.T @ rows, columns, widths).T
        if not need_input:
            return None
        dh = through_unit_rows(dcosine @ columns, rows, lengths)
        return dh[:, :-1] if self.origin else dh


@final
class MLPScore(Score):
    """L = a multilayer perceptron of h: linear-ReLU-linear.

    Parameters
    ----------
    hidden : int, default=32
        Width of the hidden layer.

    References
    ----------
    Eigen, Ranzato and Sutskever (2013), Learning factored representations in a deep mixture of
    experts, section 3.

    Examples
    --------
    >>> from skmoe.neural.routers import MLPScore, TokenRouter, TopK
    >>> router = TokenRouter(MLPScore(hidden=16), TopK(2))
    >>> router.check()
    """

    def __init__(self, hidden=32):
        self.hidden = hidden

    def check(self):
        check_count("hidden", self.hidden)

    def specs(self, width, n_experts):
        return self._network(width, n_experts).specs()

    def forward(self, theta, h, run):
        network = self._network(h.shape[1], theta["contract"]["W"].shape[1])
        logits, cache = network.forward(theta, h, run)
        return Scores(
            logits, affinity_of(logits, "softmax"), "softmax", logits, cache=(network, cache)
        )

    def backward(self, theta, scores, grad, need_input):
        network, cache = scores.cache
        dlogits = scores.pull()
        if "clean" in scores.gradients:
            dlogits = dlogits + scores.gradients["clean"]
        return network.backward(theta, cache, dlogits, grad, Run(), need_input)

    def _network(self, width, n_experts):
        return FeedForward(width, self.hidden, n_experts)


def softplus_and_slope(x):
    """Return log(1 + exp(x)), within rounding of its largest term, and 1 / (1 + exp(-x))."""
    # Beyond this, log(1 + exp(x)) is x in any precision.
    y = np.exp(np.minimum(x, _STRAIGHT))
    y += 1
    slope = np.reciprocal(y)
    np.subtract(1, slope, out=slope)
    np.log(y, out=y)
    return np.maximum(y, x, out=y), slope


def standard_normal(rng, like):
    """Return draws from N(0, 1) of the shape, type and order of memory of an array.

    In single precision, by the polar transformation (Box and Muller 1958): functions of large
    blocks are faster than a draw at a time. Its uniform numbers have 24 bits, and no draw is beyond
    5.77: what lies there has a probability of 1e-8.
    """
    if like.dtype == np.float32:
        draws = _normal_pairs(rng, (like.size + 1) // 2).ravel()[: like.size]
    else:
        draws = rng.standard_normal(like.size)
    order = "C" if like.flags.c_contiguous else "F"
    return draws.reshape(like.shape, order=order)


def _normal_pairs(rng, n):
    """Return two lines of n draws from N(0, 1), in single precision."""
    draws = rng.random((2, n), dtype=np.float32)
    radius = np.log(1 - draws[0])
    radius *= -2.0
    np.sqrt(radius, out=radius)
    angle = draws[1] * np.float32(2.0 * np.pi)
    np.cos(angle, out=draws[0])
    np.sin(angle, out=draws[1])
    draws *= radius
    return draws


def unit_rows(A):
    """Return the rows of A at length one, and their lengths (n,)."""
    lengths = np.sqrt(np.einsum("nd,nd->n", A, A))
    lengths = np.maximum(lengths, A.dtype.type(1e-6))
    return A / lengths[:, None], lengths


def through_unit_rows(gradient, units, lengths):
    """Return the gradient of rows from that of the rows at length one."""
    along = np.einsum("nd,nd->n", gradient, units)
    return (gradient - units * along[:, None]) / lengths[:, None]
