"""Fitted scikit-learn estimators as layers, so that they can learn on together with a gate."""

from collections.abc import Callable
from copy import deepcopy
from typing import NamedTuple

import numpy as np
from sklearn.base import is_classifier

from skmoe.batches import Standardizer
from skmoe.estimators._network import no_scaling
from skmoe.neural.blend import Placed
from skmoe.neural.layers import Activated, Layer, Linear, Sequential, Softmax
from skmoe.neural.parameters import Layout
from skmoe.neural.run import Run

__all__ = ["Pupil", "pupil_of"]

# How far a layer's answers may lie from the estimator's, in standard deviations of y.
_SAME = 1e-5


class Pupil(NamedTuple):
    """An estimator that learns on.

    Attributes
    ----------
    columns : ndarray of shape (n, p)
        What its layer sees of the rows.
    layer : skmoe.neural.layers.Layer
        Answers (n, q) in standardized units.
    start : ndarray of shape (size,)
        Its numbers as they are.
    write : callable
        ``write(theta) -> estimator``: a copy with other numbers.
    """

    columns: np.ndarray
    layer: Layer
    start: np.ndarray
    write: Callable


def pupil_of(name, model, raw, answers, y_scaling, classes):
    """Return the `Pupil` that a fitted estimator becomes.

    Parameters
    ----------
    name : str
        Of the expert, for messages.
    model : estimator
    raw : array-like of shape (n, d)
        The rows as experts see them.
    answers : ndarray of shape (n, q)
        Its standardized answers for them; the layer has to give the same.
    y_scaling : Standardizer
    classes : ndarray of shape (q,) or None
        All classes, for classifiers.

    Raises
    ------
    ValueError
        If the estimator is not differentiable, or its answers are not those of its numbers.
    """
    pupil = None
    if getattr(model, "fit_intercept", True):
        pupil = _pupil(model, raw, y_scaling)
    if pupil is not None:
        pupil = _with_all_classes(pupil, model, classes)
        views = Layout(pupil.layer.specs()).views(pupil.start)
        found, _ = pupil.layer.forward(views, pupil.columns, Run())
    if pupil is None or not np.allclose(found, answers, rtol=_SAME, atol=_SAME):
        raise ValueError(
            f"joint=True: experts {name!r}, {model!r}, is not differentiable; allowed are linear "
            "models and logistic regressions with an intercept, multilayer perceptrons, "
            "TimeDelayClassifier, and pipelines that end in one of them."
        )
    return pupil


def _pupil(model, raw, y_scaling):
    if hasattr(model, "steps"):
        return _of_pipeline(model, raw, y_scaling)
    if hasattr(model, "as_layer"):
        return Pupil(*model.as_layer(raw))
    columns = np.asarray(raw, dtype=np.float64)
    if columns.ndim != 2:
        return None
    if hasattr(model, "coefs_") and hasattr(model, "out_activation_"):
        return _of_perceptron(model, columns, y_scaling)
    if hasattr(model, "coef_") and hasattr(model, "intercept_"):
        return _of_line(model, columns, y_scaling)
    return None


def _of_pipeline(pipeline, raw, y_scaling):
    last_name, last = pipeline.steps[-1]
    seen = pipeline[:-1].transform(raw) if len(pipeline.steps) > 1 else raw
    inner = _pupil(last, seen, y_scaling)
    if inner is None:
        return None

    def write(theta):
        written = deepcopy(pipeline)
        written.steps[-1] = (last_name, inner.write(theta))
        return written

    return inner._replace(write=write)


def _with_all_classes(pupil, model, classes):
    """Return the pupil with its probabilities in the columns of all classes."""
    if classes is None or len(model.classes_) == len(classes):
        return pupil
    place = Placed(np.searchsorted(classes, model.classes_), len(classes))
    # One without numbers of its own leaves the flat vector as it is.
    return pupil._replace(layer=Sequential(own=pupil.layer, place=place))


