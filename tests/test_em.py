"""Expectation-maximization: the bound is what it says, never falls, and is climbed fast."""

import numpy as np
import pytest
from _helpers import falls, flat, gradient, perturbed
from scipy import stats
from scipy.special import log_softmax, logsumexp

from skmoe.batches import Block, InMemory
from skmoe.criteria import Classification, LogLikelihood
from skmoe.datasets import make_mixture_of_experts
from skmoe.experts import ConstantExperts, LinearExperts
from skmoe.fitters import EM, SHORT_NAMES
from skmoe.gates import ConstantGate, SoftmaxGate
from skmoe.mixture import Mixture, MixtureParameters

# A sum over the rows cannot be known better than this share of itself.
ROUNDING = 1e-12


def block_of(X, y, weight=None):
    y = y.reshape(len(X), -1)
    weight = np.ones(len(X)) if weight is None else weight
    X = np.asfortranarray(X)
    return Block(X, X, np.asfortranarray(y), weight)


def problem(seed=0, n=400, d=3, K=3, q=1, noise=0.5, weighted=False, **kwargs):
    X, y, _ = make_mixture_of_experts(
        n, d, K, n_targets=q, noise=noise, random_state=seed, **kwargs
    )
    y = (y - y.mean(axis=0)) / y.std(axis=0)
    weight = np.random.RandomState(seed).uniform(0.2, 3.0, n) if weighted else None
    return block_of(X, y, weight)


def sentence(criterion=None, alpha=0.1, gate=None, experts=None):
    return Mixture(
        experts or LinearExperts(alpha=alpha),
        gate or SoftmaxGate(alpha=alpha),
        criterion or LogLikelihood(),
    )


def start_of(mixture, block, K, seed=0):
    """Parameters that follow random shares, some way off every optimum."""
    rng = np.random.RandomState(seed)
    share = rng.dirichlet(np.full(K, 0.5), size=block.n_rows) * block.weight[:, None]
    neutral = mixture.experts.init(block.X, block.y, K)
    experts = mixture.experts.m_step(
        neutral, mixture.experts.statistics(neutral, block.X, block.y, share)
    )
    gate = mixture.gate.init(block.X_gate, K)
    return perturbed(MixtureParameters(experts, gate), rng, 0.2)


def direct_bound(mixture, theta, block):
    """The bound of linear experts and a softmax gate, written out with scipy."""
    gate = log_softmax(block.X_gate @ theta.gate.coef.T + theta.gate.intercept, axis=1)
    K, q, _ = theta.experts.coef.shape
    covariance = theta.experts.noise.covariance(K)
    joint, penalty = np.empty((block.n_rows, K)), 0.0
    for k in range(K):
        mean = block.X @ theta.experts.coef[k].T + theta.experts.intercept[k]
        density = stats.multivariate_normal(np.zeros(q), covariance[k])
        joint[:, k] = gate[:, k] + density.logpdf(block.y - mean)
        coef = theta.experts.coef[k]
        quadratic = np.trace(np.linalg.inv(covariance[k]) @ coef @ coef.T)
        penalty -= 0.5 * mixture.experts.alpha * quadratic
    penalty -= 0.5 * mixture.gate.alpha * np.sum(theta.gate.coef**2)
    smooth = mixture.criterion.smooth
    pooled = logsumexp(joint, axis=1) if smooth else joint.max(axis=1)
    return block.weight @ pooled + penalty


criteria = pytest.mark.parametrize(
    "criterion", [LogLikelihood(), Classification()], ids=["likelihood", "classification"]
)
fitters = pytest.mark.parametrize(
    "fitter", [EM(), EM(acceleration=None)], ids=["accelerated", "plain"]
)


@criteria
@pytest.mark.parametrize("q", [1, 2])
def test_bound_equals_a_direct_evaluation(criterion, q):
    mixture, block = sentence(criterion, alpha=0.7), problem(q=q, weighted=True)
    theta = start_of(mixture, block, 3)
    bound = mixture.bound(theta, mixture.sweep(theta, block))
    assert bound == pytest.approx(direct_bound(mixture, theta, block), rel=1e-10)


