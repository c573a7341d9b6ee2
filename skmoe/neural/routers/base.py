"""What routers are made of, and the records that pass between their parts."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field

import numpy as np
from sklearn.base import BaseEstimator

from skmoe._math.logspace import softmax
from skmoe.neural.mixture import MixtureLayer, SharedExpert
from skmoe.neural.sums import row_sums

__all__ = [
    "Balance",
    "Choice",
    "Part",
    "Router",
    "Routing",
    "Score",
    "Scores",
    "Selection",
    "logistic",
]


# Scores below this have exponentials whose sums are finite in any precision.
_MODEST = 60.0


class Part(BaseEstimator):
    """A part of a router: hyper-parameters only; what it learns is handed in."""

    def check(self):
        """Raise ValueError or TypeError for hyper-parameters that cannot be used."""
        return None

    def initial_state(self, n_experts):
        """Return the arrays that training moves without a gradient, by name."""
        return {}


@dataclass
class Scores:
    """Scores of the experts for the rows of a block, and the gradients that flow back to them.

    Attributes
    ----------
    logits : ndarray of shape (n, E)
        L, with noise in training.
    affinity : ndarray of shape (n, E)
        p = softmax(L) over all experts, or the logistic function of each.
    kind : {"softmax", "sigmoid"}
        Which of the two.
    clean : ndarray of shape (n, E)
        L without noise.
    sigma : ndarray of shape (n, E), float or None
        Standard deviation of the noise, where there is some.
    cache : object
        What the score's ``backward`` asks for.
    gradients : dict
        "logits", "affinity", "clean" or "sigma" -> the gradient so far, (n, E).
    """

    logits: np.ndarray
    affinity: np.ndarray
    kind: str
    clean: np.ndarray
    sigma: object = None
    cache: object = None
    gradients: dict = field(default_factory=dict)

    def add(self, name, gradient):
        """Add to the gradient of the array of that name."""
        if name in self.gradients:
            gradient = self.gradients[name] + gradient
        self.gradients[name] = gradient

    def pull(self):
        """Return the gradient of the logits (n, E), that of the affinities included."""
        total = self.gradients.get("logits")
        through = self.gradients.get("affinity")
        if through is not None:
            through = self._through_affinity(through)
            total = through if total is None else total + through
        return np.zeros_like(self.logits) if total is None else total

    def _through_affinity(self, gradient):
        p = self.affinity
        if self.kind == "sigmoid":
            return gradient * p * (1 - p)
        along = np.einsum("ne,ne->n", gradient, p)
        return p * (gradient - along[:, None])

    def distribution(self):
        """Return the affinities with rows that sum to one, (n, E)."""
        if self.kind == "softmax":
            return self.affinity
        total = self.affinity.sum(axis=1, keepdims=True)
        return self.affinity / np.maximum(total, np.finfo(self.affinity.dtype).tiny)


class Score(Part, ABC):
    """Scores L (n, E) of the experts from a layer's input h (n, d)."""

    @abstractmethod
    def specs(self, width, n_experts):
        """Return the parameters: name -> `skmoe.neural.parameters.Spec`."""

    @abstractmethod
    def forward(self, theta, h, run):
        """Return the `Scores` of h (n, d)."""

    @abstractmethod
    def backward(self, theta, scores, grad, need_input):
        """Write the gradient of the parameters to ``grad``; return that of h (n, d), or None."""


@dataclass
class Choice:
    """Experts that were chosen for the rows.

    Attributes
    ----------
    experts : ndarray of int of shape (n, k)
        In falling order of preference where there is one.
    valid : ndarray of bool of shape (n, k) or None
        Which entries are choices at all, where rows have different numbers of them.
    kept : ndarray of bool of shape (n, k) or None
        Which choices take a slot; the others were dropped.
    weight : ndarray of shape (n, k) or None
        Combine weights, where they are no function of the affinities.
    following : ndarray of int of shape (n,) or None
        The expert that would have been chosen next, where it is known.
    places : skmoe.neural.routers.places.Places or None
        Where the chosen experts stand in tables of all, once it was asked for.
    cache : object
        What the selection's ``backward`` asks for.
    """

    experts: np.ndarray
    valid: np.ndarray | None = None
    kept: np.ndarray | None = None
    weight: np.ndarray | None = None
    following: np.ndarray | None = None
    places: object = None
    cache: object = None

    def placed(self):
        """Return which entries take a slot, boolean (n, k), or None for all."""
        if self.valid is None or self.kept is None:
            return self.kept if self.valid is None else self.valid
        return self.valid & self.kept


