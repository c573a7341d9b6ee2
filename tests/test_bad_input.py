"""Awkward rows and wrong arguments: a clear error that names the argument, or a sound fit."""

import itertools
import warnings

import numpy as np
import pytest

from skmoe import MixtureOfExpertsRegressor
from skmoe.datasets import make_mixture_of_experts
from skmoe.experts import LinearExperts
from skmoe.gates import SoftmaxGate

SENTENCES = {
    "default": {},
    "constant-experts": {"experts": "constant"},
    "constant-gate": {"gate": "constant"},
    "hard": {"criterion": "classification"},
    "no-penalty": {"experts": LinearExperts(alpha=0.0), "gate": SoftmaxGate(alpha=0.0)},
    "tied": {"experts": LinearExperts(tied=True)},
}
sentences = pytest.mark.parametrize("sentence", SENTENCES.values(), ids=SENTENCES.keys())


def regressor(n_experts=2, **kwargs):
    kwargs = {"n_init": 2, "random_state": 0} | kwargs
    return MixtureOfExpertsRegressor(n_experts, **kwargs)


def problem(n=200, q=1, d=3, seed=0):
    X, y, _ = make_mixture_of_experts(n, d, 2, n_targets=q, random_state=seed)
    return X, y


def quiet_fit(est, X, y, sample_weight=None):
    """Fit; retired experts and too few passes may be told, arithmetic may not complain."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        warnings.filterwarnings("ignore", message=".*retired|.*kept their noise|.*max_iter")
        return est.fit(X, y, sample_weight=sample_weight)


def assert_sound(est, X, y):
    """Every answer of a fitted estimator is a number, and weights are weights."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        assert np.isfinite(est.predict(X)).all()
        assert np.isfinite(est.predict_experts(X)).all()
        mean, std = est.predict(X, return_std=True)
        assert np.isfinite(mean).all() and np.isfinite(std).all() and (std >= 0).all()
        assert np.isfinite(est.score_samples(X, y)).all()
        for weights in (est.predict_gate(X), est.responsibilities(X, y)):
            assert (weights >= 0).all()
            np.testing.assert_allclose(weights.sum(axis=1), 1.0, rtol=1e-6)
        assert np.isfinite(est.sample(X, random_state=0)).all()
        low, high = est.predict_distribution(X).interval(0.9)
        assert (low <= high).all() and np.isfinite(low).all() and np.isfinite(high).all()
        for value in (est.aic(X, y), est.bic(X, y), est.icl(X, y), est.lower_bound_):
            assert np.isfinite(value)
    for name in ("coef_", "intercept_", "covariances_", "gate_coef_", "gate_intercept_"):
        assert np.isfinite(getattr(est, name)).all(), name
    assert np.isfinite(est.lower_bounds_).all()


# ------------------------------------------------------------------------------------ wrong arrays


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("argument", ["X", "y", "sample_weight"])
def test_values_that_are_not_finite_are_refused(argument, value):
    X, y = problem()
    arrays = {"X": X, "y": y, "sample_weight": np.ones(len(y))}
    arrays[argument][3] = value
    with pytest.raises(ValueError, match=rf"(?i)\b{argument}\b"):
        regressor().fit(**arrays)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_answers_refuse_values_that_are_not_finite(value):
    X, y = problem()
    est = regressor().fit(X, y)
    bad_X, bad_y = X.copy(), y.copy()
    bad_X[0, 0], bad_y[0] = value, value
    for name in ("predict", "predict_gate", "predict_experts", "predict_distribution", "apply"):
        with pytest.raises(ValueError, match=r"\bX\b"):
            getattr(est, name)(bad_X)
    for name in ("score_samples", "responsibilities", "log_likelihood", "aic", "bic", "icl"):
        with pytest.raises(ValueError, match=r"\bX\b"):
            getattr(est, name)(bad_X, y)
        with pytest.raises(ValueError, match=r"\by\b"):
            getattr(est, name)(X, bad_y)


