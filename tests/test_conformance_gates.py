"""What every gate promises; a new one is tested as soon as it is exported."""

import pickle

import numpy as np
import pytest
from _helpers import flat, gradient, perturbed, random_weights
from scipy.special import logsumexp
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression

from skmoe.gates import (
    SHORT_NAMES,
    BayesianSoftmaxGate,
    BayesianTreeGate,
    FlooredGate,
    LocalizedGate,
    MLPGate,
    SoftmaxGate,
)

N_ROWS, N_FEATURES = 120, 3

GATES = {name: gate() for name, gate in sorted(SHORT_NAMES.items())}
GATES |= {f"softmax-alpha={alpha}": SoftmaxGate(alpha=alpha) for alpha in (0.0, 2.0)}
GATES |= {
    f"localized-{shape}-{'tied' if tied else 'own'}": LocalizedGate(shape, tied)
    for shape in ("spherical", "diag", "full")
    for tied in (False, True)
}
GATES["floored"] = FlooredGate(SoftmaxGate(), min_share=0.02)

# A network goes on learning long after the others have arrived.
EXACT = {name: gate for name, gate in GATES.items() if not isinstance(gate, MLPGate)}

# Means and precisions of their prior take turns.
CRAWLING = [
    gate for gate in GATES.values() if isinstance(gate, BayesianSoftmaxGate | BayesianTreeGate)
]
# Priors count parameters by halves, and fix the shift of the scores themselves.
IDENTIFIED = {name: gate for name, gate in GATES.items() if gate not in CRAWLING}

exact = pytest.mark.parametrize("gate", EXACT.values(), ids=EXACT.keys())
gates = pytest.mark.parametrize("gate", GATES.values(), ids=GATES.keys())
sizes = pytest.mark.parametrize("K", [2, 4])


class Case:
    """A gate, rows, weights that belong to nobody, and parameters off every optimum."""

    def __init__(self, gate, K=4, seed=0):
        rng = np.random.RandomState(seed)
        self.gate, self.rng, self.K = gate, rng, K
        self.X = rng.standard_normal((N_ROWS, N_FEATURES))
        self.weight = random_weights(rng, N_ROWS, K) * rng.uniform(0.2, 3.0, size=K)
        self.start = gate.init(self.X, K)
        # One M-step from other weights: off the optimum, but identified.
        other = random_weights(rng, N_ROWS, K) ** 2
        self.theta = gate.m_step(self.start, gate.statistics(self.start, self.X, other))

    def statistics(self, theta, rows=slice(None)):
        return self.gate.statistics(theta, self.X[rows], self.weight[rows])

    def objective(self, theta):
        logs = self.gate.evidence(theta, self.X)
        return np.sum(self.weight * logs) + self.gate.penalty(theta)

    def settled(self, theta, steps):
        for _ in range(steps):
            theta = self.gate.m_step(theta, self.statistics(theta))
        return theta


@gates
def test_a_neutral_gate_asks_everyone_equally(gate):
    case = Case(gate)
    np.testing.assert_allclose(gate.log_prob(case.start, case.X), -np.log(case.K), rtol=1e-12)


@gates
@sizes
@pytest.mark.parametrize("distance", [1.0, 1e6])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_weights_sum_to_one(gate, K, distance, dtype):
    case = Case(gate, K)
    theta = perturbed(case.theta, case.rng, 3.0)
    logs = gate.log_prob(theta, (distance * case.X).astype(dtype))
    assert logs.shape == (N_ROWS, K) and logs.dtype == dtype
    assert not np.isnan(logs).any() and (logs <= 1e-6).all()
    np.testing.assert_allclose(logsumexp(logs, axis=1), 0.0, atol=20 * np.finfo(dtype).eps)


@gates
@sizes
@pytest.mark.parametrize("seed", range(3))
def test_m_steps_raise_the_weighted_log_likelihood(gate, K, seed):
    case = Case(gate, K, seed)
    theta, climbed = case.start, [case.objective(case.start)]
    for _ in range(2 * gate.settling_steps + 2):
        theta = case.settled(theta, 1)
        climbed.append(case.objective(theta))
    assert climbed[1] > climbed[0] + 0.1
    assert (np.diff(climbed) > -1e-9 * abs(climbed[-1])).all()


