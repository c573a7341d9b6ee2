"""Banks that hand the work to another bank."""

from abc import abstractmethod

import numpy as np

from skmoe.base import Experts


class DelegatingExperts(Experts):
    """Experts that are another bank under a name of their own, or shown less of the rows."""

    @property
    @abstractmethod
    def _bank(self):
        """The bank that does the work."""

    def _view(self, X):
        """Return what the bank sees of X (n, d)."""
        return X

    @property
    def target(self):
        """What the bank takes for an answer."""
        return self._bank.target

    @property
    def centers(self):
        """Whether the bank sees centered columns."""
        return self._bank.centers

    @property
    def monotone(self):
        """Whether the bank's M-step never lowers its expected log-density."""
        return self._bank.monotone

    @property
    def settling_steps(self):
        """M-steps after which the bank follows given shares."""
        return self._bank.settling_steps

    @property
    def takes_notes(self):
        """Whether the bank takes notes."""
        return self._bank.takes_notes

    @property
    def takes_arrays(self):
        """Whether the bank takes arrays of other libraries."""
        return self._bank.takes_arrays

    def check(self):
        self._bank.check()

    def response(self, X, y):
        return self._bank.response(self._view(X), y)

    def init(self, X, y, n_experts):
        return self._bank.init(self._view(X), y, n_experts)

    def log_prob(self, theta, X, y):
        return self._bank.log_prob(theta, self._view(X), y)

    def mean(self, theta, X):
        return self._bank.mean(theta, self._view(X))

    def components(self, theta, X):
        return self._bank.components(theta, self._view(X))

    def potential(self, theta, X, y, weight):
        return self._bank.potential(theta, self._view(X), y, weight)

    def least_rows(self, theta):
        return self._bank.least_rows(theta)

    def notes(self, theta, X, y, weight):
        return self._bank.notes(theta, self._view(X), y, weight)

    def statistics(self, theta, X, y, weight):
        return self._bank.statistics(theta, self._view(X), y, weight)

    def m_step(self, theta, statistics):
        return self._bank.m_step(theta, statistics)

    def carry(self, statistics, old, new):
        return self._bank.carry(statistics, old, new)

    def hold(self, theta):
        return self._bank.hold(theta)

    def gradient(self, theta, statistics):
        return self._bank.gradient(theta, statistics)

    def penalty(self, theta):
        return self._bank.penalty(theta)

    def n_parameters(self, theta):
        return self._bank.n_parameters(theta)

    def translated(self, theta, change):
        return self._bank.translated(theta, change)

    def units(self, theta, scaling):
        return self._bank.units(theta, scaling)


class BlindExperts(DelegatingExperts):
    """Experts that are another bank which is shown no feature: the gate alone sees x."""

    sees_features = False

    def _view(self, X):
        return X[:, :0]

    def translated(self, theta, change):
        return self._bank.translated(theta, change.without_features())

    def units(self, theta, scaling):
        attributes = self._bank.units(theta, scaling.without_features())
        shape = (*attributes["intercept_"].shape, len(scaling.X.mean))
        return attributes | {"coef_": np.zeros(shape)}
