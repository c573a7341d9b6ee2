"""Growing a tree: from one expert on, the leaves that explain their rows worst are split.

How far to grow is decided on rows that are set aside. A tree is grown on the others, round by
round, and a round is kept if the rows aside are likelier than before; then a tree is grown on all
rows through as many rounds.
"""

from dataclasses import dataclass, replace
from math import ceil

import numpy as np
from joblib import Parallel, delayed

from skmoe.base import Fitter
from skmoe.batches import Block, InMemory
from skmoe.mixture import Mixture, MixtureParameters
from skmoe.starts.arrangement import arrange
from skmoe.starts.directions import chosen_rows, random_shares, subsample
from skmoe.starts.runs import best_of, one_expert, settle, short_run
from skmoe.tree import balanced_tree

__all__ = ["Plan", "grown", "likeliest"]

# Rows aside that are enough to tell how far to grow. Sets of them are added until they are so many,
# or until every row has been aside so often.
ASIDE_ROWS, MOST_TIMES = 2000, 2
# Parts into which equal rows may come apart.
MOST_UNITS = 100
# Trees grow on no more rows than this; the long run sees all of them.
GROWTH_ROWS = 20_000
# Passes of a tree after its leaves were split.
ROUND_PASSES = 30
# A round splits this share of the leaves, rounded up, of those that gain this share of what the
# worst one does.
SPLIT_SHARE, LEAST_GAIN = 0.25, 0.1
# Passes of a tree that has grown, and of its rivals of as many leaves.
LAST_PASSES = 100
# Rounds without a rise after which there will be none.
PATIENCE = 3
# A leaf whose rows have changed by less than this share of their weight is split as before.
SAME_LEAF = 0.1
# Rows by which leaves find their places.
ARRANGED_ROWS = 2000
# Rows of one leaf looked at for a split.
LEAF_ROWS = 1500
# Rows that a leaf holds to less than this are left out of its split.
LEAST_SHARE = 0.05


@dataclass(frozen=True)
class Plan:
    """How trees grow.

    Attributes
    ----------
    fitter : Fitter
        Of short runs.
    max_leaves : int
    validation_fraction : float
        Share of the rows that is set aside at a time.
    n_starts : int
        Starts of the two experts that a leaf would be split into.
    """

    fitter: Fitter
    max_leaves: int
    validation_fraction: float
    n_starts: int


def grown(mixture, plan, batches, *, rng, n_jobs=None):
    """Return the parameters of a tree that has grown as far as held-out rows ask for.

    Parameters
    ----------
    mixture : skmoe.mixture.Mixture
        With experts of which there may be any number, and a tree of gates.
    plan : Plan
    batches : skmoe.batches.Batches
        All rows, standardized.
    rng : numpy.random.RandomState
    n_jobs : int or None
        Trees grown side by side; the answer does not depend on it.

    Returns
    -------
    Parameters

    References
    ----------
    Waterhouse and Robinson (1995), Constructive algorithms for hierarchical mixtures of experts.
    Fritsch, Finke and Waibel (1997), Adaptively growing hierarchical mixtures of experts.
    """
    home = batches.resident(rng)
    home = home.of(subsample(home.block, rng, GROWTH_ROWS))
    with Parallel(n_jobs=n_jobs, prefer="threads") as parallel:
        pairs = list(_set_aside(home, plan.validation_fraction, rng))
        seeds = rng.randint(2**31, size=len(pairs) + 1)
        trees = parallel(
            delayed(_Growing.planted)(mixture, plan, kept, aside, seed)
            for (kept, aside), seed in zip(pairs, seeds, strict=False)
        )
        rounds = _rounds_that_pay(trees, parallel)
    tree = _Growing.planted(mixture, plan, home, home, seeds[-1])
    for _ in range(rounds):
        tree = tree.after_a_round()
    return tree.theta


def likeliest(mixture, fitter, batches, thetas, rng):
    """Return the Parameters, of those given, that lead highest within some passes."""
    home = batches.resident(rng)
    runs = [short_run(mixture, fitter, home, theta, LAST_PASSES) for theta in thetas]
    return max(runs, key=lambda run: run.rank).result.theta


