"""What expert banks and gates have in common."""

from abc import ABC, abstractmethod

import numpy as np
from sklearn.base import BaseEstimator

__all__ = ["Part"]


class Part(BaseEstimator, ABC):
    """An expert bank or a gate: hyper-parameters only; what it learns is handed in and out.

    Attributes
    ----------
    monotone : bool
        Whether one M-step (shortened if need be) never lowers the part's expected log-density.
    settling_steps : int
        M-steps from a neutral start after which given shares are followed well enough.
    sees_features : bool
        Whether the part's answers depend on x.
    takes_arrays : bool
        Whether rows may be arrays of other libraries than numpy, on their devices.
    """

    sees_features = True
    takes_arrays = False
    monotone = True
    settling_steps = 1

    def check(self):
        """Raise ValueError or TypeError for hyper-parameters that cannot be used."""
        return None

    @abstractmethod
    def m_step(self, theta, statistics):
        """Return new Parameters from the present ones and the summed Statistics."""

    @abstractmethod
    def n_parameters(self, theta):
        """Return the number of free parameters (an int) for AIC and BIC."""

    def carry(self, statistics, old, new):
        """Return the statistics of a pass at ``old`` as if they had been taken at ``new``.

        Sums that do not depend on theta stay; a score moves along its curvature. Online fitters
        average statistics that were taken at different places.
        """
        return statistics

    def hold(self, theta):
        """Return theta brought back within the part's bounds (a variance's floor, say)."""
        return theta

    def gradient(self, theta, statistics):
        """Return the slope of the penalized bound at theta, as Parameters of the same layout.

        By Fisher's identity the statistics of a pass at theta hold the gradient of the observed
        log-likelihood, too: responsibilities weigh the parts' own gradients. Coordinates that a
        floor or a safeguard holds fast have slope zero. None where a part has no gradient;
        accelerators then do without.
        """
        return None

    def penalty(self, theta):
        """Return what the part adds to the bound: its log prior, or minus its penalty (a float)."""
        return 0.0

    def charges(self, theta):
        """Return what the penalty charges for each expert (K,), where priors see to their number.

        An expert that loses its rows saves no more than that. Infinity where a part cannot say.
        """
        return np.inf

    def translated(self, theta, change):
        """Return theta for rows that are standardized in another way, or None if it cannot.

        Parameters
        ----------
        theta : Parameters
            Learned on rows that were standardized in the old way.
        change : skmoe.batches.Change
            For X, X_gate and y: old columns are ``ratio`` times new ones plus ``shift``.
        """
        return None

    def units(self, theta, scaling):
        """Return a dict of attribute name -> array, in the units of the user's data.

        Parameters
        ----------
        theta : Parameters
            Learned on standardized rows.
        scaling : skmoe.batches.Scaling
            How the rows were standardized (``x_mean, x_scale, y_mean, y_scale``).
        """
        return {}
