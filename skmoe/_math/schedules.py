"""Learning rates over time: functions of the share of training that is done."""

import numpy as np

__all__ = ["SCHEDULES", "constant", "cosine", "inverse_scaling", "linear", "warmed_up"]


def constant(progress, step):
    """Return 1."""
    return 1.0


def cosine(progress, step):
    """Return (1 + cos(pi progress)) / 2 (Loshchilov and Hutter 2017)."""
    return 0.5 * (1.0 + float(np.cos(np.pi * min(progress, 1.0))))


def linear(progress, step):
    """Return 1 - progress."""
    return max(0.0, 1.0 - progress)


def inverse_scaling(progress, step):
    """Return 1 / sqrt(step): scikit-learn's ``invscaling`` with its usual power."""
    return float(step) ** -0.5


def warmed_up(schedule, n_steps):
    """Return the schedule with a linear rise over the first steps.

    Parameters
    ----------
    schedule : callable
        ``schedule(progress, step) -> factor``; progress in [0, 1], step counted from 1.
    n_steps : int

    Examples
    --------
    >>> from skmoe._math.schedules import cosine, warmed_up
    >>> schedule = warmed_up(cosine, 10)
    >>> [round(schedule(step / 100, step), 3) for step in (1, 10, 50, 100)]
    [0.1, 0.976, 0.5, 0.0]
    """

    def factor(progress, step):
        return min(1.0, step / max(1, n_steps)) * schedule(progress, step)

    return factor


#: ``learning_rate=`` -> factor of ``learning_rate_init``
SCHEDULES = {
    "constant": constant,
    "adaptive": constant,
    "invscaling": inverse_scaling,
    "cosine": cosine,
    "linear": linear,
}
