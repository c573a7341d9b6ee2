"""The sums of a pass for arrays of other libraries, on their own devices (array API standard).

Each function is the namesake of one for numpy arrays, which hands it arrays that are not numpy's;
see there for shapes. Parameters come from numpy, and sums over rows return to it: they are small.
"""

import numpy as np
from sklearn.utils._array_api import _convert_to_numpy

from skmoe._math.pairs import MOST_PAIRED, pairs

__all__ = ["everywhere", "is_elsewhere", "namespace_of"]

_LOG_2PI = float(np.log(2.0 * np.pi))


def is_elsewhere(array):
    """Return whether an object is an array of another library than numpy."""
    if isinstance(array, np.ndarray | np.generic):
        return False
    return hasattr(array, "__array_namespace__") or type(array).__module__ == "torch"


def everywhere(function):
    """Let a function of numpy arrays pass others on to its namesake in this module."""
    elsewhere = globals()[function.__name__]

    def either(array, *args):
        return (elsewhere if is_elsewhere(array) else function)(array, *args)

    either.__name__, either.__doc__ = function.__name__, function.__doc__
    either.__wrapped__ = function
    return either


def namespace_of(array):
    """Return the namespace of an array: functions under the names of the standard."""
    if hasattr(array, "__array_namespace__"):
        return array.__array_namespace__()
    try:
        from sklearn.externals.array_api_compat import array_namespace
    except ImportError:  # scikit-learn before 1.7
        from array_api_compat import array_namespace
    return array_namespace(array)


def near(values, like):
    """Return numpy values as an array of the library, precision and device of another one."""
    xp = namespace_of(like)
    return xp.asarray(np.ascontiguousarray(values), dtype=like.dtype, device=like.device)


def beside(values, like):
    """Return numpy values, in their precision, as an array on the device of another one."""
    return namespace_of(like).asarray(np.ascontiguousarray(values), device=like.device)


def home(array):
    """Return a small array as numpy's, float64."""
    return view(array).astype(np.float64, copy=False)


def view(array):
    """Return an array as numpy's: without a copy where it is in the computer's own memory."""
    if isinstance(array, np.ndarray):
        return array
    try:
        return np.from_dlpack(array)
    except (BufferError, RuntimeError, TypeError, ValueError):
        return _convert_to_numpy(array, namespace_of(array))


def as_floats(array, dtype):
    """Return an array in a floating-point precision given as numpy's."""
    xp = namespace_of(array)
    return xp.astype(array, getattr(xp, np.dtype(dtype).name), copy=False)


def as_table(array):
    """Return an array (n,) or (n, q) as (n, q)."""
    xp = namespace_of(array)
    return array if array.ndim == 2 else xp.reshape(array, (array.shape[0], -1))


def columns(array, index):
    """Return the columns numbered in ``index`` (p,)."""
    xp = namespace_of(array)
    return xp.take(array, xp.asarray(index, device=array.device), axis=1)


def all_finite(array):
    xp = namespace_of(array)
    return bool(xp.all(xp.isfinite(array)))


def least(values):
    return float(namespace_of(values).min(values)) if values.shape[0] else np.inf


def total(values):
    return float(namespace_of(values).sum(values))


def row_totals(values):
    return namespace_of(values).sum(values, axis=1)


def column_totals(values):
    return home(namespace_of(values).sum(values, axis=0))


def weighted_total(values, weight):
    return float(namespace_of(values).sum(values * weight))


def moments(A, weight):
    xp = namespace_of(A)
    weighed = total(weight)
    mean = xp.sum(A * weight[:, None], axis=0) / (weighed or 1.0)
    # A second look takes out what the first sum lost to rounding.
    mean = mean + xp.sum((A - mean) * weight[:, None], axis=0) / (weighed or 1.0)
    square = xp.sum((A - mean) ** 2 * weight[:, None], axis=0)
    return home(mean), home(square)


def standardized(A, mean, scale, constant):
    held = np.where(constant, 0.0, 1.0 / scale)
    return (A - near(mean, A)) * near(held, A)


def linear(X, coef, intercept):
    return X @ near(coef.T, X) + near(intercept, X)


def lines(X, coef, intercept):
    xp = namespace_of(X)
    K, q, d = coef.shape
    flat = linear(X, coef.reshape(K * q, d), intercept.ravel())
    return xp.reshape(flat, (X.shape[0], K, q))


def residuals(y, means):
    return (y[:, None, :] if y.ndim == 2 else y) - means


def weighted_grams(X, weight):
    xp = namespace_of(X)
    design = _with_ones(xp, X)
    turned = xp.permute_dims(design, (1, 0))
    grams = [(turned * weight[:, j]) @ design for j in range(weight.shape[1])]
    return home(xp.stack(grams))


def weighted_crosses(X, weight):
    xp = namespace_of(X)
    return home(xp.permute_dims(weight, (1, 0)) @ _with_ones(xp, X))


def weighted_products(X, y, weight):
    xp = namespace_of(X)
    design = xp.permute_dims(_with_ones(xp, X), (1, 0))
    weighed = [y * weight[:, k : k + 1] for k in range(weight.shape[1])]
    cross = xp.stack([design @ each for each in weighed])
    square = xp.stack([xp.permute_dims(each, (1, 0)) @ y for each in weighed])
    return home(cross), home(square)


def curvature_weights(probability, total):
    n_classes = probability.shape[1]
    weighted = probability * total[:, None]
    if n_classes > MOST_PAIRED:
        return weighted
    products = [weighted[:, j] * probability[:, k] for j, k in zip(*pairs(n_classes), strict=True)]
    xp = namespace_of(probability)
    return xp.stack(products, axis=1) if products else weighted[:, :0]


def pool_and_share(logs):
    xp = namespace_of(logs)
    top = xp.max(logs, axis=1)
    lost = ~xp.isfinite(top)
    base = xp.where(lost, xp.zeros_like(top), top)
    share = xp.exp(xp.where(lost[:, None], xp.zeros_like(logs), logs - base[:, None]))
    sums = xp.sum(share, axis=1)
    return xp.where(lost, top, base + xp.log(sums)), share / sums[:, None]


def log_softmax(scores):
    xp = namespace_of(scores)
    shifted = scores - xp.max(scores, axis=1)[:, None]
    return shifted - xp.log(xp.sum(xp.exp(shifted), axis=1))[:, None]


def softmax(scores):
    xp = namespace_of(scores)
    share = xp.exp(scores - xp.max(scores, axis=1)[:, None])
    return share / xp.sum(share, axis=1)[:, None]


def sum_of_squares(residual, inverse=None):
    xp = namespace_of(residual)
    scaled = residual if inverse is None else residual * near(inverse, residual)
    return xp.sum(scaled**2, axis=-1)


def whitened_squares(residual, whitener):
    xp = namespace_of(residual)
    n_experts = residual.shape[1]
    each = np.broadcast_to(whitener, (n_experts, *whitener.shape[1:]))
    white = [residual[:, k, :] @ near(each[k].T, residual) for k in range(n_experts)]
    return xp.stack([xp.sum(own**2, axis=1) for own in white], axis=1)


def normal_log_prob(square, precision, log_variance, n_outputs):
    half = -0.5 * square
    if precision is not None:
        half = half * near(precision, square)
    return half - near(0.5 * n_outputs * (log_variance + _LOG_2PI), square)


def blend(weights, means):
    return namespace_of(means).sum(weights[:, :, None] * means, axis=1)


def _with_ones(xp, X):
    ones = xp.ones((X.shape[0], 1), dtype=X.dtype, device=X.device)
    return xp.concat([ones, X], axis=1)
