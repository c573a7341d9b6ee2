"""The meta-pi network: the slopes of the blend, the guarantee, groups, and scikit-learn's ways."""

import pickle
import warnings

import numpy as np
import pytest
from _helpers import gradient
from sklearn.base import clone
from sklearn.datasets import make_classification, make_friedman1
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression, PoissonRegressor, Ridge
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsRegressor
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from sklearn.utils.estimator_checks import parametrize_with_checks

from skmoe import MetaPiClassifier, MetaPiRegressor
from skmoe.datasets import load_vowels
from skmoe.errors import cooperative
from skmoe.estimators._gate_layer import GateLayer
from skmoe.gates import ConstantGate, LocalizedGate, MLPGate, SoftmaxGate, TreeGate
from skmoe.neural.blend import Blend, Given, Placed, Voice
from skmoe.neural.layers import Linear, Sequential, Softmax
from skmoe.neural.parameters import Layout
from skmoe.neural.run import Run

N, D, K, Q = 12, 3, 4, 2


def members():
    return [
        ("line", LinearRegression()),
        ("stump", DecisionTreeRegressor(max_depth=1, random_state=0)),
        ("tree", DecisionTreeRegressor(max_depth=3, random_state=0)),
    ]


def hearers():
    return [("bayes", GaussianNB()), ("tree", DecisionTreeClassifier(max_depth=2, random_state=0))]


def rows(n=300, seed=0):
    return make_friedman1(n, n_features=5, noise=0.5, random_state=seed)


def classes(n=300, seed=0):
    X, y = make_classification(
        n, n_features=5, n_informative=4, n_redundant=0, n_classes=3, random_state=seed
    )
    return X, np.array(["red", "green", "blue"])[y]


