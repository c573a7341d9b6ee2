"""A fitted mixture on one page: what it is, how well it fits, and its coefficients."""

from dataclasses import dataclass

from skmoe.inspection.coefficients import CoefficientTable

__all__ = ["Summary"]


@dataclass(frozen=True, eq=False, repr=False)
class Summary:
    """Header and coefficient table of a fitted mixture.

    Attributes
    ----------
    title : str
        Name of the estimator.
    parts : dict of str to str
        What the mixture is made of, and how its training ended.
    figures : dict of str to str
        Rows, parameters, log-likelihood, AIC and BIC.
    table : CoefficientTable
        The coefficients.

    Examples
    --------
    >>> from skmoe import MixtureOfExpertsRegressor
    >>> from skmoe.datasets import make_mixture_of_experts
    >>> from skmoe.inspection import Summary
    >>> X, y, _ = make_mixture_of_experts(500, 1, 2, random_state=0)
    >>> est = MixtureOfExpertsRegressor(2, random_state=0).fit(X, y)
    >>> Summary.from_estimator(est, X, y).figures["Rows"]
    '500'
    """

    title: str
    parts: dict
    figures: dict
    table: CoefficientTable

    @classmethod
    def from_estimator(cls, est, X, y, *, offset=None, **options):
        """Return the summary of a fitted mixture.

        Parameters
        ----------
        est : estimator
            A fitted classical mixture.
        X : array-like of shape (n_samples, n_features)
            Rows on which the figures are taken.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            Their answers.
        offset : array-like of shape (n_samples,), optional
            For experts that take one.
        **options
            Of `coefficient_table`: ``kind``, ``confidence``, ``n_bootstrap``, ``random_state``.

        Returns
        -------
        Summary
            Printed by ``str``.

        Raises
        ------
        ValueError
            For rows or options that cannot be used.
        """
        table = CoefficientTable.from_estimator(est, X, y, offset=offset, **options)
        parts = {
            "Experts": f"{est.n_experts} of {type(est.experts_).__name__}",
            "Gate": type(est.gate_).__name__,
            "Converged": "yes" if est.converged_ else "no",
            "Passes": f"{est.n_passes_}",
            "Std. errors": table.kind,
        }
        figures = {
            "Rows": f"{len(y)}",
            "Parameters": f"{est.n_parameters_}",
            "Log-likelihood": f"{est.log_likelihood(X, y, offset=offset):.2f}",
            "AIC": f"{est.aic(X, y, offset=offset):.2f}",
            "BIC": f"{est.bic(X, y, offset=offset):.2f}",
        }
        return cls(type(est).__name__, parts, figures, table)

    def __str__(self):
        table = str(self.table).splitlines()
        width = max(60, max(map(len, table)))
        half = width // 2
        lines = [self.title.center(width).rstrip(), "=" * width]
        pairs = zip(self.parts.items(), self.figures.items(), strict=True)
        for (part, what), (name, value) in pairs:
            left = f"{part + ':':<13}{what}"
            lines.append(f"{left:<{half}}  {name + ':':<16}{value:>{width - half - 18}}")
        return "\n".join(
            [*lines, "=" * width, table[0], "-" * width, *table[1:-1], "=" * width, table[-1]]
        )

    __repr__ = __str__
