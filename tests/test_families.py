"""Families beyond the Gaussian: published optima, single experts against peers, offsets, limits."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from scipy.special import psi
from sklearn.exceptions import UnsetMetadataPassedError
from sklearn.linear_model import (
    GammaRegressor,
    LogisticRegression,
    PoissonRegressor,
    QuantileRegressor,
)
from sklearn.model_selection import cross_validate

import skmoe
from skmoe import MixtureOfExpertsClassifier, MixtureOfExpertsRegressor
from skmoe.datasets import load_motorcycle
from skmoe.distribution import MixtureDistribution
from skmoe.experts import (
    GammaExperts,
    LinearExperts,
    LogisticExperts,
    MultinomialExperts,
    NegativeBinomialExperts,
    PoissonExperts,
    StudentTExperts,
)
from skmoe.experts.gamma import _shape_of

DATA = Path(__file__).parent / "data"
pytestmark = pytest.mark.filterwarnings("ignore:Experts .* lost their rows")


def single(experts, **kwargs):
    return MixtureOfExpertsRegressor(1, experts=experts, random_state=0, **kwargs)


# --------------------------------------------------------- optima of independent optimizers


def table(name):
    return np.loadtxt(DATA / name, delimiter=",", skiprows=1)


def patent(random_state):
    """Patents on log R&D, gate on R&D / sales; Wang et al. (1998), from R's flexmix."""
    A = table("patent_k3_gate.csv")
    est = MixtureOfExpertsRegressor(
        3,
        experts=PoissonExperts(alpha=0.0),
        expert_features=[0],
        gate_features=[1],
        random_state=random_state,
    ).set_params(gate__alpha=0.0)
    return est.fit(A[:, [1, 3]], A[:, 4]), A[:, [1, 3]], A[:, 4], {}


def seizure(random_state):
    """Epileptic seizures with hours of observation as exposure; Wang et al. (1996)."""
    A = table("seizure_k2_const.csv")
    est = MixtureOfExpertsRegressor(
        2, experts=PoissonExperts(alpha=0.0), gate="constant", random_state=random_state
    )
    X, y, offset = A[:, 1:4], A[:, 4], A[:, 5]
    return est.fit(X, y, offset=offset), X, y, {"offset": offset}


def gamma(random_state):
    """Simulated Gamma experts with an inverse link."""
    A = table("sim_gamma_n2000_k2.csv.gz")
    est = MixtureOfExpertsRegressor(
        2, experts=GammaExperts(link="inverse", alpha=0.0), random_state=random_state
    ).set_params(gate__alpha=0.0)
    return est.fit(A[:, [1]], A[:, 4]), A[:, [1]], A[:, 4], {}


def logit(random_state):
    """Simulated logistic experts."""
    A = table("sim_logit_n3000_k2.csv.gz")
    est = MixtureOfExpertsClassifier(2, random_state=random_state)
    est.set_params(gate__alpha=0.0, experts__alpha=0.0)
    return est.fit(A[:, 1:3], A[:, 6]), A[:, 1:3], A[:, 6], {}


# case -> fit, log-likelihood and free parameters of the best regular optimum
REFERENCES = {
    "patent": (patent, -197.67502143026098, 10),
    "seizure": (seizure, -376.176205122612, 9),
    "gamma": (gamma, -846.1208016552732, 8),
    "logit": (logit, -1554.1455882789492, 9),
}


@cache
def reached(name, random_state):
    fit, best, _ = REFERENCES[name]
    est, X, y, offset = fit(random_state)
    held = est.responsibilities(X, y, **offset).sum(axis=0).min()
    return est.log_likelihood(X, y, **offset) - best, est.n_parameters_, held


@pytest.mark.parametrize("name", REFERENCES)
def test_best_optimum_is_reached(name):
    short, n_parameters, held = reached(name, 0)
    assert short > -1e-3 and held > 5.0
    assert n_parameters == REFERENCES[name][2]


