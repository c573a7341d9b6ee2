"""How parameters move, and what is handed back."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from sklearn.base import BaseEstimator

from skmoe.base.parameters import Parameters

__all__ = ["FitResult", "Fitter"]


@dataclass(frozen=True)
class FitResult:
    """What a fitter hands back.

    Attributes
    ----------
    theta : Parameters
        The best parameters reached.
    bounds : tuple of float
        The bound held after each pass over the rows; never falling where the parts are monotone.
    shares : ndarray of shape (K,)
        Weight of rows each expert is responsible for.
    n_iter : int
        Accepted moves.
    converged : bool
    stop_reason : str
    """

    theta: Parameters
    bounds: tuple
    shares: np.ndarray
    n_iter: int
    converged: bool
    stop_reason: str

    @property
    def bound(self):
        """The bound at ``theta``: weighted evidence summed over rows, plus penalties."""
        return self.bounds[-1]

    @property
    def n_passes(self):
        """Passes over the rows, those that a safeguard turned back included."""
        return len(self.bounds)


class Fitter(BaseEstimator, ABC):
    """How theta moves."""

    def check(self):
        """Raise ValueError or TypeError for hyper-parameters that cannot be used."""
        return None

    def scout(self):
        """Return the fitter of the short runs that look for a start; itself unless it says else."""
        return self

    @abstractmethod
    def fit(self, mixture, theta, batches, *, max_iter, tol, on_pass=None):
        """Climb from theta.

        Parameters
        ----------
        mixture : skmoe.mixture.Mixture
        theta : Parameters
            Where to begin.
        batches : skmoe.batches.Batches
            The rows.
        max_iter : int
            Passes allowed.
        tol : float
            Stop when the bound is expected to rise by less than ``tol`` per unit of weight.
        on_pass : callable or None
            Called as ``on_pass(n_passes, bound, theta)``; a true answer stops the fit.

        Returns
        -------
        FitResult
        """
