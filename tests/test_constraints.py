"""Banks of several kinds, known experts, shared slopes, floors, groups, any estimator."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVR
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from skmoe import MixtureOfExpertsClassifier, MixtureOfExpertsRegressor
from skmoe.datasets import load_motorcycle
from skmoe.experts import (
    ConcatenatedExperts,
    ConstantExperts,
    EstimatorExperts,
    GammaExperts,
    KnownExperts,
    LaplaceExperts,
    LinearExperts,
    NegativeBinomialExperts,
    NoiseExperts,
    PoissonExperts,
    StudentTExperts,
)
from skmoe.gates import EstimatorGate, FlooredGate, SoftmaxGate

pytestmark = pytest.mark.filterwarnings("ignore:Experts .* lost their rows")


def regressor(n_experts, **kwargs):
    return MixtureOfExpertsRegressor(n_experts, **({"random_state": 0, "n_init": 4} | kwargs))


def two_lines(n=300, seed=0):
    """Lines 1 + 2 x and 5 - 3 x, noise 0.3, one half of the rows each."""
    rng = np.random.RandomState(seed)
    x, which = rng.uniform(-1.0, 1.0, n), rng.randint(2, size=n)
    y = np.where(which == 0, 1.0 + 2.0 * x, 5.0 - 3.0 * x) + 0.3 * rng.standard_normal(n)
    return x[:, None], y, which


# ------------------------------------------------------------------------- several kinds


def test_a_noise_expert_takes_the_gross_errors():
    X, y, _ = two_lines()
    rng = np.random.RandomState(1)
    wild = rng.permutation(len(y))[:20]
    y = y.copy()
    y[wild] += rng.choice([-1, 1], 20) * rng.uniform(20.0, 40.0, 20)
    bank = ConcatenatedExperts([(LinearExperts(), 2), NoiseExperts(width=2.0)])
    est = regressor(3, experts=bank, gate="constant").fit(X, y)
    lines = np.column_stack([est.intercept_[:2], est.coef_[:2, 0]])
    np.testing.assert_allclose(lines[np.argsort(lines[:, 0])], [[1, 2], [5, -3]], atol=0.15)
    assert (est.responsibilities(X, y)[wild, 2] > 0.9).mean() > 0.9
    plain = regressor(2, gate="constant").fit(X, y)
    assert np.abs(np.sort(plain.intercept_) - [1.0, 5.0]).max() > 0.3


def test_known_experts_stay_in_the_users_units():
    X, y, which = two_lines()
    X, y = 50.0 * X + 7.0, 1000.0 * y
    slope = 2000.0 / 50.0
    known = KnownExperts([[slope]], [1000.0 - 7.0 * slope], [300.0**2])
    est = regressor(2, experts=ConcatenatedExperts([known, LinearExperts()]), gate="constant")
    est.fit(X, y)
    np.testing.assert_allclose(est.predict_experts(X)[:, 0], X[:, 0] * slope + 1000 - 7 * slope)
    assert est.coef_[0, 0] == pytest.approx(slope)
    assert est.coef_[1, 0] == pytest.approx(-3000.0 / 50.0, rel=0.1)
    # Three numbers of the line that learns, one of the gate.
    assert est.n_parameters_ == 4
    alone = regressor(1, experts=known).fit(X, y)
    assert alone.n_parameters_ == 0


def test_counts_beside_counts():
    rng = np.random.RandomState(0)
    X = rng.uniform(-1, 1, (600, 1))
    broad = rng.uniform(size=600) < 0.3
    y = np.where(broad, rng.negative_binomial(1.0, 0.02, 600), rng.poisson(np.exp(1 + X[:, 0])))
    bank = ConcatenatedExperts([PoissonExperts(), NegativeBinomialExperts()])
    est = regressor(2, experts=bank, gate="constant").fit(X, y)
    assert est.predict_gate(X)[0, 1] == pytest.approx(0.3, abs=0.06)
    assert est.coef_[0, 0] == pytest.approx(1.0, abs=0.2)
    median = est.predict_distribution(X[:5]).median()
    np.testing.assert_array_equal(median, np.rint(median))
    assert est.sample(X[:5], n_samples=3, random_state=0).shape == (5, 3)


def test_concatenated_banks_reach_what_their_parts_reach():
    """Two banks of one expert are one bank of two: the same likelihood, the same answers."""
    X, y, _ = two_lines()
    whole = regressor(2, experts=LinearExperts()).fit(X, y)
    parts = regressor(2, experts=ConcatenatedExperts([LinearExperts(), LinearExperts()])).fit(X, y)
    assert parts.log_likelihood(X, y) == pytest.approx(whole.log_likelihood(X, y), abs=1e-3)
    assert parts.n_parameters_ == whole.n_parameters_
    np.testing.assert_allclose(parts.predict(X), whole.predict(X), atol=1e-3)
    np.testing.assert_allclose(
        parts.predict_distribution(X).interval(0.9)[0],
        whole.predict_distribution(X).interval(0.9)[0],
        atol=1e-2,
    )


def test_concatenated_banks_have_parameters():
    bank = ConcatenatedExperts([(LinearExperts(), 2), ConstantExperts()])
    est = regressor(3, experts=bank).set_params(experts__bank0__alpha=7.0)
    X, y, _ = two_lines()
    assert est.fit(X, y).experts_.banks[0][0].alpha == 7.0
    with pytest.raises(ValueError, match="n_experts=2, but the banks hold 3"):
        regressor(2, experts=bank).fit(X, y)
    with pytest.raises(ValueError, match="empty"):
        regressor(2, experts=ConcatenatedExperts([])).fit(X, y)
    with pytest.raises(TypeError, match="no instance"):
        regressor(1, experts=ConcatenatedExperts(["linear"])).fit(X, y)


# ------------------------------------------------------------------------- shared slopes

COMMON = [
    LinearExperts(common_slope=True),
    LinearExperts(common_slope=True, tied=True),
    StudentTExperts(common_slope=True, df=4.0),
    LaplaceExperts(common_slope=True),
    PoissonExperts(common_slope=True),
    NegativeBinomialExperts(common_slope=True),
    GammaExperts(common_slope=True),
]


@pytest.mark.parametrize("experts", COMMON, ids=str)
def test_experts_with_one_slope(experts):
    rng = np.random.RandomState(0)
    X = rng.uniform(-1.0, 1.0, (500, 2))
    which = rng.randint(2, size=500)
    eta = X @ [1.0, -0.5] + np.where(which == 0, 0.0, 2.5)
    if experts.target.discrete:
        y = rng.poisson(np.exp(eta + 1.0))
    elif experts.target.least == 0.0:
        y = np.exp(eta) * rng.gamma(20.0, 0.05, 500)
    else:
        y = eta + 0.3 * rng.standard_normal(500)
    est = regressor(2, experts=experts, gate="constant").fit(X, y)
    np.testing.assert_array_equal(est.coef_[0], est.coef_[1])
    np.testing.assert_allclose(est.coef_[0], [1.0, -0.5], atol=0.15)
    assert np.ptp(est.intercept_) == pytest.approx(2.5, abs=0.2)
    free = regressor(2, experts=experts.set_params(common_slope=False), gate="constant").fit(X, y)
    experts.set_params(common_slope=True)
    assert free.n_parameters_ == est.n_parameters_ + 2
    assert free.log_likelihood(X, y) > est.log_likelihood(X, y) - 0.05


# ------------------------------------------------------------------------- floors


def test_every_expert_keeps_its_least_share():
    X, y, _ = two_lines()
    gate = FlooredGate(SoftmaxGate(alpha=0.0), min_share=0.1)
    est = regressor(3, gate=gate).fit(X, y)
    assert est.predict_gate(100.0 * X).min() >= 0.1 - 1e-9
    assert (np.diff(est.lower_bounds_) >= -1e-8).all()
    with pytest.raises(ValueError, match="min_share"):
        regressor(3, gate=FlooredGate(SoftmaxGate(), min_share=0.4)).fit(X, y)


# ------------------------------------------------------------------------- groups


def subjects(n_subjects=60, n_rows=8, seed=0):
    rng = np.random.RandomState(seed)
    which = rng.randint(2, size=n_subjects)
    groups = np.repeat(np.arange(n_subjects), n_rows)
    shuffled = rng.permutation(len(groups))
    groups = groups[shuffled]
    X = rng.uniform(-1.0, 1.0, (len(groups), 1))
    line = np.where(which[groups] == 0, 1.0 + 2.0 * X[:, 0], 1.5 + X[:, 0])
    return X, line + 0.6 * rng.standard_normal(len(groups)), groups, which[groups]


def test_rows_of_a_group_share_one_responsibility():
    X, y, groups, which = subjects()
    est = regressor(2, gate="constant").fit(X, y, groups=groups)
    share = est.responsibilities(X, y, groups=groups)
    for group in range(5):
        own = share[groups == group]
        np.testing.assert_allclose(own, own[:1].repeat(len(own), axis=0))
    hits = (share.argmax(axis=1) == which).mean()
    assert max(hits, 1.0 - hits) > 0.85
    alone = regressor(2, gate="constant").fit(X, y)
    loose = (alone.responsibilities(X, y).argmax(axis=1) == which).mean()
    assert max(loose, 1.0 - loose) < 0.75
    assert (np.diff(est.lower_bounds_) >= -1e-8).all()


def test_likelihood_of_groups_is_a_direct_sum():
    X, y, groups, _ = subjects(20)
    est = regressor(2, gate="constant").fit(X, y, groups=groups)
    weight = est.predict_gate(X)[0]
    mean, sd = est.predict_experts(X), np.sqrt(est.covariances_)
    logs = -0.5 * ((y[:, None] - mean) / sd) ** 2 - np.log(sd) - 0.5 * np.log(2 * np.pi)
    total = sum(
        np.logaddexp.reduce(np.log(weight) + logs[groups == group].sum(axis=0))
        for group in np.unique(groups)
    )
    assert est.log_likelihood(X, y, groups=groups) == pytest.approx(total)


def test_groups_of_one_row_change_nothing():
    X, y, _ = two_lines()
    est = regressor(2).fit(X, y)
    grouped = regressor(2).fit(X, y, groups=np.arange(len(y)))
    np.testing.assert_allclose(grouped.predict(X), est.predict(X), rtol=1e-5)
    assert grouped.log_likelihood(X, y) == pytest.approx(est.log_likelihood(X, y))
    with pytest.raises(ValueError, match="groups has 3"):
        regressor(2).fit(X, y, groups=[1, 2, 3])


def test_classifiers_know_groups():
    X, y, groups, which = subjects()
    labels = np.where(y > y.mean(), "high", "low")
    est = MixtureOfExpertsClassifier(2, gate="constant", random_state=0, n_init=4)
    share = est.fit(X, labels, groups=groups).responsibilities(X, labels, groups=groups)
    first = [share[groups == group].std(axis=0).max() for group in range(10)]
    assert max(first) < 1e-12


# ------------------------------------------------------------------------- any estimator


@pytest.mark.parametrize(
    "estimator",
    [
        DecisionTreeRegressor(max_depth=2, min_samples_leaf=5, random_state=0),
        make_pipeline(StandardScaler(), Ridge()),
        EstimatorExperts(SVR(C=10.0), min_variance=1e-3),
    ],
    ids=str,
)
def test_any_regressor_may_be_the_expert(estimator):
    X, y = load_motorcycle(return_X_y=True)
    est = regressor(2, experts=estimator, n_init=2).fit(X, y)
    assert est.score(X, y) > 0.3
    assert len(est.estimators_) == 2 and est.covariances_.shape == (2,)
    assert (np.diff(est.lower_bounds_) >= 0.0).all()
    assert est.lower_bound_ == pytest.approx(
        est.log_likelihood(X, y) + len(y) * np.log(y.std()) + est.gate_.penalty(est.theta_.gate)
    )


def test_least_squares_is_the_linear_expert():
    X, y, _ = two_lines()
    own = regressor(2, experts=LinearExperts(alpha=1e-3)).fit(X, y)
    wrapped = regressor(2, experts=Ridge(alpha=1e-3)).fit(X, y)
    assert wrapped.log_likelihood(X, y) == pytest.approx(own.log_likelihood(X, y), abs=0.1)


def test_any_classifier_may_be_the_expert_or_the_gate():
    rng = np.random.RandomState(0)
    X = rng.uniform(-1.0, 1.0, (400, 2))
    y = np.array(["no", "yes"])[((X[:, 0] > 0) ^ (X[:, 1] > 0)).astype(int)]
    for sentence in (
        {"experts": LogisticRegression()},
        {"gate": DecisionTreeClassifier(max_depth=2, random_state=0)},
        {"gate": EstimatorGate(LogisticRegression(), min_weight=0.01)},
    ):
        est = MixtureOfExpertsClassifier(2, random_state=0, n_init=6, **sentence).fit(X, y)
        assert est.score(X, y) > 0.9, sentence
        np.testing.assert_allclose(est.predict_proba(X).sum(axis=1), 1.0)


def test_estimators_that_cannot_be_used():
    from sklearn.neighbors import KNeighborsRegressor

    X, y, _ = two_lines()
    with pytest.raises(TypeError, match="sample_weight"):
        regressor(2, experts=KNeighborsRegressor()).fit(X, y)
    with pytest.raises(TypeError, match="predict_proba"):
        regressor(2, gate=Ridge()).fit(X, y)
    with pytest.raises(ValueError, match="classes"):
        regressor(2, experts=LogisticRegression()).fit(X, y)
