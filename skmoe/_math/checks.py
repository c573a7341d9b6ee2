"""Checks of hyper-parameters; messages name the argument, the value and what is allowed."""

import numbers

import numpy as np


def check_count(name, value, least=1):
    """Raise unless value is an integer of at least ``least``."""
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise TypeError(f"{name}={value!r} must be an integer of at least {least}.")
    if value < least:
        raise ValueError(f"{name}={value!r} must be at least {least}.")


def check_number(name, value, least=0.0, above=None):
    """Raise unless value is a finite number of at least ``least``, or above ``above``."""
    allowed = f"at least {least}" if above is None else f"above {above}"
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError(f"{name}={value!r} must be a number, {allowed}.")
    high_enough = value >= least if above is None else value > above
    if not np.isfinite(value) or not high_enough:
        raise ValueError(f"{name}={value!r} must be finite and {allowed}.")


def check_fraction(name, value):
    """Raise unless value is a number from 0 to 1."""
    check_number(name, value)
    if value > 1:
        raise ValueError(f"{name}={value!r} must lie between 0 and 1.")


def check_choice(name, value, choices):
    """Raise unless value is one of the choices."""
    known = value is None or isinstance(value, str)
    if not known or value not in choices:
        raise ValueError(f"{name}={value!r} is not known; allowed are {sorted(choices, key=repr)}.")


def check_flag(name, value):
    """Raise unless value is True or False."""
    if not isinstance(value, bool | np.bool_):
        raise TypeError(f"{name}={value!r} must be True or False.")
