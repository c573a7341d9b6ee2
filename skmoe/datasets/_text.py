"""A small text, and next-word prediction on it."""

import re
from collections import Counter
from importlib import resources

import numpy as np
from sklearn.utils import Bunch

from skmoe._math.checks import check_count

# Words with their inner apostrophes and hyphens, and marks.
_TOKEN = re.compile(r"[a-z]+(?:['-][a-z]+)*|[.,;:!?]")
_RARE = "<rare>"

_GENESIS = """\
The first chapters of Genesis
-----------------------------
Genesis 1 to 9 in the King James Version of 1611, in the spelling of 1769: 5667 words with marks
between them, one verse a line. The text is in the public domain.

:Rows: one for each word or mark that has enough of them before it
:Features: for each of the words before, which one it is, as a one among zeros
:Target: the next word or mark, in lower case; <rare> stands for those that are seldom

Neighboring rows tell of the same sentence: hold out stretches of them, not single ones.
"""


def load_genesis(*, n_context=1, min_count=5, return_X_y=False):
    """Load Genesis 1 to 9 for next-word prediction (classification, some 6500 rows).

    Parameters
    ----------
    n_context : int, default=1
        Words before that are known.
    min_count : int, default=5
        Words that come less often are all called ``<rare>``.
    return_X_y : bool, default=False
        Return ``(data, target)`` instead of a `Bunch`.

    Returns
    -------
    data : Bunch
        Dictionary whose entries can also be read as attributes:

        data : ndarray of shape (n_samples, n_context * n_words)
            The last word before first; a one among zeros for each.
        target : ndarray of shape (n_samples,)
            The next word or mark, a str.
        feature_names : list of str
            ``"-1=earth"`` for the word ``earth`` one place before.
        target_names : ndarray of shape (n_words,)
            The words, sorted as in the ``classes_`` of a classifier.
        text : str
            The text, one verse a line.
        DESCR : str
            What the data are and where they come from.
        filename : str
            Where the file is.
    (data, target) : tuple
        With ``return_X_y=True``.

    Examples
    --------
    >>> from skmoe.datasets import load_genesis
    >>> genesis = load_genesis(n_context=2)
    >>> genesis.data.shape, genesis.target[:4].tolist()
    ((6508, 418), ['<rare>', 'god', 'created', 'the'])
    """
    check_count("n_context", n_context)
    check_count("min_count", min_count)
    path = resources.files("skmoe.datasets") / "data" / "genesis.txt"
    text = path.read_text(encoding="utf-8")
    tokens = _TOKEN.findall(text.lower())
    count = Counter(tokens)
    words = np.array([word if count[word] >= min_count else _RARE for word in tokens])
    names, codes = np.unique(words, return_inverse=True)
    n_rows = len(codes) - n_context
    known = [np.eye(len(names))[codes[n_context - j :][:n_rows]] for j in range(1, n_context + 1)]
    X, y = np.hstack(known), words[n_context:]
    if return_X_y:
        return X, y
    return Bunch(
        data=X,
        target=y,
        feature_names=[f"-{j}={name}" for j in range(1, n_context + 1) for name in names],
        target_names=names,
        text=text,
        DESCR=_GENESIS,
        filename=str(path),
    )