@gates
@sizes
def test_slopes_are_the_gradients_of_signed_weights(gate, K):
    case = Case(gate, K)
    weight = case.rng.standard_normal(case.weight.shape)
    slope = gate.slope(case.theta, case.X, weight)
    if slope is None:
        pytest.skip("this gate has no gradient")
    statistics = gate.statistics(case.theta, case.X, weight)
    np.testing.assert_allclose(
        slope.flatten(), gate.gradient(case.theta, statistics).flatten(), atol=1e-9
    )


@gates
@sizes
def test_one_expert_can_be_asked_alone(gate, K):
    case, which = Case(gate, K), K - 1
    leaning = gate.leaning(gate.init(case.X, K), which, 50.0)
    if leaning is None:
        pytest.skip("this gate cannot")
    floor = 1.0 - 1e-9 if not hasattr(gate, "min_share") else 1.0 - K * gate.min_share
    assert (gate.weights(leaning, case.X)[:, which] > floor).all()
    mild = gate.leaning(gate.init(case.X, K), which, 0.5)
    assert (gate.weights(mild, case.X).argmax(axis=1) == which).all()


@exact
@sizes
def test_m_steps_end_where_the_objective_is_flat(gate, K):
    case = Case(gate, K)
    theta = case.settled(case.theta, 600 if gate in CRAWLING else 20)
    slopes = gradient(lambda vector: case.objective(theta.unflatten(vector)), theta.flatten())
    np.testing.assert_allclose(slopes, 0.0, atol=0.2 if gate in CRAWLING else 1e-5)
    off = case.theta
    slopes = gradient(lambda vector: case.objective(off.unflatten(vector)), off.flatten())
    assert np.abs(slopes).max() > 1.0


@gates
@sizes
def test_gradient_is_the_finite_difference(gate, K):
    case = Case(gate, K)
    slope = gate.gradient(case.theta, case.statistics(case.theta))
    if slope is None:
        pytest.skip("this gate has no gradient")
    slopes = gradient(
        lambda vector: case.objective(case.theta.unflatten(vector)), case.theta.flatten()
    )
    np.testing.assert_allclose(slope.flatten(), slopes, rtol=1e-6, atol=1e-5)
    assert np.abs(slopes).max() > 1.0


@exact
@sizes
def test_settling_steps_follow_given_shares(gate, K):
    case = Case(gate, K)
    best = case.objective(case.settled(case.start, 30))
    settled = case.objective(case.settled(case.start, gate.settling_steps))
    assert best - settled < 1e-3 * (best - case.objective(case.start))


@gates
@sizes
def test_statistics_of_two_blocks_add_up(gate, K):
    case = Case(gate, K)
    whole = flat(case.statistics(case.theta))
    first = case.statistics(case.theta, slice(0, 50))
    parts = first + case.statistics(case.theta, slice(50, None))
    np.testing.assert_allclose(flat(parts), whole, rtol=1e-9, atol=1e-9)
    assert np.abs(flat(first) - whole).max() > 1.0


