"""Short names of parts, and nested parameters that reach through them."""

from sklearn.base import clone, is_classifier

from skmoe import criteria, experts, fitters, gates
from skmoe.base import Criterion, Experts, Fitter, Gate

#: argument -> (short names, what an instance must be)
KINDS = {
    "experts": (experts.SHORT_NAMES, Experts),
    "gate": (gates.SHORT_NAMES, Gate),
    "criterion": (criteria.SHORT_NAMES, Criterion),
    "fitter": (fitters.SHORT_NAMES, Fitter),
}


#: argument -> the part that a scikit-learn estimator becomes
WRAPPERS = {"experts": experts.EstimatorExperts, "gate": gates.EstimatorGate}


def names_of(argument, classes=False):
    """Return the short names of an argument, as a dict; experts that fit the kind of answers."""
    names = KINDS[argument][0]
    if argument != "experts":
        return names
    fitting = {n: family for n, family in names.items() if family().target.classes == classes}
    return fitting | ({"constant": experts.CategoricalExperts} if classes else {})


def build(argument, value, classes=False):
    """Return a fresh part for a short name or an instance given as an argument.

    Parameters
    ----------
    argument : str
    value : str or part
    classes : bool, default=False
        Whether answers are classes.

    Raises
    ------
    ValueError
        For an unknown short name.
    TypeError
        For an object that is no such part.
    """
    names, kind = names_of(argument, classes), KINDS[argument][1]
    if argument in WRAPPERS and not isinstance(value, kind) and hasattr(value, "fit"):
        value = WRAPPERS[argument](value)
    if isinstance(value, kind):
        part = clone(value)
        _check(argument, part)
        return part
    if not isinstance(value, str):
        raise TypeError(
            f"{argument}={value!r} is neither a short name ({listing(names)}) "
            f"nor an instance of {kind.__name__}."
        )
    if value not in names:
        raise ValueError(f"{argument}={value!r} is not known; allowed are {listing(names)}.")
    return names[value]()


def _check(argument, part):
    """Check the part's own hyper-parameters; the message says which argument holds it."""
    if not hasattr(part, "check"):
        return
    try:
        part.check()
    except (TypeError, ValueError) as error:
        raise type(error)(f"{argument}={type(part).__name__}: {error}") from None


def target_of(value):
    """Return the target of experts given by name or as an instance, or None."""
    return getattr(_named("experts", value), "target", None)


def sees_features(argument, value):
    """Return whether a part given by name or as an instance depends on x."""
    return getattr(_named(argument, value), "sees_features", True)


def _named(argument, value):
    """Return the part of a short name; anything else as it is."""
    names = KINDS[argument][0]
    return names[value]() if isinstance(value, str) and value in names else value


def listing(names):
    """Return names for a message."""
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
            The estimator.

        Examples
        --------
        >>> from skmoe import MixtureOfExpertsRegressor
        >>> MixtureOfExpertsRegressor().set_params(gate__alpha=0.1).gate
        SoftmaxGate(alpha=0.1)
        """
        own = {name: value for name, value in params.items() if "__" not in name}
        super().set_params(**own)
        for name in {name.partition("__")[0] for name in params if "__" in name}:
            if name in KINDS and isinstance(getattr(self, name, None), str):
                setattr(self, name, build(name, getattr(self, name), is_classifier(self)))
        return super().set_params(**{n: v for n, v in params.items() if "__" in n})
