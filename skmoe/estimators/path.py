"""A path of penalties, each fit going on from the one before."""

from copy import deepcopy

import numpy as np
from sklearn.base import clone
from sklearn.utils import Bunch

from skmoe._math.checks import check_number

__all__ = ["regularization_path"]


def regularization_path(
    estimator, X, y, alphas, *, parameters=("experts__alpha", "gate__alpha"), **fit_params
):
    """Fit a mixture under one penalty after the other, from the weakest to the strongest.

    Every fit starts where the one before ended, so that experts keep their places and numbers
    along the path, and coefficients leave one by one under a lasso.

    Parameters
    ----------
    estimator : mixture of experts
        With ``warm_start`` among its parameters; it is cloned.
    X : array-like of shape (n_samples, n_features)
        Rows to fit.
    y : array-like of shape (n_samples,) or (n_samples, n_targets)
        Their answers.
    alphas : array-like of shape (n_alphas,)
        Penalties, in any order.
    parameters : sequence of str, default=("experts__alpha", "gate__alpha")
        Which of the estimator's parameters are set to each alpha.
    **fit_params : dict
        Passed to ``fit``: ``sample_weight``, ``offset``, ``groups``.

    Returns
    -------
    Bunch
        With the entries

        - ``alphas`` : ndarray of shape (n_alphas,). In rising order.
        - ``estimators`` : list of fitted estimators.
        - ``coefs``, ``gate_coefs`` : ndarrays of shape (n_alphas, n_experts, ...), or None. Where
          experts and gate publish coefficients.
        - ``n_parameters`` : ndarray of shape (n_alphas,), int. Free parameters; zeros do not count.
        - ``bounds`` : ndarray of shape (n_alphas,).

    References
    ----------
    Friedman, Hastie and Tibshirani (2010), Regularization paths for generalized linear models via
    coordinate descent.

    Examples
    --------
    >>> from skmoe import MixtureOfExpertsRegressor, regularization_path
    >>> from skmoe.datasets import load_ethanol
    >>> X, y = load_ethanol(return_X_y=True)
    >>> est = MixtureOfExpertsRegressor(2, n_init=4, random_state=0)
    >>> est = est.set_params(experts__l1_ratio=1.0, gate__l1_ratio=1.0)
    >>> path = regularization_path(est, X, y, [0.1, 1.0, 10.0])
    >>> bool((path.n_parameters[1:] <= path.n_parameters[:-1]).all())
    True
    """
    alphas = np.sort(np.asarray(alphas, dtype=np.float64).ravel())
    if not len(alphas):
        raise ValueError("alphas is empty; at least one penalty is needed.")
    for alpha in alphas:
        check_number("alphas", float(alpha))
    walker = clone(estimator).set_params(warm_start=True)
    estimators = []
    for alpha in alphas:
        walker.set_params(**dict.fromkeys(parameters, float(alpha))).fit(X, y, **fit_params)
        estimators.append(deepcopy(walker))
    return Bunch(
        alphas=alphas,
        estimators=estimators,
        coefs=_stacked(estimators, "coef_"),
        gate_coefs=_stacked(estimators, "gate_coef_"),
        n_parameters=np.array([each.n_parameters_ for each in estimators]),
        bounds=np.array([each.lower_bound_ for each in estimators]),
    )


def _stacked(estimators, name):
    """Return an attribute of all estimators (n_alphas, ...), or None where there is none."""
    if not hasattr(estimators[0], name):
        return None
    return np.stack([getattr(each, name) for each in estimators])