@pytest.mark.parametrize("name", REFERENCES)
@pytest.mark.slow
def test_best_optimum_is_reached_from_twenty_seeds(name):
    assert sum(reached(name, seed)[0] > -1e-3 for seed in range(20)) >= 19


# ------------------------------------------------------------------- one expert and its peers


def counts(seed=0, n=400):
    rng = np.random.RandomState(seed)
    X = rng.standard_normal((n, 2))
    exposure = rng.uniform(0.5, 4.0, n)
    rate = np.exp(0.5 + X @ [0.8, -0.4])
    return X, rng.poisson(rate * exposure), np.log(exposure)


def test_one_poisson_expert_is_a_poisson_regression():
    X, y, _ = counts()
    est = single(PoissonExperts(alpha=0.0)).fit(X, y)
    peer = PoissonRegressor(alpha=0.0, tol=1e-10, max_iter=1000).fit(X, y)
    np.testing.assert_allclose(est.coef_[0], peer.coef_, atol=1e-5)
    np.testing.assert_allclose(est.intercept_, peer.intercept_, atol=1e-5)
    np.testing.assert_allclose(est.predict(X), peer.predict(X), rtol=1e-5)


def test_one_gamma_expert_is_a_gamma_regression():
    rng = np.random.RandomState(0)
    X = rng.standard_normal((400, 2))
    y = 50.0 * np.exp(X @ [0.5, 0.3]) * rng.gamma(4.0, 0.25, 400)
    est = single(GammaExperts(alpha=0.0)).fit(X, y)
    peer = GammaRegressor(alpha=0.0, tol=1e-10, max_iter=1000).fit(X, y)
    np.testing.assert_allclose(est.coef_[0], peer.coef_, atol=1e-5)
    np.testing.assert_allclose(est.intercept_, peer.intercept_, atol=1e-5)
    assert 3.0 < est.shape_[0] < 5.0


def test_one_logistic_expert_is_a_logistic_regression():
    rng = np.random.RandomState(0)
    X = rng.standard_normal((300, 2)) * [1.0, 20.0]
    labels = (X @ rng.standard_normal((2, 3)) / [1, 5, 10] + rng.gumbel(size=(300, 3))).argmax(1)
    est = MixtureOfExpertsClassifier(1, random_state=0).set_params(experts__alpha=0.0)
    est.fit(X, labels)
    peer = LogisticRegression(C=np.inf, tol=1e-10, max_iter=10_000).fit(X, labels)
    np.testing.assert_allclose(est.predict_proba(X), peer.predict_proba(X), atol=1e-4)
    np.testing.assert_allclose(est.coef_[0], peer.coef_ - peer.coef_.mean(axis=0), atol=1e-3)


def test_one_laplace_expert_is_a_median_regression():
    rng = np.random.RandomState(0)
    X = rng.standard_normal((200, 2))
    y = X @ [3.0, -1.0] + rng.laplace(size=200)
    est = single("laplace").set_params(experts__alpha=0.0).fit(X, y)
    peer = QuantileRegressor(quantile=0.5, alpha=0.0).fit(X, y)
    loss = [np.abs(y - model.predict(X)).mean() for model in (est, peer)]
    assert loss[0] < loss[1] * (1.0 + 1e-4)
    assert est.scale_[0] == pytest.approx(loss[0], rel=1e-3)


def test_one_negative_binomial_expert_beats_a_peer_of_other_sizes():
    """The size is the best one: no other size has a higher likelihood at the same means."""
    from scipy import stats

    rng = np.random.RandomState(1)
    X = rng.standard_normal((800, 1))
    mean = np.exp(1.0 + 0.5 * X[:, 0])
    y = rng.poisson(mean * rng.gamma(2.0, 0.5, 800))
    est = single(NegativeBinomialExperts(alpha=0.0)).fit(X, y)
    assert 1.5 < est.size_[0] < 2.7
    fitted = est.predict(X)
    logs = [
        stats.nbinom.logpmf(y, size, size / (size + fitted)).sum()
        for size in est.size_[0] * np.array([0.98, 1.0, 1.02])
    ]
    assert logs[1] == max(logs)
    assert est.log_likelihood(X, y) == pytest.approx(logs[1], rel=1e-9)