def _set_aside(home, fraction, rng):
    """Yield pairs of InMemory batches: rows to grow on, and rows set aside.

    A row of weight two is two that may part, as equal rows may: rows of few values would else be
    judged by just the ones that their tree never saw.
    """
    block = home.block
    sets_of_all = int(1.0 / fraction)
    enough = ceil(ASIDE_ROWS / (fraction * block.total))
    for number in range(min(enough, MOST_TIMES * sets_of_all)):
        number %= sets_of_all
        if number == 0:
            equal, units, place = _places(block, rng)
        aside = (place >= number * fraction) & (place < (number + 1) * fraction)
        if aside.any() and not aside.all():
            share = np.bincount(units[aside], minlength=units[-1] + 1) / np.bincount(units)
            yield home.of(_part(block, 1.0 - share[equal])), home.of(_part(block, share[equal]))


def _part(block, share):
    """Return the block with a share (n,) of each row's weight."""
    there = np.flatnonzero(share)
    part = block.rows(there)
    return replace(part, weight=(part.weight * share[there]).astype(part.weight.dtype))


def _places(block, rng):
    """Return where rows are on a line of units in random order; the same for weights and repeats.

    Returns
    -------
    equal : ndarray of shape (n,)
        Numbers of equal rows, or of groups of them.
    units : ndarray of shape (n_units,)
        For each unit the number of the equal rows that it is of, sorted: as many as they weigh.
    place : ndarray of shape (n_units,)
        In [0, 1).
    """
    columns = np.column_stack([block.X, block.X_gate, block.y]).astype(np.float64)
    columns = np.round(columns, 8 if block.X.dtype == np.float64 else 4)
    if block.group is not None:
        columns = block.group[:, None].astype(np.float64)
    _, equal = np.unique(columns, axis=0, return_inverse=True)
    equal = equal.ravel()
    mass = np.bincount(equal, weights=block.weight)
    times = np.ones(len(mass), dtype=int)
    if block.group is None:
        times = np.clip(np.round(mass), 1, MOST_UNITS).astype(int)
    units = np.repeat(np.arange(len(mass)), times)
    mass = (mass / times)[units]
    order = rng.permutation(len(units))
    ends = np.cumsum(mass[order])
    place = np.empty(len(units))
    place[order] = (ends - 0.5 * mass[order]) / ends[-1]
    return equal, units, place


def _rounds_that_pay(trees, parallel):
    """Return after how many rounds the rows aside are likeliest."""
    best, paid, rounds = _held_out(trees), 0, 0
    while rounds - paid < PATIENCE and any(tree.can_grow for tree in trees):
        trees = parallel(delayed(tree.after_a_round)() for tree in trees)
        rounds += 1
        if _held_out(trees) > best:
            best, paid = _held_out(trees), rounds
    return paid


def _held_out(trees):
    return sum(tree.held_out for tree in trees)


@dataclass(frozen=True)
class Split:
    """How a leaf would be split.

    Attributes
    ----------
    gain : float
        What its rows gain, in nats.
    halves : MixtureParameters or None
        Two experts and their gate.
    mass : ndarray of shape (n,)
        The leaf's share of the rows' weights.
    """

    gain: float
    halves: MixtureParameters | None
    mass: np.ndarray

    def holds_for(self, mass):
        """Return whether it will do for a leaf that holds rows to a mass (n,)."""
        return np.abs(mass - self.mass).sum() < SAME_LEAF * self.mass.sum()


