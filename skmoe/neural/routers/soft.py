"""Soft routing: no expert is chosen, every slot is a blend of tokens."""

from typing import final

from skmoe._math.checks import check_choice, check_count, check_number
from skmoe.neural.mixture import SharedExpert
from skmoe.neural.routers.base import Router
from skmoe.neural.soft import SoftMixtureLayer

__all__ = ["SoftRouter"]


@final
class SoftRouter(Router):
    """The router of `skmoe.neural.soft.SoftMixtureLayer`.

    Parameters
    ----------
    tokens : {"chunks", "rows"}, default="chunks"
        Chunks of the row's own vector, or the rows of the batch; then the slots are frozen for
        predictions, so that they do not depend on batch mates.
    n_tokens : int, default=4
        Chunks of a row (at most half as many as columns).
    n_slots : int, default=1
        Slots of an expert.
    decay : float, default=0.95
        Of the running mean of the slots, when rows are tokens.

    References
    ----------
    Puigcerver et al. (2023), From sparse to soft mixtures of experts.

    Examples
    --------
    As ``router`` of an estimator:

    >>> from skmoe import SparseMixtureOfExpertsRegressor
    >>> from skmoe.neural.routers import SoftRouter
    >>> est = SparseMixtureOfExpertsRegressor(8, router=SoftRouter(n_tokens=2, n_slots=2))
    """

    def __init__(self, tokens="chunks", n_tokens=4, n_slots=1, decay=0.95):
        self.tokens = tokens
        self.n_tokens = n_tokens
        self.n_slots = n_slots
        self.decay = decay

    def check(self):
        check_choice("tokens", self.tokens, ("chunks", "rows"))
        check_count("n_tokens", self.n_tokens)
        check_count("n_slots", self.n_slots)
        check_number("decay", self.decay)

    def layer(self, name, shape):
        n_tokens = None if self.tokens == "rows" else self.n_tokens
        beside = SharedExpert(shape) if shape.shared else None
        return SoftMixtureLayer(name, shape, n_tokens, self.n_slots, self.decay, beside)

    # The layer matches slots and tokens itself: there is nothing left to route.
    def specs(self, width, n_experts):
        return {}

    def initial_state(self, n_experts):
        return {}

    def forward(self, theta, state, h, run, key):
        raise TypeError("a soft mixture routes slots and not rows; use SoftRouter.layer.")

    def backward(self, theta, routing, dweight, grad, run, need_input):
        raise TypeError("a soft mixture routes slots and not rows; use SoftRouter.layer.")