def test_learned_degrees_of_freedom_are_those_of_the_data():
    rng = np.random.RandomState(0)
    X = rng.standard_normal((3000, 1))
    y = 2.0 * X[:, 0] + 0.1 * rng.standard_t(3.0, 3000)
    est = single(StudentTExperts(df=None, alpha=0.0)).fit(X, y)
    assert 2.4 < est.df_[0] < 3.8
    assert est.scale_[0] == pytest.approx(0.1, rel=0.1)
    floor = single(StudentTExperts(df=None, min_df=8.0)).fit(X, y)
    assert floor.df_[0] == pytest.approx(8.0)


# --------------------------------------------------------------------------------- offsets


def test_three_ways_to_hand_in_an_offset():
    X, y, offset = counts()
    by_fit = single(PoissonExperts(alpha=0.1)).fit(X, y, offset=offset)
    wide = np.column_stack([X[:, :1], offset, X[:, 1:]])
    by_column = single(PoissonExperts(alpha=0.1, offset_column=1)).fit(wide, y)
    np.testing.assert_allclose(by_column.coef_[0], [by_fit.coef_[0, 0], 1.0, by_fit.coef_[0, 1]])
    np.testing.assert_allclose(by_column.predict(wide), by_fit.predict(X, offset=offset))
    np.testing.assert_allclose(by_fit.predict(X) * np.exp(offset), by_column.predict(wide))
    assert by_fit.coef_.shape == (1, 2)
    assert by_fit.n_parameters_ == by_column.n_parameters_ == 3
    # The truth: 0.5 + 0.8 x1 - 0.4 x2 for a unit of exposure.
    np.testing.assert_allclose(by_fit.coef_[0], [0.8, -0.4], atol=0.05)
    assert by_fit.intercept_[0] == pytest.approx(0.5, abs=0.1)


def test_an_offset_column_may_be_named():
    pd = pytest.importorskip("pandas")
    X, y, offset = counts()
    frame = pd.DataFrame({"a": X[:, 0], "hours": offset, "b": X[:, 1]})
    named = single(PoissonExperts(offset_column="hours")).fit(frame, y)
    numbered = single(PoissonExperts(offset_column=1)).fit(frame, y)
    np.testing.assert_array_equal(named.predict(frame), numbered.predict(frame))
    chosen = single(PoissonExperts(offset_column="hours"), expert_features=["b", "hours"])
    assert chosen.fit(frame, y).coef_[0, 1] == 1.0
    with pytest.raises(ValueError, match="minutes"):
        single(PoissonExperts(offset_column="minutes")).fit(frame, y)


@pytest.mark.parametrize("experts", ["poisson", "negative_binomial", "gamma"])
def test_shifting_offset_and_intercept_is_the_same(experts):
    X, y, offset = counts()
    y = y + 1.0
    est = MixtureOfExpertsRegressor(2, experts=experts, random_state=0, n_init=4)
    one = est.fit(X, y, offset=offset)
    log_likelihood = one.log_likelihood(X, y, offset=offset)
    other = est.fit(X, y, offset=offset + 5.0)
    assert other.log_likelihood(X, y, offset=offset + 5.0) == pytest.approx(
        log_likelihood, abs=2e-2
    )


def test_offsets_that_cannot_be_used():
    X, y, offset = counts()
    with pytest.raises(ValueError, match="no offset"):
        single("linear").fit(X, y, offset=offset)
    with pytest.raises(ValueError, match=r"shape \(3,\)"):
        single("poisson").fit(X, y, offset=offset[:3])
    with pytest.raises(ValueError, match="offset_column=7"):
        single(PoissonExperts(offset_column=7)).fit(X, y)
    with pytest.raises(ValueError, match="already"):
        single(PoissonExperts(offset_column=0)).fit(X, y, offset=offset)
    est = single("poisson").fit(X, y)
    with pytest.raises(ValueError, match="not to fit"):
        est.predict(X, offset=offset)


