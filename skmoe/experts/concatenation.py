"""A concatenation of banks is a bank: lines beside a broad outlier expert, say."""

from dataclasses import dataclass
from functools import reduce

import numpy as np

from skmoe._math.checks import check_count
from skmoe.base import Components, Experts, Parameters, Statistics
from skmoe.targets import REAL


@dataclass(frozen=True)
class ConcatenatedParameters(Parameters):
    """Parameters of the banks, one after the other."""

    parts: tuple

    def flatten(self):
        return np.concatenate([part.flatten() for part in self.parts])

    @property
    def size(self):
        return sum(part.size for part in self.parts)

    def unflatten(self, vector):
        cuts = np.cumsum([part.size for part in self.parts])[:-1]
        pieces = np.split(vector, cuts)
        return ConcatenatedParameters(
            tuple(part.unflatten(piece) for part, piece in zip(self.parts, pieces, strict=True))
        )


@dataclass(frozen=True)
class ConcatenatedStatistics(Statistics):
    """Statistics of the banks, one after the other."""

    parts: tuple

    def __add__(self, other):
        pairs = zip(self.parts, other.parts, strict=True)
        return ConcatenatedStatistics(tuple(one + two for one, two in pairs))

    def __mul__(self, factor):
        return ConcatenatedStatistics(tuple(part * factor for part in self.parts))

    __rmul__ = __mul__


class ConcatenatedExperts(Experts):
    """Experts of several families side by side.

    Parameters
    ----------
    banks : list of (Experts, int) or Experts
        Banks and their numbers of experts; a bank alone stands for one expert. They add up to the
        estimator's ``n_experts``, and number the experts in this order. Parameters of the i-th
        bank are reached as ``bank<i>__alpha``.

    Notes
    -----
    Answers are treated as the most demanding bank asks: rows are standardized only if all banks
    allow it. Densities and probabilities of whole numbers are compared as they are, so put counts
    beside counts.

    References
    ----------
    Gruen and Leisch (2008), FlexMix version 2: finite mixtures with concomitant variables and
    varying and constant parameters.

    Examples
    --------
    >>> from skmoe.experts import ConcatenatedExperts, LinearExperts, NoiseExperts
    >>> experts = ConcatenatedExperts([(LinearExperts(), 3), NoiseExperts(width=3.0)])
    >>> experts.n_experts
    4
    """

    exchangeable = False

    def __init__(self, banks):
        self.banks = banks

    def get_params(self, deep=True):
        """Return the banks, and with ``deep`` their parameters as ``bank<i>__name``."""
        params = {"banks": self.banks}
        if deep:
            for i, bank in enumerate(self._banks):
                params[f"bank{i}"] = bank
                params |= {f"bank{i}__{n}": value for n, value in bank.get_params().items()}
        return params

    @property
    def _pairs(self):
        return [bank if isinstance(bank, tuple | list) else (bank, 1) for bank in self.banks]

    @property
    def _banks(self):
        return [bank for bank, _ in self._pairs]

    @property
    def n_experts(self):
        """Experts of all banks together."""
        return sum(n for _, n in self._pairs)

    @property
    def _slices(self):
        ends = np.cumsum([n for _, n in self._pairs])
        return [slice(end - n, end) for end, (_, n) in zip(ends, self._pairs, strict=True)]

    def check(self):
        if not len(self.banks):
            raise ValueError("banks is empty; at least one bank is needed.")
        for bank, n in self._pairs:
            if not isinstance(bank, Experts):
                raise TypeError(f"banks holds {bank!r}, which is no instance of Experts.")
            check_count("banks' number of experts", n)
            bank.check()

    @property
    def target(self):
        """What suits all banks."""
        targets = [bank.target for bank in self._banks] or [REAL]
        return reduce(lambda one, two: one.joined(two), targets)

    @property
    def monotone(self):
        """Whether all banks are."""
        return all(bank.monotone for bank in self._banks)

    @property
    def settling_steps(self):
        """What the slowest bank asks for."""
        return max(bank.settling_steps for bank in self._banks)

    @property
    def takes_notes(self):
        """Whether any bank does."""
        return any(bank.takes_notes for bank in self._banks)

    def raw_columns(self, n_features):
        return sorted({j for bank in self._banks for j in bank.raw_columns(n_features)})

    def with_names(self, names):
        return self._changed(lambda bank: bank.with_names(names))

    def with_offset(self, column):
        return self._changed(lambda bank: bank.with_offset(column))

    def for_rows(self, scaling):
        return self._changed(lambda bank: bank.for_rows(scaling))

    def without(self, theta, lost):
        left, parts = [], []
        rows = zip(self._pairs, theta.parts, self._slices, strict=True)
        for (bank, n), part, chosen in rows:
            own = lost[chosen]
            if own.all():
                continue
            # A bank of one expert that is left has nothing to lose.
            bank, part = bank.without(part, own) if own.any() else (bank, part)
            left.append((bank, n - int(own.sum())))
            parts.append(part)
        return ConcatenatedExperts(left), ConcatenatedParameters(tuple(parts))

    def response(self, X, y):
        return self._banks[0].response(X, y)

    def init(self, X, y, n_experts):
        if n_experts != self.n_experts:
            raise ValueError(
                f"n_experts={n_experts}, but the banks hold {self.n_experts} experts: "
                f"{[n for _, n in self._pairs]}."
            )
        return ConcatenatedParameters(tuple(bank.init(X, y, n) for bank, n in self._pairs))

    def log_prob(self, theta, X, y):
        return self._joined(lambda bank, part: bank.log_prob(part, X, y), theta)

    def evidence(self, theta, X, y):
        return self._joined(lambda bank, part: bank.evidence(part, X, y), theta)

    def mean(self, theta, X):
        return self._joined(lambda bank, part: bank.mean(part, X), theta)

    def components(self, theta, X):
        return ConcatenatedComponents(
            self._each(lambda bank, part: bank.components(part, X), theta)
        )

    def statistics(self, theta, X, y, weight):
        return ConcatenatedStatistics(
            tuple(
                bank.statistics(part, X, y, weight[:, chosen])
                for bank, part, chosen in zip(self._banks, theta.parts, self._slices, strict=True)
            )
        )

    def carry(self, statistics, old, new):
        rows = zip(self._banks, statistics.parts, old.parts, new.parts, strict=True)
        return ConcatenatedStatistics(
            tuple(bank.carry(part, before, after) for bank, part, before, after in rows)
        )

    def m_step(self, theta, statistics):
        return ConcatenatedParameters(
            self._each(lambda bank, *parts: bank.m_step(*parts), theta, statistics)
        )

    def gradient(self, theta, statistics):
        slopes = self._each(lambda bank, *parts: bank.gradient(*parts), theta, statistics)
        return None if None in slopes else ConcatenatedParameters(slopes)

    def hold(self, theta):
        return ConcatenatedParameters(self._each(lambda bank, part: bank.hold(part), theta))

    def penalty(self, theta):
        return sum(self._each(lambda bank, part: bank.penalty(part), theta))

    def n_parameters(self, theta):
        return sum(self._each(lambda bank, part: bank.n_parameters(part), theta))

    def notes(self, theta, X, y, weight):
        found = []
        for bank, part, chosen in zip(self._banks, theta.parts, self._slices, strict=True):
            notes = bank.notes(part, X, y, weight[:, chosen])
            found += [f"from expert {chosen.start} on: {note}" for note in notes]
        return found

    def units(self, theta, scaling):
        """Return attributes that all banks have in one shape, joined over the experts."""
        found = self._each(lambda bank, part: bank.units(part, scaling), theta)
        joined = {}
        for name in sorted(set.intersection(*(set(attributes) for attributes in found))):
            values = [np.asarray(attributes[name]) for attributes in found]
            counts = [n for _, n in self._pairs]
            alike = len({value.shape[1:] for value in values}) == 1
            if alike and [len(value) for value in values] == counts:
                joined[name] = np.concatenate(values)
        return joined

    def _changed(self, change):
        return ConcatenatedExperts([(change(bank), n) for bank, n in self._pairs])

    def _each(self, function, *records):
        parts = zip(self._banks, *(record.parts for record in records), strict=True)
        return tuple(function(*each) for each in parts)

    def _joined(self, function, theta):
        # Rows run fastest in memory; experts are the second axis.
        values = self._each(function, theta)
        return np.concatenate([np.moveaxis(value, 1, 0) for value in values]).swapaxes(0, 1)


