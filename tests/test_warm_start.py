"""warm_start goes on from the last solution, read rightly on new rows, or says why it cannot."""

import warnings

import numpy as np
import pytest
from _helpers import answers, perturbed
from _problems import problem
from _problems import regressor as cold_regressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

from skmoe import experts as experts_
from skmoe import gates as gates_
from skmoe.batches import Scaling, Standardizer
from skmoe.experts import GammaExperts, LinearExperts
from skmoe.gates import ConstantGate

BANKS = {name: family() for name, family in experts_.SHORT_NAMES.items()} | {
    "gamma, inverse": GammaExperts(link="inverse"),
    "linear, tied": LinearExperts(tied=True),
    "linear, diag": LinearExperts("diag"),
    "linear, variance": LinearExperts(variance="linear"),
}


def regressor(n_experts=2, **kwargs):
    return cold_regressor(n_experts, **({"warm_start": True} | kwargs))


def two_scalings(bank, rng, X, y):
    """Return two ways to standardize the rows, both of the kind that the bank asks for."""
    weight = np.ones(len(X))
    scalings = []
    for rows in (slice(None), slice(len(X) // 3)):
        for_X = Standardizer.of(X[rows], weight[rows])
        for_y = Standardizer.of_target(y[rows], weight[rows], bank.target)
        scalings.append(Scaling(for_X, for_X, for_y))
    return scalings


@pytest.mark.parametrize("q", [1, 2])
@pytest.mark.parametrize("name", BANKS)
def test_experts_read_in_another_scaling_keep_their_density(name, q):
    bank, rng = BANKS[name], np.random.RandomState(0)
    X = rng.standard_normal((60, 3)) * [1.0, 50.0, 1e-3] + [0.0, 9.0, 4.0]
    y = answers(bank.target, rng, 60, q)
    old, new = two_scalings(bank, rng, X, y)
    theta = bank.hold(perturbed(bank.init(old.X.apply(X), old.y.apply(y), 3), rng, 0.1))
    translated = bank.translated(theta, old.change_to(new))
    if translated is None:
        pytest.skip("cannot be read in another scaling")
    assert translated.layout() == theta.layout()
    expected = bank.log_prob(theta, old.X.apply(X), old.y.apply(y)) - np.log(old.y.scale).sum()
    found = bank.log_prob(translated, new.X.apply(X), new.y.apply(y)) - np.log(new.y.scale).sum()
    np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("name", gates_.SHORT_NAMES)
def test_gates_read_in_another_scaling_keep_their_weights(name):
    gate, rng = gates_.SHORT_NAMES[name](), np.random.RandomState(0)
    X = rng.standard_normal((60, 3)) * [1.0, 50.0, 1e-3] + [0.0, 9.0, 4.0]
    old, new = two_scalings(LinearExperts(), rng, X, X[:, :1])
    theta = perturbed(gate.init(X, 3), rng)
    translated = gate.translated(theta, old.change_to(new))
    if translated is None:
        pytest.skip("cannot be read in another scaling")
    np.testing.assert_allclose(
        gate.weights(translated, new.X_gate.apply(X)), gate.weights(theta, old.X_gate.apply(X))
    )


def test_other_units_are_no_other_rows():
    X, y = problem()
    est = regressor(3).fit(X, y)
    first = est.log_likelihood(X, y)
    for unit_X, unit_y in ((1e6, 1e6), (1e-9, 1.0), (1.0, 1e9)):
        est.fit(X * unit_X, y * unit_y)
        again = est.log_likelihood(X * unit_X, y * unit_y) + len(y) * np.log(unit_y)
        assert again == pytest.approx(first, abs=1e-3)
        assert est.n_passes_ <= 10


def test_more_rows_begin_where_the_last_ones_ended():
    X, y = problem(600)
    # Fewer rows of another spread: the coefficients hold in the units of the data.
    few = np.flatnonzero(X[:, 0] > 0)
    est = regressor().fit(X[few], y[few])
    lines = est.predict_experts(X)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        est.set_params(max_iter=1).fit(X, y)
    np.testing.assert_allclose(est.predict_experts(X), lines, rtol=1e-9)


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"experts__tied": True}, "experts"),
        ({"experts__covariance_type": "spherical"}, "experts"),
        ({"experts": "constant"}, "experts"),
        ({"gate": ConstantGate()}, "gate"),
        ({"n_experts": 4}, "n_experts"),
        ({"expert_features": [0, 1]}, "expert_features"),
        ({"expert_features": [2, 1, 0]}, "expert_features"),
        ({"gate_features": StandardScaler()}, "gate_features"),
    ],
    ids=str,
)
def test_what_has_changed_is_named(changes, match):
    X, y = problem()
    est = regressor(experts="linear").fit(X, y)
    with pytest.raises(ValueError, match=f"warm_start.*{match}"):
        est.set_params(**changes).fit(X, y)


