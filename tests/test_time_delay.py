"""The time-delay network: its definition, its slopes, and that it knows a pattern anywhere."""

import pickle

import numpy as np
import pytest
from _neural import Frozen
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from skmoe import MetaPiClassifier, TimeDelayClassifier
from skmoe.neural.layers import Sequential
from skmoe.neural.parameters import Layout
from skmoe.neural.run import Run
from skmoe.neural.time_delay import PoolOverTime, TimeDelay, time_delay_network

T, C, H, K = 7, 3, 4, 5


@parametrize_with_checks([TimeDelayClassifier(learning_rate="cosine", max_iter=60, random_state=0)])
def test_scikit_learn_checks(estimator, check):
    check(estimator)


def sweeps(n=300, seed=0, frames=12, room=None):
    """Rises, falls and humps of three frames somewhere in noise; a second channel is noise."""
    rng = np.random.RandomState(seed)
    X, y = 0.2 * rng.standard_normal((n, frames, 2)), rng.randint(3, size=n)
    shapes = np.array([[0.0, 1.0, 2.0], [2.0, 1.0, 0.0], [0.5, 2.0, 0.5]])
    places = np.arange(frames - 2) if room is None else room
    for row, label in zip(X, y, strict=True):
        start = rng.choice(places)
        row[start : start + 3, 0] += shapes[label]
    return X, np.array(["rise", "fall", "hump"])[y]


def classifier(**kwargs):
    return TimeDelayClassifier(**{"learning_rate": "cosine", "random_state": 0} | kwargs)


def test_every_window_is_mapped_alike():
    rng = np.random.default_rng(0)
    network = time_delay_network((T, C), (3, 2), H, K)
    views = network.layout.views(network.layout.init(rng))
    x = rng.standard_normal((6, T, C))
    V, M = views["features"]["W"], views["evidence"]["W"]
    for row, out in zip(x, network.outputs(views, {}, x.reshape(6, -1)), strict=True):
        units = [np.tanh(row[t : t + 3].ravel() @ V[:-1] + V[-1]) for t in range(T - 2)]
        evidence = [
            np.concatenate(units[t : t + 2]) @ M[:-1] + M[-1] for t in range(len(units) - 1)
        ]
        np.testing.assert_allclose(out, np.mean(evidence, axis=0))


@pytest.mark.parametrize(
    "layer",
    [
        TimeDelay(T, C, 3, H),
        TimeDelay(T, C, T, H),
        TimeDelay(T, C, 1, H),
        PoolOverTime(T),
        time_delay_network((T, C), (3, 4), H, K).body,
        time_delay_network((T, C), (2, 2), H, K, activation="gelu", dropout=0.5).body,
    ],
)
def test_slopes_are_finite_differences(layer):
    x = np.random.default_rng(1).standard_normal((5, T * C))
    frozen = Frozen(layer, x)
    if layer.specs():
        frozen.check()
    else:
        _, dx = frozen.gradients()
        np.testing.assert_allclose(dx, np.tile(frozen.slope, (1, T)) / T)


def test_a_shift_in_time_changes_nothing():
    """Within the padding, windows meet the same patterns."""
    network = time_delay_network((20, C), (3, 4), H, K)
    views = network.layout.views(network.layout.init(np.random.default_rng(0)))
    x = np.zeros((2, 20, C))
    x[:, 8:11] = np.random.default_rng(1).standard_normal((3, C))
    x[1] = np.roll(x[1], 4, axis=0)
    out = network.outputs(views, {}, x.reshape(2, -1))
    np.testing.assert_allclose(out[0], out[1])


def test_patterns_are_known_where_they_never_were():
    X, y = sweeps(800, frames=24, room=[7, 8, 9])
    later, labels = sweeps(seed=1, frames=24, room=[13, 14, 15])
    est = classifier().fit(X, y)
    flat = LogisticRegression(max_iter=2000).fit(X.reshape(len(X), -1), y)
    assert est.score(later, labels) > 0.9
    assert flat.score(later.reshape(len(later), -1), labels) < 0.6


def test_rows_may_be_flat():
    X, y = sweeps()
    est = classifier(max_iter=20).fit(X, y)
    flat = classifier(n_frames=12, max_iter=20).fit(X.reshape(len(X), -1), y)
    np.testing.assert_array_equal(est.predict_proba(X), flat.predict_proba(X))
    np.testing.assert_array_equal(flat.predict(X), flat.predict(X.reshape(len(X), -1)))
    assert (est.n_frames_, est.n_channels_, est.n_features_in_) == (12, 2, 24)
    alone = TimeDelayClassifier(max_iter=2, learning_rate="cosine").fit(X[:, :, 0], y)
    assert (alone.n_frames_, alone.n_channels_) == (12, 1)


def test_units_of_a_channel_do_not_matter():
    X, y = sweeps()
    est = classifier(max_iter=20).fit(X, y)
    far = classifier(max_iter=20).fit(X * [1e6, 1e-6] + [5e5, 1.0], y)
    answers = far.predict_proba(X * [1e6, 1e-6] + [5e5, 1.0])
    np.testing.assert_allclose(answers, est.predict_proba(X), atol=1e-3)


