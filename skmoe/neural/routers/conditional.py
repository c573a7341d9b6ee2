"""Conditional routing: a learned gate between a dense expert and the routed ones."""

from typing import final

from skmoe._math.checks import check_number
from skmoe.neural.mixture import GatedExpert, MixtureLayer
from skmoe.neural.routers.base import Router

__all__ = ["ConditionalRouter"]


@final
class ConditionalRouter(Router):
    """Blend y = (1 - g) FFN(h) + g MoE(h), g = sigmoid(h w + b), around any other router.

    Parameters
    ----------
    router : Router
        Of the routed experts.
    weight : float, default=0.1
        Of the budget loss weight * abs(mean g - budget).
    budget : float, default=0.8
        Share of the routed experts that is aimed at.

    References
    ----------
    NLLB Team (2022), No language left behind, section 6.2.

    Examples
    --------
    >>> from skmoe.neural.routers import ConditionalRouter, LinearScore, TokenRouter, TopK
    >>> router = ConditionalRouter(TokenRouter(LinearScore(), TopK(2)), budget=0.5)
    >>> router.check()
    """

    def __init__(self, router, weight=0.1, budget=0.8):
        self.router = router
        self.weight = weight
        self.budget = budget

    def check(self):
        check_number("weight", self.weight)
        check_number("budget", self.budget)
        self.router.check()

    def layer(self, name, shape):
        return MixtureLayer(name, self, shape, GatedExpert(shape, self.weight, self.budget))

    def rescaled(self, n_experts):
        return ConditionalRouter(self.router.rescaled(n_experts), self.weight, self.budget)

    def specs(self, width, n_experts):
        return self.router.specs(width, n_experts)

    def initial_state(self, n_experts):
        return self.router.initial_state(n_experts)

    def prepare(self, X, n_experts, rng):
        return self.router.prepare(X, n_experts, rng)

    def keys(self, state, X):
        return self.router.keys(state, X)

    def forward(self, theta, state, h, run, key):
        return self.router.forward(theta, state, h, run, key)

    def backward(self, theta, routing, dweight, grad, run, need_input):
        return self.router.backward(theta, routing, dweight, grad, run, need_input)
