"""The predictive mixture: a frozen scipy distribution for every row."""

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from skmoe.base import Components
from skmoe.distribution import MixtureDistribution
from skmoe.experts.gaussian import GaussianComponents
from skmoe.noise import DiagonalNoise, FullNoise, SphericalNoise

EPS = np.finfo(float).eps


class Untakeable(Components):
    """Components that offer nothing beyond the contract."""

    def __init__(self, inner):
        self._inner = inner

    shape = property(lambda self: self._inner.shape)

    def log_prob(self, y):
        return self._inner.log_prob(y)

    def mean(self):
        return self._inner.mean()

    def covariance(self):
        return self._inner.covariance()

    def cdf(self, y):
        return self._inner.cdf(y)

    def ppf(self, q):
        return self._inner.ppf(q)

    def sample(self, expert, rng):
        return self._inner.sample(expert, rng)


def one_output(weights, means, sds, **kwargs):
    """A mixture of normal densities; weights and means (n, K), sds (K,)."""
    weights = np.atleast_2d(weights)
    means = np.atleast_2d(means).astype(float)
    noise = SphericalNoise(2.0 * np.log(np.asarray(sds, dtype=float)))
    components = GaussianComponents(means[..., None], noise)
    return MixtureDistribution(weights / weights.sum(axis=1, keepdims=True), components, **kwargs)


def random_mixture(n=50, K=3, seed=0, **kwargs):
    rng = np.random.default_rng(seed)
    weights = rng.dirichlet(np.ones(K), n)
    return one_output(weights, 2 * rng.normal(size=(n, K)), rng.uniform(0.3, 1.5, K), **kwargs)


def two_outputs(n=6, K=3, seed=0, thin=0.3, **kwargs):
    rng = np.random.default_rng(seed)
    angles = rng.uniform(0, np.pi, K)
    turn = np.array([[np.cos(angles), -np.sin(angles)], [np.sin(angles), np.cos(angles)]]).T
    noise = FullNoise.fit(
        turn @ np.diag([1.5, thin**2]) @ np.swapaxes(turn, 1, 2), np.ones(K), False, 1e-12
    )
    components = GaussianComponents(1.5 * rng.normal(size=(n, K, 2)), noise)
    return MixtureDistribution(rng.dirichlet(np.ones(K), n), components, **kwargs)


def test_one_component_is_scipys_normal():
    answer = one_output([[1.0]] * 2, [[1.0], [3.0]], [2.0])
    normal = stats.norm([1.0, 3.0], 2.0)
    y = np.array([[0.0, 1.0], [2.5, -4.0], [1e3, 1e200]])
    for name in ("pdf", "logpdf", "cdf"):
        with np.errstate(over="ignore"):
            expected = getattr(normal, name)(y)
        np.testing.assert_allclose(getattr(answer, name)(y), expected, rtol=1e-12)
    np.testing.assert_allclose(answer.ppf(0.3), normal.ppf(0.3), rtol=1e-13)
    for name in ("mean", "var", "std", "median"):
        np.testing.assert_allclose(getattr(answer, name)(), getattr(normal, name)(), rtol=1e-13)
    np.testing.assert_allclose(answer.mode(), [1.0, 3.0], atol=1e-7)
    np.testing.assert_allclose(answer.interval(0.9), normal.interval(0.9), rtol=1e-13)


def test_density_integrates_to_the_distribution_function():
    answer = random_mixture(20)
    grid = np.linspace(-20, 20, 4001)
    pdf = answer.pdf(grid[:, None])
    integral = np.cumsum(0.5 * (pdf[1:] + pdf[:-1]) * (grid[1] - grid[0]), axis=0)
    np.testing.assert_allclose(integral[-1], 1.0, atol=1e-9)
    np.testing.assert_allclose(integral, answer.cdf(grid[1:, None]), atol=1e-4)


