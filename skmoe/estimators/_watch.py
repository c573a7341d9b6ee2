"""Who watches a fit: verbose printing and scikit-learn's callbacks, where it has them."""

from math import inf
from threading import Lock

from skmoe.base import Fitter

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ImportError:  # scikit-learn before 1.9

    class CallbackSupportMixin:
        """Stands in where scikit-learn has no callbacks."""

        def _init_callback_context(self, **kwargs):
            return None

    def with_callbacks(method):
        """Return the method as it is."""
        return method


__all__ = ["CallbackSupportMixin", "Scout", "Watcher", "with_callbacks"]


class Watcher:
    """Told of every short run and of every pass of the long run; says whether to stop.

    The fit is a task of two: the search, whose tasks are its runs, and the climb, whose tasks are
    its passes.

    Parameters
    ----------
    estimator : estimator
        With ``verbose`` and, where supported, callbacks.
    data : dict
        What callbacks are told of the rows: X, y and metadata.
    searches : bool, default=False
        Whether a search comes before the climb.
    label : str, default="bound"
        What the number is called that is printed after each pass.

    Attributes
    ----------
    n_passes : int
        Passes of all short runs over the rows that they looked at.
    stopped : bool
        Whether a callback has asked to stop.
    best : Parameters or None
        Where the best short run so far has ended, for users who break the search off.
    """

    def __init__(self, estimator, data, searches=False, label="bound"):
        self.estimator, self.data, self.label = estimator, data, label
        self.n_passes, self.n_runs, self.stopped = 0, 0, False
        self.best, self._height = None, -inf
        self._lock = Lock()
        self._root = estimator._init_callback_context(max_subtasks=1 + searches)
        self._task = None

    def begin(self):
        """Say that the fit begins."""
        self._begin(self._root)

    def search(self):
        """Say that the search begins."""
        self._open("search", None)

    def on_run(self, result):
        """Say that a short run has ended with a FitResult."""
        with self._lock:
            self.n_runs += 1
            self.n_passes += result.n_passes
            height = result.bound / result.shares.sum()
            if height > self._height and self.estimator._may_end_at(result):
                self.best, self._height = result.theta, height
            self._print(f"run {self.n_runs}, {result.n_passes} passes, bound {result.bound:.6f}")
            if self._task is not None:
                run = self._task.subcontext(task_name="run")
                self._begin(run)
                self._end(run)

    def climb(self, max_iter):
        """Say that the climb of at most max_iter passes begins."""
        self._open("climb", max_iter)

    def on_pass(self, n_passes, bound, fitted):
        """Say that a pass is over; return whether a callback asks to stop.

        Parameters
        ----------
        n_passes : int
        bound : float
        fitted : callable or None
            Returns the attributes that make the estimator answer as it stands.
        """
        self._print(f"pass {n_passes}, {self.label} {bound:.6f}")
        if self._task is not None:
            task = self._task.subcontext(task_name="pass")
            self._begin(task)
            self._end(task, reconstruction_attributes=fitted)
        return self.stopped

    def end(self):
        """Say that the fit is over."""
        self._close()
        # The estimator itself has every attribute by now.
        self._end(self._root, reconstruction_attributes=dict)

    def _print(self, line):
        if self.estimator.verbose:
            print(f"{type(self.estimator).__name__}: {line}")

    def _open(self, name, most):
        self._close()
        if self._root is not None:
            self._task = self._root.subcontext(task_name=name, max_subtasks=most)
            self._begin(self._task)

    def _close(self):
        task, self._task = self._task, None
        self._end(task)

    def _begin(self, task):
        if task is not None:
            task.call_on_fit_task_begin(estimator=self.estimator, **self.data)

    def _end(self, task, **kwargs):
        if task is not None:
            asked = task.call_on_fit_task_end(estimator=self.estimator, **self.data, **kwargs)
            self.stopped = self.stopped or bool(asked)


class Scout(Fitter):
    """A fitter whose short runs are watched.

    Parameters
    ----------
    fitter : Fitter
        Does the work.
    watcher : Watcher or None
        None in other processes, which nobody watches.
    tol : float, default=0.0
        Least tolerance: a short run need not be more exact than the long one.
    """

    def __init__(self, fitter, watcher, tol=0.0):
        self.fitter = fitter
        self.watcher = watcher
        self.tol = tol

    def __reduce__(self):
        return Scout, (self.fitter, None, self.tol)

    def scout(self):
        return Scout(self.fitter.scout(), self.watcher, self.tol)

    def fit(self, mixture, theta, batches, *, max_iter, tol, on_pass=None):
        asked = on_pass if self.watcher is None else lambda *_: self.watcher.stopped
        tol = max(tol, self.tol)
        result = self.fitter.fit(mixture, theta, batches, max_iter=max_iter, tol=tol, on_pass=asked)
        if self.watcher is not None:
            self.watcher.on_run(result)
        if result.stop_reason == "interrupted":
            # A run that is broken off keeps its place; the search is over, too.
            raise KeyboardInterrupt
        return result
