"""The mixture of softmaxes as a scikit-learn classifier."""

import numpy as np

from skmoe._math.checks import check_choice, check_count, check_number
from skmoe.estimators._network import BaseNetwork
from skmoe.estimators._network_classes import NetworkClassesMixin
from skmoe.neural.activations import ACTIVATIONS
from skmoe.neural.softmaxes import mixture_of_softmaxes

# Logits of a mini-batch for ``batch_size="auto"``, all experts together, and its fewest rows.
_LOGITS, _FEWEST = 1 << 24, 8


class MixtureOfSoftmaxesClassifier(NetworkClassesMixin, BaseNetwork):
    """Mixture of softmaxes that share one output matrix; for many classes.

    Parameters
    ----------
    n_experts : int, default=4
        Number of softmaxes K; 1: a single one.
    width : int, default=16
        Width of a context, which is the number of rows of the output matrix.
    hidden : int or None, default=None
        Units of a hidden layer h(x), which gate and contexts see; None: they see x.
    activation : {"relu", "tanh", "logistic", "gelu", "identity"}, default="relu"
        Of the hidden layer.
    dropout : float, default=0.0
        Share of the numbers in a context that are set to zero in training.
    class_weight : dict, "balanced" or None, default=None
        What rows of a class count, on top of their sample weights.
    standardize : bool, default=True
        Whether X is standardized inside.
    solver : {"adam", "adamw", "sgd"}, default="adam"
        Who follows the gradient.
    alpha : float, default=1e-4
        L2 penalty of the weights, divided by the rows of a batch as in scikit-learn; for
        ``"adamw"`` the decoupled weight decay.
    batch_size : int or "auto", default="auto"
        Rows of a step; "auto": n_samples / 32, at least 32 and at most 1024.
    learning_rate : {"constant", "adaptive", "invscaling", "cosine", "linear"}, default="constant"
        "cosine" and "linear" run down to zero at ``max_iter``; "adaptive" divides by 5 when
        progress ends.
    learning_rate_init : float, default=1e-2
        First learning rate.
    warmup_steps : int, default=0
        Steps over which the learning rate rises first.
    max_iter : int, default=200
        Epochs.
    shuffle : bool, default=True
        Whether rows come in a new order in every epoch.
    random_state : int, RandomState or None, default=None
        The same seed gives the same model, bit for bit.
    tol : float, default=1e-4
        Least progress of an epoch.
    verbose : bool, default=False
        Whether to print a line an epoch.
    warm_start : bool, default=False
        Whether ``fit`` goes on from the last solution, with its standardization.
    momentum : float, default=0.9
        For ``solver="sgd"``.
    nesterovs_momentum : bool, default=True
        For ``solver="sgd"``.
    early_stopping : bool, default=False
        Whether to hold out rows, and to stop when their score no longer rises. Else training stops
        when its loss no longer falls.
    validation_fraction : float, default=0.1
        Share of the rows that is held out, row by row whatever their weights.
    beta_1, beta_2, epsilon : float, default=0.9, 0.999, 1e-8
        For Adam.
    n_iter_no_change : int, default=10
        Epochs without progress by ``tol`` after which training stops.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The classes.
    output_ : ndarray of shape (width, n_classes)
        The output matrix W.
    loss_curve_ : list of float
        Training loss of every epoch: mean of -log p(y | x).
    validation_scores_ : list of float or None
        Mean of log p(y | x) for the rows held out; with ``early_stopping``.
    best_iter_ : int
        Epoch whose parameters were kept, counted from 1.
    n_iter_, converged_, stop_reason_, n_parameters_, theta_, network_ :
        As for `SparseMixtureOfExpertsClassifier`.
    n_features_in_, feature_names_in_ :
        As everywhere.

    Notes
    -----
    p(y | x) = sum_k pi_k(x) softmax(W' tanh(V_k h + b_k))_y, with pi the softmax of a linear map of
    h. The matrix of log-probabilities of one softmax has a rank of at most ``width`` + 1, whatever
    h; that of a mixture is not bounded by it. Training takes n_experts * batch_size * n_classes
    numbers of memory, and predictions of `predict` and `score_samples` far less.

    References
    ----------
    Yang, Dai, Salakhutdinov and Cohen (2018), Breaking the softmax bottleneck: a high-rank RNN
    language model.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skmoe import MixtureOfSoftmaxesClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> est = MixtureOfSoftmaxesClassifier(
    ...     2, width=3, learning_rate="cosine", max_iter=60, random_state=0
    ... ).fit(X, y)
    >>> bool(est.score(X, y) > 0.9)
    True
    """

    def __init__(
        self,
        n_experts=4,
        *,
        width=16,
        hidden=None,
        activation="relu",
        dropout=0.0,
        class_weight=None,
        standardize=True,
        solver="adam",
        alpha=1e-4,
        batch_size="auto",
        learning_rate="constant",
        learning_rate_init=1e-2,
        warmup_steps=0,
        max_iter=200,
        shuffle=True,
        random_state=None,
        tol=1e-4,
        verbose=False,
        warm_start=False,
        momentum=0.9,
        nesterovs_momentum=True,
        early_stopping=False,
        validation_fraction=0.1,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-8,
        n_iter_no_change=10,
    ):
        self.n_experts = n_experts
        self.width = width
        self.hidden = hidden
        self.activation = activation
        self.dropout = dropout
        self.class_weight = class_weight
        self.standardize = standardize
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.warmup_steps = warmup_steps
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.n_iter_no_change = n_iter_no_change

    def predict_gate(self, X):
        """Return the gate's weights pi.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows to answer for.

        Returns
        -------
        ndarray of shape (n_samples, n_experts)
            Rows sum to one.

        Raises
        ------
        ValueError
            For rows that cannot be used; the message names the argument.

        Examples
        --------
        >>> from skmoe import MixtureOfSoftmaxesClassifier
        >>> X, y = [[i] for i in range(20)], [0] * 10 + [1] * 10
        >>> est = MixtureOfSoftmaxesClassifier(2, width=2, learning_rate="cosine", random_state=0)
        >>> est.fit(X, y).predict_gate(X).shape
        (20, 2)
        """
        Z = self._rows_to_answer(X)
        return np.exp(self.network_.log_gate(self._views(), Z))

    def predict_experts(self, X):
        """Return the probabilities that every softmax gives the classes.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows to answer for.

        Returns
        -------
        ndarray of shape (n_samples, n_experts, n_classes)
            Last axis in the order of ``classes_``, where it sums to one.

        Raises
        ------
        ValueError
            For rows that cannot be used; the message names the argument.

        Examples
        --------
        >>> from skmoe import MixtureOfSoftmaxesClassifier
        >>> X, y = [[i] for i in range(20)], [0] * 10 + [1] * 10
        >>> est = MixtureOfSoftmaxesClassifier(2, width=2, learning_rate="cosine", random_state=0)
        >>> est.fit(X, y).predict_experts(X).shape
        (20, 2, 2)
        """
        Z = self._rows_to_answer(X)
        return np.exp(self.network_.parts(self._views(), Z)[1])

    def apply(self, X):
        """Return the number of the most weighted softmax.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows to answer for.

        Returns
        -------
        ndarray of int of shape (n_samples,)
            From 0 to n_experts - 1.

        Raises
        ------
        ValueError
            For rows that cannot be used; the message names the argument.

        Examples
        --------
        >>> from skmoe import MixtureOfSoftmaxesClassifier
        >>> X, y = [[i] for i in range(20)], [0] * 10 + [1] * 10
        >>> est = MixtureOfSoftmaxesClassifier(2, width=2, learning_rate="cosine", random_state=0)
        >>> est.fit(X, y).apply(X).shape
        (20,)
        """
        return self.predict_gate(X).argmax(axis=1)

    @property
    def output_(self):
        """The output matrix W, shape (width, n_classes)."""
        return self._views()["output"]["W"]

    def _check_hyper_parameters(self):
        self._check_training_arguments()
        check_count("n_experts", self.n_experts)
        check_count("width", self.width)
        if self.hidden is not None:
            check_count("hidden", self.hidden)
        check_choice("activation", self.activation, ACTIVATIONS)
        check_number("dropout", self.dropout)
        if self.dropout >= 1:
            raise ValueError(f"dropout={self.dropout!r} must be below 1.")

    def _build_network(self, Z):
        return mixture_of_softmaxes(
            Z.shape[1],
            len(self.classes_),
            (self.n_experts, self.width),
            hidden=self.hidden,
            activation=self.activation,
            dropout=self.dropout,
        )

    def _auto_batch_size(self, n_rows):
        most = _LOGITS // (self.n_experts * len(self.classes_))
        return min(super()._auto_batch_size(n_rows), max(_FEWEST, most))

    def _scorer(self, validation):
        network = self.network_

        def score(theta, state):
            views = network.layout.views(theta.astype(np.float64))
            losses = network.losses(views, validation.X, validation.y)
            return -float(np.average(losses, weights=validation.weight))

        return score
