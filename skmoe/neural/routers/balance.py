"""Losses that pull towards even use of the experts, with their gradients, and moves of state."""

from typing import final

import numpy as np

from skmoe._math.checks import check_choice, check_number
from skmoe._math.logspace import log_sum_exp
from skmoe._math.normal import normal_pdf_and_cdf
from skmoe.neural.routers.base import Balance
from skmoe.neural.routers.places import Places, flat
from skmoe.neural.sums import column_means, row_sums

__all__ = [
    "BiasUpdate",
    "Importance",
    "Load",
    "SmoothLoad",
    "SwitchLoss",
    "ZLoss",
    "squared_variation",
]


def squared_variation(amounts):
    """Return CV^2 = population variance / mean^2 of amounts (E,), and its gradient (E,)."""
    amounts, n = np.asarray(amounts, dtype=np.float64), len(amounts)
    mean = float(amounts.sum()) / n
    if not mean > 0:
        return 0.0, np.zeros(n)
    share = amounts / mean - 1.0
    loss = float(share @ share) / n
    return loss, (share - loss) * (2.0 / (n * mean))


@final
class Importance(Balance):
    """Loss weight * CV^2(importance), importance_i = sum of the gate weights of expert i.

    Parameters
    ----------
    weight : float, default=0.1
        Of the loss beside that of the answers.
    over : {"gates", "affinities"}, default="gates"
        Weights of the chosen experts (Shazeer et al.), or affinities of all (Vision MoE).

    References
    ----------
    Shazeer et al. (2017), equations 6 and 7.

    Examples
    --------
    >>> from skmoe.neural.routers import Importance, LinearScore, TokenRouter, TopK
    >>> router = TokenRouter(LinearScore(), TopK(2), balance=[Importance(0.01)])
    >>> router.check()
    """

    def __init__(self, weight=0.1, over="gates"):
        self.weight = weight
        self.over = over

    def check(self):
        check_number("weight", self.weight)
        check_choice("over", self.over, ("gates", "affinities"))

    def loss(self, scores, choice, weight, state):
        n, n_experts = scores.logits.shape
        if self.over == "affinities":
            loss, slope = squared_variation(column_means(scores.affinity))
            slope = (self.weight / n * slope).astype(scores.affinity.dtype)
            scores.add("affinity", np.broadcast_to(slope, scores.affinity.shape))
            return self.weight * loss, None
        amounts = np.bincount(choice.experts.T.ravel(), weight.T.ravel(), minlength=n_experts)
        loss, slope = squared_variation(amounts)
        slope = (self.weight * slope).astype(weight.dtype)
        return self.weight * loss, slope[choice.experts]


class SmoothLoad:
    """Probabilities that expert i is among the top k of a row if its noise is drawn again.

    P_i = Phi((L_i - t_i) / sigma_i), with t_i the k-th largest of the noisy scores H that are not
    expert i's own.

    Parameters
    ----------
    clean, noisy : ndarray of shape (n, E)
        L and H.
    sigma : ndarray of shape (n, E) or float
        Standard deviation of the noise.
    top : ndarray of int of shape (n, k + 1)
        The k + 1 largest of H, the largest first.

    Examples
    --------
    >>> import numpy as np
    >>> from skmoe.neural.routers import SmoothLoad
    >>> L = np.array([[2.0, 1.0, 0.0]])
    >>> SmoothLoad(L, L, 1.0, np.array([[0, 1]])).probability.round(2)
    array([[0.84, 0.16, 0.02]])
    """

    def __init__(self, clean, noisy, sigma, top):
        self.sigma = sigma
        self._index = Places(top, clean).index
        last, following = flat(noisy)[self._index[-2:]]
        z = clean - last[:, None]
        chosen = self._index[:-1]
        flat(z)[chosen] = flat(clean)[chosen] - following
        z /= sigma
        self.z = z
        self.density, self.probability = normal_pdf_and_cdf(z)

    def backward(self, gradient):
        """Return the gradients of L, H and sigma (n, E) for that of the probabilities."""
        dclean = gradient * self.density
        dclean /= self.sigma
        within = flat(dclean)[self._index[:-1]].sum(axis=0)
        dnoisy = np.zeros_like(dclean)
        flat(dnoisy)[self._index[-2:]] = within - row_sums(dclean), -within
        dsigma = dclean * self.z
        return dclean, dnoisy, np.negative(dsigma, out=dsigma)