def test_integer_weights_are_repeated_rows():
    X, y = sweeps(80)
    times = np.random.RandomState(0).randint(0, 3, len(y))
    weighted = classifier(max_iter=10).fit(X, y, sample_weight=times)
    repeated = classifier(max_iter=10).fit(np.repeat(X, times, axis=0), np.repeat(y, times))
    np.testing.assert_allclose(weighted.predict_proba(X), repeated.predict_proba(X), atol=1e-6)


def test_seeds_pickles_and_clones():
    X, y = sweeps(100)
    est = classifier(max_iter=5, early_stopping=True).fit(X, y)
    np.testing.assert_array_equal(clone(est).fit(X, y).predict_proba(X), est.predict_proba(X))
    again = pickle.loads(pickle.dumps(est))
    np.testing.assert_array_equal(again.predict_proba(X), est.predict_proba(X))
    assert len(est.validation_scores_) == est.n_iter_


def test_pieces_of_data_come_one_after_the_other():
    X, y = sweeps()
    est = classifier(learning_rate="constant")
    for _ in range(30):
        est.partial_fit(X[:150], y[:150], classes=["rise", "fall", "hump"])
        est.partial_fit(X[150:], y[150:])
    assert est.score(X, y) > 0.8


def test_searches_and_pipelines():
    X, y = sweeps(150)
    est = make_pipeline(StandardScaler(), classifier(n_frames=12, max_iter=15))
    grid = {"timedelayclassifier__windows": [(1, 1), (3, 2)]}
    search = GridSearchCV(est, grid, cv=2).fit(X.reshape(len(X), -1), y)
    assert search.best_params_ == {"timedelayclassifier__windows": (3, 2)}


def test_an_expert_of_a_meta_pi_network():
    X, y = sweeps()
    X = X.reshape(len(X), -1)
    halves = np.repeat(["first", "second"], 150)
    experts = [(name, classifier(n_frames=12, max_iter=10, hidden=3)) for name in halves[::150]]
    frozen = MetaPiClassifier(experts, random_state=0).fit(X, y, groups=halves)
    assert frozen.error_ <= frozen.expert_errors_.min()
    joint = MetaPiClassifier(experts, joint=True, n_init=1, max_iter=60, random_state=0)
    with pytest.warns(UserWarning, match="converged"):
        joint.fit(X, y, groups=halves)
    assert joint.error_ < 0.5 * frozen.error_
    assert joint.experts_[0].predict_proba(X).shape == (300, 3)
    np.testing.assert_allclose(joint.predict_experts(X)[:, 1], joint.experts_[1].predict_proba(X))


def test_layers_answer_like_the_estimator():
    X, y = sweeps(60)
    est = classifier(max_iter=3, dropout=0.3).fit(X, y)
    columns, layer, theta, write = est.as_layer(X)
    assert isinstance(layer, Sequential)
    answer, _ = layer.forward(Layout(layer.specs()).views(theta), columns, Run(training=True))
    np.testing.assert_allclose(answer, est.predict_proba(X))
    np.testing.assert_array_equal(write(0 * theta).predict_proba(X), 1 / 3)
    np.testing.assert_allclose(answer, est.predict_proba(X))


# ------------------------------------------------------------------------------------- bad inputs


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("n_frames", 0),
        ("n_frames", 2.5),
        ("n_frames", 7),
        ("hidden", 0),
        ("windows", (3,)),
        ("windows", 3),
        ("windows", (0, 2)),
        ("activation", "step"),
        ("dropout", 1.0),
        ("class_weight", "even"),
        ("standardize", "yes"),
        ("solver", "lbfgs"),
        ("alpha", -1.0),
        ("batch_size", 0),
        ("learning_rate", "fast"),
        ("learning_rate_init", 0.0),
        ("max_iter", 0),
        ("random_state", "a"),
        ("tol", -1.0),
        ("early_stopping", 1),
        ("n_iter_no_change", 0),
    ],
    ids=str,
)
def test_wrong_arguments_are_named(argument, value):
    X, y = sweeps(30)
    with pytest.raises((ValueError, TypeError), match=argument):
        classifier(**{argument: value}).fit(X.reshape(30, -1), y)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_rows_that_cannot_be_used_are_refused(value):
    X, y = sweeps(30)
    est = classifier(max_iter=2).fit(X, y)
    bad = X.copy()
    bad[0, 0, 0] = value
    for rows in (bad, bad.reshape(30, -1)):
        with pytest.raises(ValueError, match=r"\bX\b"):
            classifier().fit(rows, y)
        with pytest.raises(ValueError, match=r"\bX\b"):
            est.predict(rows)
    for shape in ((30, 24, 1), (30, 12, 3), (30, 23), (30, 2, 3, 4)):
        with pytest.raises(ValueError, match="X|dim"):
            est.predict(np.ones(shape))
    for shape in ((0, 12, 2), (30, 0, 2), (30, 12, 0)):
        with pytest.raises(ValueError, match="0 (feature|sample)"):
            classifier().fit(np.ones(shape), y[: shape[0]])
    with pytest.raises(ValueError, match="inconsistent"):
        classifier().fit(X, y[:-1])
    with pytest.raises(ValueError, match="sample_weight"):
        classifier().fit(X, y, sample_weight=np.full(30, value))
    with pytest.raises(ValueError, match="sweep"):
        est.score_samples(X, np.full(30, "sweep"))
