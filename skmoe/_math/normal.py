"""The standard normal distribution on large blocks."""

import numpy as np
from scipy.special import ndtr

_LOG_ROOT_2PI = 0.5 * float(np.log(2.0 * np.pi))
# Abramowitz and Stegun (1964), formula 26.2.17.
_P = 0.2316419
_POLYNOMIAL = (1.330274429, -1.821255978, 1.781477937, -0.356563782, 0.319381530)


def normal_pdf_and_cdf(z):
    """Return the density and the distribution function of N(0, 1) at z, in its precision.

    In single precision the tail is the density times a polynomial: its error is that of the
    precision, and it takes a third of the time of the library's function.
    """
    pdf = np.square(z)
    pdf *= -0.5
    pdf -= _LOG_ROOT_2PI
    np.exp(pdf, out=pdf)
    if z.dtype != np.float32:
        return pdf, ndtr(z)
    t = np.abs(z)
    t *= _P
    t += 1
    np.reciprocal(t, out=t)
    tail = t * _POLYNOMIAL[0]
    for coefficient in _POLYNOMIAL[1:]:
        tail += coefficient
        tail *= t
    tail *= pdf
    # 1 - tail for positive z: half a unit from the middle, on the side of z.
    tail -= 0.5
    np.copysign(tail, z, out=tail)
    tail += 0.5
    return pdf, tail