def _of_line(model, columns, y_scaling):
    """Return a linear or logistic model as affine map (and softmax) of standardized columns."""
    coef = np.atleast_2d(np.asarray(model.coef_, dtype=np.float64))
    intercept = np.ravel(model.intercept_).astype(np.float64)
    x_scaling = _unweighted(columns)

    def write(theta):
        W = theta.reshape(len(x_scaling.mean) + 1, -1)
        written = deepcopy(model)
        new_coef, new_intercept = _from_standard(W, coef, x_scaling, y_units)
        if binary:
            new_coef, new_intercept = np.diff(new_coef, axis=0), np.diff(new_intercept)
        written.coef_ = new_coef.reshape(np.shape(model.coef_))
        written.intercept_ = new_intercept.reshape(np.shape(model.intercept_))
        return written

    binary = is_classifier(model) and len(model.classes_) == 2 and len(coef) == 1
    if binary:
        # sigmoid(z) is the second of the softmax of (-z / 2, z / 2).
        coef, intercept = np.vstack([-coef, coef]) / 2, np.append(-intercept, intercept) / 2
    y_units = no_scaling(len(coef)) if is_classifier(model) else y_scaling
    W = _to_standard(coef, intercept, x_scaling, y_units)
    layers = {"line": Linear(len(x_scaling.mean), len(coef))}
    if is_classifier(model):
        layers["share"] = Softmax()
    return Pupil(x_scaling.apply(columns), Sequential(**layers), W.ravel(), write)


def _of_perceptron(model, columns, y_scaling):
    if model.out_activation_ not in ("identity", "softmax", "logistic"):
        return None
    x_scaling, sizes = _unweighted(columns), [len(W) for W in model.coefs_]
    coefs = [np.asarray(W, np.float64).T for W in model.coefs_]
    intercepts = [np.asarray(b, np.float64) for b in model.intercepts_]
    binary = model.out_activation_ == "logistic"
    if binary:
        if model.n_outputs_ != 1:
            return None
        coefs[-1] = np.vstack([-coefs[-1], coefs[-1]]) / 2
        intercepts[-1] = np.append(-intercepts[-1], intercepts[-1]) / 2
    scalings = _scalings_of_layers(coefs, x_scaling, is_classifier(model), y_scaling)
    layers, tables = {}, []
    for i, (coef, intercept) in enumerate(zip(coefs, intercepts, strict=True)):
        tables.append(_to_standard(coef, intercept, *scalings[i]))
        layers[f"line{i}"] = Linear(coef.shape[1], len(coef))
        if i < len(coefs) - 1:
            layers[f"bend{i}"] = Activated(model.activation)
    if is_classifier(model):
        layers["share"] = Softmax()

    def write(theta):
        written, start = deepcopy(model), 0
        for i, coef in enumerate(coefs):
            stop = start + (sizes[i] + 1) * len(coef)
            table = theta[start:stop].reshape(sizes[i] + 1, len(coef))
            new_coef, new_intercept = _from_standard(table, coef, *scalings[i])
            if binary and i == len(coefs) - 1:
                new_coef, new_intercept = np.diff(new_coef, axis=0), np.diff(new_intercept)
            written.coefs_[i], written.intercepts_[i] = new_coef.T.copy(), new_intercept
            start = stop
        return written

    start = np.concatenate([table.ravel() for table in tables])
    return Pupil(x_scaling.apply(columns), Sequential(**layers), start, write)


def _scalings_of_layers(coefs, x_scaling, classifies, y_scaling):
    """Return the standardizers of what goes into and comes out of every layer."""
    ins = [x_scaling] + [no_scaling(coef.shape[1]) for coef in coefs[1:]]
    outs = [no_scaling(len(coef)) for coef in coefs[:-1]]
    outs.append(no_scaling(len(coefs[-1])) if classifies else y_scaling)
    return list(zip(ins, outs, strict=True))


def _to_standard(coef, intercept, x_scaling, y_scaling):
    """Return the table (p + 1, q) of an affine map between standardized columns."""
    slopes = np.where(x_scaling.constant, 0.0, coef * x_scaling.scale)
    level = intercept + coef @ x_scaling.mean - y_scaling.mean
    return np.vstack([slopes.T, level]) / y_scaling.scale


def _from_standard(table, coef, x_scaling, y_scaling):
    """Return slopes (q, p) and intercepts (q,) in the units of the data; undoes `_to_standard`.

    Columns that do not vary keep the slopes ``coef`` that they had.
    """
    table = table * y_scaling.scale
    slopes = np.where(x_scaling.constant, coef, table[:-1].T / x_scaling.scale)
    return slopes, table[-1] + y_scaling.mean - slopes @ x_scaling.mean


def _unweighted(columns):
    return Standardizer.of(columns, np.ones(len(columns)))
