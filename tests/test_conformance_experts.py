"""What every expert bank promises; a new family is tested as soon as it is exported."""

import pickle
from dataclasses import replace

import numpy as np
import pytest
from _helpers import answers, flat, gradient, perturbed, random_weights, support
from sklearn.base import clone

from skmoe.experts import (
    SHORT_NAMES,
    BayesianLinearExperts,
    GammaExperts,
    LaplaceExperts,
    LinearExperts,
    LogisticExperts,
    MultinomialExperts,
    NegativeBinomialExperts,
    PoissonExperts,
    StudentTExperts,
)

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
BANKS |= {
    "linear-origin": LinearExperts(fit_intercept=False),
    "linear-variance": LinearExperts(variance="linear"),
    "gamma-inverse": GammaExperts(link="inverse"),
    "student_t-4": StudentTExperts(df=4.0),
    "student_t-learned": StudentTExperts(df=None, min_df=0.5),
    "multinomial": MultinomialExperts(),
}
CRAWLING = (
    BANKS["bayesian_logistic"],
    BANKS["negative_binomial"],
    BANKS["student_t-learned"],
)
SPARSE = [
    family(l1_ratio=ratio)
    for family in (
        GammaExperts,
        LaplaceExperts,
        LinearExperts,
        LogisticExperts,
        MultinomialExperts,
        NegativeBinomialExperts,
        PoissonExperts,
        StudentTExperts,
    )
    for ratio in (0.6, 1.0)
]

HEAVY = BayesianLinearExperts, StudentTExperts
# Posteriors count the coefficients that rows determine.
COUNTED = {name: bank for name, bank in BANKS.items() if not name.startswith("bayesian")}

banks = pytest.mark.parametrize("experts", BANKS.values(), ids=BANKS.keys())
outputs = pytest.mark.parametrize("q", [1, 2])


class Case:
    """A bank, rows, weights that belong to nobody, and parameters off every optimum."""

    def __init__(self, experts, q, seed=0, n_rows=N_ROWS):
        rng = np.random.RandomState(seed)
        self.experts, self.rng = experts, rng
        self.X = rng.standard_normal((n_rows, N_FEATURES))
        if isinstance(experts, MultinomialExperts):
            self.y = rng.multinomial(4, np.full(q + 1, 1.0 / (q + 1)), n_rows).astype(np.float64)
        else:
            self.y = answers(experts.target, rng, n_rows, q)
        if experts.target.shifted:
            self.y += self.X @ rng.standard_normal((N_FEATURES, q))
        self.n_outputs = self.y.shape[1]
        self.weight = random_weights(rng, n_rows, N_EXPERTS)
        self.start = experts.init(self.X, self.y, N_EXPERTS)
        # Reciprocals of means have to stay positive.
        spread = 0.05 if getattr(experts, "link", "") == "inverse" else 0.3
        self.theta = perturbed(self.start, rng, spread)
        if not getattr(experts, "fit_intercept", True):
            zero = np.zeros_like(self.theta.intercept)
            self.theta = type(self.theta)(self.theta.coef, zero, self.theta.noise)

    def statistics(self, theta, rows=slice(None)):
        return self.experts.statistics(theta, self.X[rows], self.y[rows], self.weight[rows])

    def objective(self, theta):
        logs = self.experts.evidence(theta, self.X, self.y)
        return np.sum(self.weight * logs) + self.experts.penalty(theta)

    def settled(self, theta, steps):
        for _ in range(steps):
            theta = self.experts.m_step(theta, self.statistics(theta))
        return theta


def has_scalar_answers(experts):
    return not isinstance(experts, MultinomialExperts) and not experts.target.classes


def densities(case, size=40_001):
    """Return points, cell widths and densities (points, K) at the first row."""
    points, width = support(case.experts.target, size)
    X = np.repeat(case.X[:1], len(points), axis=0)
    return points, width, np.exp(case.experts.log_prob(case.theta, X, points[:, None]))


@banks
def test_density_of_one_output_integrates_to_one(experts):
    case = Case(experts, 1)
    if has_scalar_answers(experts):
        _, width, density = densities(case)
        np.testing.assert_allclose(width @ density, 1.0, atol=1e-6)
    else:
        X = np.repeat(case.X[:1], case.n_outputs, axis=0)
        density = np.exp(experts.log_prob(case.theta, X, np.eye(case.n_outputs)))
        np.testing.assert_allclose(density.sum(axis=0), 1.0, rtol=1e-12)


