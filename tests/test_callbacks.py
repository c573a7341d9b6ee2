"""Who watches a fit: verbose printing and scikit-learn's callbacks."""

import re
import warnings

import joblib
import numpy as np
import pytest
from _problems import (
    problem,
    regressor,
)
from sklearn.exceptions import ConvergenceWarning

from skmoe import MixtureOfExpertsClassifier

# Problems of a few rows have no use for every expert; test_bad_input.py reads what is said then.
pytestmark = pytest.mark.filterwarnings("ignore:Experts .* may be too many")


def test_verbose_prints_a_line_a_run_and_a_pass(capsys):
    X, y = problem()
    est = regressor(verbose=1).fit(X, y)
    lines = capsys.readouterr().out.strip().splitlines()
    runs = [
        int(re.search(r": run \d+, (\d+) passes", line)[1]) for line in lines if ": run" in line
    ]
    passes = [line for line in lines if ": pass" in line]
    assert len(runs) + len(passes) == len(lines)
    assert len(passes) == est.n_passes_ and sum(runs) == est.n_search_passes_ > est.n_init
    regressor().fit(X, y)
    assert capsys.readouterr().out == ""


class Counter:
    """Counts the tasks of a fit, and stops it if asked to."""

    def __init__(self, stop_after=None, task="pass"):
        self.stop_after, self.task = stop_after, task
        self.ended, self.set_up, self.torn_down = [], 0, 0

    def setup(self, estimator, context):
        self.set_up += 1

    def teardown(self, estimator, context):
        self.torn_down += 1

    def on_fit_task_begin(self, estimator, context, **kwargs):
        pass

    def on_fit_task_end(self, estimator, context, **kwargs):
        self.ended.append(context.task_name)
        return self.stop_after is not None and self.ended.count(self.task) >= self.stop_after


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
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        est.fit(X, y)
    assert est.n_passes_ == 3 and "callback" in est.stop_reason_ and not est.converged_
    assert np.isfinite(est.predict(X)).all()


def test_callbacks_stop_the_search():
    pytest.importorskip("sklearn.callback")
    X, y = problem(K=3, noise=1.0, gate_slope=0.5)
    whole = regressor(3, n_init=8).fit(X, y)
    est = regressor(3, n_init=8).set_callbacks(Counter(stop_after=2, task="run")).fit(X, y)
    assert est.n_passes_ == 1 and est.n_search_passes_ < 0.5 * whole.n_search_passes_
    assert "callback" in est.stop_reason_ and np.isfinite(est.predict(X)).all()


def test_scores_are_monitored():
    callback = pytest.importorskip("sklearn.callback")
    X, y = problem(K=3, noise=1.0, gate_slope=0.5)
    for kwargs, weight in (({}, None), ({"expert_features": [0, 1]}, np.arange(len(y)) % 3)):
        monitor = callback.ScoringMonitor(scoring="r2")
        est = regressor(3, **kwargs).set_callbacks(monitor).fit(X, y, sample_weight=weight)
        log = [row for row in monitor.get_logs().data if row["task_name"] in ("pass", "fit")]
        scores = [row["r2"] for row in log if row["task_name"] == "pass"]
        assert len(scores) == est.n_passes_ and len(log) == est.n_passes_ + 1
        final = est.score(X, y, sample_weight=weight)
        assert scores[-1] == pytest.approx(final, abs=1e-4)
        assert log[0]["r2"] == final if log[0]["task_name"] == "fit" else log[-1]["r2"] == final


def test_scores_of_classifiers_are_monitored():
    callback = pytest.importorskip("sklearn.callback")
    X, y = problem()
    monitor = callback.ScoringMonitor(scoring="neg_log_loss")
    est = MixtureOfExpertsClassifier(2, n_init=2, random_state=0)
    est.set_callbacks(monitor).fit(X, np.where(y > y.mean(), "high", "low"))
    scores = [row for row in monitor.get_logs().data if row["task_name"] == "pass"]
    assert len(scores) == est.n_passes_


def test_the_search_is_seen():
    pytest.importorskip("sklearn.callback")
    X, y = problem()
    counter = Counter()
    est = regressor(n_init=4, warm_start=True).set_callbacks(counter).fit(X, y)
    assert counter.ended.count("run") >= 4 and "search" in counter.ended
    counter.ended.clear()
    est.fit(X, y)
    assert "search" not in counter.ended and counter.ended.count("climb") == 1
    assert est.n_search_passes_ == 0


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_passes_of_the_search_are_counted(n_jobs):
    X, y = problem()
    with joblib.parallel_config(backend="threading"):
        est = regressor(n_jobs=n_jobs).fit(X, y)
    assert est.n_search_passes_ == regressor().fit(X, y).n_search_passes_ > est.n_passes_


def test_the_search_runs_in_other_processes():
    X, y = problem(100)
    with joblib.parallel_config(backend="loky"):
        est = regressor(n_jobs=2).set_params(verbose=0).fit(X, y)
    np.testing.assert_array_equal(est.coef_, regressor().fit(X, y).coef_)


@pytest.mark.parametrize("kind", ["passes", "experts"])
def test_warnings_point_at_the_caller(kind):
    X, y = problem(K=3, noise=1.0, gate_slope=0.5)
    est = regressor(3, max_iter=2) if kind == "passes" else regressor(30)
    rows = slice(None) if kind == "passes" else slice(40)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        est.fit(X[rows], y[rows])
    assert caught and all(warning.filename == __file__ for warning in caught)


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
