"""Which experts see which rows: top k, all, expert choice, assignment, hash, sampling."""

from typing import final

import numpy as np

from skmoe._math.checks import check_choice, check_count, check_flag, check_number
from skmoe.neural.dispatch import table_of
from skmoe.neural.routers.assignment import balanced_assignment
from skmoe.neural.routers.base import Choice, Selection

__all__ = ["All", "Assignment", "ExpertChoice", "Quota", "Sample", "TopK", "top_k"]

# Experts that a byte can number.
_BYTE = 256
# Up to this many choices, one maximum after the other beats a partial sort.
_FEW_CHOICES = 6


def top_k(keys, k):
    """Return the columns of the k largest keys of every row (n, k), the largest first."""
    if k <= _FEW_CHOICES and keys.flags.f_contiguous and 1 < keys.shape[1] <= _BYTE:
        chosen = _without_ties(keys.T, k)
        if chosen is not None:
            return chosen.T
    given, keys = keys, np.ascontiguousarray(keys)
    n, n_experts = keys.shape
    if k <= _FEW_CHOICES:
        chosen = np.empty((k, n), dtype=np.intp)
        firsts = np.arange(0, n * n_experts, n_experts)
        for j in range(k):
            if j:
                keys = keys.copy() if keys is given else keys
                keys.ravel()[firsts + chosen[j - 1]] = -np.inf
            np.argmax(keys, axis=1, out=chosen[j])
        return chosen.T
    if k < n_experts:
        found = np.argpartition(keys, n_experts - k, axis=1)[:, n_experts - k :]
    else:
        found = np.broadcast_to(np.arange(n_experts), keys.shape)
    order = np.argsort(-np.take_along_axis(keys, found, axis=1), axis=1, kind="stable")
    return np.asfortranarray(np.take_along_axis(found, order, axis=1))


def _without_ties(keys, k):
    """Return the lines of the k largest keys (E, n) of all columns, (k, n); None if there are ties.

    Maxima of long lines, and of their numbers in bytes, are faster than a search in each column.
    """
    n_experts, n = keys.shape
    chosen = np.empty((k, n), dtype=np.intp)
    numbers = np.arange(n_experts, dtype=np.uint8)[:, None]
    for j in range(k):
        if j:
            keys = keys.copy() if j == 1 else keys
            keys.reshape(-1)[chosen[j - 1] * n + np.arange(n)] = -np.inf
        largest = keys == keys.max(axis=0)
        if np.count_nonzero(largest) != n:
            return None
        chosen[j] = (largest.view(np.uint8) * numbers).max(axis=0)
    return chosen


@final
class TopK(Selection):
    """The k experts of the largest scores.

    Parameters
    ----------
    k : int, default=2
        Experts of a row.
    random_second : bool, default=False
        GShard: in training, choices after the first are taken with probability min(1, 2 g_j)
        only, with weights g that sum to one over the k choices.

    Notes
    -----
    A bias in the router's state (DeepSeek) is added to the affinities for this choice alone.

    Examples
    --------
    >>> from skmoe.neural.routers import LinearScore, TokenRouter, TopK
    >>> router = TokenRouter(LinearScore(), TopK(4))
    >>> router.check()
    """

    def __init__(self, k=2, random_second=False):
        self.k = k
        self.random_second = random_second

    @property
    def n_choices(self):
        return self.k

    def check(self):
        check_count("k", self.k)
        check_flag("random_second", self.random_second)

    def select(self, scores, state, run, n_experts):
        keys = scores.logits
        if "bias" in state:
            keys = scores.affinity + state["bias"].astype(keys.dtype)
        # What comes next is what the load of noisy gates is about.
        noisy = run.training and scores.sigma is not None and self.k < n_experts
        top = top_k(keys, self.k + noisy)
        choice = Choice(top[:, : self.k], following=top[:, -1] if noisy else None)
        if self.random_second and run.training and self.k > 1:
            choice.kept = self._draw(scores.affinity, choice.experts, run.rng)
        return choice

    def _draw(self, affinity, experts, rng):
        g = np.take_along_axis(affinity, experts, axis=1)
        g = g / g.sum(axis=1, keepdims=True)
        kept = rng.random(g.shape) < 2.0 * g
        kept[:, 0] = True
        return kept


@final
class All(Selection):
    """Every expert sees every row.

    Examples
    --------
    >>> from skmoe.neural.routers import All, LinearScore, TokenRouter
    >>> router = TokenRouter(LinearScore(), All(), "none")
    >>> router.check()
    """

    n_choices = np.inf

    def select(self, scores, state, run, n_experts):
        return _everyone(len(scores.logits), n_experts)


