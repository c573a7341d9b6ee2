"""What every expert bank promises; a new family is tested as soon as it is exported."""

import pickle

import numpy as np
import pytest
from _helpers import flat, gradient, perturbed, random_weights
from sklearn.base import clone

from skmoe.experts import SHORT_NAMES, LinearExperts

N_ROWS, N_FEATURES, N_EXPERTS = 90, 2, 3

BANKS = {name: family() for name, family in sorted(SHORT_NAMES.items())}
BANKS |= {
    f"linear-{shape}-{'tied' if tied else 'own'}-alpha={alpha}": LinearExperts(
        covariance_type=shape, tied=tied, alpha=alpha
    )
    for shape in ("spherical", "diag", "full")
    for tied in (False, True)
    for alpha in (0.0, 2.0)
}
BANKS["linear-origin"] = LinearExperts(fit_intercept=False)

banks = pytest.mark.parametrize("experts", BANKS.values(), ids=BANKS.keys())
outputs = pytest.mark.parametrize("q", [1, 2])


class Case:
    """A bank, rows, weights that belong to nobody, and parameters off every optimum."""

    def __init__(self, experts, q, seed=0, n_rows=N_ROWS):
        rng = np.random.RandomState(seed)
        self.experts, self.rng = experts, rng
        self.X = rng.standard_normal((n_rows, N_FEATURES))
        self.y = self.X @ rng.standard_normal((N_FEATURES, q)) + rng.standard_normal((n_rows, q))
        self.weight = random_weights(rng, n_rows, N_EXPERTS)
        self.start = experts.init(self.X, self.y, N_EXPERTS)
        self.theta = perturbed(self.start, rng)
        if not getattr(experts, "fit_intercept", True):
            zero = np.zeros_like(self.theta.intercept)
            self.theta = type(self.theta)(self.theta.coef, zero, self.theta.noise)

    def statistics(self, theta, rows=slice(None)):
        return self.experts.statistics(theta, self.X[rows], self.y[rows], self.weight[rows])

    def objective(self, theta):
        logs = self.experts.log_prob(theta, self.X, self.y)
        return np.sum(self.weight * logs) + self.experts.penalty(theta)

    def settled(self, theta, steps):
        for _ in range(steps):
            theta = self.experts.m_step(theta, self.statistics(theta))
        return theta


@banks
def test_density_of_one_output_integrates_to_one(experts):
    case = Case(experts, 1)
    grid = np.linspace(-80.0, 80.0, 40_001)
    for row in case.X[:3]:
        X = np.repeat(row[None], len(grid), axis=0)
        density = np.exp(experts.log_prob(case.theta, X, grid[:, None]))
        np.testing.assert_allclose(np.trapezoid(density, grid, axis=0), 1.0, atol=1e-7)


@banks
def test_density_of_two_outputs_integrates_to_one(experts):
    case = Case(experts, 2)
    grid = np.linspace(-20.0, 20.0, 401)
    first, second = np.meshgrid(grid, grid, indexing="ij")
    y = np.column_stack([first.ravel(), second.ravel()])
    X = np.repeat(case.X[:1], len(y), axis=0)
    density = np.exp(experts.log_prob(case.theta, X, y)).reshape(len(grid), len(grid), N_EXPERTS)
    mass = np.trapezoid(np.trapezoid(density, grid, axis=0), grid, axis=0)
    np.testing.assert_allclose(mass, 1.0, atol=1e-7)


@banks
@outputs
@pytest.mark.parametrize("seed", range(3))
def test_m_step_raises_the_weighted_log_density(experts, q, seed):
    case = Case(experts, q, seed)
    before = case.objective(case.theta)
    after = case.objective(experts.m_step(case.theta, case.statistics(case.theta)))
    assert after > before + 0.1
    again = case.objective(case.settled(case.theta, 2))
    assert again >= after - 1e-9 * abs(after)


@banks
@outputs
def test_m_steps_end_where_the_objective_is_flat(experts, q):
    case = Case(experts, q)
    theta = case.settled(case.theta, max(experts.settling_steps, 1) * 4)
    slopes = gradient(lambda vector: case.objective(theta.unflatten(vector)), theta.flatten())
    free = np.ones(theta.size, dtype=bool)
    if not getattr(experts, "fit_intercept", True):
        free[theta.coef.size : theta.coef.size + theta.intercept.size] = False
        assert not theta.intercept.any()
    np.testing.assert_allclose(slopes[free], 0.0, atol=1e-5)
    # The test above can fail: it does off the optimum.
    off = case.theta
    slopes = gradient(lambda vector: case.objective(off.unflatten(vector)), off.flatten())
    assert np.abs(slopes).max() > 1.0


