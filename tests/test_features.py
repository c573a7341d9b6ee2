"""Bases of columns, and choosing them by name."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.utils.estimator_checks import parametrize_with_checks

from skmoe import MixtureOfExpertsRegressor
from skmoe.estimators._columns import MOST_COLUMNS, automatic
from skmoe.features import BASES, QuadraticFeatures, SplineFeatures

bases = pytest.mark.parametrize("name", BASES)


@parametrize_with_checks([basis() for basis in BASES.values()])
def test_scikit_learn_checks(estimator, check):
    check(estimator)


def rows(n=80, d=3, seed=0):
    rng = np.random.RandomState(seed)
    X = rng.standard_normal((n, d)) * [1.0, 100.0, 1e-3] + [0.0, 5.0, 1.0]
    X[:, 2] = rng.randint(0, 2, n)
    return X


@bases
def test_columns_are_counted_and_do_not_depend_on_units(name):
    X, basis = rows(), BASES[name]()
    made = basis.fit_transform(X)
    assert made.shape[1] <= basis.n_columns(3) and np.isfinite(made).all()
    scaled = clone(basis).fit_transform(X * [10.0, 1e-3, 7.0] + 3.0)
    np.testing.assert_allclose(scaled, made, atol=1e-8)


@bases
def test_weights_are_repetitions(name):
    X, weight = rows(), np.random.RandomState(1).randint(0, 4, 80)
    weighted = BASES[name]().fit(X, sample_weight=weight)
    repeated = BASES[name]().fit(np.repeat(X, weight, axis=0))
    np.testing.assert_allclose(weighted.transform(X), repeated.transform(X), atol=1e-8)


def test_quadratic_columns_are_products():
    X = rows()
    Z = (X - X.mean(axis=0)) / X.std(axis=0)
    products = np.column_stack([Z[:, i] * Z[:, j] for i in range(3) for j in range(i, 3)])
    np.testing.assert_allclose(QuadraticFeatures().fit_transform(X)[:, 3:], products, atol=1e-10)


def test_splines_fit_a_cubic_and_go_on_straight():
    x = np.sort(np.random.RandomState(0).uniform(-2, 2, 200))[:, None]
    basis = SplineFeatures().fit(x)
    design = np.column_stack([np.ones(200), basis.transform(x)])
    coef, *_ = np.linalg.lstsq(design, x[:, 0] ** 3, rcond=None)
    np.testing.assert_allclose(design @ coef, x[:, 0] ** 3, atol=1e-6)
    far = np.array([[3.0], [4.0], [5.0]])
    beyond = basis.transform(far) @ coef[1:]
    assert np.diff(beyond)[0] == pytest.approx(np.diff(beyond)[1])


def test_the_richest_basis_that_rows_can_fill():
    assert type(automatic(8, 1000)).__name__ == "SplineQuadraticFeatures"
    assert type(automatic(13, 455)).__name__ == "QuadraticFeatures"
    assert type(automatic(20, 100_000)).__name__ == "SplineFeatures"
    assert automatic(30, 500) is None
    assert automatic(8, 100_000).n_columns(8) <= MOST_COLUMNS


@pytest.mark.parametrize("name", [*BASES, "auto"])
def test_estimators_take_bases_by_name(name):
    X = rows(200)
    y = np.square(X[:, 0]) + X[:, 2]
    est = MixtureOfExpertsRegressor(1, expert_features=name, n_init=1).fit(X, y)
    assert est.score(X, y) > 0.99
    assert est.predict_gate(X).shape == (200, 1)
    names = pytest.importorskip("pandas").DataFrame(X, columns=[name, "b", "c"])
    column = MixtureOfExpertsRegressor(1, expert_features=name, n_init=1).fit(names, y)
    assert column.coef_.shape == (1, 1)  # a column of that name goes first