def test_offsets_are_routed_as_metadata():
    import sklearn

    X, y, offset = counts()
    with sklearn.config_context(enable_metadata_routing=True):
        est = single("poisson")
        with pytest.raises(UnsetMetadataPassedError):
            cross_validate(est, X, y, params={"offset": offset}, error_score="raise")
        est.set_fit_request(offset=True).set_score_request(offset=True)
        with_exposure = cross_validate(est, X, y, params={"offset": offset})["test_score"]
    without = cross_validate(single("poisson"), X, y)["test_score"]
    assert with_exposure.mean() > without.mean() + 0.05


# ------------------------------------------------------------------------- units and domains


def test_gamma_does_not_depend_on_units():
    A = table("sim_gamma_n2000_k2.csv.gz")[:300]
    X, y = A[:, [1]], A[:, 4]
    for link in ("log", "inverse"):
        est = MixtureOfExpertsRegressor(
            2, experts=GammaExperts(link=link), random_state=0, n_init=4
        )
        small, large = est.fit(X, y).predict(X), est.fit(1e3 * X, 1e5 * y).predict(1e3 * X)
        np.testing.assert_allclose(large, 1e5 * small, rtol=1e-5)


@pytest.mark.parametrize(
    ("experts", "eta"),
    [
        ("poisson", np.exp),
        ("negative_binomial", np.exp),
        ("gamma", np.exp),
        (GammaExperts(link="inverse"), lambda eta: 1.0 / eta),
        ("student_t", lambda eta: eta),
        ("laplace", lambda eta: eta),
        (LinearExperts(variance="linear"), lambda eta: eta),
    ],
    ids=str,
)
def test_published_coefficients_give_the_experts_means(experts, eta):
    X, y, _ = counts()
    X = 7.0 * X + 3.0
    est = MixtureOfExpertsRegressor(2, experts=experts, random_state=0, n_init=2).fit(X, y + 1)
    lines = X @ est.coef_.T + est.intercept_
    # Far from its rows an inverse link is bent.
    straight = lines > 0.01 if getattr(experts, "link", "") == "inverse" else lines == lines
    assert straight.mean() > 0.5
    np.testing.assert_allclose(
        eta(lines[straight]), est.predict_experts(X)[straight], rtol=1e-6, atol=1e-9
    )


@pytest.mark.parametrize("experts", ["poisson", "negative_binomial", "gamma"])
def test_answers_outside_the_domain_are_refused(experts):
    X, y, _ = counts()
    y = y.astype(float) - 1.0
    with pytest.raises(ValueError, match="y holds -1"):
        single(experts).fit(X, y)
    est = single(experts).fit(X, y + 2.0)
    with pytest.raises(ValueError, match="y holds -1"):
        est.score_samples(X, y)


def test_classes_and_numbers_have_their_own_estimators():
    X, y, _ = counts()
    with pytest.raises(ValueError, match="classif"):
        single(LogisticExperts()).fit(X, y)
    with pytest.raises(ValueError, match="allowed are 'bayesian_linear', 'constant'"):
        single("logistic").fit(X, y)
    with pytest.raises(ValueError, match="regress"):
        MixtureOfExpertsClassifier(experts=LinearExperts()).fit(X, y > 1)
    with pytest.raises(ValueError, match="'linear' is not known"):
        MixtureOfExpertsClassifier(experts="linear").fit(X, y > 1)


# ------------------------------------------------------------------------- separated, degenerate


def finite(est):
    assert np.isfinite(est.theta_.flatten()).all()
    return est


def test_counts_that_are_all_zero_in_a_region():
    rng = np.random.RandomState(0)
    X = rng.uniform(-1, 1, (200, 1))
    y = np.where(X[:, 0] > 0, rng.poisson(20.0, 200), 0)
    for experts in (PoissonExperts(alpha=0.0), NegativeBinomialExperts(alpha=0.0)):
        est = finite(MixtureOfExpertsRegressor(2, experts=experts, random_state=0).fit(X, y))
        assert est.predict([[-0.8]])[0] < 0.2
    blank = finite(single(PoissonExperts(alpha=0.0)).fit(X, 0 * y))
    assert blank.stop_reason_.endswith("experts [0] hold hardly anything but zeros")
    assert blank.predict(X).max() < 1e-3


