"""The coefficient table: closed forms, differences, bootstraps and coverage."""

import builtins

import numpy as np
import pytest
from _helpers import gradient
from _problems import problem, regressor
from scipy import stats

from skmoe import MixtureOfExpertsClassifier, MixtureOfExpertsRegressor
from skmoe.batches import InMemory
from skmoe.datasets import make_mixture_of_experts
from skmoe.experts import LinearExperts, LogisticExperts, PoissonExperts
from skmoe.gates import SoftmaxGate
from skmoe.inspection import CoefficientTable, coefficient_table
from skmoe.inspection.information import Likelihood


def table_of(est, X, y, *args, **kwargs):
    return CoefficientTable.from_estimator(est, X, y, *args, **kwargs)


def likelihood_of(est, X, y, **kwargs):
    mixture, block = est._observed(X, y, **kwargs)
    return Likelihood(mixture, est.theta_, InMemory(block))


def free(n_experts, **kwargs):
    """A mixture without penalties, which is fitted to the last digit."""
    parts = {"experts": LinearExperts(alpha=0.0), "gate": SoftmaxGate(alpha=0.0)}
    return regressor(n_experts, **(parts | {"tol": 1e-12} | kwargs))


@pytest.fixture(scope="module")
def two_regimes():
    X, y, truth = make_mixture_of_experts(1000, 2, 2, random_state=0)
    return free(2).fit(X, y), X, y


@pytest.mark.parametrize("kind", ["information", "score", "sandwich"])
def test_one_expert_is_least_squares(kind):
    X, y = problem(300, K=1)
    table = table_of(free(1).fit(X, y), X, y, kind=kind)
    A = np.column_stack([X, np.ones(len(X))])
    beta = np.linalg.lstsq(A, y, rcond=None)[0]
    residual = y - A @ beta
    variance = np.mean(residual**2)
    hessian = A.T @ A / variance
    scores = A * (residual / variance)[:, None]
    bread = np.linalg.inv(hessian)
    # The fourth moments of the residuals part variances and lines in a finite sample.
    full = np.column_stack([scores, 0.5 * (residual**2 / variance - 1.0)])
    meat = full.T @ full
    inverse = np.zeros((5, 5))
    inverse[:4, :4], inverse[4, 4] = bread, 2.0 / len(X)
    cross = np.r_[A.T @ residual / variance, 0.0]
    np.testing.assert_allclose(cross, 0.0, atol=1e-6)
    expected = {
        "information": inverse,
        "score": np.linalg.inv(meat),
        "sandwich": inverse @ meat @ inverse,
    }[kind]
    expected = np.sqrt(np.diagonal(expected)) * [1, 1, 1, 1, variance]
    np.testing.assert_allclose(table.estimate[:4], beta, rtol=1e-6)
    np.testing.assert_allclose(table.std_error[:5], expected, rtol=1e-5)
    assert (table.note[5:] != "").all() and np.isnan(table.std_error[5:]).all()


SENTENCES = [
    {},
    {"experts": LinearExperts(tied=True)},
    {"experts": LinearExperts(variance="linear")},
    {"experts": "student_t"},
    {"experts": "gamma"},
    {"experts": "poisson"},
    {"experts": "negative_binomial"},
    {"gate": "localized"},
    {"gate": "constant"},
]


def example_for(sentence):
    X, y = problem(400, noise=0.5, seed=1)
    counts = {"poisson", "negative_binomial"}
    if sentence.get("experts") in counts | {"gamma"}:
        y = np.exp((y - y.mean()) / y.std())
    if sentence.get("experts") in counts:
        y = np.random.RandomState(0).poisson(3.0 * y).astype(float)
    return X, y


@pytest.mark.parametrize("sentence", SENTENCES, ids=str)
def test_information_is_curvature_of_log_likelihood(sentence):
    X, y = example_for(sentence)
    est = regressor(**sentence).fit(X, y)
    likelihood = likelihood_of(est, X, y)
    vector = est.theta_.flatten()
    block = likelihood.batches.block

    def log_likelihood(vector):
        theta = est.theta_.unflatten(vector)
        return likelihood.mixture.sweep(theta, block).pooled

    # Slopes of slopes, by nothing but values.
    slopes = [gradient(log_likelihood, vector, 1e-4)]
    for i in range(len(vector)):
        shift = 1e-3 * (np.arange(len(vector)) == i)
        up, down = (gradient(log_likelihood, vector + s * shift, 1e-4) for s in (1, -1))
        slopes.append((down - up) / 2e-3)
    free = ~likelihood.held
    assert free.sum() >= est.n_parameters_
    size = np.sqrt(np.abs(np.diagonal(slopes[1:])))[free]
    got = likelihood.information[np.ix_(free, free)]
    expected = np.array(slopes[1:])[np.ix_(free, free)]
    np.testing.assert_allclose(
        got / np.outer(size, size), expected / np.outer(size, size), atol=1e-4
    )


