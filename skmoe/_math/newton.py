"""Penalized Newton steps on sums over rows, for many regressions at once."""

import numpy as np

from skmoe._math.elastic_net import elastic_net
from skmoe._math.solve import solve_psd


def newton_step(coef, score, curvature, lasso, ridge):
    """Return the step (J, p) to the maximum of the penalized quadratic model at coef (J, p).

    Parameters
    ----------
    coef, score : ndarrays of shape (J, p)
        Where the model touches, and its slope there, without penalties.
    curvature : ndarray of shape (J, p, p)
        Minus its Hessian.
    lasso, ridge : ndarrays that broadcast to (J, p)
        Penalties lasso * |b| + ridge / 2 * b^2. Where any lasso is positive, coordinate ascent
        sets coefficients to exact zeros; else one solve does.
    """
    lasso, ridge = np.broadcast_to(lasso, coef.shape), np.broadcast_to(ridge, coef.shape)
    if not lasso.any():
        curved = curvature.copy()
        diagonal = np.arange(coef.shape[1])
        curved[:, diagonal, diagonal] += ridge
        return solve_psd(curved, (score - ridge * coef)[:, :, None])[:, :, 0]
    cross = score + np.einsum("jpq,jq->jp", curvature, coef)
    return elastic_net(curvature, cross, coef, lasso, ridge) - coef


def damped(step, curvature, mass):
    """Return what is left of Newton steps (J, p) where the logarithm of the mean is linear.

    With r the root mean square change of the linear predictor, log(1 + r) / r of the step cannot
    overshoot a generalized self-concordant likelihood (|f'''| <= |f''|), and close to the optimum
    all of it is left.

    Parameters
    ----------
    step : ndarray of shape (J, p)
    curvature : ndarray of shape (J, p, p)
    mass : ndarray of shape (J,)
        Sum of the rows' curvatures.

    References
    ----------
    Sun and Tran-Dinh (2019), Generalized self-concordant functions: a recipe for Newton-type
    methods, section 4.
    """
    square = np.einsum("jp,jpq,jq->j", step, curvature, step)
    reach = np.sqrt(np.maximum(square, 0.0) / np.maximum(mass, 1e-300))
    shrink = np.where(reach > 1e-8, np.log1p(reach) / np.maximum(reach, 1e-300), 1.0)
    return step * shrink[:, None]
