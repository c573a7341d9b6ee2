"""MixtureOfExpertsRegressor lives among scikit-learn's tools."""

import io
import pickle

import joblib
import numpy as np
import pytest
from _problems import (
    assert_same_answers,
    frame_library,
    problem,
    regressor,
    sentences,
)
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, KFold, cross_val_predict, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from skmoe import MixtureOfExpertsRegressor
from skmoe.experts import LinearExperts
from skmoe.gates import SoftmaxGate

# Problems of a few rows have no use for every expert; test_bad_input.py reads what is said then.
pytestmark = pytest.mark.filterwarnings("ignore:Experts .* may be too many")


CHECKED = [
    {},
    {"experts": "constant"},
    {"gate": "constant", "criterion": "classification"},
    {"n_experts": 2, "experts": "constant", "gate": "constant"},
]


# Fewer starts, same code: every check fits several times.
@parametrize_with_checks([MixtureOfExpertsRegressor(n_init=1, **kwargs) for kwargs in CHECKED])
def test_scikit_learn_checks(estimator, check):
    check(estimator)


@parametrize_with_checks([MixtureOfExpertsRegressor(**kwargs) for kwargs in CHECKED])
@pytest.mark.slow
def test_scikit_learn_checks_as_is(estimator, check):
    check(estimator)


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
    frame_library(frames)
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
