"""Online EM: a running average of the statistics in place of their sum over all rows."""

from dataclasses import dataclass, replace

from sklearn.utils import check_random_state

from skmoe._math.checks import check_count, check_number
from skmoe.base import Fitter, Parameters, Statistics
from skmoe.fitters.em import EM
from skmoe.fitters.watch import Stop, Watch, visit


@dataclass(frozen=True)
class Memory:
    """What a stream has taught so far.

    Attributes
    ----------
    theta : Parameters
    statistics : Statistics
        Running average over the rows seen, for each unit of weight, as if taken at ``theta``.
    n_steps : int
        Blocks seen.
    total : float
        Weight of the rows seen.
    """

    theta: Parameters
    statistics: Statistics
    n_steps: int
    total: float


class OnlineEM(Fitter):
    """Online EM for streams: a step of the parts after every block of rows.

    Parameters
    ----------
    kappa : float, default=0.6
        The t-th block counts for t^-kappa of the average; between 0.5 (forgets early mistakes
        quickly) and 1 (averages all blocks alike).
    batch_size : int, default=1000
        Rows of a block.
    random_state : int, default=0
        Order of the blocks in ``fit``; ``partial_fit`` takes rows as they come.

    Notes
    -----
    With s(theta; block) the statistics of a block for each unit of weight, the average follows
    S <- (1 - t^-kappa) S + t^-kappa s(theta; block), and the M-step of S gives the next theta.
    Statistics that touch the likelihood at theta (a gate's score and curvature) are carried to the
    new theta by their own quadratic model before they are averaged. A pass is an epoch; its bound
    is that of all rows at its end, and the best place is kept.

    References
    ----------
    Cappe and Moulines (2009), On-line expectation-maximization algorithm for latent data models.

    Examples
    --------
    >>> from skmoe.fitters import OnlineEM
    >>> OnlineEM(batch_size=500)
    OnlineEM(batch_size=500)
    """

    def __init__(self, kappa=0.6, batch_size=1000, random_state=0):
        self.kappa = kappa
        self.batch_size = batch_size
        self.random_state = random_state

    def check(self):
        check_number("kappa", self.kappa, above=0.5)
        if self.kappa > 1.0:
            raise ValueError(f"kappa={self.kappa!r} must be above 0.5 and at most 1.")
        check_count("batch_size", self.batch_size)
        check_count("random_state", self.random_state, least=0)

    def scout(self):
        """Return EM: the start is found on a part of the rows, again and again."""
        return EM()

    def fit(self, mixture, theta, batches, *, max_iter, tol, on_pass=None):
        if not mixture.monotone:
            raise ValueError(
                "fitter=OnlineEM() averages statistics; those of "
                f"experts={mixture.experts!r} with gate={mixture.gate!r} are the rows themselves, "
                "or lead to no maximum."
            )
        watch = Watch(max_iter, on_pass)
        rng = check_random_state(self.random_state)
        try:
            place = visit(mixture, theta, batches)
            memory = self.begin(place)
            watch.note(place)
            reason = None
            while reason is None:
                before = watch.best.bound
                for block in batches.shuffled(self.batch_size, rng):
                    memory = self.learn(mixture, memory, block)
                place = visit(mixture, memory.theta, batches)
                watch.n_iter += 1
                watch.note(place)
                if watch.best.bound - before < tol * place.statistics.total:
                    reason = "converged"
        except Stop as stop:
            reason = str(stop)
        except KeyboardInterrupt:
            reason = watch.interrupted()
        return watch.result(reason)

    def begin(self, place):
        """Return the Memory of a pass at a place, which counts for one block."""
        total = place.statistics.total
        return Memory(place.theta, place.statistics * (1.0 / total), 1, total)

    def learn(self, mixture, memory, block):
        """Return the Memory after a block of rows."""
        found = mixture.sweep(memory.theta, block)
        n_steps, total = memory.n_steps + 1, memory.total + found.total
        step = n_steps**-self.kappa
        average = memory.statistics * (1.0 - step) + found * (step / found.total)
        theta = mixture.hold(mixture.m_step(memory.theta, average * total))
        carried = mixture.carry(average, memory.theta, theta)
        return replace(memory, theta=theta, statistics=carried, n_steps=n_steps, total=total)