class Selection(Part, ABC):
    """Which experts see which rows."""

    #: Experts of a row, for the number of slots that a capacity factor allows.
    n_choices = 1
    #: Whether all rows have that many.
    even = True

    @abstractmethod
    def select(self, scores, state, run, n_experts):
        """Return the `Choice`. ``run.training`` is false when it has to hold row by row."""

    def backward(self, scores, choice, dweight, run):
        """Add what does not flow through affinities of chosen experts to the scores' gradients.

        Called only for choices that bring weights of their own; ``dweight`` (n, k) is their
        gradient.
        """
        return None


class Balance(Part, ABC):
    """A pull towards even use of the experts: a loss, or a move of the state."""

    @abstractmethod
    def loss(self, scores, choice, weight, state):
        """Return the loss (a float) and its gradient of the weights (n, k), or None.

        Gradients of scores are added to ``scores.gradients``, state is moved in place.
        """


@dataclass
class Routing:
    """What a router decided for a block of rows.

    Attributes
    ----------
    experts : ndarray of int of shape (n, k)
    weight : ndarray of shape (n, k)
        Combine weights; zero where a choice was dropped.
    kept : ndarray of bool of shape (n, k) or None
        Which choices take a slot; None: all.
    cache : object
        What the router's ``backward`` asks for.
    report : dict
        What was measured: see `skmoe.neural.reports`.
    """

    experts: np.ndarray
    weight: np.ndarray
    kept: np.ndarray | None
    cache: object = None
    report: dict = field(default_factory=dict)


class Router(BaseEstimator, ABC):
    """Scores of rows -> which experts see them, and with what weight.

    Attributes
    ----------
    interpolates : bool
        Whether the layer's input fills up what the weights leave to one (BASE).

    Examples
    --------
    See `TokenRouter`, which is a sentence of parts:

    >>> from skmoe.neural.routers import Router, build_router
    >>> isinstance(build_router("switch"), Router)
    True
    """

    interpolates = False

    def check(self):
        """Raise ValueError or TypeError for hyper-parameters that cannot be used."""
        return None

    def layer(self, name, shape):
        """Return the mixture layer of this router for a `skmoe.neural.mixture.BlockShape`."""
        return MixtureLayer(name, self, shape, SharedExpert(shape) if shape.shared else None)

    def rescaled(self, n_experts):
        """Return a fresh router whose first weights add up to 1, for sparse upcycling.

        Raises
        ------
        ValueError
            If there is none, since the number of experts of a row varies, or none is chosen.
        """
        raise ValueError(
            f"router={self!r} cannot start from a dense network: its first weights do not add up "
            "to one."
        )

    @abstractmethod
    def specs(self, width, n_experts):
        """Return the parameters: name -> Spec, or name -> such a dict."""

    @abstractmethod
    def initial_state(self, n_experts):
        """Return the arrays that training moves without a gradient, by name."""

    def prepare(self, X, n_experts, rng):
        """Return state that is fixed before training, from the network's input X (n, d)."""
        return {}

    def keys(self, state, X):
        """Return the experts (n,) that are fixed by the network's input X (n, d), or None."""
        return None

    @abstractmethod
    def forward(self, theta, state, h, run, key):
        """Return the `Routing` of the rows of h (n, d); auxiliary losses are added to the run."""

    @abstractmethod
    def backward(self, theta, routing, dweight, grad, run, need_input):
        """Write the gradient to ``grad`` for that of the weights (n, k); return that of h."""


def affinity_of(logits, kind):
    """Return softmax(L) over the experts, or the logistic function of every score."""
    if kind == "softmax" and logits.size and max(logits.max(), -logits.min()) < _MODEST:
        # Nothing overflows: the largest score of each row need not be found.
        share = np.exp(logits)
        share /= row_sums(share)[:, None]
        return share
    if kind == "softmax":
        return softmax(logits)
    return logistic(logits)


def logistic(x):
    """Return 1 / (1 + exp(-x)), in its precision: exp is faster on blocks than scipy's expit."""
    with np.errstate(over="ignore"):
        y = np.exp(-x)
    y += 1
    return np.reciprocal(y, out=y)