@banks
@outputs
def test_gradient_is_the_finite_difference(experts, q):
    case = Case(experts, q)
    if experts.gradient(case.theta, case.statistics(case.theta)) is None:
        pytest.skip("this family has no gradient")
    slopes = gradient(
        lambda vector: case.objective(case.theta.unflatten(vector)), case.theta.flatten()
    )
    if not getattr(experts, "fit_intercept", True):
        first = case.theta.coef.size
        slopes[first : first + case.theta.intercept.size] = 0.0
    analytic = experts.gradient(case.theta, case.statistics(case.theta)).flatten()
    np.testing.assert_allclose(analytic, slopes, rtol=1e-6, atol=1e-5)
    assert np.abs(slopes).max() > 1.0


@banks
@outputs
def test_holding_changes_nothing_within_bounds_and_is_final(experts, q):
    case = Case(experts, q)
    np.testing.assert_array_equal(experts.hold(case.theta).flatten(), case.theta.flatten())
    far = case.theta.unflatten(case.theta.flatten() - 60.0)
    held = experts.hold(far)
    np.testing.assert_array_equal(experts.hold(held).flatten(), held.flatten())


@banks
@outputs
def test_statistics_of_two_blocks_add_up(experts, q):
    case = Case(experts, q)
    whole = flat(case.statistics(case.theta))
    parts = case.statistics(case.theta, slice(0, 37)) + case.statistics(case.theta, slice(37, None))
    np.testing.assert_allclose(flat(parts), whole, rtol=1e-10, atol=1e-10)
    assert np.abs(flat(case.statistics(case.theta, slice(0, 37))) - whole).max() > 1.0


@banks
@outputs
def test_statistics_scale_with_the_weights(experts, q):
    case = Case(experts, q)
    tripled = experts.statistics(case.theta, case.X, case.y, 3.0 * case.weight)
    np.testing.assert_allclose(flat(3.0 * case.statistics(case.theta)), flat(tripled), rtol=1e-10)


