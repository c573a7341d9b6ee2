"""The sparse neural mixture-of-experts regressor."""

from skmoe._math.checks import check_count
from skmoe.estimators._network import no_scaling
from skmoe.estimators._network_targets import NetworkTargetsMixin
from skmoe.estimators._sparse import BaseSparseMixture
from skmoe.neural.heads import HEADS


class SparseMixtureOfExpertsRegressor(NetworkTargetsMixin, BaseSparseMixture):
    """Neural mixture of experts that asks a few of its experts for each row.

    Parameters
    ----------
    n_experts : int or None, default=None
        Number of experts E of a mixture layer; None: 8, or what a preset of a large model has.
    top_k : int or None, default=None
        Experts of a row; None: 2, or what the router's definition says. ``switch``, ``gshard``,
        ``glam``, ``hash`` and ``base`` have a k of their own.
    router : str, Router or None, default="noisy_top_k"
        Who sees which rows: a short name (``dense, eigen, noisy_top_k, hierarchical, top_k, cosine,
        switch, gshard, vision, hash, soft, base, expert_choice, reinforce, conditional, mixtral,
        dbrx, glam, olmoe, deepseek``; formulas in `skmoe.neural.routers.presets`), an instance,
        or None for a dense network of the same make.
    head : {"gaussian", "mixture"} or None, default=None
        What the outputs describe. None: the mean, by squared error. "gaussian": mean and deviation
        of each target; "mixture": a mixture of Gaussians; both by the log-density.
    n_components : int, default=3
        Gaussians of ``head="mixture"``.
    hidden : int, default=64
        Hidden units of an expert.
    n_blocks : int, default=1
        Residual blocks. Several of them normalize their input first (pre-norm).
    mixture_every : int, default=1
        Every so manieth block, counted from the last, is a mixture; the others are dense.
    width : int or None, default=None
        Columns that run through the blocks, made by a linear layer. None: the features as they
        are for one block without an embedding, else ``hidden``.
    activation : {"relu", "gelu", "tanh", "logistic", "identity"}, default="relu"
        Between the two layers of an expert.
    capacity_factor : float or None, default=None
        In training an expert takes at most ceil(capacity_factor * k * S / E) of S rows; other
        libraries leave out k. None, and every prediction: dropless.
    capacity_order : {"arrival", "weight"}, default="arrival"
        Who gets the places; ``"weight"`` is batch prioritized routing.
    overflow : {"drop", "next"}, default="drop"
        Whether other rows pass through the residual or go on to the next best expert with room.
    shared_expert : bool, default=False
        Whether an expert that sees every row stands beside the routed ones.
    dropout : float, default=0.0
        Share of the numbers after a block that are set to zero in training.
    numeric_embedding : {"piecewise", "periodic"} or None, default=None
        Whether features are first spread over several columns.
    standardize : bool, default=True
        Whether X and y are standardized inside.
    solver : {"adam", "adamw", "sgd"}, default="adam"
        Who follows the gradients.
    alpha : float, default=1e-4
        L2 penalty of the weights, divided by the rows of a batch as in scikit-learn; for
        ``"adamw"`` the decoupled weight decay.
    batch_size : int or "auto", default="auto"
        Rows of a step; "auto": n_samples / 32, at least 32 and at most 1024.
    learning_rate : {"constant", "adaptive", "invscaling", "cosine", "linear"}, default="constant"
        "cosine" and "linear" run down to zero at ``max_iter``; "adaptive" divides by 5 when
        progress ends.
    learning_rate_init : float, default=3e-3
        Learning rate of the first steps (after ``warmup_steps``).
    warmup_steps : int, default=0
        Steps over which the learning rate rises first.
    max_iter : int, default=200
        Epochs.
    shuffle : bool, default=True
        Whether rows come in a new order in every epoch. The fit then does not depend on the order
        of the training rows, and an integer sample weight equals repetition of the row.
    random_state : int, RandomState or None, default=None
        The same seed gives the same model, bit for bit.
    tol : float, default=1e-4
        Least gain of the loss, or of the held-out score, that counts as progress.
    verbose : bool, default=False
        Print a line an epoch.
    warm_start : bool, default=False
        Whether ``fit`` goes on from the last solution, with its standardization.
    momentum : float, default=0.9
        Of ``solver="sgd"``; at least 0 and below 1.
    nesterovs_momentum : bool, default=True
        Whether ``solver="sgd"`` looks at the gradient where the momentum leads.
    early_stopping : bool, default=False
        Whether to hold out rows, and to stop when their score no longer rises. Else training stops
        when its loss no longer falls.
    validation_fraction : float, default=0.1
        Share of the rows that ``early_stopping`` holds out, row by row whatever their weights.
    beta_1 : float, default=0.9
        Decay of Adam's running mean of gradients.
    beta_2 : float, default=0.999
        Decay of Adam's running mean of squared gradients.
    epsilon : float, default=1e-8
        What Adam adds to the root of the latter.
    n_iter_no_change : int, default=10
        Epochs without progress by ``tol`` after which training stops.
    first_stage : float, default=0.5
        Share of ``max_iter`` after which ``router="eigen"`` lifts its constraint.

    Attributes
    ----------
    loss_curve_ : list of float
        Training loss of every epoch, without auxiliary losses.
    validation_scores_ : list of float or None
        R2 of the rows held out (mean log-density with a head); with ``early_stopping``.
    best_iter_ : int
        Epoch whose parameters were kept, counted from 1.
    n_iter_ : int
        Epochs.
    expert_load_ : list of ndarray of shape (n_experts,)
        For each mixture layer, the share of the training rows that each expert sees when
        predicting.
    routing_entropy_ : ndarray of shape (n_layers,)
        Mean entropy of a row's combine weights, in nats.
    dropped_fraction_ : ndarray of shape (n_layers,)
        Share of the choices for which there was no place, in the best epoch.
    routing_history_ : list of dict
        For every epoch and mixture layer: ``load``, ``importance``, ``row_entropy``,
        ``marginal_entropy``, ``dropped``, ``unrouted`` and ``dead``.
    converged_ : bool
        Whether training stopped since there was no more progress.
    stop_reason_ : str
        Why training stopped, in words.
    n_experts_ : int
        Experts of a mixture layer.
    n_parameters_ : int
        Learned numbers.
    network_ : skmoe.neural.network.Network
        The layers.
    theta_ : ndarray of shape (n_parameters_,)
        Learned numbers, float64.
    n_features_in_ : int
        Columns seen in ``fit``.
    feature_names_in_ : ndarray of str
        Their names, where X had names.

    Notes
    -----
    One block: h = x + sum_i w_i(x) N_i(x) over the chosen experts N_i, linear-activation-linear;
    the answer is linear in h. Training is in float32, prediction in float64. The answer for a row
    never depends on other rows of the same call.

    References
    ----------
    Shazeer et al. (2017), Outrageously large neural networks: the sparsely-gated
    mixture-of-experts layer.

    Examples
    --------
    >>> from sklearn.datasets import make_friedman1
    >>> from skmoe import SparseMixtureOfExpertsRegressor
    >>> X, y = make_friedman1(300, random_state=0)
    >>> est = SparseMixtureOfExpertsRegressor(
    ...     4, 2, hidden=16, learning_rate="cosine", max_iter=60, random_state=0
    ... ).fit(X, y)
    >>> est.predict(X).shape, bool(est.score(X, y) > 0.7)
    ((300,), True)
    >>> [w.shape for w in est.route(X)]
    [(300, 4)]
    """

    def __init__(
        self,
        n_experts=None,
        top_k=None,
        *,
        router="noisy_top_k",
        head=None,
        n_components=3,
        hidden=64,
        n_blocks=1,
        mixture_every=1,
        width=None,
        activation="relu",
        capacity_factor=None,
        capacity_order="arrival",
        overflow="drop",
        shared_expert=False,
        dropout=0.0,
        numeric_embedding=None,
        standardize=True,
        solver="adam",
        alpha=1e-4,
        batch_size="auto",
        learning_rate="constant",
        learning_rate_init=3e-3,
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
        first_stage=0.5,
    ):
        super().__init__(
            n_experts=n_experts,
            top_k=top_k,
            router=router,
            hidden=hidden,
            n_blocks=n_blocks,
            mixture_every=mixture_every,
            width=width,
            activation=activation,
            capacity_factor=capacity_factor,
            capacity_order=capacity_order,
            overflow=overflow,
            shared_expert=shared_expert,
            dropout=dropout,
            numeric_embedding=numeric_embedding,
            standardize=standardize,
            solver=solver,
            alpha=alpha,
            batch_size=batch_size,
            learning_rate=learning_rate,
            learning_rate_init=learning_rate_init,
            warmup_steps=warmup_steps,
            max_iter=max_iter,
            shuffle=shuffle,
            random_state=random_state,
            tol=tol,
            verbose=verbose,
            warm_start=warm_start,
            momentum=momentum,
            nesterovs_momentum=nesterovs_momentum,
            early_stopping=early_stopping,
            validation_fraction=validation_fraction,
            beta_1=beta_1,
            beta_2=beta_2,
            epsilon=epsilon,
            n_iter_no_change=n_iter_no_change,
            first_stage=first_stage,
        )
        self.head = head
        self.n_components = n_components

    def _check_hyper_parameters(self):
        super()._check_hyper_parameters()
        if self.head not in HEADS:
            raise ValueError(
                f"head={self.head!r} is not known; allowed are None, 'gaussian' and 'mixture'."
            )
        check_count("n_components", self.n_components)

    def _head(self):
        return HEADS[self.head](len(self._y_scaling.scale), self.n_components)

    def _take_over(self, dense):
        self._flat = dense._flat

    def _perceptron(self, dense):
        if not hasattr(dense, "coefs_") or dense.out_activation_ != "identity":
            raise ValueError(
                f"dense={dense!r} cannot be upcycled; allowed are a fitted MLPRegressor with "
                "loss='squared_error' and an estimator of this class with router=None."
            )
        self._y_scaling = no_scaling(dense.n_outputs_)
        self._flat = dense.n_outputs_ == 1
        if self.head is not None:
            raise ValueError(f"head={self.head!r}: an MLPRegressor answers with means alone.")
        return dense.coefs_, dense.intercepts_
