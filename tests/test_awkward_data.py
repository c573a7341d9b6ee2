"""Awkward tables, rows far outside, experts without rows: a sound fit."""

import warnings

import numpy as np
import pytest
from _soundness import assert_sound, problem, quiet_fit, regressor, sentences

from skmoe.experts import LinearExperts

# ---------------------------------------------------------------------------------- awkward tables


@sentences
@pytest.mark.parametrize("value", [0.0, 3.5, 1e12])
def test_constant_targets(sentence, value):
    X, _ = problem()
    y = np.full(len(X), value)
    est = quiet_fit(regressor(**sentence), X, y)
    np.testing.assert_allclose(est.predict(X), value, rtol=1e-9, atol=1e-9)
    assert_sound(est, X, y)


@sentences
def test_one_constant_target_beside_another(sentence):
    X, y = problem(q=2)
    y[:, 1] = 7.0
    est = quiet_fit(regressor(**sentence), X, y)
    np.testing.assert_allclose(est.predict(X)[:, 1], 7.0, rtol=1e-6)
    assert_sound(est, X, y)
    assert est.score(X, y[:, [0, 1]]) > -1.0


@sentences
@pytest.mark.parametrize("value", [0.0, 1.0, -3e8])
def test_constant_columns_change_nothing(sentence, value):
    X, y = problem()
    wide = np.column_stack([X[:, 0], np.full(len(X), value), X[:, 1:]])
    est = quiet_fit(regressor(**sentence), wide, y)
    assert_sound(est, wide, y)
    np.testing.assert_array_equal(est.coef_[:, 1], 0.0)
    np.testing.assert_array_equal(est.gate_coef_[:, 1], 0.0)
    # Another value than the one seen teaches nothing, and does no harm.
    other = wide.copy()
    other[:, 1] += 5.0
    np.testing.assert_allclose(est.predict(other), est.predict(wide), rtol=1e-9)


@sentences
def test_all_columns_constant(sentence):
    _, y = problem()
    X = np.ones((len(y), 3))
    est = quiet_fit(regressor(**sentence), X, y)
    assert_sound(est, X, y)
    answers = est.predict(X)
    assert np.ptp(answers) == 0.0
    if est.criterion == "likelihood":
        np.testing.assert_allclose(answers, y.mean(), atol=0.5 * y.std())
    else:  # the most weighted expert alone: the mean of its rows
        assert y.min() < answers[0] < y.max()


@sentences
def test_duplicate_and_dependent_columns(sentence):
    # Starts enough that both fits find the same optimum: the columns are on trial, not the search.
    X, y = problem()
    wide = np.column_stack([X, X[:, 0], 2.0 * X[:, 1] - X[:, 2] + 4.0])
    est = quiet_fit(regressor(**sentence, n_init=64), wide, y)
    assert_sound(est, wide, y)
    narrow = quiet_fit(regressor(**sentence, n_init=64), X, y)
    gap = narrow.score_samples(X, y).mean() - est.score_samples(wide, y).mean()
    assert gap < 0.02


@sentences
def test_more_columns_than_rows(sentence):
    rng = np.random.RandomState(0)
    X, y = rng.standard_normal((20, 40)), rng.standard_normal(20)
    est = quiet_fit(regressor(**sentence), X, y)
    assert_sound(est, X, y)
    assert_sound(est, rng.standard_normal((50, 40)), rng.standard_normal(50))


@sentences
def test_repeated_rows(sentence):
    X, y = problem(5)
    X, y = np.repeat(X, 30, axis=0), np.repeat(y, 30)
    assert_sound(quiet_fit(regressor(**sentence), X, y), X, y)


@sentences
def test_targets_without_noise(sentence):
    X, _ = problem()
    y = np.abs(X[:, 0])
    est = quiet_fit(regressor(**sentence), X, y)
    assert_sound(est, X, y)
    assert_sound(est, X, y + 10.0)


@sentences
def test_columns_of_very_different_scale(sentence):
    X, y = problem()
    scale = np.array([1e12, 1e-12, 1.0])
    est = quiet_fit(regressor(**sentence), X * scale, y)
    assert_sound(est, X * scale, y)
    peer = quiet_fit(regressor(**sentence), X, y)
    np.testing.assert_allclose(est.score_samples(X * scale, y), peer.score_samples(X, y), atol=1e-5)
    np.testing.assert_allclose(est.coef_ * scale, peer.coef_, atol=1e-4)


