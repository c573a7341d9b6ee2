"""How likely a fitted mixture makes rows, and what criteria of its size say of that."""

from dataclasses import replace

import numpy as np

from skmoe.estimators import _validation
from skmoe.estimators._elsewhere import at_home

__all__ = ["LikelihoodMixin"]


class LikelihoodMixin:
    """Log-likelihood and information criteria of a fitted sentence; goes with `AnswersMixin`."""

    def log_likelihood(self, X, y, sample_weight=None, offset=None, groups=None):
        """Return the log-density of the answers, summed over rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows to answer for.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            Their answers; classes for a classifier.
        sample_weight : array-like of shape (n_samples,), optional
            Non-negative.
        offset : array-like of shape (n_samples,), optional
            For experts that take one; None means zeros, that is answers for one unit of exposure.
        groups : array-like of shape (n_samples,), optional
            Rows of one group were made by one expert.

        Returns
        -------
        float
            Nats, for y in its own units.

        Raises
        ------
        ValueError
            For rows that cannot be used; the message names the argument.

        Examples
        --------
        >>> from skmoe import MixtureOfExpertsRegressor
        >>> X, y = [[i] for i in range(10)], [0, 1, 3, 3, 4, 4, 3, 1, 1, 0]
        >>> est = MixtureOfExpertsRegressor(2, random_state=0).fit(X, y)
        >>> bool(np.isclose(est.log_likelihood(X, y), est.score_samples(X, y).sum()))
        True
        """
        if groups is not None:
            block = self._answered(self._table(X), y, offset)
            return self._log_likelihood_of_groups(block, sample_weight, groups)
        logs = at_home(self.score_samples(X, y, offset))
        if sample_weight is None:
            return float(logs.sum(dtype=np.float64))
        sample_weight = at_home(sample_weight)
        return float(np.dot(_validation.check_weights(sample_weight, logs), logs))

    def aic(self, X, y, offset=None):
        """Return Akaike's information criterion, 2 p - 2 log L.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows to answer for.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            Their answers; classes for a classifier.
        offset : array-like of shape (n_samples,), optional
            For experts that take one; None means zeros, that is answers for one unit of exposure.

        Returns
        -------
        float
            Lower is better.

        Raises
        ------
        ValueError
            For rows that cannot be used; the message names the argument.

        References
        ----------
        Akaike (1974), A new look at the statistical model identification.

        Examples
        --------
        >>> from skmoe import MixtureOfExpertsRegressor
        >>> X, y = [[i] for i in range(10)], [0, 1, 3, 3, 4, 4, 3, 1, 1, 0]
        >>> est = MixtureOfExpertsRegressor(2, random_state=0).fit(X, y)
        >>> est.aic(X, y) == 2 * est.n_parameters_ - 2 * est.log_likelihood(X, y)
        True
        """
        log_likelihood = self.log_likelihood(X, y, offset=offset)
        return 2.0 * self.n_parameters_ - 2.0 * log_likelihood

    def bic(self, X, y, offset=None):
        """Return the Bayesian information criterion, p log n - 2 log L.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows to answer for.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            Their answers; classes for a classifier.
        offset : array-like of shape (n_samples,), optional
            For experts that take one; None means zeros, that is answers for one unit of exposure.

        Returns
        -------
        float
            Lower is better.

        Raises
        ------
        ValueError
            For rows that cannot be used; the message names the argument.

        References
        ----------
        Schwarz (1978), Estimating the dimension of a model.

        Examples
        --------
        >>> from skmoe import MixtureOfExpertsRegressor
        >>> X, y = [[i] for i in range(10)], [0, 1, 3, 3, 4, 4, 3, 1, 1, 0]
        >>> est = MixtureOfExpertsRegressor(2, random_state=0).fit(X, y)
        >>> bool(est.bic(X, y) > est.aic(X, y))  # log(10) > 2
        True
        """
        logs = at_home(self.score_samples(X, y, offset))
        return float(self.n_parameters_ * np.log(len(logs)) - 2.0 * logs.sum(dtype=np.float64))

    def icl(self, X, y, offset=None):
        """Return the integrated completed likelihood: BIC plus twice the shares' entropy.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows to answer for.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            Their answers; classes for a classifier.
        offset : array-like of shape (n_samples,), optional
            For experts that take one; None means zeros, that is answers for one unit of exposure.

        Returns
        -------
        float
            Lower is better.

        Raises
        ------
        ValueError
            For rows that cannot be used; the message names the argument.

        References
        ----------
        Biernacki, Celeux and Govaert (2000), Assessing a mixture model for clustering with the
        integrated completed likelihood.

        Examples
        --------
        >>> from skmoe import MixtureOfExpertsRegressor
        >>> X, y = [[i] for i in range(10)], [0, 1, 3, 3, 4, 4, 3, 1, 1, 0]
        >>> est = MixtureOfExpertsRegressor(2, random_state=0).fit(X, y)
        >>> bool(est.icl(X, y) >= est.bic(X, y))
        True
        """
        share = at_home(self.responsibilities(X, y, offset))
        entropy = -np.sum(share * np.log(np.maximum(share, np.finfo(share.dtype).tiny)))
        return float(self.bic(X, y, offset) + 2.0 * entropy)

    def _log_likelihood_of_groups(self, block, sample_weight, groups):
        """Return the summed log-likelihood of groups of rows (a float)."""
        if sample_weight is not None:
            weight = _validation.check_weights(sample_weight, block.X)
            block = replace(block, weight=weight.astype(block.weight.dtype))
        block = block.by_group(_validation.check_groups(groups, block.n_rows))
        unit = block.weight.sum(dtype=np.float64) * np.log(self._scaling.y.scale).sum()
        return float(self._grouped.pooled(self.theta_, block).sum() - unit)
