"""What experts should see, and how many to begin with: sentences race over folds of the rows."""

import numpy as np
from joblib import Parallel, delayed
from sklearn.base import clone
from sklearn.utils import _safe_indexing

from skmoe.estimators._columns import most_columns
from skmoe.estimators._rows import canonical_training_set
from skmoe.features import QuadraticFeatures, SplineFeatures, SplineQuadraticFeatures

__all__ = ["likeliest", "settings_for"]

#: Few experts do where each of them bends.
FEW = 4
BASES = (
    QuadraticFeatures(),
    SplineFeatures(5),
    SplineQuadraticFeatures(4),
    SplineQuadraticFeatures(6),
)
# From so many rows on, it can be told; from so many of them it is.
LEAST_ROWS, MOST_ROWS = 100, 2500
FOLDS = 4
# A sentence is given up that lies so many standard errors behind the best one.
FAR_BEHIND = 1.0


def settings_for(X, y, n_experts):
    """Return bases that these rows can fill, each with a number of experts; a list of pairs.

    The first are the columns themselves, None, and they are alone where the rows cannot be used.
    """
    plain = [(None, n_experts)]
    if y is None or any(hasattr(X, name) for name in ("toarray", "dask", "sweep")):
        return plain
    shape = np.shape(np.asarray(X))
    if len(shape) != 2 or shape[0] != len(np.asarray(y)) or shape[0] < LEAST_ROWS:
        return plain
    most = most_columns(min(shape[0], MOST_ROWS))
    fitting = [clone(basis) for basis in BASES if basis.n_columns(shape[1]) <= most]
    many = fitting[:1] if n_experts > FEW else []
    numbered = [(basis, n_experts) for basis in many]
    return plain + numbered + [(basis, min(FEW, n_experts)) for basis in fitting]


def likeliest(trials, X, y, sample_weight, n_jobs=None):
    """Return the number of the trial that makes rows which it has not seen likeliest.

    Parameters
    ----------
    trials : list of mixtures
        Unfitted; `log_density` has one of them learn, and judges it by rows held out.
    X, y, sample_weight
        As the user handed them in.
    n_jobs : int or None, default=None
        Trials side by side; the answer does not depend on it.

    Notes
    -----
    Folds are held out one after the other. After each, trials leave that lie significantly
    behind: what differs much is told by few folds.
    """
    rows, y, weight = canonical_training_set(X, y, sample_weight)
    if rows is X:
        # Rows that cannot be used are for the fit itself to refuse.
        return 0
    weight = np.ones(len(y)) if weight is None else weight
    order = np.random.RandomState(0).permutation(len(weight))[:MOST_ROWS]
    folds = np.array_split(order, FOLDS)
    logs, counts = {trial: [] for trial in range(len(trials))}, []
    with Parallel(n_jobs=n_jobs, prefer="threads") as parallel:
        for held_out in folds:
            seen = np.sort(np.setdiff1d(order, held_out))
            own, others = (
                (_safe_indexing(rows, each), y[each], weight[each]) for each in (seen, held_out)
            )
            counts.append(others[-1])
            found = parallel(delayed(trials[trial].log_density)(own, others) for trial in logs)
            for trial, log in zip(logs, found, strict=True):
                logs[trial].append(log)
            logs = _without_losers(logs, np.concatenate(counts))
            if len(logs) == 1:
                break
    return next(iter(logs))


def _without_losers(logs, weight):
    """Return the logs of trials that may still win, the best first."""
    joined = {trial: np.concatenate(found) for trial, found in logs.items()}
    order = sorted(joined, key=lambda trial: -(weight @ joined[trial]))
    best, total = joined[order[0]], weight.sum()
    kept = {order[0]: logs[order[0]]}
    for trial in order[1:]:
        behind = best - joined[trial]
        mean = weight @ behind / total
        error = np.sqrt(weight @ np.square(behind - mean)) / total
        if mean < FAR_BEHIND * error:
            kept[trial] = logs[trial]
    return kept
