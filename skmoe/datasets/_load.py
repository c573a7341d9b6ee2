"""Loaders of the data sets that come with the package."""

from importlib import resources

import numpy as np
from sklearn.utils import Bunch

_MOTORCYCLE = """\
Motorcycle impact
-----------------
Head acceleration of a dummy in simulated motorcycle accidents, measured to test helmets.

:Rows: 133
:Feature: times, time after the impact in milliseconds
:Target: accel, acceleration of the head in g

The head rests, is pushed back, swings forward and comes to rest again; the noise differs from phase
to phase. Times repeat, since the readings come from several runs.

Silverman, B. W. (1985). Some aspects of the spline smoothing approach to non-parametric regression
curve fitting. Journal of the Royal Statistical Society B, 47, 1-52.
"""

_ETHANOL = """\
Ethanol engine
--------------
Exhaust of a one-cylinder engine that burned ethanol.

:Rows: 88
:Features: E, equivalence ratio (richness of the mixture of air and fuel, no unit);
    C, compression ratio (no unit)
:Target: NOx, nitrogen oxides in micrograms per joule

NOx rises with E up to a peak near 0.9 and falls beyond it; C matters on the lean side.

Brinkman, N. D. (1981). Ethanol fuel: a single-cylinder engine study of efficiency and exhaust
emissions. SAE Transactions, 90, 1410-1424.
"""

_VOWELS = """\
Vowels of American English
--------------------------
Ten vowels that 76 speakers said twice each, in words of the form h-vowel-d.

:Rows: 1520
:Features: f0, fundamental frequency in Hz; f1, f2, f3, first three formants in Hz
:Target: vowel, in X-SAMPA: i (heed), I (hid), E (head), { (had), A (hod), O (hawed), U (hood),
    u (who'd), V (hud), 3' (heard)
:Groups: speaker, numbered from 1 to 76; speaker_kind, "man" (33), "woman" (28) or "child" (15)

Rows of one speaker resemble each other: split by speaker to measure how well new ones are heard.

Peterson, G. E. and Barney, H. L. (1952). Control methods used in a study of the vowels. Journal of
the Acoustical Society of America, 24, 175-184.
"""


def load_motorcycle(*, return_X_y=False, as_frame=False):
    """Load the motorcycle impact data (regression, 133 rows, 1 feature).

    Parameters
    ----------
    return_X_y : bool, default=False
        Return ``(data, target)`` instead of a `Bunch`.
    as_frame : bool, default=False
        Return a pandas DataFrame and Series instead of arrays; needs pandas.

    Returns
    -------
    data : Bunch
        Dictionary whose entries can also be read as attributes:

        - ``data`` : {ndarray, DataFrame} of shape (133, 1). Time after the impact in ms.
        - ``target`` : {ndarray, Series} of shape (133,). Acceleration of the head in g.
        - ``feature_names``, ``target_names`` : list of str.
        - ``frame`` : DataFrame of shape (133, 2) or None. Features and target, only with
          ``as_frame=True``.
        - ``DESCR`` : str. What the data are and where they come from.
        - ``filename`` : str. Where the file is.
    (data, target) : tuple
        With ``return_X_y=True``.

    References
    ----------
    Silverman (1985), Some aspects of the spline smoothing approach to non-parametric regression
    curve fitting.

    Examples
    --------
    >>> from skmoe.datasets import load_motorcycle
    >>> X, y = load_motorcycle(return_X_y=True)
    >>> X.shape, y.shape
    ((133, 1), (133,))
    >>> print(f"{y.min()} g at {X[y.argmin(), 0]} ms")
    -134.0 g at 21.2 ms
    """
    table = _Table("motorcycle.csv")
    return table.bunch(["times"], "accel", _MOTORCYCLE, return_X_y, as_frame)


