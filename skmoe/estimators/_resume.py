"""Going on from the last solution: what has to be as it was, and how it reads on new rows."""

__all__ = ["check_columns", "check_layout", "check_sentence", "reread"]


def check_sentence(n_experts, mixture, last):
    """Raise unless the last solution belongs to as many experts and a gate of the same kinds.

    Parameters
    ----------
    n_experts : int
    mixture : skmoe.mixture.Mixture
    last : tuple
        n_experts, experts and gate of the last fit.
    """
    now = (n_experts, type(mixture.experts), type(mixture.gate))
    last = (last[0], *map(type, last[1:]))
    if now != last:
        raise ValueError(
            "warm_start=True goes on from the last solution, which had (n_experts, experts, "
            f"gate) = {_names(last)}; now they are {_names(now)}."
        )


def check_columns(now, last):
    """Raise unless the choosers of columns pick what those of the last fit picked."""
    names = ("expert_features", "gate_features")
    for argument, chooser, before in zip(names, now, last, strict=True):
        if not chooser.same_as(before):
            raise ValueError(
                f"warm_start=True goes on from the last solution, which had other {argument}; "
                "set warm_start=False to start anew."
            )


def check_layout(theta, neutral):
    """Raise unless the last solution has the layout of parameters for these rows."""
    for part in ("experts", "gate"):
        last, now = getattr(theta, part).layout(), getattr(neutral, part).layout()
        if last != now:
            raise ValueError(
                f"warm_start=True goes on from the last solution, but {part} have changed: their "
                f"parameters were laid out as {last}; now they are {now}. Set warm_start=False to "
                "start anew."
            )


def reread(theta, mixture, batches, change):
    """Return the last solution for rows that are standardized in another way.

    Parameters
    ----------
    theta : MixtureParameters
    mixture : skmoe.mixture.Mixture
    batches : skmoe.batches.Batches
        The new rows.
    change : skmoe.batches.Change
        From the standardized columns of the last fit to those of this one.

    Returns
    -------
    MixtureParameters

    Notes
    -----
    Coefficients can be read in the units of the data, or in those of the standardized columns:
    the first is right for more rows of the same kind, the second when the units themselves have
    changed. The reading under which the new rows are likelier is taken.
    """
    translated = mixture.translated(theta, change)
    if change.is_none or translated is None:
        return theta
    readings = [translated, theta]
    return max(readings, key=lambda reading: _bound(reading, mixture, batches))


def _bound(theta, mixture, batches):
    theta = mixture.hold(theta)
    return mixture.bound(theta, batches.sweep(lambda block: mixture.sweep(theta, block)))


def _names(sentence):
    return "(" + ", ".join(getattr(word, "__name__", str(word)) for word in sentence) + ")"