def test_transformers_that_have_changed_are_named():
    X, y = problem()
    squares = PolynomialFeatures(2, include_bias=False)
    est = regressor(expert_features=squares).fit(X, y)
    first = est.lower_bound_
    est.fit(X, y)
    assert est.lower_bounds_[0] == pytest.approx(first, rel=1e-12)
    squares.set_params(interaction_only=True)
    with pytest.raises(ValueError, match="warm_start.*expert_features"):
        est.fit(X, y)


def test_shapes_that_have_changed_are_named():
    X, y = problem()
    est = regressor().fit(X, y)
    for X_new, y_new in ((X[:, :2], y), (X, np.column_stack([y, y]))):
        with pytest.raises(ValueError, match="warm_start"):
            est.fit(X_new, y_new)


def test_the_flag_is_checked():
    with pytest.raises(TypeError, match="warm_start='yes'"):
        regressor(warm_start="yes").fit(*problem())


def test_warm_start_continues():
    X, y = problem(K=3, noise=1.0, gate_slope=0.5)
    est = regressor(3, max_iter=3, tol=0.0, n_init=1)
    with pytest.warns(ConvergenceWarning):
        est.fit(X, y)
    first = est.lower_bound_
    with pytest.warns(ConvergenceWarning):
        est.fit(X, y)
    assert est.lower_bounds_[0] == pytest.approx(first, rel=1e-12)
    assert est.lower_bound_ > first
    est.set_params(max_iter=2000, tol=1e-9).fit(X, y)
    assert est.converged_
    assert est.fit(X, y).n_passes_ <= 10
    cold = regressor(3, max_iter=3, tol=0.0, n_init=1, warm_start=False)
    for _ in range(2):
        with pytest.warns(ConvergenceWarning):
            cold.fit(X, y)
        assert cold.lower_bound_ == pytest.approx(first, rel=1e-12)


def test_warm_start_sees_new_rows():
    X, y = problem(400)
    est = regressor(2).fit(X[:200], y[:200])
    est.fit(X, 1.1 * y + 3.0)
    fresh = regressor(2, warm_start=False).fit(X, 1.1 * y + 3.0)
    gap = fresh.score_samples(X, 1.1 * y + 3.0) - est.score_samples(X, 1.1 * y + 3.0)
    assert abs(gap.mean()) < 1e-3


@pytest.mark.parametrize("change", ["n_experts", "experts", "gate", "features", "targets"])
def test_warm_start_with_another_shape_is_refused_or_starts_afresh(change):
    X, y = problem()
    est = regressor(2).fit(X, y)
    if change == "n_experts":
        est.set_params(n_experts=3)
    elif change in ("experts", "gate"):
        est.set_params(**{change: "constant"})
    elif change == "features":
        X = X[:, :2]
    else:
        y = np.column_stack([y, -y])
    try:
        est.fit(X, y)
    except ValueError as error:
        assert "warm_start" in str(error)
        return
    assert est.predict_gate(X).shape[1] == est.n_experts
    assert est.predict(X).shape == y.shape
    if change == "experts":
        np.testing.assert_array_equal(est.coef_, 0.0)
