"""Every way of learning ends in the same place; what each one keeps on the way there."""

import numpy as np
import pytest
from scipy.optimize import check_grad

from skmoe import MixtureOfExpertsRegressor
from skmoe.batches import Block, InMemory
from skmoe.criteria import Classification, LogLikelihood
from skmoe.datasets import load_motorcycle, make_mixture_of_experts
from skmoe.experts import LinearExperts
from skmoe.fitters import EM, SHORT_NAMES, GradientAscent, OnlineEM
from skmoe.fitters.watch import visit
from skmoe.gates import SoftmaxGate
from skmoe.mixture import Mixture
from skmoe.starts import settle
from skmoe.starts.directions import random_shares

FITTERS = [EM(), EM(acceleration=None), GradientAscent(), OnlineEM(batch_size=100)]


def setting(n=600, d=3, K=3, seed=0, **kwargs):
    """A mixture, a place away from the optimum, and the rows."""
    X, y, _ = make_mixture_of_experts(n, d, K, random_state=seed, **kwargs)
    X = np.asfortranarray((X - X.mean(axis=0)) / X.std(axis=0))
    y = ((y - y.mean()) / y.std())[:, None]
    batches = InMemory(Block(X, X, y, np.ones(n)))
    mixture = Mixture(LinearExperts(), SoftmaxGate(), LogLikelihood())
    shares = random_shares(mixture.experts, batches.block, K, 1, np.random.RandomState(seed))
    theta = settle(mixture, batches, next(iter(shares)))
    return mixture, theta, batches


@pytest.mark.parametrize("fitter", SHORT_NAMES)
def test_every_short_name_fits(fitter):
    X, y = load_motorcycle(return_X_y=True)
    est = MixtureOfExpertsRegressor(3, fitter=fitter, n_init=4, max_iter=200, random_state=0)
    assert est.fit(X, y).score(X, y) > 0.6
    assert (np.diff(est.lower_bounds_) >= -1e-9).all()


@pytest.mark.parametrize("K", [3, 7])
def test_slope_of_the_whole_mixture_is_its_difference_quotient(K):
    mixture, theta, batches = setting(K=K, noise=1.0)
    # Away from the place that settle found, where slopes of the experts vanish.
    start = theta.flatten() + 0.1 * np.random.RandomState(1).standard_normal(theta.size)

    def bound(vector):
        return visit(mixture, theta.unflatten(vector), batches).bound

    def slope(vector):
        place = visit(mixture, theta.unflatten(vector), batches)
        return mixture.gradient(place.theta, place.statistics)

    error = check_grad(bound, slope, start, epsilon=1e-6)
    assert error < 1e-5 * np.linalg.norm(slope(start))


@pytest.mark.parametrize("seed", range(3))
def test_gradient_ascent_and_em_meet(seed):
    mixture, theta, batches = setting(seed=seed, noise=0.8)
    em, ascent = (
        fitter.fit(mixture, theta, batches, max_iter=3000, tol=1e-10)
        for fitter in (EM(), GradientAscent())
    )
    assert ascent.converged
    assert abs(em.bound - ascent.bound) < 1e-6 * batches.block.n_rows


@pytest.mark.parametrize("solver, rate", [("adam", 0.02), ("sgd", 0.02)])
def test_mini_batches_come_close(solver, rate):
    mixture, theta, batches = setting(n=2000, noise=0.5)
    best = EM().fit(mixture, theta, batches, max_iter=500, tol=1e-10).bound
    fitter = GradientAscent(solver, learning_rate_init=rate, batch_size=50, n_iter_no_change=30)
    found = fitter.fit(mixture, theta, batches, max_iter=60, tol=1e-8)
    assert best - found.bound < 0.01 * batches.block.n_rows
    assert (np.diff(found.bounds) >= 0).all()


def test_early_stopping_judges_by_rows_set_aside():
    mixture, theta, batches = setting(n=1000)
    fitter = GradientAscent("adam", early_stopping=True, validation_fraction=0.25)
    found = fitter.fit(mixture, theta, batches, max_iter=20, tol=1e-6)
    assert found.shares.sum() == pytest.approx(250)


