"""What a part needs to know of the rows: numbers that add up."""

from dataclasses import dataclass, fields, replace

import numpy as np

__all__ = ["Rows", "Statistics"]


class Statistics:
    """What a part needs to know of the rows: a frozen dataclass whose fields can be added.

    ``statistics`` of two blocks of rows add up to those of their union; ``m_step`` sees the sum
    and never the rows. Fields are arrays, numbers or again Statistics.
    """

    def __add__(self, other):
        return replace(
            self, **{f.name: getattr(self, f.name) + getattr(other, f.name) for f in fields(self)}
        )

    def __mul__(self, factor):
        return replace(self, **{f.name: getattr(self, f.name) * factor for f in fields(self)})

    __rmul__ = __mul__


@dataclass(frozen=True)
class Rows(Statistics):
    """Rows themselves, for parts that have no finite statistic; adding is concatenating.

    Attributes
    ----------
    X : ndarray of shape (n, d)
    y : ndarray of shape (n, q)
        Without columns for a gate.
    weight : ndarray of shape (n, K)
    """

    X: np.ndarray
    y: np.ndarray
    weight: np.ndarray

    def __add__(self, other):
        pairs = ((getattr(self, f.name), getattr(other, f.name)) for f in fields(self))
        return type(self)(*(np.concatenate(pair) for pair in pairs))

    def __mul__(self, factor):
        return replace(self, weight=self.weight * factor)

    __rmul__ = __mul__