@dataclass(frozen=True)
class _Growing:
    """A tree on its way: where it stands, and how its leaves would be split.

    Attributes
    ----------
    mixture : Mixture
    plan : Plan
    kept, aside : InMemory
        Rows to grow on, and rows to judge by.
    seed : int
    theta : MixtureParameters
    splits : list of Split
        One a leaf.
    """

    mixture: Mixture
    plan: Plan
    kept: InMemory
    aside: InMemory
    seed: int
    theta: MixtureParameters
    splits: list

    @classmethod
    def planted(cls, mixture, plan, kept, aside, seed):
        """Return a tree of one expert."""
        share = np.ones((kept.block.n_rows, 1), dtype=kept.block.X.dtype)
        theta = settle(mixture, kept, share)
        return cls(mixture, plan, kept, aside, seed, theta, [None])._climbed()

    @property
    def n_leaves(self):
        return self.theta.gate.tree.n_leaves

    @property
    def can_grow(self):
        """Whether a leaf is worth splitting."""
        return self.n_leaves < self.plan.max_leaves and any(split.gain > 0 for split in self.splits)

    @property
    def held_out(self):
        """The log-likelihood of the rows aside."""
        return self.aside.sweep(lambda block: self.mixture.sweep(self.theta, block)).pooled

    def after_a_round(self):
        """Return the tree whose worst leaves were split; itself where there is nothing to split."""
        if not self.can_grow:
            return self
        gains = np.array([split.gain for split in self.splits])
        most = min(ceil(SPLIT_SHARE * self.n_leaves), self.plan.max_leaves - self.n_leaves)
        worst = np.argsort(-gains, kind="stable")[:most]
        worst = worst[gains[worst] >= LEAST_GAIN * gains.max()]
        theta, splits = self.theta, list(self.splits)
        # From right to left: the numbers of leaves on the left stay.
        for leaf in sorted(worst, reverse=True):
            theta = self._with_split(theta, leaf, self.splits[leaf].halves)
            splits[leaf : leaf + 1] = [None, None]
        return replace(self, theta=theta, splits=splits)._climbed()

    def _with_split(self, theta, leaf, halves):
        n = theta.gate.tree.n_leaves
        gate = self.mixture.gate.divided(theta.gate, leaf, halves.gate)
        if n == 1:
            return MixtureParameters(halves.experts, gate)
        numbers = np.insert(np.arange(n), leaf, leaf)
        experts = theta.experts.of_experts(numbers, n)
        experts = experts.with_experts([leaf, leaf + 1], halves.experts, n + 1)
        return MixtureParameters(experts, gate)

    def _climbed(self):
        """Return the tree after some passes, and how its leaves would be split now."""
        run = self._run(self.theta)
        grown = replace(self, theta=run.result.theta)
        rng = np.random.RandomState(self.seed)
        if self.n_leaves > 2:
            order, theta = grown._rearranged(rng)
            rival = self._run(theta)
            if rival.rank > run.rank:
                splits = [grown.splits[leaf] for leaf in order]
                grown = replace(grown, theta=rival.result.theta, splits=splits)
        return replace(grown, splits=list(grown._find_splits(rng)))

    def _run(self, theta):
        return short_run(self.mixture, self.plan.fitter, self.kept, theta, ROUND_PASSES)

    def _rearranged(self, rng):
        """Return an order of the leaves, and Parameters of an even tree that tells them apart.

        A split divides rows as its experts see them; where one line runs through two regimes, gates
        further down have to part what does not belong together.
        """
        block, tree = self.kept.block, balanced_tree(self.n_leaves, 2)
        share = self.mixture.share(self.theta, block)
        chosen, repeats = chosen_rows(block, rng, ARRANGED_ROWS)
        own = np.asfortranarray(share[chosen] * repeats[:, None].astype(share.dtype))
        order = arrange(tree, np.asfortranarray(block.X_gate[chosen]), own)
        return order, settle(self.mixture, self.kept, share[:, order])

    def _find_splits(self, rng):
        block = self.kept.block
        share = self.mixture.share(self.theta, block)
        pair = replace(self.mixture, gate=self.mixture.gate.resized(2))
        for leaf, last in enumerate(self.splits):
            mass = share[:, leaf] * block.weight
            same = last is not None and last.holds_for(mass)
            yield last if same else _split(pair, self.plan, block, mass, rng)


def _split(pair, plan, block, mass, rng):
    """Return how the leaf that holds rows to a mass (n,) would be split."""
    held = np.flatnonzero(mass > LEAST_SHARE * block.weight)
    if mass[held].sum() < 4.0 * (block.X.shape[1] + 2):
        return Split(-np.inf, None, mass)
    own = block.rows(held)
    own = subsample(Block(own.X, own.X_gate, own.y, mass[held]), rng, LEAF_ROWS)
    whole = one_expert(pair, plan.fitter, own)
    guesses = random_shares(pair.experts, own, 2, plan.n_starts, rng)
    parts = best_of(pair, plan.fitter, own, guesses)
    if parts.n_sound < 2:
        return Split(-np.inf, None, mass)
    per_row = (parts.result.bound - whole.result.bound) / own.weight.sum()
    return Split(float(per_row * mass.sum()), parts.result.theta, mass)