@final
class Load(Balance):
    """Loss weight * CV^2(load), load_i = sum of P(expert i is chosen): see `SmoothLoad`.

    Parameters
    ----------
    weight : float, default=0.1
        Of the loss beside that of the answers.

    References
    ----------
    Shazeer et al. (2017), equations 8 to 11.

    Examples
    --------
    >>> from skmoe.neural.routers import Load, NoisyScore, TokenRouter, TopK
    >>> router = TokenRouter(NoisyScore(), TopK(2), balance=[Load(0.01)])
    >>> router.check()
    """

    def __init__(self, weight=0.1):
        self.weight = weight

    def check(self):
        check_number("weight", self.weight)

    def loss(self, scores, choice, weight, state):
        k = choice.experts.shape[1]
        if scores.sigma is None or k >= scores.logits.shape[1]:
            return 0.0, None
        smooth = self.smooth(scores, choice)
        loss, slope = squared_variation(smooth.probability.sum(axis=0))
        slope = (self.weight * slope).astype(scores.logits.dtype)
        dclean, dnoisy, dsigma = smooth.backward(slope)
        scores.add("clean", dclean)
        scores.add("logits", dnoisy)
        scores.add("sigma", dsigma)
        return self.weight * loss, None

    @staticmethod
    def smooth(scores, choice):
        """Return the `SmoothLoad` of a choice of the k largest noisy scores."""
        following = choice.following
        if following is None:
            following = _following(scores.logits, choice.experts)
        top = np.concatenate([choice.experts.T, following[None]]).T
        return SmoothLoad(scores.clean, scores.logits, scores.sigma, top)


def _following(keys, top):
    """Return which key (n,) comes next after the k largest (n, k)."""
    rest = np.array(keys, order="C")
    np.put_along_axis(rest, np.ascontiguousarray(top), -np.inf, axis=1)
    return rest.argmax(axis=1)


@final
class SwitchLoss(Balance):
    """Loss weight * E * sum_i f_i P_i, the weight itself at perfect balance.

    f_i is the share of the choices that name expert i, before capacity has its say, and P_i the
    mean affinity of expert i over the rows. When one expert takes all, the loss is E times the
    weight.

    Parameters
    ----------
    weight : float, default=0.01
        Of the loss beside that of the answers.
    choices : {"first", "all"}, default="first"
        Whether f counts first choices (Switch, GShard) or all k of them (OLMoE).

    References
    ----------
    Fedus, Zoph and Shazeer (2021), Switch transformers, equations 4 to 6.

    Examples
    --------
    >>> from skmoe.neural.routers import LinearScore, SwitchLoss, TokenRouter, TopK
    >>> router = TokenRouter(LinearScore(), TopK(2), balance=[SwitchLoss(0.02, "all")])
    >>> router.check()
    """

    def __init__(self, weight=0.01, choices="first"):
        self.weight = weight
        self.choices = choices

    def check(self):
        check_number("weight", self.weight)
        check_choice("choices", self.choices, ("first", "all"))

    def loss(self, scores, choice, weight, state):
        p = scores.distribution()
        n, n_experts = p.shape
        counted = choice.experts[:, :1] if self.choices == "first" else choice.experts
        share = np.bincount(counted.T.ravel(), minlength=n_experts) / counted.size
        loss = n_experts * float(share @ column_means(p).astype(np.float64))
        slope = np.broadcast_to((self.weight * n_experts / n * share).astype(p.dtype), p.shape)
        if scores.kind == "sigmoid":
            total = np.maximum(scores.affinity.sum(axis=1, keepdims=True), np.finfo(p.dtype).tiny)
            slope = (slope - np.sum(slope * p, axis=1, keepdims=True)) / total
        scores.add("affinity", slope)
        return self.weight * loss, None


@final
class ZLoss(Balance):
    """Loss weight * mean over rows of logsumexp(L)^2: keeps scores small.

    Parameters
    ----------
    weight : float, default=1e-3
        Of the loss beside that of the answers.

    References
    ----------
    Zoph et al. (2022), ST-MoE, equation 5.

    Examples
    --------
    >>> from skmoe.neural.routers import LinearScore, TokenRouter, TopK, ZLoss
    >>> router = TokenRouter(LinearScore(), TopK(2), balance=[ZLoss(0.001)])
    >>> router.check()
    """

    def __init__(self, weight=1e-3):
        self.weight = weight

    def check(self):
        check_number("weight", self.weight)

    def loss(self, scores, choice, weight, state):
        z = log_sum_exp(scores.logits)
        p = scores.affinity
        if scores.kind == "sigmoid":
            p = np.exp(scores.logits - z[:, None])
        scores.add("logits", p * (z * z.dtype.type(2.0 * self.weight / len(z)))[:, None])
        return self.weight * float(np.mean(np.square(z), dtype=np.float64)), None


@final
class BiasUpdate(Balance):
    """Balance without a loss: b_i += rate * sign(mean load - load_i) after every step.

    The bias b is added to the affinities when experts are chosen, and nowhere else.

    Parameters
    ----------
    rate : float, default=0.001
        By how much a bias moves in a step.

    References
    ----------
    DeepSeek-AI (2024), DeepSeek-V3 technical report, section 2.1.2, equation 16.

    Examples
    --------
    >>> from skmoe.neural.routers import BiasUpdate, LinearScore, TokenRouter, TopK
    >>> router = TokenRouter(LinearScore(), TopK(2), balance=[BiasUpdate(0.01)])
    >>> router.check()
    """

    def __init__(self, rate=0.001):
        self.rate = rate

    def check(self):
        check_number("rate", self.rate)

    def initial_state(self, n_experts):
        return {"bias": np.zeros(n_experts)}

    def loss(self, scores, choice, weight, state):
        load = np.bincount(choice.experts.T.ravel(), minlength=len(state["bias"]))
        state["bias"] += self.rate * np.sign(load.mean() - load)
        return 0.0, None