@banks
def test_density_of_two_outputs_integrates_to_one(experts):
    case = Case(experts, 2)
    if not has_scalar_answers(experts):
        y = np.array([[a, b, 2.0 - a - b] for a in range(3) for b in range(3 - a)])
        y = y if isinstance(experts, MultinomialExperts) else np.eye(3)
        density = np.exp(experts.log_prob(case.theta, np.repeat(case.X[:1], len(y), axis=0), y))
        np.testing.assert_allclose(density.sum(axis=0), 1.0, rtol=1e-12)
        return
    points, width = support(experts.target, 801)
    if experts.target.discrete:
        points, width = points[:200], width[:200]
    first, second = np.meshgrid(points, points, indexing="ij")
    y = np.column_stack([first.ravel(), second.ravel()])
    X = np.repeat(case.X[:1], len(y), axis=0)
    density = np.exp(experts.log_prob(case.theta, X, y))
    np.testing.assert_allclose(np.outer(width, width).ravel() @ density, 1.0, atol=2e-3)


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


def climbed(case, theta, passes=120):
    """Return where M-steps end, each shortened as a fitter would."""
    height = case.objective(theta)
    for _ in range(passes):
        here, there = theta.flatten(), case.settled(theta, 1).flatten()
        for length in (1.0, 0.25, 0.05):
            trial = theta.unflatten(here + length * (there - here))
            if case.objective(trial) >= height:
                break
        else:
            return theta
        theta, gain = trial, case.objective(trial) - height
        height += gain
        if gain < 1e-13 * abs(height):
            return theta
    return theta


@banks
@outputs
def test_m_steps_end_where_the_objective_is_flat(experts, q):
    case = Case(experts, q)
    if experts.gradient(case.theta, case.statistics(case.theta)) is None:
        pytest.skip("the likelihood of this family has no slope")
    theta = climbed(case, case.theta, 400)
    slopes = gradient(lambda vector: case.objective(theta.unflatten(vector)), theta.flatten())
    free = np.ones(theta.size, dtype=bool)
    if not getattr(experts, "fit_intercept", True):
        free[theta.coef.size : theta.coef.size + theta.intercept.size] = False
        assert not theta.intercept.any()
    # Dispersions crawl where the family turns into another one (Poisson's, the Gaussian).
    np.testing.assert_allclose(slopes[free], 0.0, atol=0.1 if experts in CRAWLING else 1e-3)
    # The test above can fail: it does off the optimum.
    off = case.theta
    slopes = gradient(lambda vector: case.objective(off.unflatten(vector)), off.flatten())
    assert np.abs(slopes).max() > 1.0


@banks
@outputs
def test_settling_steps_follow_given_shares(experts, q):
    """Neutral parameters come close to the weighted maximum in the steps that a family names."""
    case = Case(experts, q)
    best = case.objective(climbed(case, case.theta))
    settled = case.objective(case.settled(case.start, experts.settling_steps))
    assert best - settled < 0.05 * (best - case.objective(case.start))


@pytest.mark.parametrize("experts", SPARSE, ids=str)
def test_lasso_sets_coefficients_to_exactly_zero(experts):
    for alpha in (3.0, 6.0, 9.0, 12.0, 16.0, 24.0, 40.0):
        experts = clone(experts).set_params(alpha=alpha)
        case = Case(experts, 1)
        assert experts.gradient(case.theta, case.statistics(case.theta)) is None
        theta = climbed(case, case.start, 60)
        zero = theta.coef == 0.0
        if zero.any():
            break
    assert 0 < zero.sum() < zero.size
    # No single coefficient can be moved for the better, those that are zero included.
    best, vector = case.objective(theta), theta.flatten()
    for i in range(theta.coef.size):
        for step in (1e-3, -1e-3):
            moved = vector.copy()
            moved[i] += step
            assert case.objective(theta.unflatten(moved)) < best + 1e-3
    assert experts.n_parameters(theta) == experts.n_parameters(case.theta) - zero.sum()


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
def test_experts_leave_and_others_come(experts, q):
    case = Case(experts, q)
    logs = experts.log_prob(case.theta, case.X, case.y)
    bank, left = experts.without(case.theta, np.array([False, True, False]))
    np.testing.assert_allclose(bank.log_prob(left, case.X, case.y), logs[:, [0, 2]])
    doubled = left.of_experts([0, 0, 1], 2)
    np.testing.assert_allclose(experts.log_prob(doubled, case.X, case.y), logs[:, [0, 0, 2]])
    back = doubled.with_experts([1], case.theta.of_experts([1], N_EXPERTS), N_EXPERTS)
    np.testing.assert_array_equal(back.flatten(), case.theta.flatten())


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
    q = case.n_outputs
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
            if not np.isfinite(deviation).all():
                middle = np.abs(np.median(draws[:, row] - components.mean()[row, k], axis=0))
                assert np.all(middle < 0.1)
                continue
            assert np.all(np.abs(error) < 5.0 * deviation / np.sqrt(n_draws))
            spread = np.atleast_2d(np.cov(draws[:, row].T))
            unit = np.outer(deviation, deviation)
            # Squares of heavy tails have no variance themselves.
            close = 0.5 if isinstance(experts, HEAVY) else 0.08
            assert np.all(np.abs(spread - covariance[row, k]) < close * unit)