@criteria
@fitters
def test_the_result_tells_the_truth(criterion, fitter):
    mixture, block = sentence(criterion, alpha=0.7), problem(weighted=True)
    theta = start_of(mixture, block, 3)
    seen = []
    result = fitter.fit(
        mixture,
        theta,
        InMemory(block, block_rows=64),
        max_iter=60,
        tol=1e-9,
        on_pass=lambda n, bound, _: seen.append((n, bound)),
    )
    assert result.bound == pytest.approx(direct_bound(mixture, result.theta, block), rel=1e-10)
    assert result.bounds[0] == pytest.approx(direct_bound(mixture, theta, block), rel=1e-10)
    share = mixture.share(result.theta, block) * block.weight[:, None]
    np.testing.assert_allclose(result.shares, share.sum(axis=0), rtol=1e-9)
    assert result.n_passes == len(result.bounds) <= 60 and result.n_iter < result.n_passes
    assert seen == list(zip(range(1, len(seen) + 1), result.bounds, strict=True))


def test_gradient_of_the_bound_is_the_finite_difference():
    mixture, block = sentence(alpha=0.7), problem(weighted=True)
    theta = start_of(mixture, block, 3)

    def bound(vector):
        moved = theta.unflatten(vector)
        return mixture.bound(moved, mixture.sweep(moved, block))

    analytic = mixture.gradient(theta, mixture.sweep(theta, block))
    slopes = gradient(bound, theta.flatten())
    np.testing.assert_allclose(analytic, slopes, rtol=1e-5, atol=1e-4)


@criteria
@fitters
@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize(
    "setting",
    [
        {"K": 2, "d": 1, "noise": 0.3},
        {"K": 4, "noise": 1.0},
        {"K": 3, "noise": 0.1, "gate_slope": 4.0},
        {"K": 3, "q": 2, "weighted": True},
        {"K": 5, "n": 60, "noise": 1.0},
        {"K": 3, "features": "mixed"},
    ],
    ids=["two", "four", "sharp", "weighted", "few-rows", "mixed"],
)
@pytest.mark.parametrize("alpha", [0.0, 0.5])
def test_bound_never_falls(criterion, fitter, seed, setting, alpha):
    block = problem(seed, **setting)
    mixture = sentence(criterion, alpha)
    theta = start_of(mixture, block, setting["K"], seed)
    result = fitter.fit(mixture, theta, InMemory(block), max_iter=120, tol=1e-9)
    assert np.isfinite(result.bounds).all()
    assert falls(result.bounds).max(initial=0.0) <= ROUNDING
    assert result.bounds[-1] > result.bounds[0] + 0.01 * block.n_rows


@fitters
@pytest.mark.parametrize("experts", [ConstantExperts(), LinearExperts(tied=True)], ids=str)
@pytest.mark.parametrize("gate", [ConstantGate(), SoftmaxGate(alpha=0.0)], ids=str)
def test_bound_never_falls_for_other_sentences(fitter, experts, gate):
    block, mixture = problem(3, q=2), sentence(experts=experts, gate=gate)
    result = fitter.fit(
        mixture, start_of(mixture, block, 3), InMemory(block), max_iter=200, tol=1e-9
    )
    assert falls(result.bounds).max() <= ROUNDING
    assert result.bounds[-1] > result.bounds[0]


class LongStrides(SoftmaxGate):
    """A gate whose M-step goes far beyond its mark."""

    def m_step(self, theta, statistics):
        target = super().m_step(theta, statistics).flatten()
        return theta.unflatten(theta.flatten() + 9.0 * (target - theta.flatten()))


@fitters
def test_steps_that_overshoot_are_shortened(fitter):
    block = problem(1, noise=0.3)
    sound, hasty = sentence(), sentence(gate=LongStrides(alpha=0.1))
    theta = start_of(sound, block, 3)
    best = fitter.fit(sound, theta, InMemory(block), max_iter=2000, tol=1e-10)
    result = fitter.fit(hasty, theta, InMemory(block), max_iter=4000, tol=1e-10)
    assert falls(result.bounds).max() <= ROUNDING
    turned_back = np.sum(np.diff(result.bounds) == 0.0)
    assert turned_back >= 1
    assert result.bound > best.bounds[0] + 0.9 * (best.bound - best.bounds[0])