@parametrize_with_checks(
    [
        MetaPiRegressor(members(), random_state=0),
        MetaPiRegressor(members()[:2], gate="mlp", solver="adam", max_iter=20, random_state=0),
        MetaPiClassifier(hearers(), random_state=0),
    ]
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


# ------------------------------------------------------------------------------------- the slopes


def test_slopes_of_the_blend_are_those_of_the_paper():
    """dE/df_i = -2 w_i (y - f) and dE/dlogit_i = -2 w_i (f_i - f)'(y - f)."""
    rng = np.random.RandomState(0)
    answers, y = rng.standard_normal((N, K, Q)), rng.standard_normal((N, Q))
    scores = rng.standard_normal((N, K))
    gate = Sequential(scores=Linear(K, K), weights=Softmax())
    experts = [Voice(slice(K, K + Q), Sequential(map=Linear(Q, Q))) for _ in range(K)]
    layer = Blend(Voice(slice(0, K), gate), experts)
    layout = Layout(layer.specs())
    theta, grad = np.zeros(layout.size), np.zeros(layout.size)
    views, slopes = layout.views(theta), layout.views(grad)
    views["gate"]["scores"]["W"][:K] = np.eye(K)
    for n in range(N):
        for k in range(K):
            views[f"expert{k}"]["map"]["W"][-1] = answers[n, k]
        x = np.concatenate([scores[n], np.zeros(Q)])[None]
        f, cache = layer.forward(views, x, Run(training=True))
        w = np.exp(scores[n]) / np.exp(scores[n]).sum()
        np.testing.assert_allclose(f[0], w @ answers[n])
        layer.backward(views, cache, -2.0 * (y[n] - f), slopes, Run(training=True), False)
        by_logit = [-2.0 * w[i] * (answers[n, i] - f[0]) @ (y[n] - f[0]) for i in range(K)]
        np.testing.assert_allclose(slopes["gate"]["scores"]["W"][-1], by_logit)
        _, by_answer, by_score = cooperative(w[None], answers[n : n + 1], y[n : n + 1])
        np.testing.assert_allclose(by_score[0], by_logit)
        for i in range(K):
            expected = -2.0 * w[i] * (y[n] - f[0])
            np.testing.assert_allclose(slopes[f"expert{i}"]["map"]["W"][-1], expected)
            np.testing.assert_allclose(by_answer[0, i], expected)


@pytest.mark.parametrize(
    "gate",
    [
        SoftmaxGate(alpha=0.3),
        MLPGate(hidden=5, alpha=0.2),
        ConstantGate(),
        LocalizedGate(),
        TreeGate([[1, 2], 1], alpha=0.2),
    ],
    ids=str,
)
def test_gates_of_the_classical_half_descend_the_error_of_the_blend(gate):
    rng = np.random.RandomState(1)
    X, y = rng.standard_normal((N, D)), rng.standard_normal((N, Q))
    answers = rng.standard_normal((N, K, Q))
    neutral = gate.init(X, K)
    layer = GateLayer(gate, neutral, n_rows=N)
    network = Blend(
        Voice(slice(0, D), layer),
        [Voice(slice(D + k * Q, D + (k + 1) * Q), Given()) for k in range(K)],
    )
    layout, x = Layout(network.specs()), np.hstack([X, answers.reshape(N, -1)])

    def objective(vector):
        run = Run(training=True)
        f, _ = network.forward(layout.views(vector), x, run)
        return np.square(y - f).sum() / N + run.loss

    theta = layout.init(np.random.default_rng(0)) + 0.3 * rng.standard_normal(layout.size)
    grad, run = np.full(layout.size, np.nan), Run(training=True)
    f, cache = network.forward(layout.views(theta), x, run)
    network.backward(layout.views(theta), cache, 2.0 * (f - y) / N, layout.views(grad), run, False)
    slopes = gradient(objective, theta)
    np.testing.assert_allclose(grad, slopes, atol=1e-7 * max(1.0, np.abs(slopes).max()))
    assert np.abs(slopes).max() > 1e-3


def test_placed_answers_keep_their_columns():
    layer = Placed(np.array([2, 0]), 4)
    y, _ = layer.forward({}, np.array([[1.0, 2.0]]), None)
    np.testing.assert_array_equal(y, [[2.0, 0.0, 1.0, 0.0]])
    back = layer.backward({}, None, np.arange(4.0)[None], {}, None)
    np.testing.assert_array_equal(back, [[2, 0]])


# ---------------------------------------------------------------------------------- the guarantee


@pytest.mark.parametrize("solver", ["lbfgs", "adam", "sgd"])
@pytest.mark.parametrize("gate", ["softmax", "mlp", "constant", "tree"])
def test_a_blend_never_does_worse_than_its_best_expert(gate, solver):
    for seed in range(4):
        X, y = rows(120, seed)
        est = MetaPiRegressor(members(), gate=gate, solver=solver, max_iter=30, random_state=seed)
        est.set_params(learning_rate_init=3.0 if seed % 2 else 0.01)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            est.fit(X, y)
        alone = [model.score(X, y) for model in est.experts_]
        assert est.score(X, y) >= max(alone) - 1e-12
        assert est.error_ <= est.expert_errors_.min() * (1.0 + 1e-12)
        assert est.error_ == pytest.approx(1.0 - est.score(X, y))


def test_experts_that_nothing_can_be_added_to_are_heard_alone():
    X, y = rows(80)
    perfect = KNeighborsRegressor(1)
    est = MetaPiRegressor([("perfect", perfect), *members()], random_state=0).fit(X, y)
    assert est.error_ < 1e-12
    assert (est.apply(X) == 0).all()


def test_a_gate_blends_where_experts_hold():
    """Two lines, each right on its side, and a third in the middle that is their mean."""
    x = np.linspace(-3, 3, 600)
    y = np.where(x < -1, 2.0 + x, np.where(x > 1, 5.0 - x, 3.5))
    left = LinearRegression().fit(x[x < -1, None], y[x < -1])
    right = LinearRegression().fit(x[x > 1, None], y[x > 1])
    est = MetaPiRegressor([("left", left), ("right", right)], prefit=True, gate="mlp")
    est.set_params(random_state=0).fit(x[:, None], y)
    weights = est.predict_gate(x[:, None])
    assert weights[x < -1, 0].mean() > 0.9 and weights[x > 1, 1].mean() > 0.9
    assert 0.3 < weights[np.abs(x) < 0.3].mean(axis=0).min()
    assert est.score(x[:, None], y) > 0.98


# ------------------------------------------------------------------------------------ who learns


def test_every_expert_learns_its_group_in_sorted_order():
    X, y = rows()
    groups = np.repeat([3, 1, 2], 100)
    est = MetaPiRegressor([(name, Ridge()) for name in "abc"]).fit(X, y, groups=groups)
    assert est.expert_groups_ == [1, 2, 3]
    for group, model in zip([1, 2, 3], est.experts_, strict=True):
        alone = Ridge().fit(X[groups == group], y[groups == group])
        np.testing.assert_allclose(model.coef_, alone.coef_)


def test_experts_with_names_of_groups_leave_the_others_to_the_gate():
    X, y = rows()
    groups = np.repeat(["zoe", "ann", "bob"], 100)
    est = MetaPiRegressor([("zoe", Ridge()), ("ann", Ridge())]).fit(X, y, groups=groups)
    np.testing.assert_allclose(est.named_experts_.zoe.coef_, Ridge().fit(X[:100], y[:100]).coef_)
    assert est.expert_groups_ == ["zoe", "ann"]
    assert est.predict_gate(X).shape == (300, 2)


def test_groups_have_to_fit_the_experts():
    X, y = rows()
    est = MetaPiRegressor(members())
    for groups, match in (
        (np.repeat([0, 1], 150), "groups has 2 labels"),
        (np.zeros(299), "groups has 299 entries"),
        (np.full(300, np.nan), "groups has labels that are not finite"),
        (np.zeros((300, 2)), "groups"),
    ):
        with pytest.raises(ValueError, match=match):
            est.fit(X, y, groups=groups)
    fitted = [(name, member.fit(X, y)) for name, member in members()]
    with pytest.raises(ValueError, match="prefit"):
        MetaPiRegressor(fitted, prefit=True).fit(X, y, groups=np.repeat([0, 1, 2], 100))


def test_fitted_experts_stay_as_they_are():
    X, y = rows()
    fitted = [(name, member.fit(X[:50], y[:50])) for name, member in members()]
    est = MetaPiRegressor(fitted, prefit=True).fit(X, y)
    assert all(model is member for model, (_, member) in zip(est.experts_, fitted, strict=True))
    with pytest.raises(NotFittedError, match="line"):
        MetaPiRegressor(members(), prefit=True).fit(X, y)
    frozen = [(name, FrozenEstimator(member)) for name, member in fitted]
    again = clone(MetaPiRegressor(frozen)).fit(X, y)
    np.testing.assert_allclose(again.predict(X), est.predict(X))


def test_classifiers_may_know_some_of_the_classes():
    X, y = classes(600)
    some = DecisionTreeClassifier(max_depth=3, random_state=0).fit(X[y != "blue"], y[y != "blue"])
    others = GaussianNB().fit(X[y != "red"], y[y != "red"])
    est = MetaPiClassifier([("a", some), ("b", others)], prefit=True, random_state=0).fit(X, y)
    answers = est.predict_experts(X)
    assert est.classes_.tolist() == ["blue", "green", "red"]
    assert (answers[:, 0, 0] == 0).all() and (answers[:, 1, 2] == 0).all()
    np.testing.assert_allclose(est.predict_proba(X).sum(axis=1), 1.0)
    assert est.score(X, y) > max(some.score(X, y), others.score(X, y)) + 0.05
    assert np.isfinite(est.predict_log_proba(X)).any()


def test_an_expert_may_know_one_class():
    X, y = classes()
    knows = MLPClassifier(hidden_layer_sizes=(2,), max_iter=5).fit(X, np.full(len(X), "red"))
    est = MetaPiClassifier([("red", knows), ("bayes", GaussianNB().fit(X, y))], prefit=True)
    np.testing.assert_array_equal(est.fit(X, y).predict_experts(X)[:, 0], [[0, 0, 1]] * len(X))


def test_blended_probabilities_never_do_worse_than_the_best_ones():
    for seed in range(5):
        X, y = classes(150, seed)
        est = MetaPiClassifier(hearers(), random_state=0).fit(X, y)
        hot = (y[:, None] == est.classes_).astype(float)
        alone = [np.square(m.predict_proba(X) - hot).mean() for m in est.experts_]
        blend = np.square(est.predict_proba(X) - hot).mean()
        np.testing.assert_allclose(est.expert_errors_, alone)
        assert blend <= min(alone) + 1e-12 and blend == pytest.approx(est.error_)


# -------------------------------------------------------------------------------- learning together


def bends(n=400, seed=0):
    rng = np.random.RandomState(seed)
    X = rng.uniform(-2, 2, (n, 2))
    y = np.where(X[:, 0] < 0, 3.0 * X[:, 1], 2.0 - X[:, 1]) + 0.1 * rng.standard_normal(n)
    return X, y


@pytest.mark.parametrize("solver", ["lbfgs", "adam"])
def test_experts_that_start_alike_part(solver):
    X, y = bends()
    lines = [("one", LinearRegression()), ("other", make_pipeline(StandardScaler(), Ridge()))]
    frozen = MetaPiRegressor(lines, random_state=0).fit(X, y)
    est = MetaPiRegressor(lines, joint=True, solver=solver, random_state=0).fit(X, y)
    assert frozen.score(X, y) < 0.6 and est.score(X, y) > 0.97
    np.testing.assert_allclose(est.predict_experts(X)[:, 0], est.experts_[0].predict(X))
    slopes = sorted([est.experts_[0].coef_[1], est.experts_[1][-1].coef_[1] / X[:, 1].std()])
    np.testing.assert_allclose(slopes, [-1.0, 3.0], atol=0.15)
    assert not hasattr(lines[0][1], "coef_")


def test_learning_together_does_not_depend_on_units():
    X, y = bends()
    lines = [("one", LinearRegression()), ("other", LinearRegression())]
    est = MetaPiRegressor(lines, joint=True, random_state=0).fit(X, y)
    far = MetaPiRegressor(lines, joint=True, random_state=0).fit(1e6 * X + 1e6, 1e-6 * y)
    assert far.score(1e6 * X + 1e6, 1e-6 * y) == pytest.approx(est.score(X, y), abs=1e-3)


@pytest.mark.parametrize("activation", ["tanh", "relu", "logistic"])
def test_perceptrons_learn_together(activation):
    X, y = bends()
    nets = [
        (name, MLPRegressor(hidden_layer_sizes=(4, 3), activation=activation, max_iter=30))
        for name in "ab"
    ]
    for seed, (_, net) in enumerate(nets):
        net.set_params(random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        frozen = MetaPiRegressor(nets, random_state=0).fit(X, y)
        est = MetaPiRegressor(nets, joint=True, n_init=1, max_iter=100, random_state=0).fit(X, y)
    assert est.error_ < 0.5 * frozen.error_
    assert est.error_ == pytest.approx(1.0 - est.score(X, y))


@pytest.mark.parametrize("labels", [["a", "b"], ["a", "b", "c"]], ids=len)
def test_classifiers_learn_together(labels):
    rng = np.random.RandomState(0)
    X = rng.standard_normal((400, 2))
    y = np.array(labels)[(X > 0).sum(axis=1) % len(labels)]
    pair = [("line", LogisticRegression()), ("net", MLPClassifier(hidden_layer_sizes=(3,)))]
    pair[1][1].set_params(random_state=0, max_iter=20)
    some = X[:, 0] > 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        frozen = MetaPiClassifier(pair, random_state=0).fit(X, y, groups=some)
        est = MetaPiClassifier(pair, joint=True, random_state=0).fit(X, y, groups=some)
    assert est.error_ < 0.7 * frozen.error_ and est.score(X, y) > 0.95
    np.testing.assert_allclose(est.predict_proba(X).sum(axis=1), 1.0)
    hot = (y[:, None] == est.classes_).astype(float)
    assert np.square(est.predict_proba(X) - hot).mean() == pytest.approx(est.error_)


@pytest.mark.parametrize(
    "expert",
    [DecisionTreeRegressor(), PoissonRegressor(), LinearRegression(fit_intercept=False), SVR()],
    ids=str,
)
def test_experts_that_cannot_learn_together_are_named(expert):
    X, y = bends()
    with pytest.raises(ValueError, match="joint=True.*'odd'"):
        MetaPiRegressor([("odd", expert), ("line", Ridge())], joint=True).fit(X, y - y.min())


def test_fitted_experts_are_copied_before_they_learn_on():
    X, y = bends()
    line = LinearRegression().fit(X, y)
    before = line.coef_.copy()
    pair = [("one", line), ("other", Ridge().fit(X, y))]
    est = MetaPiRegressor(pair, prefit=True, joint=True, random_state=0).fit(X, y)
    np.testing.assert_array_equal(line.coef_, before)
    assert est.score(X, y) > 0.97


# ------------------------------------------------------------------------- scikit-learn's manners


def test_units_do_not_matter():
    X, y = rows()
    one = MetaPiRegressor(members()).fit(X, y)
    other = MetaPiRegressor(members()).fit(X * 1e6, 1e6 * y - 3e6)
    np.testing.assert_allclose(other.predict(X * 1e6), 1e6 * one.predict(X) - 3e6, rtol=1e-5)
    np.testing.assert_allclose(
        X * 1e6 @ other.gate_coef_.T + other.gate_intercept_,
        X @ one.gate_coef_.T + one.gate_intercept_,
        rtol=1e-3,
        atol=1e-3,
    )
    scores = X @ one.gate_coef_.T + one.gate_intercept_
    weights = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(one.predict_gate(X), weights, atol=1e-10)


def test_weights_are_repeated_rows():
    X, y = rows(150)
    times = np.random.RandomState(0).randint(0, 4, len(y))
    weighted = MetaPiRegressor(members()).fit(X, y, sample_weight=times)
    repeated = MetaPiRegressor(members()).fit(np.repeat(X, times, axis=0), np.repeat(y, times))
    np.testing.assert_allclose(weighted.predict(X), repeated.predict(X), rtol=1e-4)
    assert weighted.error_ == pytest.approx(repeated.error_, rel=1e-6)


def test_several_targets():
    X, y = rows()
    Y = np.column_stack([y, 1e3 * X[:, 0] - y, X[:, 1] ** 2])
    est = MetaPiRegressor(members()).fit(X, Y)
    assert est.predict(X).shape == (300, 3) and est.predict_experts(X).shape == (300, 3, 3)
    assert est.score(X, Y) >= max(model.score(X, Y) for model in est.experts_)


def test_float32_stays():
    X, y = rows()
    est = MetaPiRegressor(members()).fit(X.astype(np.float32), y.astype(np.float32))
    for answer in (est.predict, est.predict_gate, est.predict_experts):
        assert answer(X.astype(np.float32)).dtype == np.float32
    assert est.gate_coef_.dtype == np.float32


@pytest.mark.parametrize("solver", ["lbfgs", "adam"])
def test_the_same_seed_gives_the_same_model(solver):
    X, y = rows()
    est = MetaPiRegressor(members(), solver=solver, max_iter=30, random_state=3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        one, other = clone(est).fit(X, y), clone(est).fit(X, y)
    np.testing.assert_array_equal(one.predict(X), other.predict(X))
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(one)).predict(X), one.predict(X))


def test_searches_reach_experts_and_gate():
    X, y = rows()
    est = make_pipeline(StandardScaler(), MetaPiRegressor(members()))
    grid = {
        "metapiregressor__tree__max_depth": [1, 4],
        "metapiregressor__gate__alpha": [0.01, 100.0],
        "metapiregressor__stump": [Ridge(), "drop"],
    }
    search = GridSearchCV(est, grid, cv=2).fit(X, y)
    best, chosen = search.best_estimator_[-1], search.best_params_
    assert best.named_experts_.tree.max_depth == chosen["metapiregressor__tree__max_depth"]
    assert best.gate_.alpha == chosen["metapiregressor__gate__alpha"]
    assert cross_val_score(search.best_estimator_, X, y, cv=3).mean() > 0.5


def test_parameters_are_reached_by_name():
    est = MetaPiRegressor(members())
    est.set_params(tree__max_depth=7, line=Ridge(), gate__alpha=2.0, stump="drop")
    assert est.named_experts["tree"].max_depth == 7
    assert est.get_params()["line__alpha"] == 1.0 and est.gate.alpha == 2.0
    X, y = rows()
    assert list(est.fit(X, y).named_experts_) == ["line", "tree"]
    assert est.predict_gate(X).shape == (300, 2)


def test_frames_reach_the_experts():
    pd = pytest.importorskip("pandas")
    X, y = rows()
    frame = pd.DataFrame(X, columns=list("abcde"))
    est = MetaPiRegressor(members(), gate_features=["a", "b"]).fit(frame, y)
    assert est.experts_[0].feature_names_in_.tolist() == list("abcde")
    assert est.gate_coef_.shape == (3, 2) and est.predict(frame).shape == (300,)


def test_weights_need_experts_that_take_them():
    X, y = rows()
    est = MetaPiRegressor([("near", KNeighborsRegressor()), *members()])
    with pytest.raises(TypeError, match="sample_weight.*near"):
        est.fit(X, y, sample_weight=np.ones(len(y)))
    piped = MetaPiRegressor([("piped", make_pipeline(StandardScaler(), Ridge())), *members()])
    piped.fit(X, y, sample_weight=np.linspace(0, 1, len(y)))
    assert piped.predict(X).shape == y.shape


def test_metadata_is_routed_where_scikit_learn_is_asked_to():
    import sklearn

    X, y = rows()
    with sklearn.config_context(enable_metadata_routing=True):
        listening = LinearRegression().set_fit_request(sample_weight=True)
        deaf = LinearRegression().set_fit_request(sample_weight=False)
        weight = np.where(X[:, 0] > 0.5, 1.0, 1e-9)
        est = MetaPiRegressor([("listening", listening), ("deaf", deaf)])
        est.fit(X, y, sample_weight=weight)
    np.testing.assert_allclose(est.experts_[1].coef_, LinearRegression().fit(X, y).coef_)
    assert not np.allclose(est.experts_[0].coef_, est.experts_[1].coef_)


# ------------------------------------------------------------------------------------- bad inputs


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("argument", ["X", "y", "sample_weight"])
def test_values_that_are_not_finite_are_refused(argument, value):
    X, y = rows()
    arrays = {"X": X, "y": y, "sample_weight": np.ones(len(y))}
    arrays[argument][3] = value
    with pytest.raises(ValueError, match=rf"(?i)\b{argument}\b"):
        MetaPiRegressor(members()).fit(**arrays)


def test_answers_refuse_rows_that_cannot_be_used():
    X, y = rows()
    est = MetaPiRegressor(members()).fit(X, y)
    bad = X.copy()
    bad[0, 0] = np.nan
    for answer in (est.predict, est.predict_gate, est.predict_experts, est.apply):
        with pytest.raises(ValueError, match=r"\bX\b"):
            answer(bad)
        with pytest.raises(ValueError, match="X has 2 features"):
            answer(X[:, :2])


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("experts", []),
        ("experts", None),
        ("experts", [Ridge()]),
        ("experts", [("a", Ridge()), ("a", Ridge())]),
        ("experts", [("a__b", Ridge())]),
        ("experts", [("gate", Ridge())]),
        ("experts", [("a", "drop")]),
        ("experts", [("a", "oracle")]),
        ("experts", [("a", StandardScaler())]),
        ("gate", "oracle"),
        ("gate", 3),
        ("gate", LogisticRegression()),
        ("gate", SoftmaxGate(l1_ratio=1.0)),
        ("joint", "yes"),
        ("prefit", 1),
        ("solver", "newton"),
        ("alpha", -1.0),
        ("max_iter", 0),
        ("tol", np.nan),
        ("n_init", 0),
        ("learning_rate", "fast"),
        ("learning_rate_init", 0.0),
        ("batch_size", 0),
        ("n_iter_no_change", 1.5),
        ("shuffle", None),
        ("random_state", "a"),
        ("gate_features", [9]),
    ],
    ids=str,
)
def test_wrong_arguments_are_named(argument, value):
    est = MetaPiRegressor(members()).set_params(**{argument: value})
    with pytest.raises((ValueError, TypeError), match=argument):
        est.fit(*rows())