def load_ethanol(*, return_X_y=False, as_frame=False):
    """Load the ethanol engine data (regression, 88 rows, 2 features).

    Parameters
    ----------
    return_X_y : bool, default=False
        Return ``(data, target)`` instead of a `Bunch`.
    as_frame : bool, default=False
        Return a pandas DataFrame and Series instead of arrays; needs pandas.

    Returns
    -------
    data : Bunch
        Dictionary whose entries can also be read as attributes:

        - ``data`` : {ndarray, DataFrame} of shape (88, 2). Equivalence ratio ``E`` and compression
          ratio ``C``, without units.
        - ``target`` : {ndarray, Series} of shape (88,). Nitrogen oxides in micrograms per joule.
        - ``feature_names``, ``target_names`` : list of str.
        - ``frame`` : DataFrame of shape (88, 3) or None. Features and target, only with
          ``as_frame=True``.
        - ``DESCR`` : str. What the data are and where they come from.
        - ``filename`` : str. Where the file is.
    (data, target) : tuple
        With ``return_X_y=True``.

    References
    ----------
    Brinkman (1981), Ethanol fuel: a single-cylinder engine study of efficiency and exhaust
    emissions.

    Examples
    --------
    >>> from skmoe.datasets import load_ethanol
    >>> ethanol = load_ethanol()
    >>> ethanol.feature_names, ethanol.data.shape
    (['E', 'C'], (88, 2))
    """
    table = _Table("ethanol.csv")
    return table.bunch(["E", "C"], "NOx", _ETHANOL, return_X_y, as_frame)


def load_vowels(*, return_X_y=False, as_frame=False):
    """Load Peterson and Barney's vowels (classification, 1520 rows, 4 features, 10 classes).

    Parameters
    ----------
    return_X_y : bool, default=False
        Return ``(data, target)`` instead of a `Bunch`.
    as_frame : bool, default=False
        Return a pandas DataFrame and Series instead of arrays; needs pandas.

    Returns
    -------
    data : Bunch
        Dictionary whose entries can also be read as attributes:

        - ``data`` : {ndarray, DataFrame} of shape (1520, 4). Fundamental frequency ``f0`` and
          formants ``f1, f2, f3`` in Hz.
        - ``target`` : {ndarray, Series} of shape (1520,). The vowel, a str in X-SAMPA.
        - ``feature_names`` : list of str.
        - ``target_names`` : ndarray of shape (10,). The ten vowels, sorted as in the ``classes_``
          of a classifier.
        - ``speaker`` : ndarray of shape (1520,). Number of the speaker, 1 to 76: the ``groups`` of
          a split by speaker.
        - ``speaker_kind`` : ndarray of shape (1520,). ``"man"``, ``"woman"`` or ``"child"``.
        - ``frame`` : DataFrame of shape (1520, 5) or None. Features and target, only with
          ``as_frame=True``.
        - ``DESCR`` : str. What the data are and where they come from.
        - ``filename`` : str. Where the file is.
    (data, target) : tuple
        With ``return_X_y=True``.

    References
    ----------
    Peterson and Barney (1952), Control methods used in a study of the vowels.

    Examples
    --------
    >>> from skmoe.datasets import load_vowels
    >>> vowels = load_vowels()
    >>> vowels.data.shape, len(vowels.target_names)
    ((1520, 4), 10)
    >>> print(vowels.data[vowels.speaker_kind == "child", 0].mean().round(), "Hz")
    264.0 Hz
    """
    table = _Table("vowels.csv")
    kinds = {"m": "man", "w": "woman", "c": "child"}
    return table.bunch(
        ["f0", "f1", "f2", "f3"],
        "vowel",
        _VOWELS,
        return_X_y,
        as_frame,
        target_type=str,
        target_names=np.unique(table.column("vowel")),
        speaker=table.column("speaker").astype(int),
        speaker_kind=np.array([kinds[letter] for letter in table.column("type")]),
    )


class _Table:
    """A CSV file of the package whose columns are asked for by name."""

    def __init__(self, filename):
        self.path = resources.files("skmoe.datasets") / "data" / filename
        header, *lines = self.path.read_text(encoding="utf-8").splitlines()
        self.names = header.split(",")
        self.cells = np.array([line.split(",") for line in lines])

    def column(self, name):
        return self.cells[:, self.names.index(name)]

    def bunch(
        self,
        features,
        target,
        description,
        return_X_y,
        as_frame,
        *,
        target_type=float,
        target_names=None,
        **extras,
    ):
        X = np.column_stack([self.column(name).astype(float) for name in features])
        y = self.column(target).astype(target_type)
        frame = None
        if as_frame:
            frame = _frame(X, features, y, target)
            X, y = frame[features], frame[target]
        if return_X_y:
            return X, y
        return Bunch(
            data=X,
            target=y,
            feature_names=list(features),
            target_names=[target] if target_names is None else target_names,
            DESCR=description,
            frame=frame,
            filename=str(self.path),
            **extras,
        )


def _frame(X, features, y, target):
    try:
        import pandas as pd
    except ImportError as error:
        raise ImportError("as_frame=True needs pandas, which is not installed.") from error
    frame = pd.DataFrame(X, columns=features)
    frame[target] = y
    return frame
