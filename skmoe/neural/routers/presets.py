"""Every router of the literature by its short name: a sentence of parts."""

from collections.abc import Callable
from typing import NamedTuple

from skmoe.neural.routers.balance import BiasUpdate, Importance, Load, SwitchLoss, ZLoss
from skmoe.neural.routers.capacity import Capacity
from skmoe.neural.routers.conditional import ConditionalRouter
from skmoe.neural.routers.hashing import HashRouter
from skmoe.neural.routers.hierarchical import HierarchicalRouter
from skmoe.neural.routers.router import TokenRouter
from skmoe.neural.routers.scores import CosineScore, LinearScore, MLPScore, NoisyScore
from skmoe.neural.routers.selection import All, Assignment, ExpertChoice, Quota, Sample, TopK
from skmoe.neural.routers.soft import SoftRouter

__all__ = ["SHORT_NAMES", "Preset", "build_router"]


class Preset(NamedTuple):
    """A router by name.

    Attributes
    ----------
    build : callable
        ``build(top_k, capacity) -> Router``.
    n_experts, top_k : int
        What the paper uses, where the user does not say.
    shallow : bool
        Whether experts are linear-activation without an output layer, and replace the layer's
        input instead of adding to it (Eigen et al. 2013).

    Examples
    --------
    >>> from skmoe.neural.routers import SHORT_NAMES
    >>> preset = SHORT_NAMES["deepseek"]
    >>> preset.build(preset.top_k, None).balance
    [BiasUpdate()]
    """

    build: Callable
    n_experts: int = 8
    top_k: int = 2
    shallow: bool = False


def _norm(k):
    # One weight divided by itself is 1, and a router learns nothing from it.
    return "sum" if k > 1 else "none"


def dense(k, capacity):
    """f(h) = sum_i p_i(h) f_i(h), p = softmax(h Wg): every expert sees every row.

    Jacobs, Jordan, Nowlan and Hinton (1991), equation 1.
    """
    return TokenRouter(LinearScore(), All(), "none")


def eigen(k, capacity):
    """p = softmax of linear-ReLU-linear, experts linear-ReLU, a gate per layer.

    First stage of training: an expert whose running total of p exceeds the mean by a margin gets
    p_i = 0, and the others are divided by their sum. Second stage: without.
    Eigen, Ranzato and Sutskever (2013), sections 3 and 3.1.
    """
    return TokenRouter(MLPScore(), Quota(), "sum")


def noisy_top_k(k, capacity):
    """H = h Wg + epsilon * (softplus(h Wnoise) + 0.01); weights softmax over the top k of H.

    Losses 0.1 CV^2(importance) and 0.1 CV^2(load). For k = 1 the weight is p_i, not 1.
    Shazeer et al. (2017), equations 3 to 5 and appendix A.
    """
    return TokenRouter(
        NoisyScore(), TopK(k), _norm(k), capacity=capacity, balance=[Importance(), Load()]
    )


def hierarchical(k, capacity):
    """Two levels of noisy gates: k groups of experts, then one expert within each.

    Shazeer et al. (2017), appendix B.
    """
    return HierarchicalRouter(top_groups=k)


def top_k(k, capacity):
    """Weights softmax over the top k of L = h Wg; loss 0.01 E sum_i f_i P_i over all choices."""
    return TokenRouter(
        LinearScore(), TopK(k), _norm(k), capacity=capacity, balance=[SwitchLoss(0.01, "all")]
    )


def cosine(k, capacity):
    """Weights softmax over the top k of cosines times a learned inverse temperature.

    Chi et al. (2022), section 3; balance as for ``top_k``.
    """
    return TokenRouter(
        CosineScore(), TopK(k), _norm(k), capacity=capacity, balance=[SwitchLoss(0.01, "all")]
    )


def switch(k, capacity):
    """k = 1, y = p_i f_i(h) with p = softmax(h Wg) not renormalized, input jitter U(0.99, 1.01).

    Losses 0.01 E sum_i f_i P_i and 0.001 mean logsumexp(L)^2.
    Fedus, Zoph and Shazeer (2021), equations 1 to 6.
    """
    return TokenRouter(
        LinearScore(jitter=0.01),
        TopK(1),
        "none",
        capacity=capacity,
        balance=[SwitchLoss(0.01), ZLoss(1e-3)],
    )


def gshard(k, capacity):
    """k = 2, g = p over the two chosen, divided by their sum before any drop.

    In training the second is taken with probability min(1, 2 g2); all first choices take their
    places before any second. Loss 0.01 E sum_i f_i P_i of first choices.
    Lepikhin et al. (2020), section 2.2 and algorithm 1.
    """
    return TokenRouter(
        LinearScore(),
        TopK(2, random_second=True),
        "sum",
        capacity=capacity,
        balance=[SwitchLoss(0.01)],
    )