@gates
@sizes
def test_integer_weights_equal_repetition(gate, K):
    case = Case(gate, K)
    times = case.rng.randint(0, 4, size=N_ROWS)
    weighted = gate.statistics(case.theta, case.X, case.weight * times[:, None])
    repeated = gate.statistics(
        case.theta, np.repeat(case.X, times, axis=0), np.repeat(case.weight, times, axis=0)
    )
    np.testing.assert_allclose(flat(weighted), flat(repeated), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(
        gate.m_step(case.theta, weighted).flatten(),
        gate.m_step(case.theta, repeated).flatten(),
        rtol=1e-8,
        atol=1e-10,
    )


@gates
@sizes
def test_order_of_rows_and_experts_does_not_matter(gate, K):
    case = Case(gate, K)
    shuffled = case.statistics(case.theta, case.rng.permutation(N_ROWS))
    np.testing.assert_allclose(flat(shuffled), flat(case.statistics(case.theta)), atol=1e-9)
    # A tree's leaves may change sides; any other gate's experts may trade places at will.
    order = np.arange(K)[::-1]
    straight = gate.log_prob(case.settled(case.start, 8), case.X)
    case.weight = case.weight[:, order]
    turned = gate.log_prob(case.settled(case.start, 8), case.X)
    np.testing.assert_allclose(turned, straight[:, order], atol=1e-8)


@pytest.mark.parametrize("gate", IDENTIFIED.values(), ids=IDENTIFIED.keys())
@sizes
def test_learned_scores_are_identified(gate, K):
    """Weights name the scores: adding a constant to all of them is no other gate."""
    case = Case(gate, K)
    theta = case.settled(case.start, 8)
    if hasattr(theta, "coef"):
        np.testing.assert_allclose(theta.coef.sum(axis=0), 0.0, atol=1e-12)
        np.testing.assert_allclose(theta.intercept.sum(), 0.0, atol=1e-12)
    free = gate.n_parameters(theta)
    jacobian = np.stack(
        [
            (gate.log_prob(theta.unflatten(theta.flatten() + 1e-5 * unit), case.X)).ravel()
            - gate.log_prob(theta, case.X).ravel()
            for unit in np.eye(theta.size)
        ]
    )
    assert np.linalg.matrix_rank(jacobian, tol=1e-3 * np.abs(jacobian).max()) == free


@gates
@sizes
def test_parameters_flatten_and_come_back(gate, K):
    case = Case(gate, K)
    vector = case.theta.flatten()
    assert vector.dtype == np.float64 and vector.shape == (case.theta.size,)
    back = case.start.unflatten(vector)
    np.testing.assert_array_equal(back.flatten(), vector)
    np.testing.assert_array_equal(gate.log_prob(back, case.X), gate.log_prob(case.theta, case.X))


@gates
@sizes
def test_single_precision_stays_single(gate, K):
    case = Case(gate, K)
    X = case.X.astype(np.float32)
    logs = gate.log_prob(case.theta, X)
    assert logs.dtype == np.float32
    np.testing.assert_allclose(logs, gate.log_prob(case.theta, case.X), rtol=1e-4, atol=1e-5)
    sums = flat(gate.statistics(case.theta, X, case.weight.astype(np.float32)))
    np.testing.assert_allclose(sums, flat(case.statistics(case.theta)), rtol=1e-3, atol=1e-3)


@gates
def test_pickles_and_clones_come_back_equal(gate):
    case = Case(gate)
    other, theta = pickle.loads(pickle.dumps((gate, case.theta)))
    assert str(other) == str(gate) == str(clone(gate))
    np.testing.assert_array_equal(theta.flatten(), case.theta.flatten())


@gates
@sizes
def test_an_expert_without_rows_stays_finite(gate, K):
    case = Case(gate, K)
    case.weight[:, 0] = 0.0
    theta = case.settled(case.start, 6)
    assert np.isfinite(theta.flatten()).all()
    logs = gate.log_prob(theta, case.X)
    assert not np.isnan(logs).any()
    assert np.exp(logs[:, 0]).max() < 0.1


@gates
def test_one_expert_is_always_asked(gate):
    case = Case(gate, 1)
    theta = case.settled(case.start, 2)
    np.testing.assert_array_equal(gate.log_prob(theta, case.X), 0.0)
    assert gate.n_parameters(theta) == 0


@gates
def test_duplicate_and_constant_columns_stay_finite(gate):
    case = Case(gate)
    case.X[:, 1], case.X[:, 2] = case.X[:, 0], 0.0
    theta = case.settled(case.start, 8)
    assert np.isfinite(theta.flatten()).all()
    assert case.objective(theta) > case.objective(case.start)


# ---------------------------------------------------------------- the softmax gate's arithmetic


@sizes
def test_softmax_score_and_curvature_are_finite_differences(K):
    gate = SoftmaxGate(alpha=0.0)
    case = Case(gate, K)
    statistics = case.statistics(case.theta)
    p = N_FEATURES + 1

    def unpack(vector):
        table = vector.reshape(K, p)
        return type(case.theta)(coef=table[:, 1:], intercept=table[:, 0])

    here = np.column_stack([case.theta.intercept, case.theta.coef]).ravel()
    slopes = gradient(lambda vector: case.objective(unpack(vector)), here)
    np.testing.assert_allclose(statistics.score.ravel(), slopes, atol=1e-6)

    # H = sum over pairs of (e_j - e_k)(e_j - e_k)' times the Gram of the pair.
    dense = np.zeros((K, p, K, p))
    for (j, k), gram in zip(
        zip(*np.triu_indices(K, k=1), strict=True), statistics.curvature, strict=True
    ):
        unit = np.zeros(K)
        unit[j], unit[k] = 1.0, -1.0
        dense += np.einsum("a,b,pq->apbq", unit, unit, gram)
    differences = np.stack(
        [
            (
                case.statistics(unpack(here + 1e-5 * unit)).score
                - case.statistics(unpack(here - 1e-5 * unit)).score
            ).ravel()
            / 2e-5
            for unit in np.eye(K * p)
        ]
    )
    np.testing.assert_allclose(dense.reshape(K * p, K * p), -differences, atol=1e-6)
    assert statistics.total == pytest.approx(case.weight.sum())


@pytest.mark.parametrize("alpha", [0.05, 2.0])
def test_softmax_gate_is_multinomial_logistic_regression(alpha):
    rng = np.random.RandomState(0)
    X = rng.standard_normal((400, N_FEATURES))
    labels = (X @ rng.standard_normal((N_FEATURES, 3)) + rng.gumbel(size=(400, 3))).argmax(axis=1)
    weight = rng.uniform(0.5, 2.0, size=400)
    gate = SoftmaxGate(alpha=alpha)
    hard = np.eye(3)[labels] * weight[:, None]
    theta = gate.init(X, 3)
    for _ in range(25):
        theta = gate.m_step(theta, gate.statistics(theta, X, hard))
    # scikit-learn climbs C * loss + ||V||^2 / 2, the gate loss + alpha / 2 * ||V||^2.
    peer = LogisticRegression(C=1.0 / alpha, tol=1e-10, max_iter=10_000).fit(
        X, labels, sample_weight=weight
    )
    np.testing.assert_allclose(theta.coef, peer.coef_, atol=1e-4)
    intercept = peer.intercept_ - peer.intercept_.mean()
    np.testing.assert_allclose(theta.intercept, intercept, atol=1e-4)


def test_constant_gate_weights_are_the_shares_of_the_rows():
    gate = SHORT_NAMES["constant"]()
    case = Case(gate)
    theta = case.settled(case.start, 1)
    share = case.weight.sum(axis=0) / case.weight.sum()
    np.testing.assert_allclose(np.exp(gate.log_prob(theta, case.X)), share[None].repeat(N_ROWS, 0))


def test_the_network_learns_what_no_line_can():
    rng = np.random.RandomState(0)
    X = rng.uniform(-2.0, 2.0, (500, 2))
    inside = np.square(X).sum(axis=1) < 2.0
    shares = np.column_stack([inside, ~inside]).astype(float)
    loss = {}
    for name in ("softmax", "mlp"):
        gate = SHORT_NAMES[name]()
        theta = gate.init(X, 2)
        for _ in range(150):
            theta = gate.m_step(theta, gate.statistics(theta, X, shares))
        loss[name] = -np.mean(np.sum(shares * gate.log_prob(theta, X), axis=1))
    assert loss["mlp"] < 0.15 < 0.5 < loss["softmax"]


def test_the_localized_gate_finds_the_classes_of_a_discriminant_analysis():
    rng = np.random.RandomState(0)
    labels = rng.randint(3, size=600)
    X = rng.standard_normal((600, 2)) * [1.0, 0.3] + labels[:, None] * [1.0, -1.0]
    gate = LocalizedGate(alpha=0.0)
    theta = gate.init(X, 3)
    theta = gate.m_step(theta, gate.statistics(theta, X, np.eye(3)[labels]))
    for k in range(3):
        np.testing.assert_allclose(theta.center[k], X[labels == k].mean(axis=0))
        own = theta.noise.covariance(3)[k]
        np.testing.assert_allclose(own, np.cov(X[labels == k].T, bias=True), rtol=1e-9)


def test_a_floor_lies_under_every_weight():
    case = Case(GATES["floored"])
    theta = case.settled(case.start, 30)
    assert GATES["floored"].weights(theta, 100.0 * case.X).min() >= 0.02 - 1e-12
    with pytest.raises(ValueError, match="below 1 / 60"):
        GATES["floored"].init(case.X, 60)
