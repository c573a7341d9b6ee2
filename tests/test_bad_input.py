"""Wrong arrays and wrong arguments: a clear error that names the argument."""

import itertools

import numpy as np
import pytest
from _soundness import assert_sound, problem, quiet_fit, regressor, sentences

from skmoe.experts import LinearExperts
from skmoe.gates import SoftmaxGate

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
