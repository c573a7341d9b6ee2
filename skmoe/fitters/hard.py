"""Hard EM: whatever is climbed in the end, rows go to their best expert alone."""

from dataclasses import replace

from skmoe.base import Fitter
from skmoe.criteria import Classification
from skmoe.fitters.em import EM

__all__ = ["HardEM"]


class HardEM(Fitter):
    """Winner-take-all training: each pass gives every row to its best expert alone.

    Notes
    -----
    EM on the classification likelihood sum_n max_k (log g_k(x_n) + log p_k(y_n | x_n)), whatever
    the criterion of the sentence: its answers then still blend (``criterion="likelihood"``) or ask
    the top expert alone (``"classification"``). A pass needs no exponentials and experts become
    sharp, at the price of estimates that are biased where experts overlap.

    References
    ----------
    Celeux and Govaert (1992), A classification EM algorithm for clustering and two stochastic
    versions.

    Examples
    --------
    >>> from skmoe import MixtureOfExpertsRegressor
    >>> X, y = [[i] for i in range(10)], [0, 1, 3, 3, 4, 4, 3, 1, 1, 0]
    >>> MixtureOfExpertsRegressor(2, fitter="hard_em", random_state=0).fit(X, y).n_iter_ > 0
    True
    """

    def fit(self, mixture, theta, batches, *, max_iter, tol, on_pass=None):
        if not mixture.criterion.is_likelihood:
            raise ValueError(
                "fitter=HardEM() deals out rows by likelihood, and "
                f"criterion={mixture.criterion!r} is none."
            )
        hard = replace(mixture, criterion=Classification())
        return EM().fit(hard, theta, batches, max_iter=max_iter, tol=tol, on_pass=on_pass)
