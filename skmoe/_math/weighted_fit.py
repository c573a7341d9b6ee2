"""Fits of scikit-learn estimators under row weights."""

from sklearn import get_config
from sklearn.base import clone
from sklearn.utils.validation import has_fit_parameter


def fitted(estimator, X, y, weight):
    """Return a clone of the estimator, fitted to the rows that have any weight.

    Parameters
    ----------
    estimator : scikit-learn estimator
        Its ``fit`` takes ``sample_weight``, or it is a pipeline whose last step's does.
    X : ndarray of shape (n, d)
    y : ndarray of shape (n,) or (n, q)
    weight : ndarray of shape (n,)

    Raises
    ------
    TypeError
        If weights cannot be handed in.
    """
    kept = weight > 1e-10 * weight.max()
    model = clone(estimator)
    return model.fit(X[kept], y[kept], **{_argument(model): weight[kept]})


def _argument(model):
    """Return the name under which the model's ``fit`` takes weights."""
    if has_fit_parameter(model, "sample_weight"):
        return "sample_weight"
    if hasattr(model, "steps"):
        # With metadata routing the pipeline hands weights to the steps that request them.
        if get_config()["enable_metadata_routing"]:
            return "sample_weight"
        return f"{model.steps[-1][0]}__sample_weight"
    raise TypeError(f"{model!r} takes no sample_weight in fit.")
