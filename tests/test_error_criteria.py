"""Criteria that are errors of a blend, or that draw: what they climb, and that they climb it."""

from dataclasses import replace

import numpy as np
import pytest
from _problems import problem, regressor
from scipy import stats
from scipy.optimize import approx_fprime
from sklearn.linear_model import LinearRegression
from test_em import block_of, start_of

from skmoe import MixtureOfExpertsClassifier, MixtureOfExpertsRegressor
from skmoe.batches import InMemory
from skmoe.criteria import CompetitiveError, LogLikelihood, SquaredError, StochasticAssignment
from skmoe.datasets import make_mixture_of_experts
from skmoe.experts import ConstantExperts, LinearExperts
from skmoe.fitters import EM, GradientAscent
from skmoe.gates import ConstantGate, LocalizedGate, MLPGate, SoftmaxGate
from skmoe.inspection import coefficient_table
from skmoe.mixture import Mixture

ERRORS = [SquaredError(), CompetitiveError()]
errors = pytest.mark.parametrize("criterion", ERRORS, ids=["squared", "competitive"])
parts = pytest.mark.parametrize(
    "gate, experts",
    [
        (SoftmaxGate(), LinearExperts(tied=True)),
        (SoftmaxGate(alpha=0.5), LinearExperts("diag", tied=True, alpha=0.3)),
        (MLPGate(4), LinearExperts("spherical", tied=True)),
        (SoftmaxGate(), ConstantExperts(tied=True)),
    ],
    ids=["full", "diag", "mlp", "constant"],
)


def rows(seed=0, n=150, q=2, K=3):
    X, y, _ = make_mixture_of_experts(n, 2, K, n_targets=q, random_state=seed)
    y = (y - y.mean(axis=0)) / y.std(axis=0)
    return block_of(X, y, np.random.RandomState(seed).uniform(0.2, 2.0, n))


@errors
@parts
@pytest.mark.parametrize("q", [1, 2])
def test_slope_is_that_of_the_bound(criterion, gate, experts, q):
    mixture, block = Mixture(experts, gate, criterion), rows(q=q)
    theta = start_of(mixture, block, 3, seed=1)

    def bound(vector):
        place = theta.unflatten(vector)
        return mixture.bound(place, mixture.sweep(place, block))

    slope = mixture.gradient(theta, mixture.sweep(theta, block))
    vector = theta.flatten()
    expected = approx_fprime(vector, bound, 1e-7)
    np.testing.assert_allclose(slope, expected, rtol=1e-4, atol=2e-4 * np.abs(expected).max())


@parts
def test_what_is_pooled_is_the_error_in_the_common_noise(gate, experts):
    block = rows()
    for criterion in ERRORS:
        mixture = Mixture(experts, gate, criterion)
        theta = start_of(mixture, block, 3)
        weights = gate.weights(theta.gate, block.X_gate)
        means = experts.mean(theta.experts, block.X)
        noise = stats.multivariate_normal(np.zeros(2), theta.experts.noise.covariance(3)[0])
        own = np.stack([noise.logpdf(block.y - means[:, k]) for k in range(3)], axis=1)
        blend = noise.logpdf(block.y - np.einsum("nk,nkq->nq", weights, means))
        expected = blend if isinstance(criterion, SquaredError) else np.sum(weights * own, axis=1)
        np.testing.assert_allclose(criterion.divide(mixture, theta, block).pooled, expected)


@errors
@parts
@pytest.mark.parametrize("fitter", [EM(), EM(acceleration=None)], ids=["em", "plain"])
def test_bound_never_falls(criterion, gate, experts, fitter):
    mixture, block = Mixture(experts, gate, criterion), rows(seed=3)
    theta = start_of(mixture, block, 3, seed=2)
    result = fitter.fit(mixture, theta, InMemory(block), max_iter=40, tol=0.0)
    bounds = np.array(result.bounds)
    assert np.diff(bounds).min() >= -1e-12 * np.abs(bounds).max()
    assert bounds[-1] > bounds[0]


