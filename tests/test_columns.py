"""Columns chosen for the experts or for the gate."""

import warnings

import numpy as np
import pytest
from _problems import (
    NAMES,
    frame_library,
    problem,
    regressor,
    targets,
)
from sklearn.compose import ColumnTransformer
from sklearn.cross_decomposition import PLSRegression
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_selection import SelectKBest, f_classif
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    OneHotEncoder,
    PolynomialFeatures,
    StandardScaler,
)

from skmoe import MixtureOfExpertsClassifier
from skmoe.datasets import load_motorcycle

# Problems of a few rows have no use for every expert; test_bad_input.py reads what is said then.
pytestmark = pytest.mark.filterwarnings("ignore:Experts .* may be too many")


arguments = pytest.mark.parametrize("argument", ["expert_features", "gate_features"])


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


@arguments
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


@arguments
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


@arguments
@pytest.mark.parametrize("wrong", [["nothing"], [3], [-4], [0.5], "nothing"])
def test_unknown_columns_name_the_argument(argument, wrong):
    with pytest.raises((ValueError, TypeError), match=argument):
        regressor(**{argument: wrong}).fit(*problem())


# ------------------------------------------------------------------------------ masks, wrong lists


def test_masks_pick_the_columns_that_are_true():
    X, y = problem()
    by_number = regressor(expert_features=[0, 2], gate_features=[1]).fit(X, y)
    for mask in ([True, False, True], np.array([True, False, True])):
        est = regressor(expert_features=mask, gate_features=[False, True, False]).fit(X, y)
        np.testing.assert_array_equal(est.predict(X), by_number.predict(X))
        assert est.coef_.shape == (2, 2)


@arguments
@pytest.mark.parametrize(
    ("wrong", "match"),
    [
        ([True, False], "mask of 2 bools"),
        ([True, 1, 2], "True"),
        ([0, 0], "twice"),
        ([0, -3], "twice"),
        (3.5, "3.5"),
        (slice(2), "slice"),
    ],
    ids=str,
)
def test_wrong_columns_are_named(argument, wrong, match):
    with pytest.raises((ValueError, TypeError), match=f"{argument}.*{match}"):
        regressor(**{argument: wrong}).fit(*problem())


# ------------------------------------------------------------------------- what transformers make


@arguments
@pytest.mark.parametrize(
    "function",
    [
        lambda X: X[:, 0],
        lambda X: X[:-1],
        lambda X: np.full(X.shape, np.nan),
        lambda X: np.full(X.shape, np.inf),
        lambda X: np.full(X.shape, "a"),
    ],
    ids=["flat", "fewer rows", "NaN", "infinite", "words"],
)
def test_transformers_that_make_no_columns_are_named(argument, function):
    with pytest.raises(ValueError, match=f"transformer of {argument}"):
        regressor(**{argument: FunctionTransformer(function)}).fit(*problem())


@arguments
def test_transformers_that_fail_later_are_named(argument):
    X, y = problem()
    X = np.abs(X)
    reciprocals = FunctionTransformer(lambda X: np.divide(1.0, X, where=X != 0, out=X + np.inf))
    est = regressor(**{argument: reciprocals}).fit(X, y)
    X[3, 1] = 0.0
    for method in ("predict", "predict_gate", "predict_distribution"):
        with pytest.raises(ValueError, match=f"transformer of {argument}"):
            getattr(est, method)(X)


@arguments
def test_transformers_never_see_rows_of_no_weight(argument):
    X, y = problem()
    weight = (np.arange(len(X)) % 3 > 0).astype(float)
    wild = X.copy()
    wild[weight == 0] *= 1e6
    bins = KBinsDiscretizer(4, strategy="uniform", encode="onehot-dense")
    est = regressor(**{argument: bins}).fit(wild, y, sample_weight=weight)
    peer = regressor(**{argument: bins}).fit(X[weight > 0], y[weight > 0])
    np.testing.assert_allclose(est.predict(X), peer.predict(X), rtol=1e-9)


