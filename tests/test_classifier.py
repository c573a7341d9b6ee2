"""MixtureOfExpertsClassifier lives among scikit-learn's tools and keeps its word."""

import pickle

import numpy as np
import pytest
from sklearn.calibration import calibration_curve
from sklearn.datasets import make_classification
from sklearn.ensemble import BaggingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, log_loss
from sklearn.model_selection import cross_val_predict
from sklearn.utils.estimator_checks import parametrize_with_checks

from skmoe import MixtureOfExpertsClassifier, MixtureOfExpertsRegressor
from skmoe.estimators._parts import names_of
from skmoe.experts import LogisticExperts
from skmoe.gates import SoftmaxGate

pytestmark = pytest.mark.filterwarnings("ignore:Experts .* lost their rows")

GATES = sorted(names_of("gate"))


def classifier(n_experts=2, **kwargs):
    return MixtureOfExpertsClassifier(n_experts, **({"n_init": 4, "random_state": 0} | kwargs))


QUICK = [
    MixtureOfExpertsClassifier(n_init=1),
    MixtureOfExpertsClassifier(n_init=1, experts="constant"),
    MixtureOfExpertsRegressor(n_init=1, experts="poisson"),
    MixtureOfExpertsRegressor(n_init=1, experts="student_t"),
]
ALL = [
    *(MixtureOfExpertsClassifier(n_init=2, experts=e) for e in names_of("experts", True)),
    *(MixtureOfExpertsClassifier(n_init=2, gate=g) for g in GATES),
    MixtureOfExpertsClassifier(n_init=2, criterion="classification"),
    *(MixtureOfExpertsRegressor(n_init=2, experts=e) for e in names_of("experts")),
    *(MixtureOfExpertsRegressor(n_init=2, gate=g) for g in GATES),
]


@parametrize_with_checks(QUICK)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


@parametrize_with_checks(ALL)
@pytest.mark.slow
def test_scikit_learn_checks_of_every_name(estimator, check):
    check(estimator)


def exclusive_or(n=600, seed=0):
    rng = np.random.RandomState(seed)
    X = rng.uniform(-1.0, 1.0, (n, 2))
    p = np.where((X[:, 0] > 0) ^ (X[:, 1] > 0), 0.9, 0.1)
    return X, np.array(["no", "yes"])[(rng.uniform(size=n) < p).astype(int)]


def blobs(n=500, seed=0):
    return make_classification(
        n, 4, n_informative=3, n_redundant=0, n_classes=3, random_state=seed, class_sep=0.8
    )


@pytest.mark.parametrize("load", [exclusive_or, blobs])
def test_answers_belong_together(load):
    X, y = load()
    est = classifier().fit(X, y)
    proba = est.predict_proba(X)
    assert proba.shape == (len(y), len(np.unique(y)))
    np.testing.assert_allclose(proba.sum(axis=1), 1.0)
    np.testing.assert_allclose(est.predict_log_proba(X), np.log(proba))
    np.testing.assert_array_equal(est.predict(X), est.classes_[proba.argmax(axis=1)])
    decision = est.decision_function(X)
    if proba.shape[1] == 2:
        np.testing.assert_allclose(decision, np.log(proba[:, 1] / proba[:, 0]), rtol=1e-9)
    else:
        np.testing.assert_array_equal(decision.argmax(axis=1), proba.argmax(axis=1))
    own = proba[np.arange(len(y)), np.searchsorted(est.classes_, y)]
    np.testing.assert_allclose(est.score_samples(X, y), np.log(own))
    assert est.log_likelihood(X, y) == pytest.approx(-len(y) * log_loss(y, proba))
    blend = np.einsum("nk,nkc->nc", est.predict_gate(X), est.predict_experts(X))
    np.testing.assert_allclose(blend, proba)
    np.testing.assert_allclose(est.predict_distribution(X).mean(), proba)
    assert (np.diff(est.lower_bounds_) >= -1e-7).all()


@pytest.mark.parametrize("load", [exclusive_or, blobs])
def test_published_coefficients_are_the_experts(load):
    X, y = load()
    X = 3.0 * X - 2.0
    est = classifier().fit(X, y)
    if len(est.classes_) == 2:
        assert est.coef_.shape == (2, 2) and est.intercept_.shape == (2,)
        odds = X @ est.coef_.T + est.intercept_
        np.testing.assert_allclose(1 / (1 + np.exp(-odds)), est.predict_experts(X)[:, :, 1])
    else:
        assert est.coef_.shape == (2, 3, 4) and est.intercept_.shape == (2, 3)
        scores = np.einsum("nd,kcd->nkc", X, est.coef_) + est.intercept_
        proba = np.exp(scores - scores.max(axis=2, keepdims=True))
        proba /= proba.sum(axis=2, keepdims=True)
        np.testing.assert_allclose(proba, est.predict_experts(X), rtol=1e-6)