def test_separable_classes_with_no_penalty():
    rng = np.random.RandomState(0)
    X = rng.standard_normal((200, 2))
    for y in (X[:, 0] > 0, (X[:, 0] > 0) ^ (X[:, 1] > 0)):
        est = MixtureOfExpertsClassifier(2, random_state=0)
        est.set_params(experts__alpha=0.0, gate__alpha=0.0)
        finite(est.fit(X, y))
        assert est.score(X, y) == 1.0
        assert "separate" in est.stop_reason_


def test_one_class_in_a_region():
    rng = np.random.RandomState(0)
    X = np.concatenate([rng.normal(-5, 1, (150, 1)), rng.normal(5, 1, (150, 1))])
    y = np.where(X[:, 0] < 0, 0, rng.randint(0, 3, 300))
    est = finite(
        MixtureOfExpertsClassifier(2, random_state=0).set_params(experts__alpha=0.0).fit(X, y)
    )
    assert est.predict_proba([[-5.0]])[0, 0] > 0.98


@pytest.mark.parametrize("experts", ["gamma", "student_t", "laplace"])
def test_rows_on_a_line_stop_at_the_floor(experts):
    X = np.linspace(0.0, 1.0, 60)[:, None]
    y = np.exp(1.0 + 2.0 * X[:, 0]) if experts == "gamma" else 1.0 + 2.0 * X[:, 0]
    est = finite(single(experts).set_params(experts__alpha=0.0).fit(X, y))
    np.testing.assert_allclose(est.predict(X), y, rtol=1e-3)


# ------------------------------------------------------------------------- figures of the field


def test_several_outputs():
    rng = np.random.RandomState(0)
    X = rng.standard_normal((200, 2))
    y = rng.poisson(np.exp(X @ [[0.5, 0.1], [0.0, -0.4]] + 1.0))
    est = MixtureOfExpertsRegressor(2, experts="poisson", random_state=0, n_init=4).fit(X, y)
    assert est.predict(X).shape == (200, 2) and est.coef_.shape == (2, 2, 2)
    assert est.sample(X, random_state=0).shape == (200, 2)


def test_multinomial_counts():
    rng = np.random.RandomState(0)
    X = rng.standard_normal((300, 1))
    logits = np.column_stack([np.zeros(300), 1.0 + X[:, 0], -X[:, 0]])
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    y = np.array([rng.multinomial(12, row) for row in p])
    est = single(MultinomialExperts(alpha=0.0)).fit(X, y)
    np.testing.assert_allclose(est.predict(X), p, atol=0.05)
    assert est.n_parameters_ == 4


def test_whole_numbers_have_whole_quantiles_and_modes():
    from scipy import stats

    X, y, _ = counts()
    est = single("poisson").fit(X, y)
    answer = est.predict_distribution(X[:50])
    peer = stats.poisson(est.predict(X[:50]))
    for level in (0.0, 0.1, 0.5, 0.9):
        np.testing.assert_array_equal(answer.ppf(level), np.maximum(peer.ppf(level), 0.0))
    np.testing.assert_array_equal(answer.mode(), np.floor(est.predict(X[:50])))
    two = MixtureOfExpertsRegressor(2, experts="poisson", random_state=0, n_init=2).fit(X, y)
    answer = two.predict_distribution(X[:20])
    grid = np.arange(300.0)
    p = np.array([answer.pdf(np.full(20, value)) for value in grid])
    np.testing.assert_array_equal(answer.mode(), grid[p.argmax(axis=0)])
    median = answer.median()
    np.testing.assert_array_equal(median, (np.cumsum(p, axis=0) < 0.5 - 1e-12).sum(axis=0))