def test_moments_are_integrals():
    answer = random_mixture(20, loc=2.0, scale=3.0)
    grid = np.linspace(-60, 60, 6001)[:, None]
    mass = answer.pdf(grid) * 0.02
    np.testing.assert_allclose((grid * mass).sum(axis=0), answer.mean(), atol=1e-8)
    np.testing.assert_allclose(
        ((grid - answer.mean()) ** 2 * mass).sum(axis=0), answer.var(), rtol=1e-8
    )


mixtures = (
    st.integers(1, 5)
    .flatmap(
        lambda k: st.tuples(
            st.lists(st.sampled_from([0.0, 1e-300, 1e-12, 0.1, 0.5, 1.0]), min_size=k, max_size=k),
            st.lists(st.floats(-1e3, 1e3), min_size=k, max_size=k),
            st.lists(st.sampled_from([1e-6, 0.1, 1.0, 30.0, 1e3]), min_size=k, max_size=k),
        )
    )
    .filter(lambda parts: sum(parts[0]) > 0.05)
)


@given(mixtures, st.floats(1e-9, 1 - 1e-9))
@settings(max_examples=150, deadline=None)
def test_ppf_inverts_cdf(parts, level):
    answer = one_output(*parts)
    y = answer.ppf(level)
    assert np.isfinite(y).all()
    # Neighboring numbers are answers as good: a narrow density far from zero sees the grid of
    # floating-point numbers.
    near = 8 * EPS * np.abs(y) + 1e-300
    assert answer.cdf(y - near)[0] <= level + 4 * EPS
    assert answer.cdf(y + near)[0] >= level - 4 * EPS


@given(mixtures)
@settings(max_examples=50, deadline=None)
def test_extreme_mixtures_have_finite_answers(parts):
    answer = one_output(*parts)
    y = np.linspace(-4e3, 4e3, 41)[:, None]
    assert np.isfinite(answer.logpdf(0.0)).all() or answer.pdf(0.0) == 0
    assert not np.isnan(answer.logpdf(y)).any()
    assert (np.diff(answer.cdf(y), axis=0) >= 0).all()
    for name in ("mean", "std", "mode", "median"):
        assert np.isfinite(getattr(answer, name)()).all()


@given(mixtures)
@settings(max_examples=100, deadline=None)
def test_mode_is_higher_than_a_grid(parts):
    answer = one_output(*parts)
    means, sds = np.array(parts[1]), np.array(parts[2])
    grid = (means[:, None] + sds[:, None] * np.linspace(-3, 3, 61)).ravel()
    grid = np.concatenate([grid, np.linspace(means.min(), means.max(), 500)])
    assert answer.logpdf(answer.mode())[0] >= answer.logpdf(grid[:, None]).max() - 1e-9


def test_mode_where_two_ridges_cross():
    noise = FullNoise.fit(
        np.array([np.diag([9.0, 0.01]), np.diag([0.01, 9.0])]), np.ones(2), False, 1e-9
    )
    components = GaussianComponents(np.array([[[-3.0, 0.0], [0.0, -3.0]]]), noise)
    answer = MixtureDistribution([[0.5, 0.5]], components)
    np.testing.assert_allclose(answer.mode(), [[0.0, 0.0]], atol=0.01)


@pytest.mark.parametrize("seed", range(3))
def test_mode_of_two_outputs_is_higher_than_a_grid(seed):
    answer = two_outputs(n=10, seed=seed)
    axis = np.linspace(-6, 6, 121)
    grid = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 1, 2)
    gap = answer.logpdf(answer.mode()) - answer.logpdf(grid).max(axis=0)
    assert (gap >= -1e-9).all()


def test_quantiles_at_the_ends():
    answer = one_output([[0.0, 1.0]], [[5.0, 0.0]], [1.0, 1.0])
    np.testing.assert_array_equal(
        answer.ppf([0.0, 1.0, -0.1, 1.1, np.nan])[0], [-np.inf, np.inf, np.nan, np.nan, np.nan]
    )
    np.testing.assert_array_equal(answer.cdf([[-np.inf], [np.inf]]), [[0.0], [1.0]])
    np.testing.assert_array_equal(answer.pdf([[-np.inf], [np.inf]]), 0.0)
    np.testing.assert_allclose(answer.ppf(1e-200), stats.norm.ppf(1e-200), rtol=1e-10)


