"""MixtureOfExpertsRegressor lives among scikit-learn's tools and keeps its word."""

import io
import pickle
import warnings

import joblib
import numpy as np
import pytest
from _helpers import falls
from scipy.special import logsumexp
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.model_selection import GridSearchCV, KFold, cross_val_predict, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from skmoe import MixtureOfExpertsRegressor
from skmoe.datasets import load_motorcycle, make_mixture_of_experts
from skmoe.experts import ConstantExperts, LinearExperts
from skmoe.fitters import EM
from skmoe.gates import SoftmaxGate

# Problems of a few rows have no use for every expert; test_bad_input.py reads what is said then.
pytestmark = pytest.mark.filterwarnings("ignore:Experts .* lost their rows")

NAMES = ["age", "dose", "weight"]


def regressor(n_experts=2, **kwargs):
    kwargs = {"n_init": 2, "random_state": 0} | kwargs
    return MixtureOfExpertsRegressor(n_experts, **kwargs)


def problem(n=300, q=1, seed=0, K=2, **kwargs):
    X, y, _ = make_mixture_of_experts(n, 3, K, n_targets=q, random_state=seed, **kwargs)
    return X, 5.0 + 20.0 * y


def gate_in_order(est, X):
    """The gate's weights; experts are ordered by their mean at the first row, names are chance."""
    order = np.argsort(est.predict_experts(X[:1]).reshape(est.n_experts, -1)[:, 0])
    return est.predict_gate(X)[:, order]


def assert_same_answers(one, other, X, y, rtol=1e-12):
    """Check that two fits answer alike, to a share of what the answers vary by."""
    for answer in (
        lambda est: est.predict(X),
        lambda est: est.score_samples(X, y),
        lambda est: gate_in_order(est, X),
    ):
        expected = answer(other)
        np.testing.assert_allclose(
            answer(one), expected, rtol=rtol, atol=rtol * max(1.0, expected.std())
        )


sentences = pytest.mark.parametrize(
    "sentence",
    [
        {},
        {"experts": "constant"},
        {"gate": "constant"},
        {"criterion": "classification"},
        {"experts": LinearExperts(covariance_type="diag", tied=True)},
        {"experts": ConstantExperts(covariance_type="spherical"), "gate": SoftmaxGate(alpha=1.0)},
        {"fitter": EM(acceleration=None)},
    ],
    ids=str,
)
few_sentences = pytest.mark.parametrize(
    "sentence",
    [{}, {"experts": "constant"}, {"gate": "constant", "criterion": "classification"}],
    ids=str,
)
targets = pytest.mark.parametrize("q", [1, 2])


CHECKED = [{}, {"experts": "constant"}, {"gate": "constant", "criterion": "classification"}]


# Fewer starts, same code: every check fits several times.
@parametrize_with_checks([MixtureOfExpertsRegressor(n_init=1, **kwargs) for kwargs in CHECKED])
def test_scikit_learn_checks(estimator, check):
    check(estimator)


@parametrize_with_checks([MixtureOfExpertsRegressor(**kwargs) for kwargs in CHECKED])
@pytest.mark.slow
def test_scikit_learn_checks_as_is(estimator, check):
    check(estimator)


# ------------------------------------------------------------------------- scikit-learn's tools


def test_pipeline():
    X, y = problem()
    pipeline = make_pipeline(StandardScaler(), regressor()).fit(X, y)
    alone = regressor().fit(X, y)
    # Rows are standardized inside: a scaler in front changes nothing but rounding.
    np.testing.assert_allclose(pipeline.predict(X), alone.predict(X), rtol=1e-5)
    assert pipeline.score(X, y) > 0.5


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("n_experts", [1, 2]),
        ("gate__alpha", [1e-3, 1e4]),
        ("experts__alpha", [1e-3, 1e4]),
    ],
)
def test_grid_search(name, values):
    X, y = problem()
    search = GridSearchCV(regressor(), {name: values}, cv=KFold(2)).fit(X, y)
    assert search.best_params_[name] == (2 if name == "n_experts" else 1e-3)
    first, second = search.cv_results_["mean_test_score"]
    assert abs(first - second) > 1e-3
    assert search.best_estimator_.get_params()[name] == search.best_params_[name]


