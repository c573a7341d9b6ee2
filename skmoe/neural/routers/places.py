"""Where chosen experts stand in tables of all experts."""

import numpy as np

__all__ = ["Places", "flat"]


class Places:
    """Places of the entries (n, experts_nj) of tables (n, E).

    Parameters
    ----------
    experts : ndarray of int of shape (n, k)
    table : ndarray of shape (n, E)
        Stored by rows or by columns, as all tables that are looked into.

    Attributes
    ----------
    index : ndarray of int of shape (k, n)
        Places in `flat` tables.

    Examples
    --------
    >>> import numpy as np
    >>> from skmoe.neural.routers.places import Places
    >>> table = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    >>> places = Places(np.array([[2, 0], [1, 2]]), table)
    >>> places.take(table)
    array([[3., 1.],
           [5., 6.]])
    >>> places.spread(np.array([[7.0, 8.0], [9.0, 0.5]]), table)
    array([[8. , 0. , 7. ],
           [0. , 9. , 0.5]])
    """

    def __init__(self, experts, table):
        n, n_experts = table.shape
        lines = np.arange(n)
        if _by_columns(table):
            self.index = experts.T * n
        else:
            self.index, lines = experts.T.copy(), lines * n_experts
        self.index += lines

    def take(self, table):
        """Return the entries of a table, (n, k)."""
        return flat(table)[self.index].T

    def spread(self, values, like, valid=None):
        """Return a table like another with values (n, k) in these places, zero elsewhere.

        Parameters
        ----------
        values : ndarray of shape (n, k)
        like : ndarray of shape (n, E)
        valid : ndarray of bool of shape (n, k) or None, default=None
            Which of the entries are meant; a row has each of its places once among them.
        """
        table = np.zeros_like(like)
        if valid is None:
            flat(table)[self.index] = values.T
        else:
            flat(table)[self.index[valid.T]] = values.T[valid.T]
        return table


def flat(table):
    """Return a table (n, E) as one line (n E,), in the order in which it is stored."""
    return table.T.reshape(-1) if _by_columns(table) else table.reshape(-1)


def _by_columns(table):
    return table.flags.f_contiguous and not table.flags.c_contiguous
