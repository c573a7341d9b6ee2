"""What experts should see, and how many to begin with: sentences race over folds of the rows."""

from dataclasses import dataclass

import numpy as np
from joblib import Parallel, delayed
from sklearn.base import clone
from sklearn.utils import _safe_indexing

from skmoe.estimators._columns import most_columns
from skmoe.estimators._rows import canonical_training_set, joined, parted
from skmoe.features import QuadraticFeatures, SplineFeatures, SplineQuadraticFeatures

__all__ = ["Deal", "likeliest", "settings_for"]

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


@dataclass(frozen=True)
class Deal:
    """Distinct rows in sorted order, and the parts in which they are dealt out.

    Attributes
    ----------
    X, y, weight
        Of m rows.
    number, share : ndarray of shape (n_parts,)
        Which row each part is of, and how much of it.
    """

    X: object
    y: np.ndarray
    weight: np.ndarray
    number: np.ndarray
    share: np.ndarray

    @classmethod
    def of(cls, X, y, sample_weight):
        """Return the deal of what the user handed in, or None if it cannot be dealt out."""
        if y is None or any(hasattr(X, name) for name in ("toarray", "dask", "sweep")):
            return None
        rows, y, weight = canonical_training_set(X, y, sample_weight)
        if rows is X:
            # Rows that cannot be used are for the fit itself to refuse.
            return None
        weight = np.ones(len(y)) if weight is None else weight
        return cls(rows, y, weight, *parted(rows, weight))

    def part(self, chosen):
        """Return X, y and weight of some of the parts, joined again."""
        numbers, share = joined(self.number[chosen], self.share[chosen])
        return _safe_indexing(self.X, numbers), self.y[numbers], self.weight[numbers] * share


def settings_for(deal, n_experts):
    """Return bases that a `Deal` of rows can fill, each with a number of experts; a list of pairs.

    The first are the columns themselves, None, and they are alone where the rows are too few, or
    cannot be used.
    """
    plain = [(None, n_experts)]
    n_parts = 0 if deal is None else len(deal.number)
    if n_parts < LEAST_ROWS:
        return plain
    n_features = np.shape(deal.X)[1]
    most = most_columns(min(n_parts, MOST_ROWS))
    fitting = [clone(basis) for basis in BASES if basis.n_columns(n_features) <= most]
    many = fitting[:1] if n_experts > FEW else []
    numbered = [(basis, n_experts) for basis in many]
    return plain + numbered + [(basis, min(FEW, n_experts)) for basis in fitting]


def likeliest(trials, deal, n_jobs=None):
    """Return the number of the trial that makes rows which it has not seen likeliest.

    Parameters
    ----------
    trials : list of mixtures
        Unfitted; `log_density` has one of them learn, and judges it by rows held out.
    deal : Deal
        The rows.
    n_jobs : int or None, default=None
        Trials side by side; the answer does not depend on it.

    Notes
    -----
    Folds are held out one after the other. After each, trials leave that lie significantly
    behind: what differs much is told by few folds.
    """
    order = np.random.RandomState(0).permutation(len(deal.number))[:MOST_ROWS]
    folds = np.array_split(order, FOLDS)
    logs, counts = {trial: [] for trial in range(len(trials))}, []
    with Parallel(n_jobs=n_jobs, prefer="threads") as parallel:
        for held_out in folds:
            own, others = deal.part(np.setdiff1d(order, held_out)), deal.part(held_out)
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
    told = {trial: np.concatenate(found) for trial, found in logs.items()}
    order = sorted(told, key=lambda trial: -(weight @ told[trial]))
    best, total = told[order[0]], weight.sum()
    kept = {order[0]: logs[order[0]]}
    for trial in order[1:]:
        behind = best - told[trial]
        mean = weight @ behind / total
        error = np.sqrt(weight @ np.square(behind - mean)) / total
        if mean < FAR_BEHIND * error:
            kept[trial] = logs[trial]
    return kept