def test_online_em_learns_from_one_pass_of_a_stream():
    mixture, _, batches = setting(n=20_000, d=5, noise=0.5)
    block, fitter = batches.block, OnlineEM()
    best = MixtureOfExpertsRegressor(3, random_state=0).fit(block.X, block.y[:, 0])
    first = InMemory(block.rows(slice(0, 1000)))
    few = MixtureOfExpertsRegressor(3, random_state=0)
    few.fit(first.block.X, first.block.y[:, 0])
    place = EM().fit(
        mixture, settle(mixture, first, few.responsibilities(first.block.X, first.block.y[:, 0])),
        first, max_iter=200, tol=1e-9,
    )  # fmt: skip
    memory = fitter.begin(visit(mixture, place.theta, first))
    for start in range(1000, 20_000, 1000):
        memory = fitter.learn(mixture, memory, block.rows(slice(start, start + 1000)))
    reached = visit(mixture, memory.theta, batches).bound
    assert memory.total == pytest.approx(20_000)
    assert (best.score_samples(block.X, block.y[:, 0]).sum() - reached) / 20_000 < 0.005
    assert reached > visit(mixture, place.theta, batches).bound


@pytest.mark.parametrize("K", [3, 8])
def test_statistics_are_carried_along_the_curvature(K):
    mixture, theta, batches = setting(K=K, noise=1.0)
    step = 1e-4 * np.random.RandomState(0).standard_normal(theta.size)
    other = theta.unflatten(theta.flatten() + step)
    here, there = (visit(mixture, each, batches).statistics.gate for each in (theta, other))
    carried = mixture.gate.carry(here, theta.gate, other.gate)
    if K <= 6:  # the true curvature, not a bound of it; the shares move with the step, too
        weight = mixture.share(theta, batches.block)
        there = mixture.gate.statistics(other.gate, batches.block.X, weight)
        np.testing.assert_allclose(carried.score, there.score, atol=1e-4)
    assert not np.array_equal(carried.score, here.score)


@pytest.mark.parametrize("fitter", FITTERS, ids=repr)
def test_an_interrupted_fit_keeps_the_best_place(fitter):
    mixture, theta, batches = setting(noise=1.0)

    def interrupt(n_passes, bound, theta):
        if n_passes == 5:
            raise KeyboardInterrupt

    whole = EM().fit(mixture, theta, batches, max_iter=500, tol=1e-9)
    found = fitter.fit(mixture, theta, batches, max_iter=500, tol=1e-12, on_pass=interrupt)
    assert found.stop_reason == "interrupted" and not found.converged
    assert found.bounds[0] <= found.bound <= whole.bound + 1e-6
    again = EM().fit(mixture, found.theta, batches, max_iter=500, tol=1e-9)
    assert again.bounds[0] == pytest.approx(found.bound)


@pytest.mark.parametrize("fitter", FITTERS, ids=repr)
def test_passes_allowed_are_not_exceeded(fitter):
    mixture, theta, batches = setting(noise=1.0)
    found = fitter.fit(mixture, theta, batches, max_iter=4, tol=0.0)
    assert found.n_passes == 4 and found.stop_reason == "max_iter"


def test_gradient_ascent_refuses_hard_shares():
    mixture, theta, batches = setting()
    hard = Mixture(mixture.experts, mixture.gate, Classification())
    with pytest.raises(ValueError, match="criterion=Classification"):
        GradientAscent().fit(hard, theta, batches, max_iter=5, tol=1e-6)


@pytest.mark.parametrize(
    "fitter",
    [
        GradientAscent("newton"),
        GradientAscent(learning_rate_init=0.0),
        GradientAscent(learning_rate="later"),
        OnlineEM(kappa=0.5),
        OnlineEM(batch_size=0),
    ],
    ids=repr,
)
def test_fitters_name_what_they_cannot_use(fitter):
    X, y = load_motorcycle(return_X_y=True)
    with pytest.raises(ValueError, match=f"fitter={type(fitter).__name__}"):
        MixtureOfExpertsRegressor(2, fitter=fitter).fit(X, y)