@pytest.mark.parametrize("sentence", SENTENCES, ids=str)
def test_scores_add_up_to_the_slope(sentence):
    X, y = example_for(sentence)
    # Away from the maximum, where the slope is not zero.
    est = regressor(max_iter=2, tol=0.0, **sentence)
    with pytest.warns(UserWarning):
        est.fit(X, y)
    likelihood = likelihood_of(est, X, y)
    scores, weight = likelihood._scores(likelihood.batches.block, likelihood._steps)
    slope, _ = likelihood._slopes(est.theta_)
    gap = np.where(likelihood.held, 0.0, weight @ scores - slope)
    assert np.abs(gap).max() <= 1e-5 * np.abs(scores).sum(axis=0).max()


def test_integer_weights_are_repetitions(two_regimes):
    est, X, y = two_regimes
    count = np.random.RandomState(0).randint(0, 3, len(y))
    repeated = np.repeat(np.arange(len(y)), count)
    for kind in ("information", "score", "sandwich"):
        one = table_of(est, X, y, count, kind=kind)
        other = table_of(est, X[repeated], y[repeated], kind=kind)
        np.testing.assert_allclose(one.covariance, other.covariance, rtol=1e-6, atol=1e-12)


def test_errors_are_in_the_units_of_the_data(two_regimes):
    est, X, y = two_regimes
    table = table_of(est, X, y)
    scaled = free(2).fit(1e3 * X, 7.0 + 1e6 * y)
    other = table_of(scaled, 1e3 * X, 7.0 + 1e6 * y)
    order = [np.argsort(each.intercept_) for each in (est, scaled)]
    for name, factor in [
        ("coef_", 1e3),
        ("intercept_", 1e6),
        ("covariances_", 1e12),
        ("gate_coef_", 1e-3),
        ("gate_intercept_", 1.0),
    ]:
        one, two = (
            each.std_error[each.attribute == name].reshape(2, -1)[by]
            for each, by in zip((table, other), order, strict=True)
        )
        np.testing.assert_allclose(two, factor * one, rtol=1e-4)


def test_float32_has_the_errors_of_double(two_regimes):
    est, X, y = two_regimes
    single = free(2, tol=1e-6).fit(X.astype(np.float32), y.astype(np.float32))
    got = table_of(single, X.astype(np.float32), y.astype(np.float32)).std_error
    np.testing.assert_allclose(np.sort(got), np.sort(table_of(est, X, y).std_error), rtol=1e-2)


def test_shared_slopes_are_one_coefficient():
    X, y = problem(400, seed=3)
    y = y + 60.0 * (X[:, 0] > 0)
    est = free(2, experts=LinearExperts(common_slope=True, alpha=0.0)).fit(X, y)
    table = table_of(est, X, y)
    error = table.std_error[table.attribute == "coef_"].reshape(2, -1)
    np.testing.assert_allclose(error[0], error[1], rtol=1e-6)
    drawn = table_of(est, X, y, kind="parametric_bootstrap", n_bootstrap=100, random_state=0)
    np.testing.assert_allclose(
        error[0], drawn.std_error[table.attribute == "coef_"].reshape(2, -1)[0], rtol=0.3
    )


def test_numbers_at_a_bound_have_no_error():
    X = np.linspace(-1.0, 1.0, 60)[:, None]
    noise = 0.1 * np.random.RandomState(0).standard_normal(60)
    y = np.where(X[:, 0] > 0, 1.0 + X[:, 0], noise)
    est = free(2).fit(X, y)
    table = table_of(est, X, y)
    exact = int(np.argmin(est.covariances_))
    row = (table.attribute == "covariances_") & (table.expert == exact)
    assert table.note[row] == "held" and np.isnan(table.std_error[row]).all()
    assert "held" in str(table)


def test_constant_columns_and_constant_gates_have_no_error():
    X, y = problem(300)
    X = np.column_stack([X, np.ones(len(X))])
    table = table_of(regressor(gate="constant").fit(X, y), X, y)
    slopes = np.array(["coef_" in name for name in table.attribute])
    silent = slopes & ((table.term == "x3") | (table.attribute == "gate_coef_"))
    assert (table.note[silent] == "fixed").all() and (table.note[~silent] == "").all()
    assert np.isnan(table.std_error[silent]).all() and (table.std_error[~silent] > 0).all()


