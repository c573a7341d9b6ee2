"""The hyper-parameters of the sparse neural mixtures: stored, checked, and what they ask for."""

from abc import ABC

from sklearn.base import BaseEstimator

from skmoe._math.checks import check_choice, check_count, check_flag, check_number
from skmoe.estimators._training_options import TrainingArguments
from skmoe.neural.activations import ACTIVATIONS
from skmoe.neural.embeddings import EMBEDDINGS
from skmoe.neural.network import Plan
from skmoe.neural.routers import SHORT_NAMES, Capacity, Router, build_router
from skmoe.neural.routers.capacity import ORDERS, OVERFLOWS


class SparseOptions(TrainingArguments, BaseEstimator, ABC):
    """Stores hyper-parameters, and builds routers, plans and training options from them."""

    def __init__(
        self,
        n_experts=None,
        top_k=None,
        *,
        router="noisy_top_k",
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
        self.n_experts = n_experts
        self.top_k = top_k
        self.router = router
        self.hidden = hidden
        self.n_blocks = n_blocks
        self.mixture_every = mixture_every
        self.width = width
        self.activation = activation
        self.capacity_factor = capacity_factor
        self.capacity_order = capacity_order
        self.overflow = overflow
        self.shared_expert = shared_expert
        self.dropout = dropout
        self.numeric_embedding = numeric_embedding
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
        self.first_stage = first_stage

    def _check_hyper_parameters(self):
        self._check_training_arguments()
        for name in ("hidden", "n_blocks", "mixture_every"):
            check_count(name, getattr(self, name))
        for name in ("n_experts", "top_k", "width"):
            if getattr(self, name) is not None:
                check_count(name, getattr(self, name))
        if self.capacity_factor is not None:
            check_number("capacity_factor", self.capacity_factor, above=0.0)
        check_choice("capacity_order", self.capacity_order, ORDERS)
        check_choice("overflow", self.overflow, OVERFLOWS)
        check_number("first_stage", self.first_stage)
        check_number("dropout", self.dropout)
        if self.dropout >= 1:
            raise ValueError(f"dropout={self.dropout!r} must be below 1.")
        check_choice("activation", self.activation, ACTIVATIONS)
        if self.numeric_embedding is not None:
            check_choice("numeric_embedding", self.numeric_embedding, EMBEDDINGS)
        check_flag("shared_expert", self.shared_expert)

    def _build_plan(self):
        """Return the `Plan` that the hyper-parameters ask for."""
        router, n_experts, shallow = self._build_router()
        return Plan(
            router=router,
            n_experts=n_experts,
            hidden=self.hidden,
            shallow=shallow,
            n_blocks=self.n_blocks,
            mixture_every=self.mixture_every,
            width=self.width,
            activation=self.activation,
            shared_expert=self.shared_expert,
            dropout=self.dropout,
            numeric_embedding=self.numeric_embedding,
        )

    def _build_router(self):
        """Return the router (or None), the number of experts, and whether they are shallow."""
        if self.router is None:
            return None, 1, False
        if not isinstance(self.router, Router):
            return self._named_router()
        self.router.check()
        n_experts = 8 if self.n_experts is None else self.n_experts
        return self.router, n_experts, False

    def _named_router(self):
        if not isinstance(self.router, str):
            raise TypeError(
                f"router={self.router!r} is neither a short name ({sorted(SHORT_NAMES)}), None, "
                "nor an instance of Router."
            )
        check_choice("router", self.router, SHORT_NAMES)
        preset = SHORT_NAMES[self.router]
        n_experts = preset.n_experts if self.n_experts is None else self.n_experts
        top_k = min(preset.top_k, n_experts) if self.top_k is None else self.top_k
        if top_k > n_experts:
            raise ValueError(f"top_k={top_k} must be at most n_experts={n_experts}.")
        capacity = None
        if self.capacity_factor is not None:
            capacity = Capacity(self.capacity_factor, self.capacity_order, self.overflow)
        router = build_router(self.router, top_k, capacity)
        router.check()
        return router, n_experts, preset.shallow
