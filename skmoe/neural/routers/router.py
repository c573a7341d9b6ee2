"""The router that is a sentence of parts: score, select, normalize, capacity, balance."""

from typing import final

import numpy as np
from sklearn.base import clone

from skmoe._math.checks import check_choice, check_flag, check_number
from skmoe.neural.routers.base import Balance, Router, Routing, Score, Selection
from skmoe.neural.routers.capacity import Capacity
from skmoe.neural.routers.places import Places
from skmoe.neural.routers.reports import report_of
from skmoe.neural.routers.scores import LinearScore
from skmoe.neural.routers.selection import TopK

__all__ = ["TokenRouter"]


@final
class TokenRouter(Router):
    """Scores, a selection, a normalization, a capacity, and what keeps the balance.

    Parameters
    ----------
    score : Score, default=LinearScore()
        What the experts are worth to a row.
    select : Selection, default=TopK()
        Which experts see which rows.
    normalize : {"sum", "none"}, default="sum"
        Whether the weights of a row's chosen experts, before any is dropped, are divided by their
        sum. A softmax over the kept scores is the softmax over all scores, so divided. For one
        expert a row that is the constant 1, from which a router learns nothing: an error.
    scale : float, default=1.0
        What the weights are multiplied by.
    capacity : Capacity or None, default=None
        None: dropless.
    balance : sequence of Balance, default=()
        Losses and updates that keep the load even.
    interpolates : bool, default=False
        Whether the layer's output is sum_i w_i f_i(h) + (1 - sum_i w_i) h (BASE), where its input
        and output have one width.

    Examples
    --------
    >>> from skmoe.neural.routers import LinearScore, SwitchLoss, TokenRouter, TopK
    >>> router = TokenRouter(LinearScore(), TopK(4), "none", balance=[SwitchLoss(0.02, "all")])
    """

    def __init__(
        self,
        score=None,
        select=None,
        normalize="sum",
        scale=1.0,
        capacity=None,
        balance=(),
        interpolates=False,
    ):
        self.score = score
        self.select = select
        self.normalize = normalize
        self.scale = scale
        self.capacity = capacity
        self.balance = balance
        self.interpolates = interpolates

    @property
    def score_(self):
        """The score, or its default."""
        return LinearScore() if self.score is None else self.score

    @property
    def select_(self):
        """The selection, or its default."""
        return TopK() if self.select is None else self.select

    def get_params(self, deep=True):
        """Return the hyper-parameters, those of the balance's parts as ``balance__0__weight``.

        Parameters
        ----------
        deep : bool, default=True
            Whether to return those of the parts, too.

        Returns
        -------
        dict
        """
        params = super().get_params(deep)
        if deep:
            for place, part in enumerate(self.balance):
                params[f"balance__{place}"] = part
                for name, value in part.get_params().items():
                    params[f"balance__{place}__{name}"] = value
        return params

    def set_params(self, **params):
        """Set hyper-parameters by the names that ``get_params`` returns.

        Parameters
        ----------
        **params
            Hyper-parameters.

        Returns
        -------
        self
        """
        inner = {name: params.pop(name) for name in sorted(params) if name[:9] == "balance__"}
        super().set_params(**params)
        known = self.get_params()
        for name, value in inner.items():
            if name not in known:
                raise ValueError(
                    f"{name!r} is no parameter of {self!r}; known are {sorted(known)}."
                )
            place, _, own = name.removeprefix("balance__").partition("__")
            if own:
                self.balance[int(place)].set_params(**{own: value})
            else:
                parts = list(self.balance)
                parts[int(place)] = value
                self.balance = parts
        return self

    def _parts(self):
        parts = [self.score_, self.select_, *self.balance]
        return parts if self.capacity is None else [*parts, self.capacity]

    def check(self):
        kinds = (("score", self.score_, Score), ("select", self.select_, Selection))
        kinds += tuple(("balance", part, Balance) for part in self.balance)
        kinds += (("capacity", self.capacity, Capacity),) if self.capacity is not None else ()
        for name, part, kind in kinds:
            if not isinstance(part, kind):
                raise TypeError(f"{name}={part!r} must be an instance of {kind.__name__}.")
            part.check()
        check_choice("normalize", self.normalize, ("sum", "none"))
        check_number("scale", self.scale, above=0.0)
        check_flag("interpolates", self.interpolates)
        if self.normalize == "sum" and getattr(self.select_, "k", None) == 1:
            raise ValueError(
                "normalize='sum' with k=1 makes every weight 1, and the router learns nothing; "
                "allowed with one expert a row is normalize='none'."
            )

    def rescaled(self, n_experts):
        if not self.select_.even:
            return super().rescaled(n_experts)
        router = clone(self)
        score = clone(self.score_)
        if self.normalize == "sum":
            return router
        if hasattr(score, "spread"):
            # Weights are as good as equal at first.
            score.set_params(spread=0.01)
        each = 0.5 if getattr(score, "activation", "softmax") == "sigmoid" else 1.0 / n_experts
        k = min(self.select_.n_choices, n_experts)
        return router.set_params(score=score, scale=self.scale / (each * k))

    def specs(self, width, n_experts):
        return self.score_.specs(width, n_experts)

    def initial_state(self, n_experts):
        state = {}
        for part in self._parts():
            state |= part.initial_state(n_experts)
        return state

    def forward(self, theta, state, h, run, key):
        scores = self.score_.forward(theta, h, run)
        n_experts = scores.logits.shape[1]
        choice = self.select_.select(scores, state, run, n_experts)
        wanted = choice.experts
        if run.training and self.capacity is not None:
            n_choices = min(self.select_.n_choices, n_experts)
            self.capacity.place(choice, scores.affinity, n_choices)
        full, norm = self._weights(scores, choice)
        slopes = []
        if run.training:
            slopes = self._balance(scores, choice, wanted, full, state, run)
        placed = choice.placed()
        weight = full if placed is None else np.where(placed, full, 0)
        routing = Routing(choice.experts, weight, placed, (scores, choice, full, norm, slopes))
        routing.report = report_of(choice, weight, placed, scores, n_experts, run.watch)
        return routing

    def _weights(self, scores, choice):
        """Return weights (n, k) of the choices, whether they are kept or not, and their sums."""
        if choice.weight is not None:
            return choice.weight * choice.weight.dtype.type(self.scale), None
        choice.places = Places(choice.experts, scores.affinity)
        weight = choice.places.take(scores.affinity)
        if choice.valid is not None:
            weight = np.where(choice.valid, weight, 0)
        norm = None
        if self.normalize == "sum":
            tiny = np.finfo(weight.dtype).tiny
            norm = np.maximum(weight.sum(axis=1), tiny)[:, None]
            weight = weight / norm
        if self.scale != 1.0:
            weight = weight * weight.dtype.type(self.scale)
        return weight, norm

    def _balance(self, scores, choice, wanted, weight, state, run):
        """Add the balance losses to the run; return gradients of the weights (n, k)."""
        slopes = []
        placed, choice.experts = choice.experts, wanted
        for part in self.balance:
            loss, slope = part.loss(scores, choice, weight, state)
            run.loss += loss
            if slope is not None:
                slopes.append(slope)
        choice.experts = placed
        return slopes

    def backward(self, theta, routing, dweight, grad, run, need_input):
        scores, choice, full, norm, slopes = routing.cache
        if routing.kept is not None:
            dweight = np.where(routing.kept, dweight, 0)
        for slope in slopes:
            dweight = dweight + slope
        if choice.weight is None:
            self._through_weights(scores, choice, full, norm, dweight)
        else:
            self.select_.backward(scores, choice, dweight, run)
        return self.score_.backward(theta, scores, grad, need_input)

    def _through_weights(self, scores, choice, weight, norm, dweight):
        scale = weight.dtype.type(self.scale)
        if norm is not None:
            along = np.einsum("nk,nk->n", dweight, weight) / scale
            dweight = (dweight - along[:, None]) / norm
        if scale != 1:
            dweight = dweight * scale
        scores.add("affinity", choice.places.spread(dweight, scores.affinity, choice.valid))