def test_complex_numbers_are_refused():
    X, y = problem()
    with pytest.raises(ValueError, match="[Cc]omplex"):
        regressor().fit(X + 1j, y)
    with pytest.raises((ValueError, TypeError), match="[Cc]omplex"):
        regressor().fit(X, y + 1j)


def test_words_are_refused():
    X, y = problem()
    for words in (np.full(X.shape, "a", dtype=object), np.full(X.shape, "a")):
        with pytest.raises((ValueError, TypeError), match=r"\bX\b"):
            regressor().fit(words, y)
    for words in (np.full(len(X), "a"), np.full(len(X), "a", dtype=object)):
        with pytest.raises((ValueError, TypeError), match=r"\by\b"):
            regressor().fit(X, words)
        with pytest.raises((ValueError, TypeError), match="sample_weight"):
            regressor().fit(X, y, sample_weight=words)


@pytest.mark.parametrize(
    ("shape_X", "shape_y", "match"),
    [
        ((0, 3), (0,), "0 sample"),
        ((10, 0), (10,), "0 feature"),
        ((10,), (10,), "2D array"),
        ((10, 3, 2), (10,), "dim 3"),
        ((10, 3), (10, 2, 2), r"\by\b.*dim 3"),
        ((10, 3), (10, 0), r"\by\b"),
    ],
    ids=str,
)
def test_wrong_or_empty_shapes_are_refused(shape_X, shape_y, match):
    with pytest.raises(ValueError, match=match):
        regressor().fit(np.ones(shape_X), np.ones(shape_y))


def test_lengths_that_differ_are_refused():
    X, y = problem()
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        regressor().fit(X, y[:-1])
    with pytest.raises(ValueError, match="sample_weight"):
        regressor().fit(X, y, sample_weight=np.ones(len(y) - 1))
    with pytest.raises(ValueError, match="sample_weight"):
        regressor().fit(X, y, sample_weight=np.ones((len(y), 2)))


def test_answers_refuse_other_shapes():
    X, y = problem()
    est = regressor().fit(X, y)
    with pytest.raises(ValueError, match="X has 2 features"):
        est.predict(X[:, :2])
    with pytest.raises(ValueError, match=r"\by\b.*2 targets"):
        est.score_samples(X, np.column_stack([y, y]))
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        est.responsibilities(X, y[:-1])
    with pytest.raises(ValueError, match="sample_weight"):
        est.log_likelihood(X, y, sample_weight=np.ones(3))


def test_missing_targets_are_refused():
    with pytest.raises((ValueError, TypeError), match=r"\by\b"):
        regressor().fit(problem()[0], None)


# --------------------------------------------------------------------------------- wrong arguments


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        *itertools.product(["n_experts", "n_init", "max_iter"], [0, -1, 2.5, "many", None, True]),
        *itertools.product(["tol"], [-1.0, np.nan, "small", None]),
        *itertools.product(["batch_size"], [0, -5, 1.5, "all"]),
        *itertools.product(
            ["experts", "gate", "criterion", "fitter", "start"], ["oracle", 3, None]
        ),
        ("experts", SoftmaxGate()),
        ("gate", LinearExperts()),
        ("gate", SoftmaxGate),
        *itertools.product(["n_jobs"], [0, 1.5, "z"]),
        *itertools.product(["random_state"], ["a", -1, 2.5]),
        *itertools.product(["warm_start"], ["yes", 1, None]),
        *itertools.product(["verbose"], [-1, "loud", None]),
    ],
    ids=str,
)
def test_wrong_arguments_are_named(argument, value):
    with pytest.raises((ValueError, TypeError), match=argument):
        regressor(**{argument: value}).fit(*problem())