def test_experts_alone_reach_the_least_squares_of_their_blend():
    """With the gate held, the blend is linear in all coefficients at once."""
    block, experts = rows(q=1), LinearExperts(tied=True, alpha=0.0)
    mixture = Mixture(experts, SoftmaxGate(), SquaredError())
    theta = start_of(mixture, block, 3)
    # Where experts are asked alike, or seldom, steps are slow.
    corners = 4.0 * np.array([[1.0, 0.0], [-0.5, 0.87], [-0.5, -0.87]])
    theta = replace(theta, gate=replace(theta.gate, coef=corners, intercept=np.zeros(3)))
    weights = mixture.gate.weights(theta.gate, block.X_gate)
    design = np.hstack([weights, *(weights[:, k : k + 1] * block.X for k in range(3))])
    best = LinearRegression(fit_intercept=False).fit(design, block.y, block.weight)
    least = block.weight @ np.square(block.y - best.predict(design))[:, 0]
    place, gate = theta.experts, theta.gate
    for _ in range(3000):
        statistics = mixture.sweep(type(theta)(place, gate), block)
        place = experts.m_step(place, statistics.experts)
    blend = np.einsum("nk,nkq->nq", weights, experts.mean(place, block.X))
    error = block.weight @ np.square(block.y - blend)[:, 0]
    assert error == pytest.approx(least, rel=1e-3)
    assert place.noise.covariance(3)[0, 0, 0] == pytest.approx(error / block.total, rel=1e-2)


def test_each_error_is_least_where_it_is_climbed():
    X, y, _ = make_mixture_of_experts(600, 1, 3, noise=0.4, random_state=2)
    fits = {
        name: regressor(3, criterion=name, n_init=4, tol=1e-6).fit(X, y)
        for name in ("likelihood", "squared_error", "competitive")
    }
    blended = {name: np.mean(np.square(y - est.predict(X))) for name, est in fits.items()}
    own = {
        name: np.mean(
            np.sum(est.predict_gate(X) * np.square(y[:, None] - est.predict_experts(X)), axis=1)
        )
        for name, est in fits.items()
    }
    assert min(blended, key=blended.get) == "squared_error"
    assert min(own, key=own.get) == "competitive"


def test_the_blend_answers_with_one_gaussian():
    X, y = problem(q=2)
    est = regressor(criterion="squared_error", max_iter=200, tol=1e-5).fit(X, y)
    answer = est.predict_distribution(X[:5])
    np.testing.assert_allclose(answer.mean(), est.predict(X[:5]))
    assert answer.weights.shape == (5, 1)
    np.testing.assert_allclose(answer.logpdf(y[:5]), est.score_samples(X[:5], y[:5]))
    blend = np.einsum("nk,nkq->nq", est.predict_gate(X), est.predict_experts(X))
    np.testing.assert_allclose(blend, est.predict(X))
    residual = y - blend
    np.testing.assert_allclose(est.covariances_, residual.T @ residual / len(y), rtol=0.05)


@errors
def test_units_of_the_data_do_not_matter(criterion):
    X, y = problem()
    one = regressor(criterion=criterion, max_iter=30, tol=1e-3).fit(X, y)
    other = regressor(criterion=criterion, max_iter=30, tol=1e-3).fit(X * 1e6, y * 1e-6 + 3.0)
    np.testing.assert_allclose(other.predict(X * 1e6), one.predict(X) * 1e-6 + 3.0, rtol=1e-6)


@errors
def test_gradient_ascent_climbs_errors_too(criterion):
    X, y = problem(n=200)
    em = regressor(criterion=criterion, tol=1e-7).fit(X, y)
    gradient = regressor(criterion=criterion, tol=1e-9, fitter=GradientAscent()).fit(X, y)
    assert gradient.lower_bound_ == pytest.approx(em.lower_bound_, abs=0.02 * len(y))


