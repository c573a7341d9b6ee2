"""Priors that tell relevant coefficients from irrelevant ones, and learn how large they are."""

from dataclasses import dataclass, fields, replace

import numpy as np
from scipy.special import gammaln

__all__ = ["RelevancePrior", "settled"]

# The level of y, or of a score, is nobody's guess: prior shape of an intercept's precision.
_VAGUE = 1e-3
# Typical precisions are kept within exp(+-this).
LARGEST_SCALE = 18.0
# Steps that find them: from the second on, the function is nearly a line.
_NEWTON = 12


@dataclass(frozen=True)
class RelevancePrior:
    """Coefficients w_ki ~ N(0, 1 / alpha_ki) with alpha_ki ~ Gamma(c, c / t_k).

    Attributes
    ----------
    shape : float
        c. Small ones let coefficients differ in size; large ones make a ridge.
    n_outputs : int, default=1
        Coefficients (q) that share a precision alpha_ki.

    Notes
    -----
    With ``squares`` E_ki = E_q[sum_j w_kji^2], intercepts first, the best posterior is
    alpha_ki ~ Gamma(c + q / 2, c / t_k + E_ki / 2). The typical precision t_k maximizes the
    bound (type II): the mean of E[alpha_ki] over the slopes is t_k. Neither is ever written down,
    since both follow from E. Intercepts have a vague prior of their own.

    References
    ----------
    Tipping (2001), Sparse Bayesian learning and the relevance vector machine; Drugowitsch (2013),
    Variational Bayesian inference for linear and logistic regression.
    """

    shape: float
    n_outputs: int = 1

    def expected(self, squares):
        """Return E[alpha] (K, p) for squares (K, p)."""
        return self._expected(self._rate(squares), squares)

    def terms(self, squares):
        """Return E_q[log p(w | alpha)] - KL(q(alpha) || p(alpha)) + q p log(2 pi) / 2, (K,)."""
        return self._terms(self._rate(squares), squares)

    def weigh(self, measured, spread):
        """Return the terms, and the precisions that MacKay's fixed point and EM ask for.

        Parameters
        ----------
        measured, spread : ndarray of shape (K, p)
            The part of ``squares`` that the means make, and a coefficient's variance.

        Returns
        -------
        terms : ndarray of shape (K,)
        quick, slow : ndarray of shape (K, p)
        """
        squares = measured + self.n_outputs * spread
        rate, shape = self._rate(squares), self._shapes(squares.shape[1])
        slow = self._expected(rate, squares)
        determined = np.clip(1.0 - slow * spread, 0.0, 1.0)
        quick = (shape + self._half * determined) / (rate + 0.5 * measured)
        return self._terms(rate, squares), np.minimum(quick, 1e3 * slow), slow

    def _terms(self, rate, squares):
        shape, half = self._shapes(squares.shape[1]), self._half
        terms = shape * np.log(rate) - (shape + half) * np.log(rate + 0.5 * squares)
        return (terms + gammaln(shape + half) - gammaln(shape)).sum(axis=1)

    @property
    def _half(self):
        return 0.5 * self.n_outputs

    def _shapes(self, p):
        """Return shapes (p,) of the priors of precisions."""
        shape = np.full(p, self.shape)
        shape[0] = _VAGUE
        return shape

    def _expected(self, rate, squares):
        return (self._shapes(squares.shape[1]) + self._half) / (rate + 0.5 * squares)

    def _rate(self, squares):
        """Return rates (K, p) of the priors of precisions, where the bound is greatest in them."""
        rate = np.full(squares.shape, _VAGUE)
        if squares.shape[1] > 1:
            rate[:, 1:] = self.shape * np.exp(-self._log_typical(squares[:, 1:]))[:, None]
        return rate

    def _log_typical(self, squares):
        """Return log t (K,) for the squares of slopes (K, d)."""
        c, half = self.shape, self._half
        # A product with this is a mean, and quicker for few columns.
        even = np.full(squares.shape[1], 1.0 / squares.shape[1])
        # A ridge's precision is too small, that of the least coefficient alone too large.
        low = np.log(2.0 * half / (squares @ even))
        high = np.log(2.0 * half / squares.min(axis=1))
        low = np.minimum(np.maximum(low, -LARGEST_SCALE), LARGEST_SCALE)
        high = np.minimum(np.maximum(high, -LARGEST_SCALE), LARGEST_SCALE)
        log_t, halves = low, 0.5 * squares
        for _ in range(_NEWTON):
            size = np.exp(log_t)[:, None] * halves
            ratio = (c + half) / (c + size)
            mean = ratio @ even
            excess = np.log(mean)
            slope = (ratio * size / (c + size)) @ even / mean
            log_t = np.minimum(np.maximum(log_t + excess / slope, low), high)
            if np.abs(excess).max() < 1e-13:
                break
        return log_t


def settled(place, relevance, rounds):
    """Return the record that ``place`` makes at precisions (K, p) that raise its height.

    Parameters
    ----------
    place : callable
        ``place(relevance)`` returns a record of posteriors, a dataclass of arrays (K, ...); the
        bound's heights (K,); and the precisions that MacKay's fixed point and EM ask for next.
    relevance : ndarray of shape (K, p)
    rounds : int

    Notes
    -----
    With gamma_i = 1 - alpha_i S_ii, MacKay's fixed point alpha_i = gamma_i / m_i^2 runs ahead of
    EM's alpha_i = 1 / (m_i^2 + S_ii). Where it would lower a height, EM's step comes next, which
    cannot.

    References
    ----------
    MacKay (1992), Bayesian interpolation.
    """
    best, height, quick, slow = place(relevance)
    careful = np.zeros(len(relevance), dtype=bool)
    for _ in range(rounds):
        found, reached, quicker, slower = place(np.where(careful[:, None], slow, quick))
        rose = reached >= height
        best = replace(
            best,
            **{
                f.name: _where(rose, getattr(found, f.name), getattr(best, f.name))
                for f in fields(best)
            },
        )
        quick, slow = _where(rose, quicker, quick), _where(rose, slower, slow)
        height, careful = np.where(rose, reached, height), ~rose
    return best


def _where(chosen, new, old):
    return np.where(chosen.reshape(-1, *[1] * (new.ndim - 1)), new, old)