def test_grid_search_reaches_through_a_pipeline_and_instances():
    X, y = problem()
    for gate in ("softmax", SoftmaxGate(alpha=0.5)):
        pipeline = make_pipeline(StandardScaler(), regressor(gate=gate))
        grid = {"mixtureofexpertsregressor__gate__alpha": [0.1, 1.0]}
        search = GridSearchCV(pipeline, grid, cv=KFold(2)).fit(X, y)
        assert search.best_estimator_[-1].gate_.alpha in (0.1, 1.0)


def test_nested_parameters_reach_through_short_names():
    est = regressor().set_params(gate__alpha=3.0, experts__alpha=0.5, experts__tied=True)
    assert est.gate.alpha == 3.0 and est.experts.alpha == 0.5 and est.experts.tied
    est.set_params(experts="constant")
    assert est.experts == "constant"
    est.set_params(experts="linear", experts__covariance_type="diag")
    assert est.experts.covariance_type == "diag"
    for wrong in ({"gate__beta": 1}, {"nothing__alpha": 1}, {"nothing": 1}):
        with pytest.raises(ValueError, match="beta|nothing"):
            est.set_params(**wrong)


def test_clone_keeps_arguments_and_forgets_the_fit():
    X, y = problem()
    gate = SoftmaxGate(alpha=0.7)
    est = regressor(gate=gate, expert_features=[0, 1]).fit(X, y)
    copy = clone(est)
    assert copy.get_params(deep=False).keys() == est.get_params(deep=False).keys()
    assert copy.gate is not gate and copy.gate.alpha == 0.7 and copy.expert_features == [0, 1]
    with pytest.raises(NotFittedError):
        copy.predict(X)
    assert_same_answers(est, copy.fit(X, y), X, y)


def test_fit_leaves_arguments_alone():
    X, y = problem()
    experts, gate = LinearExperts(), SoftmaxGate()
    est = regressor(experts=experts, gate=gate)
    before = {name: repr(value) for name, value in est.get_params().items()}
    assert est.fit(X, y) is est
    assert {name: repr(value) for name, value in est.get_params().items()} == before
    assert est.experts is experts and est.gate is gate
    assert set(vars(experts)) == set(LinearExperts().get_params())


@sentences
def test_pickle_and_joblib_round_trips(sentence):
    X, y = problem()
    est = regressor(**sentence).fit(X, y)
    buffer = io.BytesIO()
    joblib.dump(est, buffer)
    buffer.seek(0)
    for other in (pickle.loads(pickle.dumps(est)), joblib.load(buffer)):
        assert_same_answers(est, other, X, y, rtol=0)
        np.testing.assert_array_equal(
            est.sample(X, random_state=1), other.sample(X, random_state=1)
        )


@pytest.mark.parametrize("frames", ["pandas", "polars"])
def test_set_output_in_a_pipeline(frames):
    pytest.importorskip(frames)
    X, y = problem()
    pipeline = make_pipeline(StandardScaler(), regressor()).set_output(transform=frames)
    pipeline.fit(X, y)
    assert list(pipeline[-1].feature_names_in_) == ["x0", "x1", "x2"]
    np.testing.assert_allclose(pipeline.predict(X), regressor().fit(X, y).predict(X), rtol=1e-5)


def test_cross_validation():
    X, y = problem()
    folds = KFold(3, shuffle=True, random_state=0)
    predicted = cross_val_predict(regressor(), X, y, cv=folds)
    train, test = next(folds.split(X))
    np.testing.assert_allclose(
        predicted[test], regressor().fit(X[train], y[train]).predict(X[test]), rtol=1e-12
    )
    assert cross_val_score(regressor(), X, y, cv=folds).min() > 0.5
    both = cross_val_predict(regressor(), X, np.column_stack([y, -y]), cv=folds)
    assert both.shape == (300, 2)


# -------------------------------------------------------------------------------- weights, frames