@pytest.mark.parametrize(
    "arguments, said",
    [
        ({"experts": "poisson"}, "PoissonExperts cannot share one Gaussian noise"),
        ({"gate": "localized"}, "cannot follow"),
        ({"gate": "constant"}, "cannot follow"),
        ({"experts": LinearExperts(variance="linear")}, "variance='linear'"),
        ({"fitter": "hard_em"}, "HardEM"),
    ],
    ids=str,
)
@pytest.mark.parametrize("criterion", ["squared_error", "competitive"])
def test_parts_that_cannot_learn_by_errors_say_so(criterion, arguments, said):
    X, y = problem(n=60)
    with pytest.raises(ValueError, match=said):
        regressor(criterion=criterion, **arguments).fit(X, np.abs(np.round(y)))


def test_errors_are_no_likelihood():
    X, y = problem(n=80)
    est = regressor(criterion="squared_error", max_iter=20, tol=1e-3)
    with pytest.raises(ValueError, match="groups need a likelihood"):
        est.fit(X, y, groups=np.arange(80) // 2)
    with pytest.raises(ValueError, match="needs a likelihood"):
        coefficient_table(est.fit(X, y), X, y)
    with pytest.raises(ValueError, match="cannot share one Gaussian noise"):
        MixtureOfExpertsClassifier(2, criterion=SquaredError()).fit(X, y > 5)


def test_draws_follow_the_posterior_and_the_seed():
    joint = np.log(np.tile([[0.2, 0.5, 0.3]], (30_000, 1)))
    criterion = StochasticAssignment(random_state=4)
    pooled, share = criterion.pool_and_share(joint)
    np.testing.assert_allclose(pooled, 0.0, atol=1e-12)
    np.testing.assert_array_equal(share.sum(axis=1), 1.0)
    np.testing.assert_allclose(share.mean(axis=0), [0.2, 0.5, 0.3], atol=0.012)
    np.testing.assert_array_equal(criterion.pool_and_share(joint)[1], share)
    assert (StochasticAssignment(5).pool_and_share(joint)[1] != share).any()
    assert (criterion.pool_and_share(joint + 1.0)[1] != share).any()


def test_stochastic_em_ends_near_the_likelihoods_optimum():
    X, y, _ = make_mixture_of_experts(2000, 2, 3, noise=0.5, random_state=1)
    best = regressor(3).fit(X, y)
    drawn = regressor(3, criterion="stochastic").fit(X, y)
    # Draws cost about half a nat a parameter; the best of many places less.
    gap = best.log_likelihood(X, y) - drawn.log_likelihood(X, y)
    assert -1e-6 * abs(best.lower_bound_) < gap < best.n_parameters_
    assert drawn.n_passes_ > 20
    again = regressor(3, criterion="stochastic", n_jobs=2).fit(X, y)
    np.testing.assert_array_equal(again.coef_, drawn.coef_)


def test_stochastic_assignment_says_what_is_wrong():
    with pytest.raises(ValueError, match=r"criterion=StochasticAssignment: random_state=-1"):
        regressor(criterion=StochasticAssignment(-1)).fit(*problem(n=60))


def test_hard_em_is_the_hard_criterion_that_blends_in_the_end():
    X, y = problem()
    trained = regressor(fitter="hard_em").fit(X, y)
    hard = regressor(criterion="classification").fit(X, y)
    np.testing.assert_allclose(trained.coef_, hard.coef_)
    blend = np.einsum("nk,nk->n", trained.predict_gate(X), trained.predict_experts(X))
    np.testing.assert_allclose(trained.predict(X), blend)
    assert isinstance(trained._mixture.criterion, LogLikelihood)


@pytest.mark.parametrize("gate", [ConstantGate(), LocalizedGate()], ids=["constant", "localized"])
def test_hard_em_runs_with_every_kind_of_gate(gate):
    X, y = problem()
    est = MixtureOfExpertsRegressor(2, gate=gate, fitter="hard_em", n_init=2, random_state=0)
    assert np.isfinite(est.fit(X, y).score(X, y))