class ConcatenatedComponents(Components):
    """The densities of several banks at the same rows.

    Parameters
    ----------
    parts : sequence of Components
    """

    def __init__(self, parts):
        self.parts = tuple(parts)

    @property
    def shape(self):
        n, _, q = self.parts[0].shape
        return n, sum(part.shape[1] for part in self.parts), q

    @property
    def discrete(self):
        """Whether answers are whole numbers."""
        return all(getattr(part, "discrete", False) for part in self.parts)

    def take(self, rows):
        """Return the components of the given rows: an index array of shape (p,) or a slice."""
        return ConcatenatedComponents([part.take(rows) for part in self.parts])

    def gaussians(self):
        """Return means and deviations, (n, K, q) each, or None if not all are Gaussians."""
        found = [part.gaussians() for part in self.parts]
        if any(each is None for each in found):
            return None
        return tuple(np.concatenate(values, axis=1) for values in zip(*found, strict=True))

    def log_prob(self, y):
        return np.concatenate([part.log_prob(own) for part, own in self._asked(y)], axis=-1)

    def mean(self):
        return np.concatenate([part.mean() for part in self.parts], axis=1)

    def covariance(self):
        full = [
            np.broadcast_to(part.covariance(), (*part.shape, part.shape[-1])) for part in self.parts
        ]
        return np.concatenate(full, axis=1)

    def cdf(self, y):
        return np.concatenate([part.cdf(own) for part, own in self._asked(y)], axis=-2)

    def ppf(self, q):
        return np.concatenate([part.ppf(q) for part in self.parts], axis=1)

    def sample(self, expert, rng):
        drawn, first = np.zeros((*expert.shape, self.shape[2])), 0
        for part in self.parts:
            own = (expert >= first) & (expert < first + part.shape[1])
            draws = part.sample(np.where(own, expert - first, 0), rng)
            drawn[own] = draws[own]
            first += part.shape[1]
        return drawn

    def _asked(self, y):
        """Return pairs of a part and what it is asked, of y for all or of each expert's own."""
        if y.shape[-2] == 1:
            return [(part, y) for part in self.parts]
        ends = np.cumsum([part.shape[1] for part in self.parts])[:-1]
        return list(zip(self.parts, np.split(y, ends, axis=-2), strict=True))
