"""The number of experts: criteria by their formulas, the truth on easy data, and the test."""

import warnings

import numpy as np
import pytest
from _problems import regressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import KFold, cross_val_score

from skmoe import MixtureOfExpertsClassifier
from skmoe.datasets import make_mixture_of_experts
from skmoe.model_selection import bootstrap_lrt, select_n_experts
from skmoe.model_selection.n_experts import CRITERIA


def three_lines(n_rows, random_state, n_lines=3):
    """Rows on lines that are far apart, each in its own stretch of x."""
    rng = np.random.RandomState(random_state)
    X = rng.uniform(0.0, n_lines, (n_rows, 1))
    part = np.floor(X[:, 0]).astype(int)
    y = np.array([0.0, 6.0, -5.0])[part] + np.array([2.0, -3.0, 1.0])[part] * X[:, 0]
    return X, y + 0.3 * rng.standard_normal(n_rows)


@pytest.fixture(scope="module")
def selection():
    X, y = three_lines(400, 0)
    return select_n_experts(regressor(n_init=4), X, y, range(1, 6)), X, y


def test_columns_are_what_their_names_say(selection):
    found, X, y = selection
    assert found.n_experts.tolist() == [1, 2, 3, 4, 5] and len(found) == 5
    for i, est in enumerate(found.estimators_):
        assert est.n_experts == found.n_experts[i] and est.n_parameters_ == found.n_parameters[i]
        assert found.log_likelihood[i] == pytest.approx(est.log_likelihood(X, y), rel=1e-12)
        for name in ("aic", "bic", "icl"):
            assert getattr(found, name)[i] == pytest.approx(getattr(est, name)(X, y), rel=1e-9)


@pytest.mark.parametrize("criterion", CRITERIA)
def test_truth_is_chosen_on_easy_data(criterion):
    X, y = three_lines(600, 1)
    sizes = range(1, 6) if criterion in ("bic", "icl") else range(1, 4)
    found = select_n_experts(regressor(n_init=4), X, y, sizes, criterion, cv=3)
    assert found.best_n_experts_ == 3
    assert found.best_estimator_.n_experts == 3
    assert found.best_estimator_.log_likelihood(X, y) == pytest.approx(found.log_likelihood[2])


def test_cross_validation_is_scikit_learns():
    X, y = three_lines(300, 2)
    cv = KFold(3, shuffle=True, random_state=0)
    est = regressor(2)
    found = select_n_experts(est, X, y, [2], "cv", cv=3)

    def mean_log_density(est, X, y):
        return est.score_samples(X, y).mean()

    expected = cross_val_score(est, X, y, cv=cv, scoring=mean_log_density)
    np.testing.assert_allclose(found.cv, expected.mean())
    np.testing.assert_allclose(found.cv_error, expected.std(ddof=1) / np.sqrt(3))
    explicit = select_n_experts(est, X, y, 2, "cv", cv=list(cv.split(X)))
    np.testing.assert_array_equal(found.cv, explicit.cv)


def test_jobs_do_not_matter(selection):
    found, X, y = selection
    other = select_n_experts(regressor(n_init=4), X, y, [3, 2, 2], n_jobs=2)
    np.testing.assert_array_equal(other.bic, found.bic[1:3])


def test_integer_weights_are_repetitions():
    X, y = three_lines(300, 3)
    weight = np.random.RandomState(0).randint(0, 3, len(y))
    repeated = np.repeat(np.arange(len(y)), weight)
    one = select_n_experts(regressor(), X, y, [1, 2], sample_weight=weight)
    other = select_n_experts(regressor(), X[repeated], y[repeated], [1, 2])
    for name in ("log_likelihood", "aic", "bic", "icl"):
        np.testing.assert_allclose(getattr(one, name), getattr(other, name), rtol=1e-6)


def test_small_weights_count_rows():
    X, y = three_lines(300, 4)
    same = select_n_experts(regressor(), X, y, [2], sample_weight=np.full(300, 0.01))
    np.testing.assert_allclose(same.bic, select_n_experts(regressor(), X, y, [2]).bic)


def test_classes_and_frames():
    pd = pytest.importorskip("pandas")
    X, y = three_lines(300, 5)
    X, y = pd.DataFrame(X, columns=["time"]), pd.Series(np.where(y > y.mean(), "up", "down"))
    est = MixtureOfExpertsClassifier(n_init=2, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        found = select_n_experts(est, X, y, [1, 2], "cv", cv=3)
    assert found.best_estimator_.feature_names_in_.tolist() == ["time"]
    assert found.to_frame().loc[2, "cv"] == found.cv[1]


def test_text_shows_the_best(selection):
    found, _, _ = selection
    lines = str(found).split("\n")
    assert len(lines) == 7 and lines[found.best_index_ + 1].endswith("*")
    assert lines[-1] == "* best by bic" and repr(found) == str(found)


def test_sizes_that_have_not_converged_say_so():
    X, y = three_lines(300, 6)
    with pytest.warns(ConvergenceWarning):
        found = select_n_experts(regressor(max_iter=1, tol=0.0), X, y, [2])
    assert "not converged" in str(found)


@pytest.mark.parametrize(
    "change, error, match",
    [
        ({"criterion": "dic"}, ValueError, "criterion"),
        ({"n_experts": []}, ValueError, "n_experts"),
        ({"n_experts": [0]}, ValueError, "n_experts"),
        ({"n_experts": [1.5]}, TypeError, "n_experts"),
    ],
)
def test_arguments_are_checked(change, error, match):
    X, y = three_lines(50, 0)
    with pytest.raises(error, match=match):
        select_n_experts(regressor(), X, y, **change)


def test_one_line_is_rejected_where_there_are_two():
    X, y = three_lines(150, 0, n_lines=2)
    test = bootstrap_lrt(regressor(1), X, y, n_bootstrap=19, random_state=0)
    assert test.p_value == 1 / 20 and test.statistic > test.draws.max()
    assert (test.null_estimator_.n_experts, test.estimator_.n_experts) == (1, 2)
    gain = test.estimator_.log_likelihood(X, y) - test.null_estimator_.log_likelihood(X, y)
    assert test.statistic == pytest.approx(2.0 * gain)
    assert "1 against 2 experts" in str(test)


def test_p_value_counts_draws():
    X, y, _ = make_mixture_of_experts(120, 1, 1, random_state=0)
    test = bootstrap_lrt(regressor(3), X, y, n_experts=1, n_bootstrap=9, random_state=0, n_jobs=2)
    again = bootstrap_lrt(regressor(1), X, y, n_bootstrap=9, random_state=0)
    np.testing.assert_array_equal(test.draws, again.draws)
    assert test.p_value == (1 + (test.draws >= test.statistic).sum()) / 10
    with pytest.raises(ValueError, match="n_bootstrap"):
        bootstrap_lrt(regressor(1), X, y, n_bootstrap=0)


@pytest.mark.slow
def test_the_test_holds_its_level_and_has_power():
    rejected = {1: [], 2: []}
    for seed in range(12):
        X, y = three_lines(200, seed, n_lines=2)
        for K in rejected:
            test = bootstrap_lrt(regressor(K, n_init=4), X, y, n_bootstrap=39, random_state=seed)
            rejected[K].append(test.p_value <= 0.05)
    print({K: np.mean(each) for K, each in rejected.items()})
    assert np.mean(rejected[1]) == 1.0 and np.mean(rejected[2]) <= 0.25
