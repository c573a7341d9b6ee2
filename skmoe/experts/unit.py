"""Constant experts whose noise is given: the experts of Jacobs, Jordan, Nowlan and Hinton."""

from dataclasses import replace

import numpy as np

from skmoe._math.checks import check_number
from skmoe.experts.delegation import BlindExperts
from skmoe.experts.homoscedastic import HomoscedasticExperts
from skmoe.noise import SphericalNoise
from skmoe.targets import Target


class UnitExperts(BlindExperts):
    """Experts y ~ N(m_k, noise^2 I) that ignore x and learn their means alone.

    Parameters
    ----------
    noise : float, default=1.0
        Standard deviation of every expert, in units of y: y is not standardized.

    References
    ----------
    Jacobs, Jordan, Nowlan and Hinton (1991), Adaptive mixtures of local experts, eq. 1.3.

    Examples
    --------
    >>> from skmoe.experts import UnitExperts
    >>> UnitExperts(noise=0.5)
    UnitExperts(noise=0.5)
    """

    target = Target("a real number")

    def __init__(self, noise=1.0):
        self.noise = noise

    def check(self):
        check_number("noise", self.noise, above=0.0)

    @property
    def _bank(self):
        return HomoscedasticExperts("spherical", alpha=0.0)

    def init(self, X, y, n_experts):
        theta = super().init(X, y, n_experts)
        log_variance = np.full(n_experts, 2.0 * np.log(self.noise))
        return replace(theta, noise=SphericalNoise(log_variance, y.shape[1]))

    def m_step(self, theta, statistics):
        return replace(self._bank.m_step(theta, statistics), noise=theta.noise)

    def hold(self, theta):
        return theta

    def gradient(self, theta, statistics):
        slope = self._bank.gradient(theta, statistics)
        return replace(slope, noise=slope.noise.unflatten(np.zeros(slope.noise.size)))

    def n_parameters(self, theta):
        return theta.intercept.size
