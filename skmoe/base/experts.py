"""What an expert bank promises."""

from abc import abstractmethod

import numpy as np

from skmoe.base.part import Part
from skmoe.targets import REAL, Target

__all__ = ["Experts"]


class Experts(Part):
    """K conditional densities p(y | x, theta_k) of one family, evaluated and fitted together.

    Attributes
    ----------
    target : Target
        What the family takes for an answer. The estimator checks y against it, and standardizes,
        scales or leaves y as it says.
    switches_off : bool
        Whether experts that are not needed are meant to lose their rows; a prior keeps them sound.
    exchangeable : bool
        Whether any number of experts is a bank of the same kind, so that two may do what one did.
    takes_notes : bool
        Whether `notes` has anything to say.
    centers : bool
        Whether the columns of X are centered before the experts see them; lines through the
        origin of the data ask for columns that are not.
    """

    target: Target = REAL
    takes_notes = False
    centers = True
    exchangeable = True
    switches_off = False

    def raw_columns(self, n_features):
        """Return the numbers of the columns of X that stay in the user's units (offsets)."""
        return []

    def with_names(self, names):
        """Return these experts where columns of X have names, (d,) or None; names to numbers."""
        return self

    def with_common_noise(self):
        """Return these experts with one Gaussian noise for all of them.

        Raises
        ------
        ValueError
            Where a family has no such noise.
        """
        raise ValueError(
            f"{type(self).__name__} cannot share one Gaussian noise, in which errors are measured; "
            "allowed are 'linear' and 'constant' experts."
        )

    def with_offset(self, column):
        """Return these experts with the offset in the given column of X.

        Raises
        ------
        ValueError
            Where a family has no use for an offset.
        """
        raise ValueError(f"{type(self).__name__} take no offset.")

    def for_rows(self, scaling):
        """Return these experts for rows that were standardized as ``scaling`` says.

        Only experts that know something in the user's units have anything to do.
        """
        return self

    def without(self, theta, lost):
        """Return the bank and its parameters without the lost experts.

        Parameters
        ----------
        theta : Parameters
            Of two experts at least.
        lost : ndarray of shape (K,), bool
            At least one is left.
        """
        return self, theta.of_experts(np.flatnonzero(~lost), len(lost))

    def response(self, X, y):
        """Return y (n, q) on the scale on which the experts are linear, for first guesses."""
        return y

    def potential(self, theta, X, y, weight):
        """Return what dividing each expert in two could gain at most, in nats, shape (K,).

        Infinity where a family cannot say.
        """
        return np.full(weight.shape[1], np.inf)

    def least_rows(self, theta):
        """Return how many rows an expert must hold to learn its noise (a float)."""
        return 0.0

    def notes(self, theta, X, y, weight):
        """Return what was held back in a fit, a list of str: separated classes, say."""
        return []

    @abstractmethod
    def init(self, X, y, n_experts):
        """Return neutral Parameters for rows like X (n, d) and y (n, q)."""

    @abstractmethod
    def log_prob(self, theta, X, y):
        """Return log p(y | x, theta_k), shape (n, K), for X (n, d) and y (n, q)."""

    def evidence(self, theta, X, y):
        """Return what drives learning, shape (n, K); the log-density unless a part says else."""
        return self.log_prob(theta, X, y)

    @abstractmethod
    def statistics(self, theta, X, y, weight):
        """Return the Statistics of a block of rows under the weights (n, K).

        Experts that can share one noise also take answers (n, K, q), one for each expert.
        """

    @abstractmethod
    def mean(self, theta, X):
        """Return the experts' means, shape (n, K, q)."""

    @abstractmethod
    def components(self, theta, X):
        """Return the experts' densities at the rows of X (n, d) as `Components`."""
