"""Gaussian noise of a bank of experts, and their densities."""

import numpy as np
import pytest
from scipy import stats

from skmoe.experts.gaussian import GaussianComponents
from skmoe.noise import DiagonalNoise, FullNoise, SphericalNoise

KINDS = [SphericalNoise, DiagonalNoise, FullNoise]
K = 3


def scatters(q, seed=0):
    """Scatter matrices (K, q, q) and counts (K,)."""
    roots = np.random.default_rng(seed).normal(size=(K, q, q + 4))
    return roots @ np.swapaxes(roots, 1, 2), np.array([3.0, 7.5, 20.0])


def noise_of(kind, q, tied=False, seed=0):
    return kind.fit(*scatters(q, seed), tied, 1e-9)


def restricted(kind, covariance):
    """The nearest covariance (q, q) that the kind can express."""
    if kind is FullNoise:
        return covariance
    diagonal = np.diag(covariance)
    return np.diag(np.full_like(diagonal, diagonal.mean()) if kind is SphericalNoise else diagonal)


everything = pytest.mark.parametrize(
    "kind, q, tied", [(kind, q, tied) for kind in KINDS for q in (1, 2, 4) for tied in (0, 1)]
)


@everything
def test_fit_is_the_restricted_mean_square(kind, q, tied):
    scatter, count = scatters(q)
    noise = kind.fit(scatter, count, tied, 1e-9)
    for k in range(K):
        own = scatter.sum(axis=0) / count.sum() if tied else scatter[k] / count[k]
        np.testing.assert_allclose(
            noise.covariance(K)[k], restricted(kind, own), rtol=1e-10, atol=1e-12
        )


@everything
def test_fit_has_the_greatest_likelihood(kind, q, tied):
    rng = np.random.default_rng(0)
    residual, weight = rng.normal(size=(30, K, q)), rng.uniform(size=(30, K))
    residual[..., 0] *= 3
    scatter = np.einsum("nk,nkp,nkq->kpq", weight, residual, residual)
    noise = kind.fit(scatter, weight.sum(axis=0), tied, 1e-9)
    best = np.sum(weight * noise.log_prob(residual))
    for _ in range(20):
        other = noise.unflatten(noise.flatten() + 0.05 * rng.normal(size=noise.size))
        assert np.sum(weight * other.log_prob(residual)) < best


@everything
@pytest.mark.parametrize("dtype, rtol", [(np.float64, 1e-11), (np.float32, 1e-4)])
def test_log_prob_is_scipys(kind, q, tied, dtype, rtol):
    noise = noise_of(kind, q, tied)
    residual = np.random.default_rng(1).normal(size=(q, K, 11)).astype(dtype).T
    kept = residual.copy()
    found = noise.log_prob(residual)
    assert found.dtype == dtype and found.flags.f_contiguous
    np.testing.assert_array_equal(residual, kept)
    for k, covariance in enumerate(noise.covariance(K)):
        expected = stats.multivariate_normal(np.zeros(q), covariance).logpdf(residual[:, k])
        np.testing.assert_allclose(found[:, k], expected, rtol=rtol, atol=rtol)
    stacked = noise.log_prob(np.stack([residual, 2 * residual]))
    np.testing.assert_allclose(stacked[0], found, rtol=rtol)
    np.testing.assert_allclose(stacked[1], noise.log_prob(2 * residual), rtol=rtol)


@everything
def test_any_flat_vector_is_valid(kind, q, tied):
    noise = noise_of(kind, q, tied)
    flat = noise.flatten()
    assert flat.shape == (noise.size,) == (noise.n_parameters(),)
    again = noise.unflatten(flat)
    assert type(again) is kind
    np.testing.assert_array_equal(again.covariance(K), noise.covariance(K))
    moved = noise.unflatten(flat + np.random.default_rng(0).normal(size=flat.shape))
    assert (np.linalg.eigvalsh(moved.covariance(K)) > 0).all()


@pytest.mark.parametrize("kind, each", [(SphericalNoise, 1), (DiagonalNoise, 3), (FullNoise, 6)])
def test_numbers_of_parameters(kind, each):
    assert noise_of(kind, 3).n_parameters() == K * each
    assert noise_of(kind, 3, tied=True).n_parameters() == each


@everything
def test_floor(kind, q, tied):
    noise = kind.fit(np.zeros((K, q, q)), np.ones(K), tied, 0.04)
    np.testing.assert_allclose(noise.covariance(K), np.broadcast_to(0.04 * np.eye(q), (K, q, q)))