@pytest.mark.slow
def test_heteroscedastic_experts_on_the_motorcycle():
    from sklearn.model_selection import RepeatedKFold

    X, y = load_motorcycle(return_X_y=True)
    surprise = []
    for train, test in RepeatedKFold(n_splits=10, n_repeats=3, random_state=1).split(X):
        est = MixtureOfExpertsRegressor(4, experts=LinearExperts(variance="linear"), random_state=0)
        est.fit(X[train], y[train])
        surprise.append(-est.score_samples(X[test], y[test]))
    assert np.concatenate(surprise).mean() < 4.33


def test_public_names_are_there():
    assert {"MixtureOfExpertsClassifier", "MixtureOfExpertsRegressor"} <= set(skmoe.__all__)


def farthest_line(one, other, X):
    """How far lines lie apart where they are in charge, under the best pairing of experts."""
    from itertools import permutations

    lines, moved = one.predict_experts(X), other.predict_experts(X)
    own = one.predict_gate(X) > 0.5
    n_experts = lines.shape[1]
    return min(
        max(
            np.abs(lines - moved[:, order])[own[:, k], k].max(initial=0.0) for k in range(n_experts)
        )
        for order in permutations(range(n_experts))
    )


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_gross_errors_bend_gaussian_lines_but_not_robust_ones(seed):
    X, y = load_motorcycle(return_X_y=True)
    rng, spread = np.random.RandomState(seed), np.ptp(y)
    n_wild = int(np.ceil(0.05 * len(y)))
    wild_X = rng.uniform(X.min(), X.max(), (n_wild, 1))
    sign = rng.choice([-1, 1], n_wild)
    wild_y = np.where(sign > 0, y.max(), y.min()) + sign * spread * rng.uniform(1, 3, n_wild)
    shift = {}
    for experts in ("student_t", "linear"):
        est = MixtureOfExpertsRegressor(4, experts=experts, random_state=0)
        clean = est.fit(X, y)
        moved = MixtureOfExpertsRegressor(4, experts=experts, random_state=0)
        moved.fit(np.vstack([X, wild_X]), np.append(y, wild_y))
        shift[experts] = farthest_line(clean, moved, X) / spread
    assert shift["student_t"] < 0.1 < shift["linear"]


def test_what_logistic_experts_remember_belongs_to_one_place_and_its_rows():
    rng = np.random.RandomState(0)
    rows = [np.asfortranarray(rng.standard_normal((40, 2))) for _ in range(2)]
    for X in rows:
        X.flags.writeable = False
    y, weight = np.eye(3)[rng.randint(0, 3, 40)], rng.dirichlet(np.ones(2), 40)
    bank = LogisticExperts()
    start = bank.init(rows[0], y, 2)
    here, there = (start.unflatten(rng.standard_normal(start.flatten().size)) for _ in range(2))

    def score(theta, X):
        return bank.statistics(theta, X, y, weight).score

    expected = [score(there, rows[0]), score(here, rows[1]), score(here, rows[0])]
    for (theta, X), fresh in zip(
        [(there, rows[0]), (here, rows[1]), (here, rows[0])], expected, strict=True
    ):
        bank.log_prob(here, rows[0], y)
        np.testing.assert_array_equal(score(theta, X), fresh)


def test_gamma_shapes_solve_their_equation_however_large_the_deviance():
    deviance = np.array([1e-4, 0.1, 3.0, 3.1, 1e3, 1e100, 1e300])
    shape = _shape_of(deviance)
    np.testing.assert_allclose(np.log(shape) - psi(shape), deviance, rtol=1e-6)


def test_counts_of_any_size_have_quantiles():
    X, y = np.zeros((1, 1)), np.array([[1.0]])
    experts = PoissonExperts()
    theta = experts.init(X, y, 2)
    theta = replace(theta, intercept=np.array([[1.0], [60.0]]))
    answer = MixtureDistribution([[1.0 - 1e-6, 1e-6]], experts.components(theta, X))
    np.testing.assert_allclose(answer.components.ppf(0.5)[0, 1], np.exp(60.0))
    assert answer.median() == 3.0 and answer.ppf(0.9999) == answer.components.ppf(0.9999)[0, 0, 0]
