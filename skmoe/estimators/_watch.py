"""Who watches a fit: verbose printing and scikit-learn's callbacks, where it has them."""

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


__all__ = ["CallbackSupportMixin", "Watcher", "with_callbacks"]


class Watcher:
    """Told of every pass of the long run; says whether to stop.

    Parameters
    ----------
    estimator : estimator
        With ``verbose`` and, where supported, callbacks.
    max_iter : int
        Passes allowed.
    label : str, default="bound"
        What the number is called that is printed after each pass.
    """

    def __init__(self, estimator, max_iter, label="bound"):
        self.estimator = estimator
        self.label = label
        self.context = estimator._init_callback_context(max_subtasks=max_iter)

    def begin(self, X, y):
        """Say that the fit begins."""
        if self.context is not None:
            self.context.call_on_fit_task_begin(estimator=self.estimator, X=X, y=y)

    def end(self, X, y):
        """Say that the fit is over."""
        if self.context is not None:
            self.context.call_on_fit_task_end(estimator=self.estimator, X=X, y=y)

    def on_pass(self, n_passes, bound, theta):
        """Say that a pass is over; return whether a callback asks to stop."""
        if self.estimator.verbose:
            print(f"{type(self.estimator).__name__}: pass {n_passes}, {self.label} {bound:.6f}")
        if self.context is None:
            return False
        task = self.context.subcontext(task_name="pass")
        task.call_on_fit_task_begin(estimator=self.estimator)
        return task.call_on_fit_task_end(estimator=self.estimator)