def test_full_noise_floors_eigenvalues():
    noise = FullNoise.fit(np.ones((1, 2, 2)), np.ones(1), False, 0.5)
    np.testing.assert_allclose(np.linalg.eigvalsh(noise.covariance(1)[0]), [0.5, 2.0])
    np.testing.assert_allclose(noise.covariance(1)[0] @ [1, 1], [2, 2])
    singular = FullNoise.fit(np.ones((1, 2, 2)), np.ones(1), False, 0.0)
    assert np.isfinite(singular.flatten()).all()


@everything
def test_experts_without_weight_get_the_pooled_noise(kind, q, tied):
    scatter, count = scatters(q)
    scatter[1], count[1] = 0.0, 0.0
    noise = kind.fit(scatter, count, tied, 1e-9)
    pooled = kind.fit(scatter, count, True, 1e-9)
    np.testing.assert_allclose(noise.covariance(K)[1], pooled.covariance(K)[1], rtol=1e-10)
    nothing = kind.fit(np.zeros_like(scatter), np.zeros(K), tied, 0.1)
    np.testing.assert_allclose(nothing.covariance(K)[0], 0.1 * np.eye(q))


@pytest.mark.parametrize("q", [1, 3])
def test_published_shapes(q):
    own = {SphericalNoise: (), DiagonalNoise: (q,), FullNoise: (q, q)}
    for kind, shape in own.items():
        assert noise_of(kind, q).publish(K).shape == (K, *shape)
        assert noise_of(kind, q, tied=True).publish(K).shape == (shape or (1,))
        assert kind.fit(np.eye(q)[None], np.ones(1), False, 1e-9).publish(1).shape == (1, *shape)


@everything
def test_precision_quadratic(kind, q, tied):
    noise = noise_of(kind, q, tied)
    B = np.random.default_rng(2).normal(size=(K, 5, q))
    expected = sum(
        np.trace(np.linalg.inv(covariance) @ b.T @ b)
        for covariance, b in zip(noise.covariance(K), B, strict=True)
    )
    assert isinstance(noise.precision_quadratic(B), float)
    assert noise.precision_quadratic(B) == pytest.approx(expected, rel=1e-10)


@everything
@pytest.mark.parametrize("equal", [True, False])
def test_scaled(kind, q, tied, equal):
    noise = noise_of(kind, q, tied)
    scale = np.full(q, 2.5) if equal else np.linspace(0.5, 20.0, q)
    scaled = noise.scaled(scale)
    np.testing.assert_allclose(
        scaled.covariance(K), noise.covariance(K) * np.outer(scale, scale), rtol=1e-12
    )
    same_kind = kind is not SphericalNoise or equal or q == 1
    assert type(scaled) is (kind if same_kind else DiagonalNoise)


@pytest.mark.parametrize("kind", KINDS)
def test_keep(kind):
    new, old = noise_of(kind, 2), noise_of(kind, 2, seed=1)
    kept = new.keep(old, np.array([False, True, False]))
    np.testing.assert_array_equal(kept.covariance(K)[1], old.covariance(K)[1])
    np.testing.assert_array_equal(kept.covariance(K)[[0, 2]], new.covariance(K)[[0, 2]])


@everything
def test_gaussian_components(kind, q, tied):
    noise = noise_of(kind, q, tied)
    mean = np.random.default_rng(3).normal(size=(q, K, 5)).T
    components = GaussianComponents(mean, noise)
    assert components.shape == (5, K, q)
    marginal = stats.norm(mean, noise.standard_deviation(K))
    y = np.random.default_rng(4).normal(size=(2, 5, 1, q))
    np.testing.assert_allclose(components.cdf(y), marginal.cdf(y), rtol=1e-10)
    np.testing.assert_allclose(components.ppf(0.1), marginal.ppf(0.1), rtol=1e-10)
    some = components.take(np.array([3, 3, 0]))
    np.testing.assert_allclose(some.log_prob(y[:, [3, 3, 0]]), components.log_prob(y)[:, [3, 3, 0]])
    np.testing.assert_array_equal(components.take(slice(1, 3)).mean(), mean[1:3])


@everything
def test_gaussian_samples(kind, q, tied):
    noise = noise_of(kind, q, tied)
    mean = np.arange(K, dtype=float)[None, :, None] * np.ones(q)
    expert = np.repeat(np.arange(K), 40_000)[:, None]
    draws = GaussianComponents(mean, noise).sample(expert, np.random.RandomState(0))
    assert draws.shape == (3 * 40_000, 1, q)
    for k, covariance in enumerate(noise.covariance(K)):
        own = draws[expert[:, 0] == k, 0]
        spread = np.sqrt(np.diag(covariance))
        np.testing.assert_allclose(own.mean(axis=0), k, atol=0.03 * spread.max())
        np.testing.assert_allclose(
            np.cov(own.T).reshape(q, q), covariance, atol=0.05 * spread.max() ** 2
        )