@banks
@outputs
def test_integer_weights_equal_repetition(experts, q):
    case = Case(experts, q)
    times = case.rng.randint(0, 4, size=N_ROWS)
    weighted = experts.statistics(case.theta, case.X, case.y, case.weight * times[:, None])
    X, y, weight = (np.repeat(A, times, axis=0) for A in (case.X, case.y, case.weight))
    repeated = experts.statistics(case.theta, X, y, weight)
    np.testing.assert_allclose(flat(weighted), flat(repeated), rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(
        experts.m_step(case.theta, weighted).flatten(),
        experts.m_step(case.theta, repeated).flatten(),
        rtol=1e-8,
        atol=1e-10,
    )


@banks
@outputs
def test_order_of_the_rows_does_not_matter(experts, q):
    case = Case(experts, q)
    shuffled = case.statistics(case.theta, case.rng.permutation(N_ROWS))
    np.testing.assert_allclose(flat(shuffled), flat(case.statistics(case.theta)), atol=1e-10)


@banks
@outputs
def test_order_of_the_experts_does_not_matter(experts, q):
    case = Case(experts, q)
    order = [2, 0, 1]
    straight = experts.m_step(case.start, case.statistics(case.start))
    turned = experts.m_step(
        case.start, experts.statistics(case.start, case.X, case.y, case.weight[:, order])
    )
    np.testing.assert_allclose(
        experts.log_prob(turned, case.X, case.y),
        experts.log_prob(straight, case.X, case.y)[:, order],
        atol=1e-10,
    )


@banks
@outputs
def test_memory_layout_does_not_matter(experts, q):
    case = Case(experts, q)
    frozen = np.asfortranarray(case.X)
    frozen.flags.writeable = False
    for _ in range(2):
        statistics = experts.statistics(case.theta, frozen, np.asfortranarray(case.y), case.weight)
        np.testing.assert_allclose(flat(statistics), flat(case.statistics(case.theta)), rtol=1e-10)
    np.testing.assert_allclose(
        experts.log_prob(case.theta, frozen, case.y),
        experts.log_prob(case.theta, case.X, case.y),
        rtol=1e-12,
    )


@banks
@outputs
def test_draws_have_the_moments_of_the_density(experts, q):
    case = Case(experts, q)
    components = experts.components(case.theta, case.X[:2])
    assert components.shape == (2, N_EXPERTS, q)
    n_draws = 40_000
    covariance = np.broadcast_to(components.covariance(), (2, N_EXPERTS, q, q))
    for k in range(N_EXPERTS):
        expert = np.full((n_draws, 2), k)
        draws = components.sample(expert, np.random.RandomState(k))
        assert draws.shape == (n_draws, 2, q)
        for row in range(2):
            error = draws[:, row].mean(axis=0) - components.mean()[row, k]
            deviation = np.sqrt(np.diagonal(covariance[row, k]))
            assert np.all(np.abs(error) < 5.0 * deviation / np.sqrt(n_draws))
            spread = np.atleast_2d(np.cov(draws[:, row].T))
            unit = np.outer(deviation, deviation)
            assert np.all(np.abs(spread - covariance[row, k]) < 0.06 * unit)


@banks
def test_moments_and_quantiles_are_those_of_the_density(experts):
    case = Case(experts, 1)
    grid = np.linspace(-80.0, 80.0, 40_001)
    X = np.repeat(case.X[:1], len(grid), axis=0)
    density = np.exp(experts.log_prob(case.theta, X, grid[:, None]))
    components = experts.components(case.theta, case.X[:1])
    mean = np.trapezoid(density * grid[:, None], grid, axis=0)
    variance = np.trapezoid(density * (grid[:, None] - mean) ** 2, grid, axis=0)
    np.testing.assert_allclose(components.mean()[0, :, 0], mean, atol=1e-7)
    own = np.broadcast_to(components.covariance(), (1, N_EXPERTS, 1, 1))[0, :, 0, 0]
    np.testing.assert_allclose(own, variance, rtol=1e-7)
    for level in (0.05, 0.5, 0.8):
        quantile = components.ppf(level)
        np.testing.assert_allclose(components.cdf(quantile.copy()), level, atol=1e-10)
        below = np.stack(
            [
                np.trapezoid(density[grid <= point, k], grid[grid <= point])
                for k, point in enumerate(quantile[0, :, 0])
            ]
        )
        np.testing.assert_allclose(below, level, atol=5e-3)


@banks
@outputs
def test_components_are_the_bank_at_the_rows(experts, q):
    case = Case(experts, q)
    components = experts.components(case.theta, case.X)
    np.testing.assert_allclose(
        components.log_prob(case.y[:, None, :]),
        experts.log_prob(case.theta, case.X, case.y),
        rtol=1e-12,
    )
    np.testing.assert_allclose(components.mean(), experts.mean(case.theta, case.X), rtol=1e-12)
    many = np.stack([case.y, case.y + 1.0])[:, :, None, :]
    assert components.log_prob(many).shape == (2, N_ROWS, N_EXPERTS)
    np.testing.assert_allclose(
        components.log_prob(many)[1],
        experts.log_prob(case.theta, case.X, case.y + 1.0),
        rtol=1e-12,
    )


@banks
@outputs
def test_shapes(experts, q):
    case = Case(experts, q)
    assert experts.log_prob(case.theta, case.X, case.y).shape == (N_ROWS, N_EXPERTS)
    assert experts.evidence(case.theta, case.X, case.y).shape == (N_ROWS, N_EXPERTS)
    assert experts.mean(case.theta, case.X).shape == (N_ROWS, N_EXPERTS, q)
    assert isinstance(experts.n_parameters(case.theta), int | np.integer)
    assert np.isscalar(experts.penalty(case.theta)) and experts.penalty(case.theta) <= 0.0


@banks
@outputs
def test_parameters_flatten_and_come_back(experts, q):
    case = Case(experts, q)
    vector = case.theta.flatten()
    assert vector.dtype == np.float64 and vector.shape == (case.theta.size,)
    back = case.start.unflatten(vector)
    np.testing.assert_array_equal(back.flatten(), vector)
    np.testing.assert_array_equal(
        experts.log_prob(back, case.X, case.y), experts.log_prob(case.theta, case.X, case.y)
    )
    # Each number matters, so none was dropped on the way.
    logs = experts.log_prob(case.theta, case.X, case.y)
    for i in range(len(vector)):
        moved = vector.copy()
        moved[i] += 0.1
        other = experts.log_prob(case.start.unflatten(moved), case.X, case.y)
        assert np.abs(other - logs).max() > 1e-6


@banks
@outputs
def test_free_parameters_are_counted(experts, q):
    case = Case(experts, q)
    held = 0 if getattr(experts, "fit_intercept", True) else case.theta.intercept.size
    assert experts.n_parameters(case.theta) == case.theta.size - held


@banks
@outputs
def test_single_precision_stays_single(experts, q):
    case = Case(experts, q)
    X, y = case.X.astype(np.float32), case.y.astype(np.float32)
    for answer, reference in (
        (experts.log_prob(case.theta, X, y), experts.log_prob(case.theta, case.X, case.y)),
        (experts.mean(case.theta, X), experts.mean(case.theta, case.X)),
    ):
        assert answer.dtype == np.float32
        np.testing.assert_allclose(answer, reference, rtol=1e-4, atol=1e-4)
    sums = flat(experts.statistics(case.theta, X, y, case.weight.astype(np.float32)))
    np.testing.assert_allclose(sums, flat(case.statistics(case.theta)), rtol=1e-3, atol=1e-3)


@banks
@outputs
def test_pickles_come_back_equal(experts, q):
    case = Case(experts, q)
    bank, theta, statistics = pickle.loads(
        pickle.dumps((experts, case.theta, case.statistics(case.theta)))
    )
    assert bank.get_params() == experts.get_params() and type(bank) is type(experts)
    np.testing.assert_array_equal(theta.flatten(), case.theta.flatten())
    np.testing.assert_array_equal(flat(statistics), flat(case.statistics(case.theta)))
    components = pickle.loads(pickle.dumps(experts.components(case.theta, case.X)))
    np.testing.assert_array_equal(components.mean(), experts.mean(case.theta, case.X))


@banks
def test_clones_keep_their_parameters(experts):
    assert clone(experts).get_params() == experts.get_params()


@banks
@outputs
def test_an_expert_without_rows_stays_finite(experts, q):
    case = Case(experts, q)
    case.weight[:, 1] = 0.0
    theta = case.settled(case.theta, 3)
    assert np.isfinite(theta.flatten()).all()
    assert np.isfinite(experts.log_prob(theta, case.X, case.y)).all()
    assert np.isfinite(experts.mean(theta, case.X)).all()
    assert case.objective(theta) > case.objective(case.theta)


@banks
@outputs
def test_duplicate_and_constant_columns_stay_finite(experts, q):
    case = Case(experts, q)
    case.X[:, 1] = case.X[:, 0]
    before = case.objective(case.theta)
    theta = case.settled(case.theta, 2)
    assert np.isfinite(theta.flatten()).all() and case.objective(theta) > before
    case.X[:] = 0.0
    theta = case.settled(case.theta, 2)
    assert np.isfinite(theta.flatten()).all()


def test_ridge_counts_as_in_weighted_ridge_regression():
    from sklearn.linear_model import Ridge

    case = Case(LinearExperts(alpha=2.0), 2)
    theta = case.settled(case.theta, 1)
    for k in range(N_EXPERTS):
        ridge = Ridge(alpha=2.0).fit(case.X, case.y, sample_weight=case.weight[:, k])
        np.testing.assert_allclose(theta.coef[k], ridge.coef_, rtol=1e-8)
        np.testing.assert_allclose(theta.intercept[k], ridge.intercept_, rtol=1e-7, atol=1e-9)


def test_log_prob_is_the_normal_density():
    from scipy import stats

    case = Case(LinearExperts(), 2)
    logs = LinearExperts().log_prob(case.theta, case.X, case.y)
    mean = LinearExperts().mean(case.theta, case.X)
    covariance = case.theta.noise.covariance(N_EXPERTS)
    for k in range(N_EXPERTS):
        np.testing.assert_allclose(
            mean[:, k], case.X @ case.theta.coef[k].T + case.theta.intercept[k], rtol=1e-12
        )
        direct = stats.multivariate_normal(cov=covariance[k]).logpdf(case.y - mean[:, k])
        np.testing.assert_allclose(logs[:, k], direct, rtol=1e-9)
