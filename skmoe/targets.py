"""What an expert family takes for an answer: the domain of y and how its units are treated."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

__all__ = ["CLASSES", "COUNTS", "POSITIVE", "REAL", "Target"]


@dataclass(frozen=True)
class Target:
    """Domain of y, and whether its origin and its unit may be chosen.

    Attributes
    ----------
    name : str
        For messages: "a real number", say.
    shifted : bool
        Whether the rows are centered before the experts see them.
    scaled : bool
        Whether they are measured in a unit of their own: the standard deviation where they are
        centered, else the mean of positive numbers and the root mean square of others. What is
        neither shifted nor scaled reaches the experts as it is.
    least : float
        Least value allowed.
    strict : bool
        Whether ``least`` itself is forbidden.
    discrete : bool
        Whether answers are whole numbers, with probabilities in place of densities.
    classes : bool
        Whether answers are names, shown to the experts as one column of zeros and ones a class.
    coarse : bool
        Whether a row tells far less than a real number would: starts look at more of them.
    """

    name: str
    shifted: bool = False
    scaled: bool = False
    least: float = -np.inf
    strict: bool = False
    discrete: bool = False
    classes: bool = False
    coarse: bool = False

    def check(self, y):
        """Raise ValueError unless y (n, q) lies in the domain."""
        outside = y <= self.least if self.strict else y < self.least
        if outside.any():
            raise ValueError(
                f"y holds {y[outside].min():g}; the experts ask for {self.name}, "
                f"{'above' if self.strict else 'at least'} {self.least:g}."
            )

    def joined(self, other):
        """Return the target of a bank that has experts of both kinds.

        Raises
        ------
        ValueError
            If one kind answers with classes and the other one with numbers.
        """
        if self.classes != other.classes:
            raise ValueError(f"experts for {self.name} and for {other.name} cannot share a y.")
        narrow = max((self, other), key=lambda target: (target.least, target.strict))
        return replace(
            narrow,
            shifted=self.shifted and other.shifted,
            scaled=self.scaled and other.scaled,
            discrete=self.discrete or other.discrete,
            coarse=self.coarse or other.coarse,
        )


REAL = Target("a real number", shifted=True, scaled=True)
POSITIVE = Target("a positive number", scaled=True, least=0.0, strict=True)
COUNTS = Target("a count", least=0.0, discrete=True)
CLASSES = Target("a class", least=0.0, discrete=True, classes=True, coarse=True)