@final
class Quota(Selection):
    """Every expert, except those that have had too much; for a first stage of training.

    Parameters
    ----------
    margin : float, default=0.1
        An expert sits out a batch while its running total of gate weight exceeds the mean over
        the experts by more than this share of it.

    References
    ----------
    Eigen, Ranzato and Sutskever (2013), section 3.1.

    Examples
    --------
    >>> from skmoe.neural.routers import LinearScore, Quota, TokenRouter
    >>> router = TokenRouter(LinearScore(), Quota(0.2))
    >>> router.check()
    """

    n_choices = np.inf

    def __init__(self, margin=0.1):
        self.margin = margin

    def check(self):
        check_number("margin", self.margin)

    def initial_state(self, n_experts):
        return {"totals": np.zeros(n_experts)}

    def select(self, scores, state, run, n_experts):
        choice = _everyone(len(scores.logits), n_experts)
        if run.training and not run.second_stage:
            totals = state["totals"]
            allowed = totals <= (1.0 + self.margin) * totals.mean()
            choice.valid = np.broadcast_to(allowed, choice.experts.shape)
            # What the experts get in this batch is known already.
            share = np.where(allowed, scores.affinity, 0.0)
            totals += np.sum(share / share.sum(axis=1, keepdims=True), axis=0)
        return choice


def _everyone(n_rows, n_experts):
    experts = np.broadcast_to(np.arange(n_experts)[:, None], (n_experts, n_rows))
    return Choice(experts.T)


@final
class ExpertChoice(Selection):
    """Each expert takes its own C = ceil(capacity_factor S / E) rows of the largest affinity.

    Parameters
    ----------
    capacity_factor : float, default=2.0
        Experts of a row on average.
    decay : float, default=0.99
        Of the running mean of the experts' thresholds, the lowest affinities that were taken: when
        predicting, an expert takes the rows above its own, whatever else is in the batch.

    References
    ----------
    Zhou et al. (2022), Mixture-of-experts with expert choice routing, section 3.2.

    Examples
    --------
    >>> from skmoe.neural.routers import ExpertChoice, LinearScore, TokenRouter
    >>> router = TokenRouter(LinearScore(), ExpertChoice(2.0), "none")
    >>> router.check()
    """

    def __init__(self, capacity_factor=2.0, decay=0.99):
        self.capacity_factor = capacity_factor
        self.decay = decay

    @property
    def n_choices(self):
        return self.capacity_factor

    def check(self):
        check_number("capacity_factor", self.capacity_factor, above=0.0)

    def initial_state(self, n_experts):
        return {"thresholds": np.full(n_experts, np.nan)}

    def select(self, scores, state, run, n_experts):
        p = scores.affinity
        if run.training:
            taken = self._fill(p, n_experts, state)
        elif np.isnan(state["thresholds"]).any():
            # Nothing was learned yet.
            k = min(n_experts, max(1, round(self.capacity_factor)))
            return Choice(top_k(p, k))
        else:
            taken = (p >= state["thresholds"]).T
        # Places in the line of all experts' rows: a search for pairs takes five times as long.
        experts, rows = np.divmod(np.flatnonzero(taken), len(p))
        return Choice(*table_of(rows, experts, len(p)))

    def _fill(self, p, n_experts, state):
        n = len(p)
        size = min(n, int(np.ceil(self.capacity_factor * n / n_experts)))
        columns = np.ascontiguousarray(p.T)
        lowest = np.partition(columns, n - size, axis=1)[:, n - size]
        thresholds, first = state["thresholds"], np.isnan(state["thresholds"])
        thresholds[...] = np.where(
            first, lowest, self.decay * thresholds + (1.0 - self.decay) * lowest
        )
        taken = columns >= lowest[:, None]
        if np.count_nonzero(taken) > size * n_experts:
            # Of equal ones, as many as there is room for.
            chosen = np.argpartition(columns, n - size, axis=1)[:, n - size :]
            taken[...] = False
            np.put_along_axis(taken, chosen, True, axis=1)
        return taken


