"""Loaders hand out the data that they promise; draws follow the truth that comes with them."""

import math

import numpy as np
import pytest

from skmoe.datasets import (
    load_ethanol,
    load_genesis,
    load_motorcycle,
    load_vowels,
    make_mixture_of_experts,
)


@pytest.mark.parametrize(
    ("load", "shape", "first_row", "first_target"),
    [
        (load_motorcycle, (133, 1), [2.4], 0.0),
        (load_ethanol, (88, 2), [0.907, 12.0], 3.741),
        (load_vowels, (1520, 4), [160.0, 240.0, 2280.0, 2850.0], "i"),
    ],
)
def test_loaders_follow_scikit_learn(load, shape, first_row, first_target):
    bunch = load()
    assert bunch.data.shape == shape
    assert bunch.target.shape == shape[:1]
    assert bunch.data[0].tolist() == first_row
    assert bunch.target[0] == first_target
    assert bunch.frame is None
    assert len(bunch.feature_names) == shape[1]
    assert str(shape[0]) in bunch.DESCR
    with open(bunch.filename, encoding="utf-8") as file:
        assert sum(1 for _ in file) == shape[0] + 1

    X, y = load(return_X_y=True)
    np.testing.assert_array_equal(X, bunch.data)
    np.testing.assert_array_equal(y, bunch.target)


@pytest.mark.parametrize("load", [load_motorcycle, load_ethanol, load_vowels])
def test_frames_hold_the_same_numbers(load):
    pd = pytest.importorskip("pandas")
    arrays, frames = load(), load(as_frame=True)
    assert isinstance(frames.data, pd.DataFrame)
    assert isinstance(frames.target, pd.Series)
    assert list(frames.data.columns) == arrays.feature_names
    assert list(frames.frame.columns) == [*arrays.feature_names, frames.target.name]
    np.testing.assert_array_equal(frames.data.to_numpy(), arrays.data)
    np.testing.assert_array_equal(
        frames.target.to_numpy().astype(arrays.target.dtype), arrays.target
    )


def test_genesis_tells_the_words_before():
    genesis = load_genesis(n_context=2, min_count=1)
    assert genesis.text.startswith("In the beginning God created the heaven and the earth.")
    assert len(genesis.text.split()) == 5667
    n_words = len(genesis.target_names)
    assert genesis.data.shape == (len(genesis.target), 2 * n_words)
    assert (genesis.data.sum(axis=1) == 2).all()
    told = ["in", "the", "beginning", "god", "created", "the", "heaven", "and", "the", "earth", "."]
    assert genesis.target[: len(told) - 2].tolist() == told[2:]
    for row, word in zip(genesis.data[:9], told, strict=False):
        names = [genesis.feature_names[i] for i in np.flatnonzero(row)]
        assert f"-2={word}" in names
    X, y = load_genesis(return_X_y=True)
    values, counts = np.unique(y, return_counts=True)
    assert "<rare>" in values and counts.min() >= 5 and X.shape == (6509, len(values))
    with pytest.raises(ValueError, match="n_context"):
        load_genesis(n_context=0)


def test_vowels_know_their_speakers():
    vowels = load_vowels()
    speakers, first, rows = np.unique(vowels.speaker, return_index=True, return_counts=True)
    assert speakers.tolist() == list(range(1, 77))
    assert set(rows) == {20}
    kinds, counts = np.unique(vowels.speaker_kind[first], return_counts=True)
    assert dict(zip(kinds, counts, strict=True)) == {"man": 33, "woman": 28, "child": 15}
    names, counts = np.unique(vowels.target, return_counts=True)
    assert names.tolist() == vowels.target_names.tolist()
    assert set(counts) == {152}
    pitch = {kind: vowels.data[vowels.speaker_kind == kind, 0].mean() for kind in kinds}
    assert pitch["man"] < pitch["woman"] < pitch["child"]