def test_median_of_far_twins_lies_in_the_middle():
    np.testing.assert_allclose(
        one_output([[0.5, 0.5]], [[-1e3, 1e3]], [1.0, 1.0]).median(), 0, atol=1e-9
    )


def test_a_row_without_finite_numbers_stays_alone():
    answer = one_output([[0.5, 0.5], [0.5, 0.5]], [[np.nan, 0.0], [0.0, 2.0]], [1.0, 1.0])
    for values in (answer.ppf(0.2), answer.mean(), answer.cdf(0.0)):
        np.testing.assert_array_equal(np.isnan(values), [True, False])


def test_shapes_with_one_output():
    answer = random_mixture(5)
    assert answer.pdf(0.0).shape == (5,)
    assert answer.cdf(np.zeros(5)).shape == (5,)
    assert answer.logpdf(np.zeros((7, 5))).shape == (7, 5)
    assert answer.cdf(np.zeros((7, 1))).shape == (7, 5)
    assert answer.pdf(np.zeros((2, 7, 5))).shape == (2, 7, 5)
    assert answer.ppf(0.5).shape == (5,)
    assert answer.ppf([0.1, 0.5]).shape == (5, 2)
    assert answer.ppf([]).shape == (5, 0)
    assert [end.shape for end in answer.interval(0.5)] == [(5,), (5,)]
    assert answer.rvs().shape == (5,)
    assert answer.rvs(size=3).shape == (5, 3)
    assert answer.covariance().shape == (5, 1, 1)
    for name in ("mean", "var", "std", "median", "mode"):
        assert getattr(answer, name)().shape == (5,)


@pytest.mark.parametrize("q", [1, 2])
def test_shapes_with_an_axis_of_outputs(q):
    noise = DiagonalNoise(np.zeros((1, q)))
    components = GaussianComponents(np.zeros((5, 3, q)), noise)
    answer = MixtureDistribution(np.full((5, 3), 1 / 3), components, squeeze=False)
    assert answer.pdf(np.zeros((5, q))).shape == (5,)
    assert answer.logpdf(np.zeros((7, 5, q))).shape == (7, 5)
    assert answer.cdf(np.zeros((7, 5, q))).shape == (7, 5, q)
    assert answer.ppf(0.5).shape == (5, q)
    assert answer.ppf([0.1, 0.5]).shape == (5, 2, q)
    assert [end.shape for end in answer.interval(0.5)] == [(5, q), (5, q)]
    assert answer.rvs().shape == (5, q)
    assert answer.rvs(size=3).shape == (5, 3, q)
    assert answer.covariance().shape == (5, q, q)
    for name in ("mean", "var", "std", "median", "mode"):
        assert getattr(answer, name)().shape == (5, q)


def test_outputs_are_marginal_and_the_density_is_joint():
    answer = two_outputs()
    covariances = answer.components.covariance()
    y = np.random.default_rng(1).normal(size=(4, 6, 2))
    for i in range(6):
        joint = sum(
            answer.weights[i, k]
            * stats.multivariate_normal(answer.components.mean()[i, k], covariances[k]).pdf(y[:, i])
            for k in range(3)
        )
        np.testing.assert_allclose(answer.pdf(y)[:, i], joint, rtol=1e-10)
    for j in range(2):
        marginal = one_output(
            answer.weights, answer.components.mean()[..., j], np.sqrt(covariances[:, j, j])
        )
        np.testing.assert_allclose(answer.cdf(y)[..., j], marginal.cdf(y[..., j]), rtol=1e-12)
        np.testing.assert_allclose(answer.ppf(0.2)[:, j], marginal.ppf(0.2), rtol=1e-11)
        np.testing.assert_allclose(answer.var()[:, j], marginal.var(), rtol=1e-12)
    diagonal = np.diagonal(answer.covariance(), axis1=1, axis2=2)
    np.testing.assert_allclose(diagonal, answer.var(), rtol=1e-12)