@sentences
@targets
def test_integer_weights_equal_repetition(sentence, q):
    X, y = problem(200, q)
    times = np.random.RandomState(1).randint(0, 4, size=len(X))
    weighted = regressor(**sentence).fit(X, y, sample_weight=times)
    repeated = regressor(**sentence).fit(np.repeat(X, times, axis=0), np.repeat(y, times, axis=0))
    assert_same_answers(weighted, repeated, X, y, rtol=1e-3)
    per_row = times.sum()
    assert abs(weighted.lower_bound_ - repeated.lower_bound_) < 1e-6 * per_row
    unweighted = regressor(**sentence).fit(X, y)
    assert np.abs(unweighted.predict(X) - weighted.predict(X)).max() > 1e-2


def test_integer_weights_equal_repetition_beyond_the_subsample():
    X, y = problem(1500)
    times = np.random.RandomState(1).randint(1, 5, size=len(X))
    weighted = regressor().fit(X, y, sample_weight=times)
    repeated = regressor().fit(np.repeat(X, times, axis=0), np.repeat(y, times))
    assert_same_answers(weighted, repeated, X, y, rtol=1e-3)
    both = [
        weighted.log_likelihood(X, y, sample_weight=times),
        repeated.log_likelihood(np.repeat(X, times, axis=0), np.repeat(y, times)),
    ]
    assert both[0] == pytest.approx(both[1], rel=1e-6)


def test_the_unit_of_the_weights_matters_to_the_penalty_alone():
    X, y = problem()
    free = {"gate__alpha": 0.0, "experts__alpha": 0.0}
    small, large = (
        regressor().set_params(**free).fit(X, y, sample_weight=np.full(len(X), w))
        for w in (1.0, 7.5)
    )
    assert_same_answers(small, large, X, y, rtol=1e-4)


def test_fit_does_not_touch_what_it_is_given():
    X, y = problem()
    weight = np.random.RandomState(0).uniform(0.5, 1.5, size=len(X))
    arrays = (np.asfortranarray(X), y, weight)
    copies = [A.copy() for A in arrays]
    est = regressor().fit(*arrays)
    est.predict(arrays[0]), est.score_samples(arrays[0], y), est.responsibilities(arrays[0], y)
    for array, copy in zip(arrays, copies, strict=True):
        np.testing.assert_array_equal(array, copy)
        assert array.flags.writeable