@pytest.mark.parametrize("n_targets", [1, 3])
def test_density_mean_and_gate_of_the_truth_are_those_of_a_loop(n_targets):
    X, y, truth = make_mixture_of_experts(30, 4, 3, n_targets=n_targets, noise=0.7, random_state=1)
    outputs = () if n_targets == 1 else (n_targets,)
    assert y.shape == (30, *outputs)
    assert truth.coef.shape == (3, *outputs, 4)
    assert truth.intercept.shape == (3, *outputs)

    for i in range(30):
        scores = [math.exp(truth.gate_coef[k] @ X[i] + truth.gate_intercept[k]) for k in range(3)]
        gate = [score / sum(scores) for score in scores]
        density, mean = 0.0, np.zeros(outputs)
        for k in range(3):
            center = truth.coef[k] @ X[i] + truth.intercept[k]
            errors = np.atleast_1d((y[i] - center) / 0.7)
            normal = [math.exp(-e * e / 2) / (0.7 * math.sqrt(2 * math.pi)) for e in errors]
            density += gate[k] * math.prod(normal)
            mean = mean + gate[k] * center
        row = slice(i, i + 1)
        np.testing.assert_allclose(truth.predict_gate(X[row])[0], gate, rtol=1e-10)
        np.testing.assert_allclose(truth.predict(X[row])[0], mean, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(truth.score_samples(X[row], y[row])[0], math.log(density))


def test_labels_are_as_frequent_as_the_gate_says():
    X, y, truth = make_mixture_of_experts(20000, 2, 3, noise=0.5, random_state=2)
    gate = truth.predict_gate(X)
    drawn = np.eye(3)[truth.labels]
    spread = np.sqrt((gate * (1 - gate)).sum(axis=0))
    assert (np.abs((drawn - gate).sum(axis=0)) < 4 * spread).all()
    # Where the gate is sure, and not on average alone.
    assert (truth.labels == gate.argmax(axis=1))[gate.max(axis=1) > 0.95].mean() > 0.95

    center = truth.intercept[truth.labels] + (X * truth.coef[truth.labels]).sum(axis=1)
    assert np.std(y - center) == pytest.approx(0.5, rel=0.03)


def test_samples_have_the_mean_of_the_truth():
    X, _, truth = make_mixture_of_experts(5, 3, 4, n_targets=2, random_state=3)
    many = np.repeat(X, 4000, axis=0)
    draws = truth.sample(many, random_state=0).reshape(5, 4000, 2)
    error = draws.std(axis=1) / math.sqrt(4000)
    assert (np.abs(draws.mean(axis=1) - truth.predict(X)) < 5 * error).all()
    np.testing.assert_array_equal(truth.sample(X, random_state=7), truth.sample(X, random_state=7))


def test_slopes_set_the_spread_of_the_coefficients():
    _, _, truth = make_mixture_of_experts(
        10, 4000, 5, gate_slope=3.0, expert_slope=0.2, random_state=0
    )
    assert truth.coef.std() == pytest.approx(0.2, rel=0.03)
    # Centering takes one of the five degrees of freedom.
    assert truth.gate_coef.std() == pytest.approx(3.0 * math.sqrt(4 / 5), rel=0.03)
    np.testing.assert_allclose(truth.gate_coef.sum(axis=0), 0, atol=1e-12)
    assert truth.gate_intercept.sum() == pytest.approx(0, abs=1e-12)

    X, _, flat = make_mixture_of_experts(10, 3, 5, gate_slope=0, random_state=0)
    np.testing.assert_allclose(flat.predict_gate(X), 0.2)


def test_mixed_features_are_binary_and_exponential():
    X, _, _ = make_mixture_of_experts(4000, 5, features="mixed", random_state=0)
    assert np.isin(X[:, :2], [0, 1]).all()
    np.testing.assert_allclose(X[:, :2].mean(axis=0), 0.5, atol=0.05)
    assert (X[:, 2:] > 0).all()
    np.testing.assert_allclose(X[:, 2:].mean(axis=0), 1, atol=0.1)
    np.testing.assert_allclose(X[:, 2:].std(axis=0), 1, atol=0.1)


def test_the_same_seed_draws_the_same_data():
    X, y, truth = make_mixture_of_experts(50, random_state=5)
    again, y_again, truth_again = make_mixture_of_experts(50, random_state=5)
    np.testing.assert_array_equal(X, again)
    np.testing.assert_array_equal(y, y_again)
    np.testing.assert_array_equal(truth.labels, truth_again.labels)
    assert (make_mixture_of_experts(50, random_state=6)[0] != X).all()


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("n_samples", 0, "at least 1"),
        ("n_features", 2.5, "int"),
        ("n_experts", "two", "int"),
        ("n_targets", -1, "at least 1"),
        ("noise", 0.0, "positive"),
        ("noise", float("nan"), "finite"),
        ("gate_slope", -1.0, "zero or positive"),
        ("expert_slope", None, "finite number"),
        ("features", "uniform", "'normal', 'mixed'"),
    ],
)
def test_errors_name_argument_value_and_what_is_allowed(name, value, allowed):
    with pytest.raises(ValueError) as error:
        make_mixture_of_experts(**{name: value})
    assert f"{name}={value!r}" in str(error.value)
    assert allowed in str(error.value)


def test_the_truth_turns_down_wrong_shapes():
    X, y, truth = make_mixture_of_experts(20, 3, random_state=0)
    with pytest.raises(ValueError, match=r"X has shape \(20, 2\); \(n, 3\)"):
        truth.predict(X[:, :2])
    with pytest.raises(ValueError, match=r"y has shape \(20, 1\); \(20,\)"):
        truth.score_samples(X, y[:, None])