def test_gate_scores_can_be_shifted_and_errors_do_not_care(two_regimes):
    est, X, y = two_regimes
    gate = table_of(est, X, y).std_error[-6:-2].reshape(2, 2)
    np.testing.assert_allclose(gate[0], gate[1], rtol=1e-6)
    tight = free(2, gate=SoftmaxGate(alpha=1e-9)).fit(X, y)
    np.testing.assert_allclose(
        table_of(tight, X, y).std_error[-6:-2].reshape(2, 2), gate, rtol=1e-2
    )


def test_groups_are_clusters():
    X, y = problem(300)
    est = free(2).fit(X, y)
    alone = table_of(est, X, y, kind="score")
    as_groups = table_of(est, X, y, kind="score", groups=np.arange(len(y)))
    np.testing.assert_allclose(as_groups.covariance, alone.covariance, rtol=1e-6)
    with pytest.raises(ValueError, match="groups"):
        table_of(est, X, y, kind="bootstrap", groups=np.arange(len(y)))


def test_offsets_are_seen():
    rng = np.random.RandomState(0)
    X, exposure = rng.standard_normal((500, 1)), rng.uniform(-1.0, 1.0, 500)
    y = rng.poisson(np.exp(1.0 + 0.5 * X[:, 0] + exposure)).astype(float)
    est = regressor(1, experts=PoissonExperts(alpha=0.0), tol=1e-12).fit(X, y, offset=exposure)
    A = np.column_stack([X, np.ones(500)])
    mean = np.exp(A @ np.r_[est.coef_[0], est.intercept_] + exposure)
    expected = np.sqrt(np.diagonal(np.linalg.inv((A * mean[:, None]).T @ A)))
    got = table_of(est, X, y, offset=exposure).std_error[:2]
    np.testing.assert_allclose(got, expected, rtol=1e-5)


def test_classes_have_errors_too():
    X, y = problem(600)
    est = MixtureOfExpertsClassifier(1, experts=LogisticExperts(alpha=0.0), tol=1e-12)
    labels = np.where(y + 10.0 * np.random.RandomState(0).standard_normal(600) > 5.0, "b", "a")
    est.fit(X, labels)
    A = np.column_stack([X, np.ones(len(X))])
    p = est.predict_proba(X)[:, 1]
    expected = np.sqrt(np.diagonal(np.linalg.inv((A * (p * (1 - p))[:, None]).T @ A)))
    table = table_of(est, X, labels)
    np.testing.assert_allclose(table.std_error[:4], expected, rtol=1e-4)
    several = MixtureOfExpertsClassifier(2, n_init=2, random_state=0).fit(X, np.digitize(y, [0, 9]))
    table = table_of(several, X, np.digitize(y, [0, 9]))
    assert table.term[0] == "0, x0" and (table.std_error > 0).all()


def test_columns_and_intervals(two_regimes):
    est, X, y = two_regimes
    table = table_of(est, X, y, confidence=0.9)
    reach = stats.norm.ppf(0.95) * table.std_error
    scale = table.attribute == "covariances_"
    np.testing.assert_allclose(table.upper[~scale] - table.estimate[~scale], reach[~scale])
    np.testing.assert_allclose(
        np.log(table.upper / table.estimate)[scale], (reach / table.estimate)[scale]
    )
    np.testing.assert_allclose(table.z[~scale], (table.estimate / table.std_error)[~scale])
    assert np.isnan(table.z[scale]).all() and len(table) == 14 and len(str(table).split("\n")) == 16
    with pytest.raises(KeyError, match="std_error"):
        table["stderr"]


def test_frame_where_pandas_is_there(two_regimes, monkeypatch):
    pd = pytest.importorskip("pandas")
    est, X, y = two_regimes
    frame = coefficient_table(est, X, y)
    assert isinstance(frame, pd.DataFrame)
    assert frame.loc[("coef_", 0, "x1"), "std_error"] == table_of(est, X, y).std_error[1]
    real = builtins.__import__

    def without_pandas(name, *args, **kwargs):
        if name == "pandas":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without_pandas)
    assert isinstance(coefficient_table(est, X, y), CoefficientTable)


@pytest.mark.parametrize(
    "change, match",
    [
        ({"kind": "louis"}, "kind"),
        ({"confidence": 1.0}, "confidence"),
        ({"confidence": 0.0}, "confidence"),
        ({"kind": "bootstrap", "n_bootstrap": 1}, "n_bootstrap"),
    ],
)
def test_arguments_are_checked(two_regimes, change, match):
    with pytest.raises(ValueError, match=match):
        table_of(*two_regimes, **change)