def test_classifiers_need_probabilities():
    X, y = classes()
    with pytest.raises(TypeError, match="margin.*predict_proba"):
        MetaPiClassifier([("margin", SVC())]).fit(X, y)


def test_answers_that_are_not_finite_name_the_expert():
    class Wild(LinearRegression):
        def predict(self, X):
            return np.full(len(X), np.nan)

    X, y = rows()
    with pytest.raises(ValueError, match="wild"):
        MetaPiRegressor([("wild", Wild()), *members()]).fit(X, y)


# ------------------------------------------------------------------------------- the six speakers


@pytest.mark.parametrize(
    ("men", "women", "sixth"),
    [((31, 24, 3), (59, 36), 32), ((29, 24, 17), (52, 44), 28), ((24, 1, 15), (37, 57), 4)],
)
def test_six_speakers_are_spoken_for_as_in_the_paper(men, women, sixth):
    """Every speaker leans on the own expert, and the one without on those of the other men."""
    vowels = load_vowels()
    speakers = [*men, *women, sixth]
    heard = np.isin(vowels.speaker, speakers)
    X, y, speaker = np.log(vowels.data[heard]), vowels.target[heard], vowels.speaker[heard]
    learner = make_pipeline(StandardScaler(), LogisticRegression(C=10, max_iter=1000))
    experts = [(str(each), learner) for each in speakers[:-1]]
    est = MetaPiClassifier(experts, random_state=0).fit(X, y, groups=speaker)
    table = np.array([est.predict_gate(X)[speaker == each].mean(axis=0) for each in speakers])
    assert table[:5].argmax(axis=1).tolist() == [0, 1, 2, 3, 4]
    assert (np.diag(table) > 0.4).all()
    without = table[5]
    assert without[:3].sum() > 0.9 and without.max() < 0.5
    assert np.sort(without)[-2] > 0.25
    own = speaker == sixth
    hot = (y[own][:, None] == est.classes_).astype(float)
    alone = np.square(est.predict_experts(X[own]) - hot[:, None]).mean(axis=(0, 2))
    assert np.square(est.predict_proba(X[own]) - hot).mean() < alone.min()
    assert est.error_ < 0.5 * est.expert_errors_.min()