@pytest.mark.parametrize("scale", [1e-150, 1e150])
def test_columns_near_the_ends_of_the_numbers(scale):
    X, y = problem()
    assert_sound(quiet_fit(regressor(), X * scale, y), X * scale, y)


@pytest.mark.parametrize("origin", [1e6, 1e9])
def test_columns_far_from_the_origin(origin):
    X, y = problem()
    est, peer = quiet_fit(regressor(), X + origin, y), quiet_fit(regressor(), X, y)
    assert_sound(est, X + origin, y)
    np.testing.assert_allclose(
        est.score_samples(X + origin, y), peer.score_samples(X, y), atol=1e-12 * origin + 1e-4
    )


@sentences
def test_single_precision_survives_awkward_scales(sentence):
    X, y = problem()
    X = (X * np.array([1e12, 1e-12, 1.0]) + np.array([0.0, 0.0, 1e3])).astype(np.float32)
    est = quiet_fit(regressor(**sentence), X, y.astype(np.float32))
    assert_sound(est, X, y.astype(np.float32))


RESCALED = [("X", 1e4), ("X", 1e-4), ("y", 1e4), ("y", 1e-4)]


def check_units(sentence, argument, factor, q):
    X, y = problem(q=q)
    peer = regressor(**sentence).fit(X, y)
    X_new, y_new = X.copy(), y.copy()
    if argument == "X":
        X_new[:, 1] *= factor
    else:
        y_new[(..., 0) if q == 2 else ...] *= factor
    est = regressor(**sentence).fit(X_new, y_new)
    jacobian = np.log(factor) if argument == "y" else 0.0
    np.testing.assert_allclose(
        est.score_samples(X_new, y_new), peer.score_samples(X, y) - jacobian, rtol=0, atol=1e-6
    )
    np.testing.assert_allclose(
        np.sort(est.predict_gate(X_new)), np.sort(peer.predict_gate(X)), atol=1e-6
    )


@sentences
@pytest.mark.parametrize(("argument", "factor"), RESCALED, ids=str)
def test_units_change_the_density_by_their_jacobian_alone(sentence, argument, factor):
    check_units(sentence, argument, factor, q=1)


@pytest.mark.parametrize("covariance_type", ["spherical", "diag", "full"])
@pytest.mark.parametrize(("argument", "factor"), RESCALED, ids=str)
def test_units_of_one_of_two_targets(covariance_type, argument, factor):
    check_units({"experts": LinearExperts(covariance_type)}, argument, factor, q=2)


# ------------------------------------------------------------------------------ outside the data


@sentences
@pytest.mark.parametrize("distance", [1e3, 1e9, 1e100])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_points_far_outside_get_weights_that_sum_to_one(sentence, distance, dtype):
    if distance > np.finfo(dtype).max:
        pytest.skip("not a number of this precision")
    X, y = problem()
    est = regressor(**sentence).fit(X.astype(dtype), y.astype(dtype))
    far = (distance * X[:20]).astype(dtype)
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        gate = est.predict_gate(far)
        assert np.isfinite(est.predict(far)).all()
        share = est.responsibilities(far, y[:20].astype(dtype))
    for weights in (gate, share):
        assert (weights >= 0).all()
        np.testing.assert_allclose(weights.sum(axis=1), 1.0, rtol=1e-6)


@sentences
@pytest.mark.parametrize("distance", [1e3, 1e9])
def test_answers_far_outside_still_have_a_density(sentence, distance):
    X, y = problem()
    est = regressor(**sentence).fit(X, y)
    far = np.full(len(y), distance)
    logs = est.score_samples(X, far)
    assert np.isfinite(logs).all() and (logs < est.score_samples(X, y) - 10.0).all()
    share = est.responsibilities(X, far)
    np.testing.assert_allclose(share.sum(axis=1), 1.0, rtol=1e-12)


# ---------------------------------------------------------------------------------- lost experts


def test_experts_without_rows_are_told():
    """Two clear lines and ten experts: whoever is left over is retired, aloud, or keeps rows."""
    rng = np.random.RandomState(0)
    X = rng.uniform(-1.0, 1.0, size=(60, 1))
    y = np.where(X[:, 0] > 0, 3.0 * X[:, 0], -X[:, 0]) + 0.01 * rng.standard_normal(60)
    for criterion in ("likelihood", "classification"):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            est = regressor(10, criterion=criterion).fit(X, y)
        assert_sound(est, X, y)
        lost = est.responsibilities(X, y).sum(axis=0) < 0.5
        told = any("retired" in str(warning.message) for warning in caught)
        assert told == bool(lost.any()) == ("retired" in est.stop_reason_)
