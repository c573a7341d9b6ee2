"""What a part has learned: numbers in a frozen dataclass."""

import numpy as np

__all__ = ["Parameters"]


class Parameters:
    """Learned numbers of a part: a frozen dataclass whose fields are arrays or Parameters.

    A field may live on a curved domain (a variance is positive). Such a field is stored in a free
    coordinate (its logarithm), so that any vector in the neighborhood of ``flatten()`` is again a
    valid set of parameters: accelerators and optimizers move in that space.
    """

    def flatten(self):
        """Return all numbers as one float64 vector of shape (size,)."""
        pieces = [
            value.flatten() if isinstance(value, Parameters) else np.ravel(value)
            for value in self._values()
        ]
        return np.concatenate(pieces, dtype=np.float64) if pieces else np.zeros(0)

    @property
    def size(self):
        """Length of ``flatten()``."""
        return sum(np.size(value) for value in self._values())

    def unflatten(self, vector):
        """Return parameters of this shape that hold the numbers of ``vector`` (size,)."""
        values, start = [], 0
        for value in self._values():
            stop = start + np.size(value)
            piece = vector[start:stop]
            values.append(
                value.unflatten(piece)
                if isinstance(value, Parameters)
                else piece.reshape(np.shape(value))
            )
            start = stop
        return type(self)(*values)

    def of_experts(self, numbers, n_experts):
        """Return the parameters of the numbered experts of a bank of n_experts > 1.

        Fields that all experts share, of one row or none, stay as they are.
        """
        return self._changed(
            lambda value: (
                value.of_experts(numbers, n_experts)
                if isinstance(value, Parameters)
                else (value[numbers] if _is_each_experts(value, n_experts) else value)
            )
        )

    def with_experts(self, numbers, other, n_experts):
        """Return parameters in which the numbered experts, of n_experts > 1, are those of other."""
        others = iter(other._values())

        def changed(value):
            new = next(others)
            if isinstance(value, Parameters):
                return value.with_experts(numbers, new, n_experts)
            if not _is_each_experts(value, n_experts):
                return value
            value = value.copy()
            value[numbers] = new
            return value

        return self._changed(changed)

    def layout(self):
        """Return kind and shapes of the fields, as nested tuples that can be compared."""
        return type(self).__name__, tuple(
            value.layout()
            if isinstance(value, Parameters)
            else getattr(value, "shape", type(value).__name__)
            for value in self._values()
        )

    def _changed(self, change):
        """Return parameters whose fields went through a function."""
        return type(self)(*(change(value) for value in self._values()))

    def _values(self):
        return [getattr(self, name) for name in self.__dataclass_fields__]


def _is_each_experts(value, n_experts):
    """Return whether an array has a row for each expert."""
    return np.ndim(value) > 0 and len(value) == n_experts