def test_parts_without_gradient_are_referred_to_the_bootstrap():
    X, y = problem(200)
    est = regressor(experts="laplace").fit(X, y)
    with pytest.raises(ValueError, match="bootstrap"):
        table_of(est, X, y)
    drawn = table_of(est, X, y, kind="bootstrap", n_bootstrap=20, random_state=0)
    assert (drawn.std_error > 0).all()


def test_rows_dealt_out_one_by_one_are_referred_to_the_bootstrap():
    X, y = problem(200)
    est = regressor(criterion="classification").fit(X, y)
    with pytest.raises(ValueError, match="criterion"):
        table_of(est, X, y)
    assert (table_of(est, X, y, kind="bootstrap", n_bootstrap=5).std_error > 0).all()


def test_labels_of_shared_and_own_covariances():
    X, y = problem(300, q=2)
    tables = [
        table_of(regressor(experts=LinearExperts(**noise)).fit(X, y), X, y)
        for noise in ({"tied": True}, {"covariance_type": "diag"}, {})
    ]
    shown = [
        [(e, t) for a, e, t in zip(*table._labels(), strict=True) if a == "covariances_"]
        for table in tables
    ]
    both = [f"{a}, {b}" for a in ("y0", "y1") for b in ("y0", "y1")]
    assert shown[0] == [("all", term) for term in both]
    assert shown[1] == [(k, f"y{j}") for k in (0, 1) for j in (0, 1)]
    assert shown[2] == [(k, term) for k in (0, 1) for term in both]


def test_bootstraps_are_seeded_for_any_number_of_jobs(two_regimes):
    est, X, y = two_regimes
    one, other = (
        table_of(est.set_params(n_jobs=n), X, y, kind="bootstrap", n_bootstrap=8, random_state=3)
        for n in (None, 2)
    )
    est.set_params(n_jobs=None)
    np.testing.assert_array_equal(one.covariance, other.covariance)
    assert not est.warm_start


def separated(n_rows, random_state):
    """Two lines that seldom meet, told apart by a gate."""
    rng = np.random.RandomState(random_state)
    X = rng.standard_normal((n_rows, 2))
    second = rng.uniform(size=n_rows) < 1.0 / (1.0 + np.exp(-(0.5 + 1.2 * X[:, 0])))
    y = np.where(second, 3.0 + X[:, 1], -2.0 + 0.5 * X[:, 0]) + 0.5 * rng.standard_normal(n_rows)
    return X, y


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["information", "score", "sandwich"])
def test_errors_agree_with_a_parametric_bootstrap(kind):
    X, y = separated(4000, 1)
    est = free(2).fit(X, y)
    drawn = table_of(est, X, y, kind="parametric_bootstrap", n_bootstrap=1000, random_state=0)
    ratio = table_of(est, X, y, kind=kind).std_error / drawn.std_error
    print(f"{kind}: ratios to the parametric bootstrap {ratio.min():.3f} to {ratio.max():.3f}")
    assert 0.9 < ratio.min() and ratio.max() < 1.1


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["information", "score", "sandwich"])
def test_intervals_cover_the_truth(kind):
    truth = {
        "coef_": [0.5, 0.0, 0.0, 1.0],
        "intercept_": [-2.0, 3.0],
        "covariances_": [0.25, 0.25],
        "gate_coef_": [-0.6, 0.0, 0.6, 0.0],
        "gate_intercept_": [-0.25, 0.25],
    }
    expected = np.concatenate(list(truth.values()))
    covered = []
    for seed in range(500):
        X, y = separated(1000, seed)
        est = MixtureOfExpertsRegressor(2, n_init=2, random_state=0).fit(X, y)
        table = table_of(est, X, y, kind=kind)
        inside = {
            name: (table.lower[rows].reshape(2, -1), table.upper[rows].reshape(2, -1))
            for name in truth
            for rows in [table.attribute == name]
        }
        order = np.argsort(est.intercept_)
        lower, upper = (
            np.concatenate([inside[name][end][order].ravel() for name in truth]) for end in (0, 1)
        )
        covered.append((lower <= expected) & (expected <= upper))
    rate = np.mean(covered, axis=0)
    print(f"{kind}: coverage of 95% intervals {rate.min():.3f} to {rate.max():.3f}")
    assert rate.min() >= 0.92 and rate.max() <= 0.98
