"""Fitted mixtures on paper and in notebooks."""

from skmoe.inspection.glance import html_glance
from skmoe.inspection.summary import Summary

__all__ = ["SummaryMixin"]


class SummaryMixin:
    """A printed summary, and tables of experts and gate where a notebook shows an estimator."""

    def summary(self, X, y, *, offset=None, kind="information", confidence=0.95):
        """Return header and coefficient table, to be printed.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows on which log-likelihood, criteria and standard errors are taken.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            Their answers.
        offset : array-like of shape (n_samples,), optional
            For experts that take one.
        kind : {"information", "score", "sandwich", "bootstrap", "parametric_bootstrap"}
            Where standard errors come from; see `skmoe.inspection.coefficient_table`.
        confidence : float, default=0.95
            Probability of the intervals.

        Returns
        -------
        skmoe.inspection.Summary
            Printed by ``str``; has ``table``, a `CoefficientTable`.

        Raises
        ------
        ValueError
            For rows or arguments that cannot be used; the message names the argument.

        Examples
        --------
        >>> from skmoe import MixtureOfExpertsRegressor
        >>> from skmoe.datasets import make_mixture_of_experts
        >>> X, y, _ = make_mixture_of_experts(500, 1, 2, random_state=0)
        >>> est = MixtureOfExpertsRegressor(2, random_state=0).fit(X, y)
        >>> str(est.summary(X, y)).splitlines()[2].split()[:4]
        ['Experts:', '2', 'of', 'LinearExperts']
        """
        return Summary.from_estimator(self, X, y, offset=offset, kind=kind, confidence=confidence)

    def _repr_html_inner(self):
        return super()._repr_html_inner() + self._glance()

    def _repr_mimebundle_(self, **kwargs):
        bundle = super()._repr_mimebundle_(**kwargs)
        if "text/html" in bundle:
            bundle["text/html"] += self._glance()
        return bundle

    def _glance(self):
        return html_glance(self) if hasattr(self, "theta_") else ""
