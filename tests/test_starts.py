"""The search for a start: what it must find, and what it must not depend on."""

import warnings
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from skmoe import MixtureOfExpertsRegressor
from skmoe.datasets import load_motorcycle, make_mixture_of_experts
from skmoe.experts import LinearExperts
from skmoe.fitters import EM
from skmoe.gates import SoftmaxGate

FAITHFUL = Path(__file__).parent / "data" / "faithful.csv"


@pytest.mark.parametrize("unit", [0.5, 1 / 133, 1e-9])
def test_weights_below_one_are_no_fewer_rows(unit):
    X, y = load_motorcycle(return_X_y=True)
    whole = MixtureOfExpertsRegressor(4, random_state=0).fit(X, y)
    small = MixtureOfExpertsRegressor(4, random_state=0).fit(X, y, np.full(len(y), unit))
    np.testing.assert_allclose(small.score_samples(X, y), whole.score_samples(X, y), rtol=1e-6)
    np.testing.assert_allclose(small.lower_bound_, unit * whole.lower_bound_, rtol=1e-9)


@pytest.mark.parametrize("criterion", ["likelihood", "classification"])
@pytest.mark.parametrize("n", [150, 900, 1500])
def test_integer_weights_equal_repetition(criterion, n):
    X, y, _ = make_mixture_of_experts(n, 4, 3, random_state=1)
    weight = np.random.RandomState(0).randint(1, 4, n)
    est = MixtureOfExpertsRegressor(3, criterion=criterion, n_init=4, random_state=0)
    one = est.fit(X, y, weight).score_samples(X, y)
    two = est.fit(np.repeat(X, weight, axis=0), np.repeat(y, weight)).score_samples(X, y)
    np.testing.assert_allclose(one, two, atol=1e-8)


def test_more_experts_than_the_rows_can_feed_do_not_collapse():
    X, y, _ = make_mixture_of_experts(200, 3, 3, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        few, many = (
            MixtureOfExpertsRegressor(K, n_init=8, random_state=0).fit(X, y) for K in (3, 15)
        )
    assert many.lower_bound_ > few.lower_bound_ + 20
    assert np.sum(many.responsibilities(X, y).sum(axis=0) > 1) >= 12


@pytest.mark.parametrize("alpha", [1e-3, 1.0])
def test_one_expert_with_fewer_rows_than_features_is_a_ridge(alpha):
    rng = np.random.default_rng(0)
    X, truth = rng.standard_normal((30, 60)), rng.standard_normal(60)
    y = X @ truth + rng.standard_normal(30)
    est = MixtureOfExpertsRegressor(1, experts=LinearExperts(alpha=alpha))
    with pytest.warns(UserWarning, match="kept their noise"):
        est.fit(X, y)
    assert "noise of experts [0] held" in est.stop_reason_
    scaled = (X - X.mean(axis=0)) / X.std(axis=0)
    np.testing.assert_allclose(
        est.predict(X), Ridge(alpha=alpha).fit(scaled, y).predict(scaled), rtol=1e-6
    )


def test_a_small_expert_is_found():
    """Old Faithful the other way round: soft first guesses alone smooth the small expert away."""
    table = np.genfromtxt(FAITHFUL, delimiter=",", names=True)
    X, y = table["y"][:, None], table["eruptions"]
    est = MixtureOfExpertsRegressor(
        2, experts=LinearExperts(alpha=0.0), gate="constant", random_state=0
    ).fit(X, y)
    assert est.log_likelihood(X, y) > -189.955
    assert est.responsibilities(X, y).sum(axis=0).min() > 15


@pytest.mark.parametrize("seed", range(3))
def test_plain_and_accelerated_runs_end_in_the_same_place(seed):
    X, y, _ = make_mixture_of_experts(1500, 3, 3, noise=2, gate_slope=0.7, random_state=seed)
    plain, fast = (
        MixtureOfExpertsRegressor(3, fitter=fitter, max_iter=20_000, random_state=0).fit(X, y)
        for fitter in (EM(acceleration=None), EM())
    )
    np.testing.assert_allclose(plain.lower_bound_, fast.lower_bound_, atol=1e-3)


def test_many_experts_start_with_a_gate_in_range():
    X, y, _ = make_mixture_of_experts(4000, 6, 12, noise=0.5, random_state=1)
    est = MixtureOfExpertsRegressor(12, n_init=7, max_iter=1, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        est.fit(X, y)
    assert np.abs(est.gate_coef_).max() < 100
    assert est.score(X, y) > 0.3


@pytest.mark.slow
@pytest.mark.parametrize("n_experts, best", [(3, -577.634), (4, -550.24)])
def test_crowded_optima_of_the_motorcycle(n_experts, best):
    """The best regular optima of thousands of random starts, for most random states."""
    X, y = load_motorcycle(return_X_y=True)
    reached = [
        MixtureOfExpertsRegressor(
            n_experts,
            experts=LinearExperts(alpha=0.0),
            gate=SoftmaxGate(alpha=0.0),
            random_state=seed,
        )
        .fit(X, y)
        .log_likelihood(X, y)
        for seed in range(8)
    ]
    assert np.sum(np.array(reached) > best - 0.5) >= 6


def test_equal_rows_start_alike_wherever_they_lie():
    """Rows of few distinct answers lie on the cuts of slices, where rounding could part them."""
    rng = np.random.RandomState(42)
    X, weight = rng.rand(15, 30), rng.randint(1, 5, 15)
    y = rng.randint(0, 3, 15).astype(float)
    est = MixtureOfExpertsRegressor(3, n_init=7, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        one = est.fit(X, y, weight).predict(X)
        two = est.fit(np.repeat(X, weight, axis=0), np.repeat(y, weight)).predict(X)
    np.testing.assert_allclose(one, two, atol=1e-6)