@fitters
@pytest.mark.parametrize("max_iter", [1, 2, 3, 7])
def test_passes_are_limited(fitter, max_iter):
    mixture, block = sentence(), problem()
    theta = start_of(mixture, block, 3)
    result = fitter.fit(mixture, theta, InMemory(block), max_iter=max_iter, tol=0.0)
    assert result.n_passes == max_iter and not result.converged
    assert result.stop_reason == "max_iter"
    assert result.bound == pytest.approx(direct_bound(mixture, result.theta, block), rel=1e-10)


def test_who_watches_can_stop_the_climb():
    mixture, block = sentence(), problem()
    result = EM().fit(
        mixture,
        start_of(mixture, block, 3),
        InMemory(block),
        max_iter=100,
        tol=0.0,
        on_pass=lambda n, bound, theta: n >= 5,
    )
    assert result.n_passes == 5 and not result.converged and "callback" in result.stop_reason


@fitters
def test_size_of_the_blocks_does_not_matter(fitter):
    mixture, block = sentence(), problem(weighted=True)
    theta = start_of(mixture, block, 3)
    runs = [
        fitter.fit(mixture, theta, InMemory(block, rows, threads), max_iter=25, tol=0.0)
        for rows, threads in ((None, 1), (50, 1), (7, 1), (7, 2))
    ]
    for run in runs[1:]:
        np.testing.assert_allclose(run.bounds, runs[0].bounds, rtol=1e-8)
    np.testing.assert_array_equal(runs[2].bounds, runs[3].bounds)


def test_statistics_of_blocks_add_up():
    mixture, block = sentence(), problem(weighted=True)
    theta = start_of(mixture, block, 3)
    whole = flat(mixture.sweep(theta, block))
    parts = mixture.sweep(theta, block.rows(slice(0, 150)))
    parts = flat(parts + mixture.sweep(theta, block.rows(slice(150, None))))
    np.testing.assert_allclose(parts, whole, rtol=1e-9, atol=1e-9)


def settled(fitter, mixture, theta, block):
    return fitter.fit(mixture, theta, InMemory(block), max_iter=30_000, tol=1e-11)


@pytest.mark.parametrize("seed", range(6))
def test_plain_and_accelerated_agree_on_the_optimum(seed):
    block, mixture = problem(seed, n=600, noise=0.4), sentence()
    theta = start_of(mixture, block, 3, seed)
    plain = settled(EM(acceleration=None), mixture, theta, block)
    fast = settled(EM(), mixture, theta, block)
    assert plain.converged and fast.converged
    assert abs(fast.bound - plain.bound) / block.n_rows < 1e-6
    assert fast.n_passes <= plain.n_passes + 5
    slope = mixture.gradient(fast.theta, mixture.sweep(fast.theta, block))
    assert np.abs(slope).max() < 1e-2


def overlapping(seed):
    X, y, truth = make_mixture_of_experts(5000, 5, 4, noise=3.0, gate_slope=0.5, random_state=seed)
    return block_of(X, (y - y.mean()) / y.std())


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_acceleration_needs_a_quarter_of_the_passes(seed):
    block, mixture = overlapping(seed), sentence(alpha=1e-2)
    theta = start_of(mixture, block, 4, seed)
    runs = {
        name: fitter.fit(mixture, theta, InMemory(block), max_iter=20_000, tol=1e-9)
        for name, fitter in (("plain", EM(acceleration=None)), ("accelerated", EM()))
    }
    for name, run in runs.items():
        print(f"{name}: {run.n_passes} passes to {run.bound / block.n_rows:.9f} a row")
    assert runs["plain"].converged and runs["accelerated"].converged
    assert runs["accelerated"].n_passes * 4 <= runs["plain"].n_passes
    fall = (runs["plain"].bound - runs["accelerated"].bound) / block.n_rows
    assert fall < 1e-6


def test_hard_assignment_ends_where_labels_no_longer_change():
    mixture, block = sentence(Classification()), problem(noise=0.2)
    result = EM().fit(
        mixture, start_of(mixture, block, 3), InMemory(block), max_iter=500, tol=1e-10
    )
    assert result.converged
    again = mixture.m_step(result.theta, mixture.sweep(result.theta, block))
    np.testing.assert_array_equal(mixture.share(again, block), mixture.share(result.theta, block))


def test_unknown_acceleration_names_the_argument():
    with pytest.raises(ValueError, match="acceleration='warp'"):
        EM(acceleration="warp").check()


def test_short_names_are_fitters():
    assert SHORT_NAMES["em"] is EM
