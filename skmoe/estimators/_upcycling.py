"""Sparse upcycling behind scikit-learn's face."""

from abc import ABC, abstractmethod
from dataclasses import replace

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from skmoe.estimators._network import no_scaling
from skmoe.neural.training import Session
from skmoe.neural.upcycling import upcycle_blocks, upcycle_perceptron


class UpcyclingMixin(ABC):
    """Mixtures that grow from a trained dense network."""

    @classmethod
    def upcycle(cls, dense, n_experts=8, top_k=2, *, router="top_k", X=None, **params):
        """Return a fitted mixture whose experts are copies of a dense network's hidden layer.

        With weights that add up to one its first answers are those of the dense network; weights
        that do not are multiplied by E / k, and the answers nearly so. ``fit`` and ``partial_fit``
        go on from there.

        Parameters
        ----------
        dense : estimator
            A fitted ``MLPRegressor`` or ``MLPClassifier`` of scikit-learn (its last hidden layer
            becomes the mixture), or an estimator of this class with ``router=None`` (each of its
            blocks does).
        n_experts : int, default=8
            Copies of every hidden layer.
        top_k : int, default=2
            Copies that answer for a row.
        router : str or Router, default="top_k"
            Who asks them, starting fresh.
        X : array-like of shape (n_samples, n_features), optional
            Rows that a hash router fixes its cells by.
        **params
            Other parameters of the estimator.

        Returns
        -------
        estimator
            Fitted, with ``warm_start=True``.

        Raises
        ------
        ValueError
            If the network or the router is none that can be upcycled.

        References
        ----------
        Komatsuzaki et al. (2022), Sparse upcycling: training mixture-of-experts from dense
        checkpoints.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn.datasets import make_friedman1
        >>> from skmoe import SparseMixtureOfExpertsRegressor
        >>> X, y = make_friedman1(200, random_state=0)
        >>> dense = SparseMixtureOfExpertsRegressor(
        ...     router=None, learning_rate="cosine", max_iter=20, random_state=0
        ... )
        >>> est = SparseMixtureOfExpertsRegressor.upcycle(dense.fit(X, y), n_experts=4)
        >>> bool(np.allclose(est.predict(X), dense.predict(X)))
        True
        """
        check_is_fitted(dense)
        given = {"n_experts": n_experts, "top_k": top_k, "router": router, "warm_start": True}
        if isinstance(dense, cls):
            inherited = dense.get_params(deep=False)
        else:
            layers = dense.hidden_layer_sizes
            hidden = layers if isinstance(layers, int) else layers[-1]
            inherited = {"hidden": hidden, "activation": dense.activation, "standardize": False}
        est = cls(**(inherited | given | params))
        est._check_hyper_parameters()
        if est.shared_expert:
            raise ValueError("shared_expert=True would count the dense network twice.")
        est._grow_from(dense, X)
        return est

    def _grow_from(self, dense, X):
        """Take over what a dense network learned."""
        for name in ("n_features_in_", "feature_names_in_"):
            if hasattr(dense, name):
                setattr(self, name, getattr(dense, name))
        rng = np.random.default_rng(check_random_state(self.random_state).randint(2**31 - 1))
        router, n_experts, _ = self._build_router()
        router = router.rescaled(n_experts)
        if isinstance(dense, type(self)):
            if dense.network_.mixtures:
                raise ValueError(f"dense={dense!r} is a mixture already; allowed is router=None.")
            self._take_over(dense)
            self._x_scaling, self._y_scaling = dense._x_scaling, dense._y_scaling
            self._plan = replace(dense._plan, router=router, n_experts=n_experts)
            network, theta = upcycle_blocks(self._plan, dense.network_, dense.theta_, rng)
        else:
            coefs, intercepts = self._perceptron(dense)
            self._x_scaling = no_scaling(dense.n_features_in_)
            network, theta = upcycle_perceptron(
                coefs, intercepts, dense.activation, router, n_experts, self._head(), rng
            )
        self.network_ = network
        Z = None if X is None else self._standardized(np.asarray(X, dtype=np.float64))
        state = network.initial_state(Z, rng)
        self._session = Session(theta.astype(np.float32), state, rng)
        nothing = np.zeros((1, dense.n_features_in_))
        self._publish(nothing if Z is None else Z)
        # Until it is trained on, the mixture answers as precisely as the dense network.
        self.theta_ = theta

    @abstractmethod
    def _take_over(self, dense):
        """Copy what an estimator of this class knows of the targets."""

    @abstractmethod
    def _perceptron(self, dense):
        """Return coefficients and intercepts of a perceptron, and learn its targets."""
