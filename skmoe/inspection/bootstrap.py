"""The bootstrap: fits to data that might have been."""

import warnings
from copy import deepcopy

import numpy as np
from joblib import Parallel, delayed
from sklearn.utils import check_random_state

__all__ = ["bootstrap"]

KINDS = ("bootstrap", "parametric_bootstrap")


def bootstrap(est, data, kind, n_bootstrap, random_state):
    """Return fits to resampled data, each going on from the fitted estimator.

    Experts keep their numbers, since every fit starts where the estimator is.

    Parameters
    ----------
    est : fitted mixture
    data : tuple
        X, y, sample_weight and a dict of what ``fit`` takes beside: ``offset``.
    kind : {"bootstrap", "parametric_bootstrap"}
        Rows drawn again with replacement, or answers drawn from the mixture.
    n_bootstrap : int
    random_state : int, RandomState or None

    Returns
    -------
    list of fitted estimators
    """
    rng = check_random_state(random_state)
    seeds = rng.randint(np.iinfo(np.int32).max, size=n_bootstrap)
    redraw = _answers if kind == "parametric_bootstrap" else _rows
    return Parallel(n_jobs=est.n_jobs)(
        delayed(_refit)(est, redraw, data, int(seed)) for seed in seeds
    )


def _refit(est, redraw, data, seed):
    y, weight = redraw(est, data, seed)
    again = deepcopy(est).set_params(warm_start=True, n_jobs=None, verbose=0)
    with warnings.catch_warnings():
        # Hundreds of fits would say the same.
        warnings.simplefilter("ignore")
        return again.fit(data[0], y, sample_weight=weight, **data[3])


def _answers(est, data, seed):
    """Return answers that the mixture might have given, and the weights of the rows."""
    X, _, weight, others = data
    return est.sample(X, random_state=seed, **others), weight


def _rows(est, data, seed):
    """Return the answers as they are, and how often rows were drawn."""
    _, y, weight, _ = data
    weight = np.ones(len(y)) if weight is None else np.asarray(weight, dtype=np.float64)
    # Weights that average less than one are no numbers of rows.
    n_drawn = max(len(y), round(weight.sum()))
    drawn = np.random.RandomState(seed).multinomial(n_drawn, weight / weight.sum())
    return y, drawn.astype(np.float64)
