"""Ctrl-C: whoever breaks a fit off has the best parameters so far, and may go on."""

import numpy as np
import pytest
from _problems import problem, regressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.tree import DecisionTreeRegressor

from skmoe import MixtureOfExpertsClassifier
from skmoe.experts import EstimatorExperts
from skmoe.fitters import EM, GradientAscent
from skmoe.mixture import Mixture


@pytest.fixture
def interrupt(monkeypatch):
    """Raise KeyboardInterrupt in the sweep of the number handed in."""

    def at(number):
        count, sweep = iter(range(10**9)), Mixture.sweep

        def broken(self, theta, block):
            if next(count) == number:
                raise KeyboardInterrupt
            return sweep(self, theta, block)

        monkeypatch.setattr(Mixture, "sweep", broken)

    return at


def sweeps(est, X, y, monkeypatch):
    """How many blocks are swept in the search, and in all."""
    with monkeypatch.context() as patch:
        seen, sweep = [], Mixture.sweep
        patch.setattr(Mixture, "sweep", lambda *a: seen.append(1) or sweep(*a))
        est.fit(X, y)
    return est.n_search_passes_, len(seen)


@pytest.mark.parametrize("share", [0.01, 0.3, 0.7])
def test_ctrl_c_in_the_search_keeps_the_best_run(interrupt, monkeypatch, share):
    X, y = problem()
    est = regressor(2, n_init=4)
    in_search, _ = sweeps(est, X, y, monkeypatch)
    whole = est.lower_bound_
    interrupt(int(share * in_search) + 3)
    with pytest.warns(ConvergenceWarning, match="interrupted"):
        est.fit(X, y)
    assert est.stop_reason_.startswith("interrupted") and not est.converged_
    assert len(est.lower_bounds_) == est.n_passes_ == 1
    assert np.isfinite(est.predict(X)).all() and est.lower_bound_ <= whole + 1e-6 * abs(whole)


@pytest.mark.parametrize("fitter", [EM(), EM(acceleration=None), GradientAscent()], ids=str)
def test_warm_start_goes_on_after_ctrl_c(interrupt, monkeypatch, fitter):
    X, y = problem(seed=3, n=250)
    y = y + 15.0 * np.random.RandomState(0).standard_normal(len(y))  # experts overlap
    # Few passes of the search, many of the climb.
    for name in ("runs.RACE_PASSES", "runs.PATIENT_PASSES", "runs.LONGEST_RACE", "search.WAVES"):
        monkeypatch.setattr(f"skmoe.starts.{name}", 1)
    monkeypatch.setattr("skmoe.starts.search.MOST_EXCHANGES", 0)
    est = regressor(2, fitter=fitter, warm_start=True)
    _, in_all = sweeps(est, X, y, monkeypatch)
    whole = est.lower_bound_
    assert est.n_passes_ > 5
    est = regressor(2, fitter=fitter, warm_start=True)
    interrupt(in_all - 3)
    with pytest.warns(ConvergenceWarning, match="interrupted"):
        est.fit(X, y)
    reached, passes = est.lower_bound_, est.n_passes_
    assert est.stop_reason_ == "interrupted" and passes > 1
    est.fit(X, y)
    assert est.converged_ and est.lower_bound_ >= reached
    assert est.lower_bound_ == pytest.approx(whole, abs=1e-5 * len(y))
    assert est.n_search_passes_ == 0


def test_ctrl_c_before_anything_is_known_is_the_users(interrupt):
    est = regressor(2)
    interrupt(0)
    with pytest.raises(KeyboardInterrupt):
        est.fit(*problem())
    assert not hasattr(est, "theta_")


def test_parts_that_may_lose_height_and_classifiers_stop_too(interrupt):
    X, y = problem()
    experts = EstimatorExperts(DecisionTreeRegressor(max_depth=2, random_state=0))
    for est, answers in (
        (regressor(2, experts=experts), y),
        (MixtureOfExpertsClassifier(2, n_init=2, random_state=0), y > np.median(y)),
    ):
        interrupt(12)
        with pytest.warns(ConvergenceWarning, match="interrupted"):
            est.fit(X, answers)
        assert est.stop_reason_.startswith("interrupted")
        assert np.isfinite(est.score(X, answers))