@pytest.mark.parametrize(
    ("part", "argument", "value"),
    [
        ("experts", "alpha", -1.0),
        ("experts", "alpha", np.nan),
        ("experts", "alpha", "none"),
        ("experts", "covariance_type", "round"),
        ("experts", "min_variance", -1.0),
        ("gate", "alpha", -1.0),
        ("gate", "alpha", np.inf),
        ("gate", "alpha", "none"),
        ("fitter", "warm_up", "a"),
        ("fitter", "warm_up", -1),
        ("fitter", "memory", 0),
        ("fitter", "memory", 2.5),
        ("fitter", "acceleration", "squarem"),
        ("fitter", "acceleration", 3),
    ],
)
def test_wrong_arguments_of_parts_are_named(part, argument, value):
    est = regressor().set_params(**{f"{part}__{argument}": value})
    with pytest.raises((ValueError, TypeError), match=f"{part}=.*{argument}"):
        est.fit(*problem())


def test_messages_list_what_is_allowed():
    for argument, known in (
        ("experts", "linear"),
        ("gate", "softmax"),
        ("criterion", "classification"),
        ("fitter", "em"),
    ):
        with pytest.raises(ValueError, match=f"{argument}='oracle'.*'{known}'"):
            regressor(**{argument: "oracle"}).fit(*problem())


@pytest.mark.parametrize("n_samples", [0, -1, 1.5, "many"])
def test_wrong_numbers_of_draws_are_named(n_samples):
    X, y = problem()
    est = regressor().fit(X, y)
    with pytest.raises((ValueError, TypeError), match="n_samples"):
        est.sample(X, n_samples=n_samples)
    with pytest.raises(ValueError, match="random_state"):
        est.sample(X, random_state="a")


# --------------------------------------------------------------------------------------- few rows


@sentences
@pytest.mark.parametrize("n_rows", [1, 2, 3, 5, 9])
def test_few_rows_fit_soundly_or_are_refused(sentence, n_rows):
    X, y = problem()
    try:
        est = quiet_fit(regressor(2, **sentence), X[:n_rows], y[:n_rows])
    except ValueError as error:
        assert n_rows == 1 and ("n_experts" in str(error) or "sample" in str(error))
        return
    assert_sound(est, X, y)


@pytest.mark.parametrize("n_rows", [1, 2, 3])
def test_more_experts_than_rows_are_refused(n_rows):
    X, y = problem()
    with pytest.raises(ValueError, match="n_experts=4.*X"):
        regressor(4).fit(X[:n_rows], y[:n_rows])


@sentences
def test_as_many_experts_as_rows(sentence):
    X, y = problem()
    assert_sound(quiet_fit(regressor(6, **sentence), X[:6], y[:6]), X, y)


# -------------------------------------------------------------------------------- sample weights


def test_negative_weights_are_refused():
    X, y = problem()
    weight = np.linspace(-1.0, 1.0, len(y))
    with pytest.raises(ValueError, match="sample_weight"):
        regressor().fit(X, y, sample_weight=weight)
    with pytest.raises(ValueError, match="sample_weight"):
        regressor().fit(X, y).log_likelihood(X, y, sample_weight=weight)


def test_weights_without_a_positive_one_are_refused():
    X, y = problem()
    with pytest.raises(ValueError, match="sample_weight"):
        regressor().fit(X, y, sample_weight=np.zeros(len(y)))


@sentences
def test_rows_of_weight_zero_are_not_there(sentence):
    X, y = problem()
    weight = (np.arange(len(y)) % 3 > 0).astype(float)
    wild_X, wild_y = X.copy(), y.copy()
    wild_X[weight == 0] *= 1e9
    wild_y[weight == 0] = -1e9
    est = regressor(**sentence).fit(wild_X, wild_y, sample_weight=weight)
    peer = regressor(**sentence).fit(X[weight > 0], y[weight > 0])
    np.testing.assert_allclose(est.predict(X), peer.predict(X), rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(est.score_samples(X, y), peer.score_samples(X, y), atol=1e-4)


@pytest.mark.parametrize("scale", [1e-12, 1e-3, 1e12])
def test_weights_of_any_size(scale):
    X, y = problem()
    est = quiet_fit(regressor(), X, y, np.full(len(y), scale))
    assert_sound(est, X, y)


def test_a_weight_that_outweighs_all_others():
    X, y = problem()
    weight = np.ones(len(y))
    weight[7] = 1e9
    assert_sound(quiet_fit(regressor(), X, y, weight), X, y)


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
