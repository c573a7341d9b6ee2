"""Published data: the best optimum that independent optimizers found, and what follows from it.

Each number is the highest regular maximum of the likelihood over a hundred or more random starts of
an independent optimizer, checked with R's flexmix and mixtools where those got there.
"""

from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from skmoe import MixtureOfExpertsRegressor
from skmoe.datasets import load_motorcycle
from skmoe.experts import LinearExperts
from skmoe.fitters import GradientAscent

DATA = Path(__file__).parent / "data"
# A likelihood above the best regular one counts only if every expert holds this many rows.
LEAST_HELD = 5.0


def read(name):
    table = np.loadtxt(DATA / f"{name}.csv", delimiter=",", skiprows=1)
    return table[:, :-1], table[:, -1]


def motorcycle():
    return load_motorcycle(return_X_y=True)


def faithful():
    """Waiting time on eruption time; Azzalini and Bowman (1990), from R's datasets."""
    return read("faithful")


def co2():
    """CO2 emission on gross national product of 28 countries; Hurn et al. (2003), R's mixtools."""
    return read("co2")


def npreg():
    """Artificial data, a line and a parabola: yn on x and x^2; Leisch (2004), R's flexmix."""
    return read("npreg")


@dataclass(frozen=True)
class Reference:
    """One data set, one sentence, and the numbers known of it."""

    load: object
    n_experts: int
    log_likelihood: float
    n_parameters: int
    arguments: dict = field(default_factory=dict)

    def fit(self, random_state):
        est = MixtureOfExpertsRegressor(
            self.n_experts, random_state=random_state, **self.arguments
        ).set_params(experts__alpha=0)
        if self.arguments.get("gate") != "constant":
            est.set_params(gate__alpha=0)
        return est.fit(*self.load())


TIED = {"experts": LinearExperts(tied=True)}
REFERENCES = {
    "motorcycle-2": Reference(motorcycle, 2, -614.536741901036, 8),
    "motorcycle-4-tied": Reference(motorcycle, 4, -598.668392577739, 15, TIED),
    "faithful-2": Reference(faithful, 2, -851.314927411758, 8),
    "co2-2": Reference(co2, 2, -66.296555015905, 8),
    "npreg-2": Reference(npreg, 2, -642.532013736093, 9, {"gate": "constant"}),
}


@cache
def fitted(name, random_state):
    return REFERENCES[name].fit(random_state)


references = pytest.mark.parametrize("name", REFERENCES)


@references
@pytest.mark.parametrize("random_state", range(3))
def test_best_optimum_is_reached(name, random_state):
    reference = REFERENCES[name]
    X, y = reference.load()
    est = fitted(name, random_state)
    assert est.log_likelihood(X, y) > reference.log_likelihood - 1e-3
    # A higher maximum than the known one would be welcome, but no run after a few rows.
    assert est.responsibilities(X, y).sum(axis=0).min() > LEAST_HELD


@references
def test_criteria_follow(name):
    reference = REFERENCES[name]
    X, y = reference.load()
    est = fitted(name, 0)
    assert est.n_parameters_ == reference.n_parameters
    deviance = -2.0 * est.log_likelihood(X, y)
    assert deviance < -2.0 * reference.log_likelihood + 2e-3
    assert est.aic(X, y) == pytest.approx(deviance + 2 * reference.n_parameters)
    bic = deviance + reference.n_parameters * np.log(len(y))
    assert est.bic(X, y) == pytest.approx(bic)


@references
def test_units_of_the_answer_are_those_of_the_data(name):
    """At the maximum of the likelihood the residuals of experts with own variances average to 0."""
    reference = REFERENCES[name]
    X, y = reference.load()
    est = fitted(name, 0)
    share = est.responsibilities(X, y)
    residual = y[:, None] - est.predict_experts(X)
    lines = X @ est.coef_.T + est.intercept_
    np.testing.assert_allclose(lines, est.predict_experts(X), rtol=1e-8, atol=1e-6)
    held = share.sum(axis=0)
    bias = np.sum(share * residual, axis=0) / held
    np.testing.assert_allclose(bias, 0.0, atol=1e-3 * y.std())
    variance = np.sum(share * residual**2, axis=0) / held
    if np.size(est.covariances_) == 1:
        variance = np.average(variance, weights=held)
    np.testing.assert_allclose(variance, est.covariances_, rtol=1e-2)
    if est.gate == "constant":
        expected = np.broadcast_to(held / held.sum(), share.shape)
        np.testing.assert_allclose(est.predict_gate(X), expected, atol=1e-3)


@references
@pytest.mark.slow
def test_best_optimum_is_reached_from_twenty_seeds(name):
    reference = REFERENCES[name]
    X, y = reference.load()
    fits = [fitted(name, random_state) for random_state in range(20)]
    reached = [
        est.log_likelihood(X, y) > reference.log_likelihood - 1e-3
        and est.responsibilities(X, y).sum(axis=0).min() > LEAST_HELD
        for est in fits
    ]
    assert sum(reached) >= 19


@pytest.mark.parametrize(
    ("name", "random_state"),
    [*((name, 0) for name in REFERENCES), ("motorcycle-4-tied", 2)],
)
def test_gradient_ascent_and_em_reach_the_same_optimum(name, random_state):
    # The gate of the fourth case runs away: its coefficients end above 300 per deviation of x.
    reference = REFERENCES[name]
    reached = [
        replace(reference, arguments=reference.arguments | chosen | {"tol": 1e-12})
        .fit(random_state)
        .lower_bound_
        for chosen in ({"max_iter": 5000}, {"max_iter": 5000, "fitter": GradientAscent()})
    ]
    assert reached[1] == pytest.approx(reached[0], abs=1e-6 * len(reference.load()[1]))