def test_covariance_is_that_of_draws():
    answer = two_outputs(n=2, loc=[1.0, -5.0], scale=[2.0, 0.1])
    draws = answer.rvs(size=100_000, random_state=0)
    for i in range(2):
        np.testing.assert_allclose(
            np.cov(draws[i].T), answer.covariance()[i], atol=0.02 * answer.var()[i].max()
        )
        np.testing.assert_allclose(draws[i].mean(axis=0), answer.mean()[i], atol=0.05)


def test_loc_and_scale():
    plain, moved = random_mixture(), random_mixture(loc=10.0, scale=0.01)
    y = plain.rvs(random_state=0)
    there = 10.0 + 0.01 * y
    np.testing.assert_allclose(moved.pdf(there), plain.pdf(y) / 0.01, rtol=1e-9)
    np.testing.assert_allclose(moved.cdf(there), plain.cdf(y), rtol=1e-9)
    np.testing.assert_allclose(moved.ppf(0.2), 10.0 + 0.01 * plain.ppf(0.2))
    np.testing.assert_allclose(moved.mode(), 10.0 + 0.01 * plain.mode())
    np.testing.assert_allclose(moved.std(), 0.01 * plain.std())
    np.testing.assert_allclose(moved.rvs(random_state=0), there)


def test_the_jacobian_is_the_product_of_the_scales():
    plain, moved = two_outputs(), two_outputs(loc=[1.0, 2.0], scale=[10.0, 0.5])
    y = plain.rvs(random_state=0)
    expected = plain.logpdf(y) - np.log(5.0)
    np.testing.assert_allclose(moved.logpdf(moved.rvs(random_state=0)), expected, rtol=1e-9)


@pytest.mark.parametrize("make", [int, np.random.RandomState, np.random.default_rng])
def test_draws_follow_the_distribution_function(make):
    answer = random_mixture(3)
    draws = answer.rvs(size=20_000, random_state=make(3))
    levels = np.sort(answer.cdf(draws.T).T, axis=1)
    distance = np.abs(levels - (np.arange(20_000) + 0.5) / 20_000).max()
    assert distance < 1.95 / np.sqrt(20_000)  # about one in a thousand for a true row
    np.testing.assert_array_equal(draws, answer.rvs(size=20_000, random_state=make(3)))


def test_experts_without_weight_are_never_drawn():
    answer = one_output([[0.0, 1.0, 0.0]], [[-1e6, 0.0, 1e6]], [1.0, 1.0, 1.0])
    assert np.abs(answer.rvs(size=10_000, random_state=0)).max() < 10


def test_blocks_and_missing_take_change_nothing(monkeypatch):
    answer = random_mixture()
    bare = MixtureDistribution(answer.weights, Untakeable(answer.components))
    y = np.linspace(-3, 3, 11)[:, None]
    expected = answer.logpdf(y), answer.cdf(y), answer.ppf([0.1, 0.9]), answer.mode()
    monkeypatch.setattr("skmoe.distribution.mixture._BLOCK", 400)
    for each in (answer, bare):
        found = each.logpdf(y), each.cdf(y), each.ppf([0.1, 0.9]), each.mode()
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-7, atol=1e-9)


def test_no_rows():
    answer = MixtureDistribution(
        np.zeros((0, 2)), GaussianComponents(np.zeros((0, 2, 1)), SphericalNoise(np.zeros(2)))
    )
    for values in (answer.mean(), answer.mode(), answer.ppf(0.5), answer.pdf(0.0), answer.rvs()):
        assert values.shape == (0,)


def test_pickle():
    answer = random_mixture()
    again = pickle.loads(pickle.dumps(answer))
    np.testing.assert_array_equal(again.ppf(0.3), answer.ppf(0.3))