def test_a_mixture_sees_what_one_logistic_regression_cannot():
    X, y = exclusive_or()
    proba = cross_val_predict(classifier(), X, y, cv=3, method="predict_proba")
    peer = cross_val_predict(LogisticRegression(), X, y, cv=3, method="predict_proba")
    # The truth has a log loss of 0.325 and a Brier score of 0.09.
    assert log_loss(y, proba) < 0.42 < 0.65 < log_loss(y, peer)
    assert brier_score_loss(y, proba[:, 1], pos_label="yes") < 0.12
    true, said = calibration_curve(y == "yes", proba[:, 1], n_bins=5, strategy="quantile")
    assert np.abs(true - said).max() < 0.1


def test_class_weights():
    X, y = exclusive_or()
    weight = np.where(y == "yes", 5.0, 1.0)
    by_class = classifier(class_weight={"yes": 5.0, "no": 1.0}).fit(X, y)
    by_row = classifier().fit(X, y, sample_weight=weight)
    np.testing.assert_allclose(by_class.predict_proba(X), by_row.predict_proba(X), atol=1e-8)
    plain = classifier().fit(X, y)
    assert (by_class.predict(X) == "yes").mean() > (plain.predict(X) == "yes").mean()
    rare = np.flatnonzero((y == "no") | (np.arange(len(y)) % 8 == 0))
    balanced = classifier(class_weight="balanced").fit(X[rare], y[rare])
    assert 0.35 < balanced.predict_proba(X)[:, 1].mean() < 0.65


def test_integer_weights_equal_repetition():
    X, y = blobs(200)
    times = np.random.RandomState(0).randint(0, 3, size=len(y))
    one = classifier().fit(X, y, sample_weight=times)
    other = classifier().fit(np.repeat(X, times, axis=0), np.repeat(y, times))
    np.testing.assert_allclose(one.predict_proba(X), other.predict_proba(X), atol=1e-5)


def test_the_hard_mixture_answers_with_its_top_expert():
    X, y = exclusive_or()
    est = classifier(criterion="classification").fit(X, y)
    top = est.predict_experts(X)[np.arange(len(y)), est.apply(X)]
    np.testing.assert_allclose(est.predict_proba(X), top)


@pytest.mark.parametrize("gate", GATES)
def test_every_gate_and_single_precision(gate):
    X, y = blobs(300)
    est = classifier(gate=gate).fit(X.astype(np.float32), y)
    proba = est.predict_proba(X.astype(np.float32))
    assert proba.dtype == np.float32
    assert est.score(X.astype(np.float32), y) > 0.6
    same = pickle.loads(pickle.dumps(est))
    np.testing.assert_array_equal(same.predict_proba(X.astype(np.float32)), proba)


def test_draws_have_the_probabilities():
    X, y = blobs()
    est = classifier().fit(X, y)
    draws = est.sample(X[:4], n_samples=5000, random_state=0)
    share = np.stack([(draws == c).mean(axis=1) for c in est.classes_], axis=1)
    np.testing.assert_allclose(share, est.predict_proba(X[:4]), atol=0.03)
    assert est.sample(X[:4], random_state=0).shape == (4,)
    mode = est.predict_distribution(X).mode()
    np.testing.assert_array_equal(est.classes_[mode.argmax(axis=1)], est.predict(X))


def test_many_classes():
    X, y = make_classification(
        900, 6, n_informative=6, n_redundant=0, n_classes=20, n_clusters_per_class=1, random_state=0
    )
    est = classifier().fit(X, y)
    peer = LogisticRegression(max_iter=1000).fit(X, y)
    assert log_loss(y, est.predict_proba(X)) < log_loss(y, peer.predict_proba(X))


def test_lasso_leaves_out_what_does_not_matter():
    rng = np.random.RandomState(0)
    X, y = exclusive_or()
    X = np.column_stack([X, rng.standard_normal((len(y), 6))])
    est = classifier(
        experts=LogisticExperts(alpha=8.0, l1_ratio=1.0), gate=SoftmaxGate(alpha=8.0, l1_ratio=1.0)
    ).fit(X, y)
    assert est.score(X, y) > 0.8
    assert (est.coef_[:, 2:] == 0.0).mean() > 0.7 and (est.gate_coef_[:, 2:] == 0.0).mean() > 0.7
    assert est.n_parameters_ < classifier().fit(X, y).n_parameters_


def test_unknown_classes_are_refused():
    X, y = exclusive_or()
    est = classifier().fit(X, y)
    with pytest.raises(ValueError, match="maybe"):
        est.score_samples(X, np.full(len(y), "maybe"))


def test_bags_of_mixtures():
    X, y = exclusive_or()
    bag = BaggingClassifier(classifier(n_init=1), n_estimators=5, random_state=0).fit(X, y)
    assert bag.score(X, y) > 0.8