@banks
def test_moments_and_quantiles_are_those_of_the_density(experts):
    case = Case(experts, 1)
    components = experts.components(case.theta, case.X[:1])
    covariance = np.broadcast_to(
        components.covariance(), (1, N_EXPERTS, case.n_outputs, case.n_outputs)
    )
    if has_scalar_answers(experts):
        points, width, density = densities(case)
    else:
        points, width = np.arange(2.0), np.ones(2)
        X, y = np.repeat(case.X[:1], 2, axis=0), np.eye(2)[::-1]
        density = np.exp(experts.log_prob(case.theta, X, y))
    mass = width[:, None] * density
    mean = points @ mass
    np.testing.assert_allclose(components.mean()[0, :, 0], mean, atol=1e-5)
    variance = np.sum(mass * np.square(points[:, None] - mean), axis=0)
    finite = np.isfinite(covariance[0, :, 0, 0])
    np.testing.assert_allclose(covariance[0, finite, 0, 0], variance[finite], rtol=1e-4)
    assert finite.all() or isinstance(experts, StudentTExperts)
    for level in (0.05, 0.5, 0.8):
        quantile = components.ppf(level)
        reached = components.cdf(quantile.copy())
        if experts.target.discrete:
            assert (reached >= level - 1e-12).all()
            assert (components.cdf(quantile - 1.0) < level).all()
        else:
            np.testing.assert_allclose(reached, level, atol=1e-9)
        below = np.sum(mass * (points[:, None] <= quantile[0, :, 0] + 1e-9), axis=0)
        np.testing.assert_allclose(below, reached[0, :, 0], atol=5e-3)


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
    assert experts.mean(case.theta, case.X).shape == (N_ROWS, N_EXPERTS, case.n_outputs)
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


@pytest.mark.parametrize("experts", COUNTED.values(), ids=COUNTED.keys())
@outputs
def test_free_parameters_are_counted(experts, q):
    """As many as there are directions in which the densities change."""
    case = Case(experts, q)
    vector, logs = case.theta.flatten(), experts.log_prob(case.theta, case.X, case.y).ravel()
    changes = [
        experts.log_prob(case.theta.unflatten(vector + 1e-5 * unit), case.X, case.y).ravel() - logs
        for unit in np.eye(len(vector))
    ]
    rank = np.linalg.matrix_rank(np.stack(changes), tol=1e-4 * np.abs(changes).max())
    held = 0 if getattr(experts, "fit_intercept", True) else case.theta.intercept.size
    assert experts.n_parameters(case.theta) == rank - held


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


# The weights of robust families move with theta as much as their scores do.
SMOOTH = {
    name: bank
    for name, bank in BANKS.items()
    if not isinstance(bank, LaplaceExperts | StudentTExperts)
}


@pytest.mark.parametrize("experts", SMOOTH.values(), ids=SMOOTH.keys())
@outputs
def test_carried_statistics_lead_where_fresh_ones_lead(experts, q):
    """A score that is carried along its curvature forgets where it was taken."""
    case = Case(experts, q)
    old = case.settled(case.theta, 3)
    step = 0.02 * case.rng.standard_normal(old.size)
    new = experts.hold(old.unflatten(old.flatten() + step))
    if hasattr(old, "dispersion"):  # what rows say of dispersions is summed where it was taken
        new = replace(new, dispersion=old.dispersion)
    stale, fresh = case.statistics(old), case.statistics(new)
    target = experts.m_step(new, fresh).coef
    off, without = (
        np.linalg.norm(experts.m_step(new, each).coef - target)
        for each in (experts.carry(stale, old, new), stale)
    )
    assert off <= 0.75 * without + 1e-9
