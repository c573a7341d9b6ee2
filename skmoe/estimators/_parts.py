"""Short names of parts, and nested parameters that reach through them."""

from sklearn.base import clone

from skmoe import criteria, experts, fitters, gates
from skmoe.base import Criterion, Experts, Fitter, Gate

CRITERIA = {
    "likelihood": criteria.LogLikelihood,
    "classification": criteria.Classification,
}

#: argument -> (short names, what an instance must be)
KINDS = {
    "experts": (experts.SHORT_NAMES, Experts),
    "gate": (gates.SHORT_NAMES, Gate),
    "criterion": (CRITERIA, Criterion),
    "fitter": (fitters.SHORT_NAMES, Fitter),
}


def build(argument, value):
    """Return a fresh part for a short name or an instance given as an argument.

    Raises
    ------
    ValueError
        For an unknown short name.
    TypeError
        For an object that is no such part.
    """
    names, kind = KINDS[argument]
    if isinstance(value, kind):
        part = clone(value)
        _check(argument, part)
        return part
    if not isinstance(value, str):
        raise TypeError(
            f"{argument}={value!r} is neither a short name ({_listing(names)}) "
            f"nor an instance of {kind.__name__}."
        )
    if value not in names:
        raise ValueError(f"{argument}={value!r} is not known; allowed are {_listing(names)}.")
    return names[value]()


def _check(argument, part):
    """Check the part's own hyper-parameters; the message says which argument holds it."""
    if not hasattr(part, "check"):
        return
    try:
        part.check()
    except (TypeError, ValueError) as error:
        raise type(error)(f"{argument}={type(part).__name__}: {error}") from None


def _listing(names):
    return ", ".join(repr(name) for name in sorted(names))


class NestedNamesMixin:
    """``set_params(gate__alpha=...)`` works where ``gate`` is a short name, too."""

    def set_params(self, **params):
        """Set parameters; a nested one turns the short name of its part into an instance.

        Parameters
        ----------
        **params : dict
            Parameters of the estimator, or ``part__parameter``.

        Returns
        -------
        self
        """
        own = {name: value for name, value in params.items() if "__" not in name}
        super().set_params(**own)
        for name in {name.partition("__")[0] for name in params if "__" in name}:
            if name in KINDS and isinstance(getattr(self, name), str):
                setattr(self, name, build(name, getattr(self, name)))
        return super().set_params(**{n: v for n, v in params.items() if "__" in n})
