"""What is climbed, and how rows are divided among the experts."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from sklearn.base import BaseEstimator

__all__ = ["Criterion", "Division"]


@dataclass(frozen=True)
class Division:
    """How rows are divided among the experts.

    Attributes
    ----------
    pooled : ndarray of shape (n,)
        What each row adds to the bound.
    share : ndarray of shape (n, K)
        Weights under which the experts learn.
    gate_share : ndarray of shape (n, K)
        Shares that the gate follows; often the same array.
    answers : ndarray of shape (n, q) or (n, K, q)
        What the experts learn.
    """

    pooled: np.ndarray
    share: np.ndarray
    gate_share: np.ndarray
    answers: np.ndarray


class Criterion(BaseEstimator, ABC):
    """What is climbed, and how the rows are shared out among the experts.

    Attributes
    ----------
    smooth : bool
        Whether the shares move smoothly with the parameters (accelerators need it).
    monotone : bool
        Whether M-steps under its shares never lower the bound.
    is_likelihood : bool
        Whether it is a likelihood of mixtures: rows of a group multiply, curvature tells
        standard errors.
    takes_arrays : bool
        Whether rows may be arrays of other libraries than numpy, on their devices.
    patience : int
        Passes without a new best place after which there will be none, where passes may lose
        height.
    """

    smooth = True
    monotone = True
    is_likelihood = True
    takes_arrays = False
    patience = 5

    def suited(self, experts, gate):
        """Return the experts as this criterion needs them.

        Raises
        ------
        ValueError
            Where experts or gate cannot learn by it.
        """
        return experts

    @abstractmethod
    def pool_and_share(self, joint):
        """Return the pooled evidence (n,) and the responsibilities (n, K) of joint (n, K)."""

    def divide(self, mixture, theta, block):
        """Return the Division of a block of rows at theta."""
        pooled, share = self.pool_and_share(mixture.joint(theta, block))
        return Division(pooled, share, share, block.y)

    @abstractmethod
    def predictive_weights(self, gate):
        """Return the weights (n, K) of the answer, from those of the gate (n, K)."""

    def answer(self, weights, components):
        """Return weights and components of the predictive mixture, from those of gate and experts.

        Parameters
        ----------
        weights : ndarray of shape (n, K)
        components : Components
        """
        return self.predictive_weights(weights), components

    @abstractmethod
    def log_density(self, mixture, theta, block):
        """Return the log-density (n,) of the rows' answers under the predictive mixture."""