def vision(k, capacity):
    """p = softmax(h Wg + epsilon / E) over all, top k, not renormalized; places by weight.

    Losses 0.005 CV^2 of the summed affinities and 0.005 CV^2 of the load.
    Riquelme et al. (2021), equation 1, section 4 (batch prioritized routing), appendix A.
    """
    if capacity is not None:
        capacity = Capacity(capacity.factor, "weight", capacity.overflow)
    return TokenRouter(
        NoisyScore(learned=False, spread=1.0),
        TopK(k),
        "none",
        capacity=capacity,
        balance=[Importance(0.005, "affinities"), Load(0.005)],
    )


def hash_router(k, capacity):
    """The expert is a fixed hash of the row, weight 1. Roller et al. (2021), section 3."""
    return HashRouter(balanced=True)


def soft(k, capacity):
    """Slots are convex combinations of tokens, outputs of slots. Puigcerver et al. (2023)."""
    return SoftRouter()


def base(k, capacity):
    """y = s f(h) + (1 - s) h, s = sigmoid of the score; balanced assignment in training.

    Lewis et al. (2021), section 3.
    """
    return TokenRouter(LinearScore(activation="sigmoid"), Assignment(), "none", interpolates=True)


def expert_choice(k, capacity):
    """Each expert takes its top C = k S / E rows by p = softmax over experts, weight p.

    Zhou et al. (2022), section 3.2.
    """
    return TokenRouter(LinearScore(), ExpertChoice(float(k)), "none")


def reinforce(k, capacity):
    """Bernoulli gates sigma(h W) learned by REINFORCE with a baseline.

    Bengio et al. (2015), equations 2 to 6.
    """
    return TokenRouter(LinearScore(activation="sigmoid"), Sample(), "none")


def conditional(k, capacity):
    """y = (1 - g) FFN(h) + g MoE(h), g = sigmoid(h w + b); loss 0.1 abs(mean g - 0.8).

    MoE is ``gshard`` without its random second choice. NLLB Team (2022), section 6.2.
    """
    return ConditionalRouter(
        TokenRouter(LinearScore(), TopK(k), _norm(k), capacity=capacity, balance=[SwitchLoss(0.01)])
    )


def olmoe(k, capacity):
    """p = softmax over all, top 8 of 64, not renormalized, dropless.

    Losses 0.01 E sum_i f_i P_i over all choices, 0.001 mean logsumexp(L)^2.
    Muennighoff et al. (2024), section 2.
    """
    return TokenRouter(
        LinearScore(), TopK(k), "none", balance=[SwitchLoss(0.01, "all"), ZLoss(1e-3)]
    )


def deepseek(k, capacity):
    """s = sigmoid(L), top k of s + b, weights s divided by their sum; b moves, no loss.

    b_i += 0.001 sign(mean load - load_i). DeepSeek-AI (2024), equations 12 to 16.
    """
    return TokenRouter(
        LinearScore(activation="sigmoid"),
        TopK(k),
        _norm(k),
        capacity=capacity,
        balance=[BiasUpdate()],
    )


#: ``router=`` -> Preset. GLaM is GShard's gate; Mixtral and DBRX are softmaxes over the top k,
#: Mixtral's taken after the selection and DBRX's before it and renormalized: the same numbers.
SHORT_NAMES = {
    "dense": Preset(dense),
    "eigen": Preset(eigen, shallow=True),
    "noisy_top_k": Preset(noisy_top_k),
    "hierarchical": Preset(hierarchical),
    "top_k": Preset(top_k),
    "cosine": Preset(cosine),
    "switch": Preset(switch, top_k=1),
    "gshard": Preset(gshard),
    "vision": Preset(vision),
    "hash": Preset(hash_router, top_k=1),
    "soft": Preset(soft),
    "base": Preset(base, top_k=1),
    "expert_choice": Preset(expert_choice),
    "reinforce": Preset(reinforce),
    "conditional": Preset(conditional),
    "mixtral": Preset(top_k, 8, 2),
    "dbrx": Preset(top_k, 16, 4),
    "glam": Preset(gshard, 64, 2),
    "olmoe": Preset(olmoe, 64, 8),
    "deepseek": Preset(deepseek),
}


def build_router(name, k=None, capacity=None):
    """Return the router of a short name.

    Parameters
    ----------
    name : str
        See `SHORT_NAMES`.
    k : int or None, default=None
        Experts a row; None: what the paper uses. Routers whose k is part of their definition
        (switch, gshard, glam, base, hash) keep theirs.
    capacity : Capacity or None, default=None
        Places of an expert in a training batch; None: dropless.

    Returns
    -------
    Router
        To be given to an estimator as ``router``.

    Examples
    --------
    >>> from skmoe.neural.routers import build_router
    >>> build_router("switch").select
    TopK(k=1)
    """
    preset = SHORT_NAMES[name]
    return preset.build(preset.top_k if k is None else k, capacity)