@arguments
@targets
def test_transformers_see_the_targets(argument, q):
    X, y = problem(q=q)
    best = PLSRegression(1)
    est = regressor(**{argument: best}).fit(X, y)
    shown = est.coef_ if argument == "expert_features" else est.gate_coef_
    assert shown.shape[-1] == 1


@arguments
def test_transformers_see_the_classes(argument):
    X, y = problem()
    place = np.where(X[:, 1] > 0, "north", "south")
    best = SelectKBest(f_classif, k=1)
    est = MixtureOfExpertsClassifier(2, n_init=2, random_state=0, **{argument: best}).fit(X, place)
    peer = MixtureOfExpertsClassifier(2, n_init=2, random_state=0, **{argument: [1]}).fit(X, place)
    np.testing.assert_allclose(est.predict_proba(X), peer.predict_proba(X), rtol=1e-9)


@pytest.mark.parametrize("frames", ["pandas", "polars"])
def test_columns_that_are_no_numbers_are_left_to_transformers(frames):
    library = frame_library(frames)
    X, y = problem(400)
    place = np.where(X[:, 0] > 0, "north", "south")
    table = library.DataFrame({"age": X[:, 0], "dose": X[:, 1], "place": place})
    encoded = ColumnTransformer(
        [("place", OneHotEncoder(drop="first"), ["place"]), ("rest", "passthrough", ["dose"])]
    )
    est = regressor(expert_features=["age", "dose"], gate_features=encoded).fit(table, y)
    by_hand = np.column_stack([X[:, :2], place == "south"]).astype(float)
    peer = regressor(expert_features=[0, 1], gate_features=[2, 1]).fit(by_hand, y)
    np.testing.assert_allclose(est.predict(table), peer.predict(by_hand), rtol=1e-6)
    np.testing.assert_allclose(est.score_samples(table, y), peer.score_samples(by_hand, y))
    assert list(est.feature_names_in_) == ["age", "dose", "place"] and est.n_features_in_ == 3
    weight = np.arange(len(X)) % 2
    est.fit(table, y, sample_weight=weight)
    peer.fit(by_hand, y, sample_weight=weight)
    np.testing.assert_allclose(est.predict(table), peer.predict(by_hand), rtol=1e-6)
    with pytest.raises(ValueError, match=r"\bX\b"):
        regressor(gate_features=encoded).fit(table, y)
    with pytest.raises(ValueError, match="expert_features.*south|expert_features.*north"):
        regressor(expert_features=["place"], gate_features=encoded).fit(table, y)


def test_columns_that_are_no_numbers_answer_for_many_rows():
    pandas = pytest.importorskip("pandas")
    X, y = problem(20_000)
    table = pandas.DataFrame({"age": X[:, 0], "place": np.where(X[:, 1] > 0, "north", "south")})
    encoded = ColumnTransformer([("place", OneHotEncoder(), ["place"])])
    est = regressor(expert_features=["age"], gate_features=encoded)
    est.fit(table.iloc[:300], y[:300])
    parts = [est.predict(table.iloc[i : i + 1000]) for i in range(0, len(X), 1000)]
    np.testing.assert_allclose(est.predict(table), np.concatenate(parts), rtol=1e-12)


def test_missing_values_are_left_to_imputers():
    X, y = problem()
    holes = X.copy()
    holes[::7, 1] = np.nan
    imputed = make_pipeline(SimpleImputer(), StandardScaler())
    est = regressor(expert_features=[0, 2], gate_features=imputed).fit(holes, y)
    assert np.isfinite(est.predict(holes)).all()
    with pytest.raises(ValueError, match="NaN"):
        regressor(gate_features=imputed).fit(holes, y)


class ArrayLike:
    """Has nothing but __array__."""

    def __init__(self, values):
        self.values = values

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self.values, dtype=dtype)


@pytest.mark.parametrize("kwargs", [{}, {"gate_features": StandardScaler()}], ids=str)
def test_array_likes_answer_for_many_rows(kwargs):
    X, y = problem(20_000)
    est = regressor(**kwargs).fit(X[:300], y[:300])
    np.testing.assert_allclose(est.predict(ArrayLike(X)), est.predict(X), rtol=1e-12)