@pytest.mark.parametrize("frames", ["pandas", "polars"])
@targets
def test_frames_give_feature_names(frames, q):
    library = pytest.importorskip(frames)
    X, y = problem(q=q)
    table = library.DataFrame(dict(zip(NAMES, X.T, strict=True)))
    answer = library.Series(y) if q == 1 else library.DataFrame({"a": y[:, 0], "b": y[:, 1]})
    est = regressor().fit(table, answer)
    assert list(est.feature_names_in_) == NAMES and est.n_features_in_ == 3
    plain = regressor().fit(X, y)
    assert not hasattr(plain, "feature_names_in_")
    # The layout of the memory differs, and so does the rounding of sums.
    np.testing.assert_allclose(est.predict(table), plain.predict(X), rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(
        est.score_samples(table, answer), plain.score_samples(X, y), rtol=1e-5, atol=1e-5
    )
    assert est.sample(table, random_state=0).shape == y.shape
    renamed = library.DataFrame(dict(zip(["a", "b", "c"], X.T, strict=True)))
    with pytest.raises(ValueError, match="feature names"):
        est.predict(renamed)


# ------------------------------------------------------------------------------- chosen columns


def test_columns_by_number_and_by_name():
    pandas = pytest.importorskip("pandas")
    X, y = problem()
    table = pandas.DataFrame(X, columns=NAMES)
    by_number = regressor(expert_features=[0, 2], gate_features=[1]).fit(X, y)
    by_name = regressor(expert_features=["age", "weight"], gate_features="dose").fit(table, y)
    negative = regressor(expert_features=[0, -1], gate_features=1).fit(X, y)
    np.testing.assert_allclose(by_name.predict(table), by_number.predict(X), rtol=1e-12)
    np.testing.assert_allclose(negative.predict(X), by_number.predict(X), rtol=1e-12)
    assert by_number.coef_.shape == (2, 2) and by_number.gate_coef_.shape == (2, 1)
    assert by_number.n_features_in_ == 3
    moved = X.copy()
    moved[:, 1] += 1.0
    np.testing.assert_array_equal(by_number.predict_experts(moved), by_number.predict_experts(X))
    assert np.abs(by_number.predict_gate(moved) - by_number.predict_gate(X)).max() > 1e-3
    moved = X.copy()
    moved[:, [0, 2]] += 1.0
    np.testing.assert_array_equal(by_number.predict_gate(moved), by_number.predict_gate(X))
    assert np.abs(by_number.predict_experts(moved) - by_number.predict_experts(X)).max() > 1e-3


def test_columns_by_transformer():
    X, y = load_motorcycle(return_X_y=True)
    squares = PolynomialFeatures(2, include_bias=False)
    est = regressor(3, expert_features=squares).fit(X, y)
    assert est.coef_.shape == (3, 2) and est.gate_coef_.shape == (3, 1)
    assert not hasattr(squares, "n_features_in_")
    by_hand = regressor(3, gate_features=[0]).fit(np.column_stack([X, X**2]), y)
    np.testing.assert_allclose(
        est.predict(X), by_hand.predict(np.column_stack([X, X**2])), rtol=1e-4, atol=1e-4
    )


@pytest.mark.parametrize("argument", ["expert_features", "gate_features"])
def test_transformers_see_the_frame(argument):
    pandas = pytest.importorskip("pandas")
    X, y = problem()
    table = pandas.DataFrame(X, columns=NAMES, index=np.linspace(0.5, 7.5, len(X)))
    chosen = ColumnTransformer([("two", StandardScaler(), ["dose", "age"])])
    est = regressor(**{argument: chosen}).fit(table, y)
    plain = regressor(**{argument: [1, 0]}).fit(X, y)
    np.testing.assert_allclose(est.predict(table), plain.predict(X), rtol=1e-5)
    weight = np.arange(len(X)) % 3
    est.fit(table, y, sample_weight=weight)
    plain.fit(X, y, sample_weight=weight)
    np.testing.assert_allclose(est.predict(table), plain.predict(X), rtol=1e-5)


@pytest.mark.parametrize("argument", ["expert_features", "gate_features"])
def test_transformers_answer_for_many_rows(argument):
    pandas = pytest.importorskip("pandas")
    X, y = problem(20_000)
    table = pandas.DataFrame(X, columns=NAMES, index=np.linspace(0.5, 7.5, len(X)))
    chosen = ColumnTransformer([("two", "passthrough", ["dose", "age"])])
    est = regressor(n_init=1, max_iter=5, **{argument: chosen})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        est.fit(table.iloc[:500], y[:500])
    parts = [est.predict(table.iloc[i : i + 1000]) for i in range(0, len(X), 1000)]
    np.testing.assert_allclose(est.predict(table), np.concatenate(parts), rtol=1e-12)


@pytest.mark.parametrize("argument", ["expert_features", "gate_features"])
@pytest.mark.parametrize("wrong", [["nothing"], [3], [-4], [0.5], "nothing"])
def test_unknown_columns_name_the_argument(argument, wrong):
    with pytest.raises((ValueError, TypeError), match=argument):
        regressor(**{argument: wrong}).fit(*problem())


# ----------------------------------------------------------------------------- shapes, precision


@few_sentences
@pytest.mark.parametrize("form", ["flat", "column", "two"])
def test_shapes(sentence, form):
    X, y = problem(100, q=2)
    y = {"flat": y[:, 0], "column": y[:, :1], "two": y}[form]
    outputs = y.shape[1:]
    est = regressor(3, **sentence).fit(X, y)
    n = len(X)
    assert est.coef_.shape == (3, *outputs, 3) and est.intercept_.shape == (3, *outputs)
    assert est.gate_coef_.shape == (3, 3) and est.gate_intercept_.shape == (3,)
    assert est.predict(X).shape == y.shape
    mean, std = est.predict(X, return_std=True)
    assert mean.shape == std.shape == y.shape and (std > 0).all()
    assert est.predict_experts(X).shape == (n, 3, *outputs)
    assert est.predict_gate(X).shape == est.responsibilities(X, y).shape == (n, 3)
    assert est.apply(X).shape == est.score_samples(X, y).shape == (n,)
    assert est.sample(X).shape == y.shape
    assert est.sample(X, n_samples=4).shape == (n, 4, *outputs)
    assert est.lower_bounds_.shape == (est.n_passes_,)
    assert isinstance(est.log_likelihood(X, y), float)
    for name in ("n_parameters_", "n_iter_", "n_passes_"):
        assert isinstance(getattr(est, name), int | np.integer)
    assert isinstance(est.stop_reason_, str) and est.converged_ in (True, False)
    low, high = est.predict_distribution(X).interval(0.9)
    assert low.shape == y.shape and (low < high).all()


def test_coefficients_are_in_the_units_of_the_data():
    X, y = problem(q=2)
    est = regressor(2).fit(X, y)
    lines = np.einsum("nd,kqd->nkq", X, est.coef_) + est.intercept_
    np.testing.assert_allclose(lines, est.predict_experts(X), rtol=1e-9)
    scores = X @ est.gate_coef_.T + est.gate_intercept_
    log_gate = scores - logsumexp(scores, axis=1, keepdims=True)
    np.testing.assert_allclose(np.exp(log_gate), est.predict_gate(X), rtol=1e-9)
    np.testing.assert_allclose(est.gate_coef_.sum(axis=0), 0.0, atol=1e-9)
    assert est.gate_intercept_.sum() == pytest.approx(0.0, abs=1e-9)
    residual = y[:, None] - lines
    whitened = np.linalg.solve(np.linalg.cholesky(est.covariances_), residual[..., None])[..., 0]
    log_expert = -0.5 * np.square(whitened).sum(axis=2) - np.log(2 * np.pi)
    log_expert -= 0.5 * np.linalg.slogdet(est.covariances_)[1]
    np.testing.assert_allclose(
        est.score_samples(X, y), logsumexp(log_gate + log_expert, axis=1), rtol=1e-9
    )


@few_sentences
@targets
def test_single_precision_stays_single(sentence, q):
    X, y = problem(q=q)
    double = regressor(**sentence).fit(X, y)
    X32, y32 = X.astype(np.float32), y.astype(np.float32)
    est = regressor(**sentence).fit(X32, y32)
    for array in (
        est.predict(X32),
        est.predict_gate(X32),
        est.predict_experts(X32),
        est.responsibilities(X32, y32),
        est.coef_,
        est.intercept_,
        est.gate_coef_,
        est.gate_intercept_,
    ):
        assert array.dtype == np.float32
    for array in (est.predict(X), est.predict_gate(X), double.predict(X), double.coef_):
        assert array.dtype == np.float64
    gap = double.score_samples(X, y).mean() - est.score_samples(X32, y32).mean()
    assert abs(gap) < 2e-2
    assert falls(est.lower_bounds_).max(initial=0.0) < 1e-6


def test_lists_and_integers_are_welcome():
    X, y = problem()
    X, y = np.round(10 * X).astype(int), np.round(y).astype(int)
    est = regressor().fit(X.tolist(), y.tolist())
    np.testing.assert_allclose(est.predict(X), regressor().fit(X + 0.0, y + 0.0).predict(X))


# ---------------------------------------------------------------------------------- answers agree


@sentences
@targets
def test_answers_agree_with_the_distribution(sentence, q):
    X, y = problem(150, q)
    est = regressor(2, **sentence).fit(X, y)
    distribution = est.predict_distribution(X)
    np.testing.assert_allclose(est.predict(X), distribution.mean(), rtol=1e-9)
    mean, std = est.predict(X, return_std=True)
    np.testing.assert_allclose(mean, est.predict(X), rtol=1e-9)
    np.testing.assert_allclose(std, distribution.std(), rtol=1e-9)
    np.testing.assert_allclose(est.score_samples(X, y), distribution.logpdf(y), rtol=1e-8)
    gate, experts = est.predict_gate(X), est.predict_experts(X).reshape(len(X), 2, q)
    if sentence.get("criterion") == "classification":
        blend = experts[np.arange(len(X)), est.apply(X)]
    else:
        blend = np.einsum("nk,nkq->nq", gate, experts)
    np.testing.assert_allclose(est.predict(X).reshape(len(X), q), blend, rtol=1e-9)
    np.testing.assert_array_equal(est.apply(X), gate.argmax(axis=1))
    np.testing.assert_allclose(gate.sum(axis=1), 1.0, rtol=1e-12)
    share = est.responsibilities(X, y)
    np.testing.assert_allclose(share.sum(axis=1), 1.0, rtol=1e-12)
    assert share.min() >= 0.0


@targets
def test_responsibilities_are_posterior_probabilities(q):
    X, y = problem(q=q)
    est = regressor(2).fit(X, y)
    mean = est.predict_experts(X).reshape(len(X), 2, q)
    covariances = np.reshape(est.covariances_, (2, q, q))
    residual = y.reshape(len(X), 1, q) - mean
    square = np.einsum("nkq,kqr,nkr->nk", residual, np.linalg.inv(covariances), residual)
    joint = np.log(est.predict_gate(X)) - 0.5 * square - 0.5 * np.linalg.slogdet(covariances)[1]
    posterior = np.exp(joint - logsumexp(joint, axis=1, keepdims=True))
    np.testing.assert_allclose(est.responsibilities(X, y), posterior, atol=1e-9)


@targets
def test_samples_match_the_distribution(q):
    X, y = problem(q=q)
    est = regressor(2).fit(X, y)
    rows, n_draws = X[:5], 20_000
    draws = est.sample(rows, n_samples=n_draws, random_state=0).reshape(5, n_draws, q)
    distribution = est.predict_distribution(rows)
    mean, std = distribution.mean().reshape(5, q), distribution.std().reshape(5, q)
    assert (np.abs(draws.mean(axis=1) - mean) < 5 * std / np.sqrt(n_draws)).all()
    np.testing.assert_allclose(draws.std(axis=1), std, rtol=0.05)
    median = distribution.median().reshape(5, q)
    np.testing.assert_allclose((draws < median[:, None]).mean(axis=1), 0.5, atol=0.02)
    again = est.sample(rows, n_samples=n_draws, random_state=0).reshape(5, n_draws, q)
    np.testing.assert_array_equal(draws, again)
    other = est.sample(rows, n_samples=n_draws, random_state=1).reshape(5, n_draws, q)
    assert not np.array_equal(draws, other)


def test_density_integrates_to_one():
    X, y = problem()
    est = regressor(3).fit(X, y)
    grid = np.linspace(-1000.0, 1000.0, 100_001)
    density = np.exp(est.score_samples(np.repeat(X[:1], len(grid), axis=0), grid))
    assert np.trapezoid(density, grid) == pytest.approx(1.0, abs=1e-6)


@sentences
def test_information_criteria(sentence):
    X, y = problem()
    est = regressor(2, **sentence).fit(X, y)
    p, logs = est.n_parameters_, est.score_samples(X, y)
    assert est.log_likelihood(X, y) == pytest.approx(logs.sum())
    weight = np.arange(len(X)) % 4
    assert est.log_likelihood(X, y, sample_weight=weight) == pytest.approx(weight @ logs)
    assert est.aic(X, y) == pytest.approx(2 * p - 2 * logs.sum())
    assert est.bic(X, y) == pytest.approx(p * np.log(len(X)) - 2 * logs.sum())
    share = est.responsibilities(X, y)
    positive = share[share > 0]
    entropy = -np.sum(positive * np.log(positive))
    assert est.icl(X, y) == pytest.approx(est.bic(X, y) + 2 * entropy)


@pytest.mark.parametrize(
    ("kwargs", "q", "expected"),
    [
        ({}, 1, 3 * (4 + 1) + 2 * 4),
        ({"experts": LinearExperts(tied=True)}, 1, 3 * 4 + 1 + 2 * 4),
        ({"gate": "constant"}, 1, 3 * (4 + 1) + 2),
        ({"experts": "constant"}, 1, 3 * (1 + 1) + 2 * 4),
        ({}, 2, 3 * (8 + 3) + 2 * 4),
        ({"experts": LinearExperts("diag")}, 2, 3 * (8 + 2) + 2 * 4),
        ({"experts": LinearExperts("spherical")}, 2, 3 * (8 + 1) + 2 * 4),
    ],
    ids=str,
)
def test_free_parameters_are_counted(kwargs, q, expected):
    assert regressor(3, **kwargs).fit(*problem(q=q)).n_parameters_ == expected


def test_one_expert_is_linear_regression():
    from sklearn.linear_model import LinearRegression

    X, y = problem()
    est = regressor(1).set_params(experts__alpha=0.0).fit(X, y)
    peer = LinearRegression().fit(X, y)
    np.testing.assert_allclose(est.coef_[0], peer.coef_, rtol=1e-8)
    np.testing.assert_allclose(est.predict(X), peer.predict(X), rtol=1e-8)
    np.testing.assert_allclose(est.predict_gate(X), 1.0)
    assert est.covariances_[0] == pytest.approx(np.mean((y - peer.predict(X)) ** 2))


# ----------------------------------------------------------------------------------- the fit itself


@sentences
@targets
def test_lower_bounds_never_fall(sentence, q):
    X, y = problem(q=q, K=3)
    est = regressor(3, **sentence).fit(X, y)
    assert falls(est.lower_bounds_).max(initial=0.0) < 1e-12
    assert est.lower_bound_ == est.lower_bounds_[-1] and len(est.lower_bounds_) == est.n_passes_


def test_lower_bound_is_the_log_likelihood_of_standardized_rows():
    X, y = problem()
    est = regressor().set_params(gate__alpha=0.0, experts__alpha=0.0).fit(X, y)
    assert est.lower_bound_ == pytest.approx(
        est.log_likelihood(X, y) + len(y) * np.log(y.std()), rel=1e-9
    )


@few_sentences
def test_number_of_jobs_does_not_matter(sentence):
    X, y = problem(400, K=3)
    one, two = (regressor(3, n_jobs=n_jobs, **sentence).fit(X, y) for n_jobs in (1, 2))
    np.testing.assert_array_equal(one.coef_, two.coef_)
    np.testing.assert_array_equal(one.gate_coef_, two.gate_coef_)
    np.testing.assert_array_equal(one.lower_bounds_, two.lower_bounds_)


def test_same_seed_same_result():
    X, y = problem(K=3)
    fits = [regressor(3, random_state=seed).fit(X, y) for seed in (3, 3)]
    np.testing.assert_array_equal(fits[0].coef_, fits[1].coef_)
    state = np.random.RandomState(3)
    np.testing.assert_array_equal(regressor(3, random_state=state).fit(X, y).coef_, fits[0].coef_)


def test_size_of_the_batches_does_not_matter():
    X, y = problem()
    whole, parts = (regressor(batch_size=size).fit(X, y) for size in (None, 37))
    assert_same_answers(whole, parts, X, y, rtol=1e-4)


def test_warm_start_continues():
    X, y = problem(K=3, noise=1.0, gate_slope=0.5)
    est = regressor(3, max_iter=3, tol=0.0, n_init=1, warm_start=True)
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
    cold = regressor(3, max_iter=3, tol=0.0, n_init=1)
    for _ in range(2):
        with pytest.warns(ConvergenceWarning):
            cold.fit(X, y)
        assert cold.lower_bound_ == pytest.approx(first, rel=1e-12)


def test_warm_start_sees_new_rows():
    X, y = problem(400)
    est = regressor(2, warm_start=True).fit(X[:200], y[:200])
    est.fit(X, 1.1 * y + 3.0)
    fresh = regressor(2).fit(X, 1.1 * y + 3.0)
    gap = fresh.score_samples(X, 1.1 * y + 3.0) - est.score_samples(X, 1.1 * y + 3.0)
    assert abs(gap.mean()) < 1e-3


@pytest.mark.parametrize("change", ["n_experts", "experts", "gate", "features", "targets"])
def test_warm_start_with_another_shape_is_refused_or_starts_afresh(change):
    X, y = problem()
    est = regressor(2, warm_start=True).fit(X, y)
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


def test_too_few_passes_are_told():
    X, y = problem(K=3, noise=1.0, gate_slope=0.5)
    est = regressor(3, max_iter=2)
    with pytest.warns(ConvergenceWarning, match="max_iter=2"):
        est.fit(X, y)
    assert est.n_passes_ == 2 and not est.converged_ and est.stop_reason_ == "max_iter"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        est.set_params(max_iter=1000).fit(X, y)
    assert est.converged_


def test_verbose_prints_a_line_a_pass(capsys):
    X, y = problem()
    est = regressor(verbose=1).fit(X, y)
    lines = capsys.readouterr().out.strip().splitlines()
    assert len(lines) == est.n_passes_
    regressor().fit(X, y)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    "method",
    ["predict", "predict_gate", "predict_experts", "predict_distribution", "apply", "sample"],
)
def test_unfitted_estimators_say_so(method):
    with pytest.raises(NotFittedError):
        getattr(regressor(), method)(problem()[0])


