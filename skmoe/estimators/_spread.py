"""How much wider or narrower densities should be, learned from rows that they have not seen."""

import numpy as np
from scipy.optimize import minimize_scalar

__all__ = ["best_spread"]

# Spreads that are tried.
SPREADS = 0.4, 2.0


def best_spread(log_density, belief):
    """Return the factor of the widths under which rows held out are likeliest, a float.

    Parameters
    ----------
    log_density : callable
        ``log_density(spread)`` returns the rows' log-density, summed, under a factor.
    belief : float
        How many rows' worth of it there is that 1 is right.
    """

    def loss(log_spread):
        return 0.5 * belief * log_spread**2 - log_density(np.exp(log_spread))

    found = minimize_scalar(loss, bounds=np.log(SPREADS), method="bounded", options={"xatol": 1e-2})
    return float(np.exp(found.x))