@final
class Assignment(Selection):
    """BASE: in training, the assignment of greatest total score that is balanced.

    Notes
    -----
    No expert takes more than ceil(S / E) of the S rows of a batch. When predicting, every row goes
    to the expert of its greatest score.

    References
    ----------
    Lewis et al. (2021), BASE layers: simplifying training of large, sparse models, section 3.

    Examples
    --------
    >>> from skmoe.neural.routers import Assignment, LinearScore, TokenRouter
    >>> router = TokenRouter(LinearScore(activation="sigmoid"), Assignment(), "none")
    >>> router.check()
    """

    def select(self, scores, state, run, n_experts):
        if run.training:
            experts = balanced_assignment(scores.logits)
        else:
            experts = np.ascontiguousarray(scores.logits).argmax(axis=1)
        return Choice(experts[:, None])


@final
class Sample(Selection):
    """Independent Bernoulli gates with probabilities sigma(L), learned by trial.

    Parameters
    ----------
    estimator : {"reinforce", "straight_through"}, default="reinforce"
        REINFORCE with a baseline: each row adds (loss - baseline) d log pi(u) / dL. Or the
        straight-through estimator: the sampled gate passes its gradient on to sigma(L).
    sparsity, variance : float, default=0.01
        Weights of the regularizers: squared distances of the mean gate, over rows and over
        experts, from ``rate``; and minus the variance of a gate over the rows.
    rate : float or None, default=None
        Share of experts that should be open; None: 2 / E.
    decay : float, default=0.99
        Of the baseline, a running mean of the loss.

    Notes
    -----
    When predicting, the gates above one half are open, and always the most probable one.

    References
    ----------
    Bengio, Bacon, Pineau and Precup (2015), Conditional computation in neural networks for faster
    models, equations 2 to 6.
    Bengio, Leonard and Courville (2013), Estimating or propagating gradients through stochastic
    neurons for conditional computation, section 3.

    Examples
    --------
    >>> from skmoe.neural.routers import LinearScore, Sample, TokenRouter
    >>> router = TokenRouter(LinearScore(activation="sigmoid"), Sample("straight_through"), "none")
    >>> router.check()
    """

    even = False

    def __init__(self, estimator="reinforce", sparsity=0.01, variance=0.01, rate=None, decay=0.99):
        self.estimator = estimator
        self.sparsity = sparsity
        self.variance = variance
        self.rate = rate
        self.decay = decay

    def check(self):
        check_choice("estimator", self.estimator, ("reinforce", "straight_through"))
        check_number("sparsity", self.sparsity)
        check_number("variance", self.variance)

    def initial_state(self, n_experts):
        return {"baseline": np.full(1, np.nan)}

    def select(self, scores, state, run, n_experts):
        p = scores.affinity
        if run.training:
            gates = run.rng.random(p.shape) < p
        else:
            gates = p > 0.5
            gates[np.arange(len(p)), np.ascontiguousarray(p).argmax(axis=1)] = True
        if run.training:
            run.loss += self._regularize(scores, 2.0 / n_experts)
        if run.training and self.estimator == "straight_through":
            # A gate that is closed has a gradient, too: every expert has to answer.
            choice = _everyone(len(p), n_experts)
            choice.weight, choice.cache = gates.astype(p.dtype), (gates, state)
            return choice
        rows, experts = np.nonzero(gates)
        table, valid = table_of(rows, experts, len(p))
        return Choice(table, valid, weight=valid.astype(p.dtype), cache=(gates, state))

    def _regularize(self, scores, usual_rate):
        """Return the regularizers' loss; their gradient is added to the affinities'."""
        p = scores.affinity
        n, n_experts = p.shape
        rate = usual_rate if self.rate is None else self.rate
        by_expert, by_row = p.mean(axis=0) - rate, p.mean(axis=1) - rate
        centered = p - p.mean(axis=0)
        loss = self.sparsity * (np.sum(by_expert**2) + np.mean(by_row**2))
        loss -= self.variance * np.sum(centered**2) / n
        slope = by_expert / n + by_row[:, None] / (n * n_experts)
        scores.add("affinity", 2.0 * self.sparsity * slope - 2.0 * self.variance * centered / n)
        return float(loss)

    def backward(self, scores, choice, dweight, run):
        if self.estimator == "straight_through":
            scores.add("affinity", dweight)
            return
        if run.row_loss is None:
            return
        gates, state = choice.cache
        cost = np.asarray(run.row_loss, dtype=np.float64)
        baseline = state["baseline"]
        now = cost.mean()
        if np.isnan(baseline[0]):
            baseline[0] = now
        advantage = ((cost - baseline[0]) / len(cost)).astype(scores.logits.dtype)
        scores.add("logits", advantage[:, None] * (gates - scores.affinity))
        baseline[0] = self.decay * baseline[0] + (1.0 - self.decay) * now
