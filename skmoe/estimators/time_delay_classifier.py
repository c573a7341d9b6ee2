"""The time-delay network as a scikit-learn classifier."""

from copy import deepcopy

import numpy as np
from sklearn.utils import check_array

from skmoe._math.checks import check_choice, check_count, check_number
from skmoe.batches import Standardizer
from skmoe.estimators._network import BaseNetwork, no_scaling
from skmoe.estimators._network_classes import NetworkClassesMixin
from skmoe.estimators._validation import naming
from skmoe.neural.activations import ACTIVATIONS
from skmoe.neural.layers import Sequential, Softmax
from skmoe.neural.time_delay import time_delay_network


class TimeDelayClassifier(NetworkClassesMixin, BaseNetwork):
    """Time-delay network: windows of frames with shared weights, and evidence pooled over time.

    Parameters
    ----------
    n_frames : int or None, default=None
        Frames of a row, where rows are flat: frame after frame, each with all its channels. None:
        every column is a frame of one channel. Rows of shape (n_frames, n_channels) say it
        themselves.
    hidden : int, default=8
        Units of the first layer.
    windows : tuple of two int, default=(3, 5)
        Frames that a unit of the first layer sees of the input, and one of the second layer of the
        first; cut to as many as there are.
    activation : {"tanh", "logistic", "relu", "gelu", "identity"}, default="tanh"
        Of the first layer.
    dropout : float, default=0.0
        Share of the first layer's outputs that are set to zero in training.
    class_weight : dict, "balanced" or None, default=None
        What rows of a class count, on top of their sample weights.
    standardize : bool, default=True
        Whether channels are standardized inside, all frames of one alike.
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
    n_frames_, n_channels_ : int
        Shape of a row.
    loss_curve_ : list of float
        Training loss of every epoch.
    validation_scores_ : list of float or None
        Accuracy for the rows held out; with ``early_stopping``.
    best_iter_ : int
        Epoch whose parameters were kept, counted from 1.
    n_iter_, converged_, stop_reason_, n_parameters_, theta_, network_ :
        As for `SparseMixtureOfExpertsClassifier`.
    n_features_in_ : int
        Columns of flat rows: frames times channels.

    Notes
    -----
    Unit j of the first layer is u_tj = tanh(sum_{s < w1} v_js' x_{t + s} + a_j) at frame t, the
    evidence for class c is e_tc = sum_{s < w2} m_cs' u_{t + s} + b_c, and
    p(c | x) = softmax(mean_t e_t)_c. Weights do not depend on t, so that a pattern is known
    wherever it is; trained on the cross-entropy. The paper's second layer is squashed, and the
    squares of its units are added up over time.

    References
    ----------
    Waibel, Hanazawa, Hinton, Shikano and Lang (1989), Phoneme recognition using time-delay neural
    networks. Hampshire and Waibel (1992), The meta-pi network.

    Examples
    --------
    >>> import numpy as np
    >>> from skmoe import TimeDelayClassifier
    >>> rng = np.random.RandomState(0)
    >>> X, y = 0.1 * rng.standard_normal((200, 12, 1)), np.repeat([0, 1], 100)
    >>> for row, label in zip(X, y):
    ...     t = rng.randint(9)
    ...     row[t : t + 3, 0] += [0, 1, 2] if label else [2, 1, 0]
    >>> est = TimeDelayClassifier(max_iter=60, learning_rate="cosine", random_state=0).fit(X, y)
    >>> bool(est.score(X, y) > 0.95)
    True
    """

    def __init__(
        self,
        n_frames=None,
        *,
        hidden=8,
        windows=(3, 5),
        activation="tanh",
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
        self.n_frames = n_frames
        self.hidden = hidden
        self.windows = windows
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

    def as_layer(self, X):
        """Return the fitted network as a layer, for those who train it further with others.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, n_frames, n_channels)
            Rows that the layer will see.

        Returns
        -------
        columns : ndarray of shape (n_samples, n_features)
            What the layer sees of them.
        layer : skmoe.neural.layers.Layer
            Answers with probabilities (n_samples, n_classes).
        theta : ndarray of shape (n_parameters_,)
            Its numbers.
        write : callable
            ``write(theta)`` returns a copy of the estimator with other numbers.

        Raises
        ------
        ValueError
            For rows that cannot be used; the message names the argument.

        Examples
        --------
        >>> from skmoe import TimeDelayClassifier
        >>> X, y = [[0, 0, 1], [1, 0, 0]] * 5, [0, 1] * 5
        >>> est = TimeDelayClassifier(random_state=0, learning_rate="cosine").fit(X, y)
        >>> columns, layer, theta, write = est.as_layer(X)
        >>> columns.shape, theta.shape == (est.n_parameters_,)
        ((10, 3), True)
        """

        def write(theta):
            written = deepcopy(self)
            written.theta_ = np.array(theta)
            written._session.theta = written.theta_.astype(np.float32)
            return written

        layer = Sequential(network=self._body(dropout=0.0), share=Softmax())
        return self._rows_to_answer(X), layer, self.theta_.copy(), write

    def _check_hyper_parameters(self):
        self._check_training_arguments()
        if self.n_frames is not None:
            check_count("n_frames", self.n_frames)
        check_count("hidden", self.hidden)
        check_choice("activation", self.activation, ACTIVATIONS)
        check_number("dropout", self.dropout)
        if self.dropout >= 1:
            raise ValueError(f"dropout={self.dropout!r} must be below 1.")
        if not isinstance(self.windows, tuple | list) or len(self.windows) != 2:
            raise ValueError(f"windows={self.windows!r} must be two integers.")
        for window in self.windows:
            check_count("windows", window)

    def _validated(self, X, y, reset):
        X, shape = self._flat(X)
        X, y = super()._validated(X, y, reset)
        shape = shape or self._shape_of(X.shape[1])
        if reset:
            self.n_frames_, self.n_channels_ = shape
        self._check_shape(shape)
        return X, y

    def _seen(self, X):
        X, shape = self._flat(X)
        if shape is not None:
            self._check_shape(shape)
        return super()._seen(X)

    def _flat(self, X):
        """Return X with flat rows, and the shape (n_frames, n_channels) where rows had one."""
        if (X.ndim if hasattr(X, "ndim") else np.asarray(X).ndim) != 3:
            return X, None
        with naming("X"):
            X = check_array(X, allow_nd=True, dtype=np.float64, input_name="X")
        if X.shape[1] * X.shape[2] == 0:
            raise ValueError(f"X has 0 features (shape {X.shape}); a minimum of 1 is required.")
        return X.reshape(len(X), -1), X.shape[1:]

    def _shape_of(self, n_features):
        n_frames = n_features if self.n_frames is None else self.n_frames
        if n_features % n_frames:
            raise ValueError(
                f"n_frames={n_frames} must divide the {n_features} columns of flat rows X."
            )
        return n_frames, n_features // n_frames

    def _check_shape(self, shape):
        if self.n_frames is not None and shape[0] != self.n_frames:
            raise ValueError(f"X has rows of {shape[0]} frames; n_frames={self.n_frames}.")
        if tuple(shape) != (self.n_frames_, self.n_channels_):
            raise ValueError(
                f"X has rows of shape {tuple(shape)}; the estimator was fitted with "
                f"{(self.n_frames_, self.n_channels_)}."
            )

    def _scaling_of(self, A, weight):
        if not self.standardize:
            return no_scaling(A.shape[1])
        # A channel has one scale, whatever the frame: windows see all frames alike.
        frames = A.reshape(-1, self.n_channels_)
        channel = Standardizer.of(frames, np.repeat(weight, self.n_frames_))
        every = (channel.mean, channel.scale, channel.constant)
        return Standardizer(*(np.tile(numbers, self.n_frames_) for numbers in every))

    def _build_network(self, Z):
        return self._network(self.dropout)

    def _network(self, dropout):
        first = min(self.windows[0], self.n_frames_)
        second = min(self.windows[1], self.n_frames_ - first + 1)
        return time_delay_network(
            (self.n_frames_, self.n_channels_),
            (first, second),
            self.hidden,
            len(self.classes_),
            activation=self.activation,
            dropout=dropout,
        )

    def _body(self, dropout):
        return self._network(dropout).body

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags
