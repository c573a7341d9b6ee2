"""Who watches a fit: verbose printing and scikit-learn's callbacks."""

import numpy as np
import pytest
from _problems import (
    problem,
    regressor,
)
from sklearn.exceptions import ConvergenceWarning

# Problems of a few rows have no use for every expert; test_bad_input.py reads what is said then.
pytestmark = pytest.mark.filterwarnings("ignore:Experts .* lost their rows")


def test_verbose_prints_a_line_a_pass(capsys):
    X, y = problem()
    est = regressor(verbose=1).fit(X, y)
    lines = capsys.readouterr().out.strip().splitlines()
    assert len(lines) == est.n_passes_
    regressor().fit(X, y)
    assert capsys.readouterr().out == ""


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