@pytest.mark.parametrize(
    "method", ["score", "score_samples", "log_likelihood", "responsibilities", "aic", "bic", "icl"]
)
def test_unfitted_estimators_say_so_to_answers_too(method):
    with pytest.raises(NotFittedError):
        getattr(regressor(), method)(*problem())


# -------------------------------------------------------------------------------------- callbacks


class Counter:
    """Counts the tasks of a fit, and stops it if asked to."""

    def __init__(self, stop_after=None):
        self.stop_after = stop_after
        self.ended, self.set_up, self.torn_down = [], 0, 0

    def setup(self, estimator, context):
        self.set_up += 1

    def teardown(self, estimator, context):
        self.torn_down += 1

    def on_fit_task_begin(self, estimator, context, **kwargs):
        pass

    def on_fit_task_end(self, estimator, context, **kwargs):
        self.ended.append(context.task_name)
        return self.stop_after is not None and self.ended.count("pass") >= self.stop_after


def test_callbacks_see_every_pass():
    pytest.importorskip("sklearn.callback")
    X, y = problem()
    counter = Counter()
    est = regressor().set_callbacks(counter).fit(X, y)
    assert counter.ended.count("pass") == est.n_passes_ and counter.ended[-1] == "fit"
    assert counter.set_up == counter.torn_down == 1
    silent = regressor().fit(X, y)
    np.testing.assert_array_equal(est.coef_, silent.coef_)


def test_callbacks_stop_the_fit():
    pytest.importorskip("sklearn.callback")
    X, y = problem(K=3, noise=1.0, gate_slope=0.5)
    est = regressor(3).set_callbacks(Counter(stop_after=3))
    with pytest.warns(ConvergenceWarning):
        est.fit(X, y)
    assert est.n_passes_ == 3 and "callback" in est.stop_reason_
    assert np.isfinite(est.predict(X)).all()


def test_callbacks_are_torn_down_after_an_error():
    pytest.importorskip("sklearn.callback")
    X, y = problem()
    counter = Counter()
    with pytest.raises(ValueError, match="n_experts"):
        regressor(1000).set_callbacks(counter).fit(X, y)
    assert counter.set_up == counter.torn_down


def test_progress_bar(capsys):
    callback = pytest.importorskip("sklearn.callback")
    pytest.importorskip("rich")
    X, y = problem()
    est = regressor().set_callbacks(callback.ProgressBar()).fit(X, y)
    assert "100%" in capsys.readouterr().out
    assert est.converged_
