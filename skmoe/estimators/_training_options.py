"""How a network is trained, as users say it: checked, and handed to the training loop."""

from dataclasses import fields

import numpy as np
from sklearn.utils import check_random_state

from skmoe._math.checks import check_choice, check_count, check_flag, check_number
from skmoe._math.schedules import SCHEDULES
from skmoe.estimators._validation import naming
from skmoe.neural.training import TrainingOptions

# Steps of an epoch, and bounds of a batch, for ``batch_size="auto"``.
_STEPS, _BATCH = 32, (32, 1024)


class TrainingArguments:
    """Checks of the arguments that the training loop knows, and their way there.

    An estimator stores those of `TrainingOptions` that it offers under their names there, beside
    ``standardize``, ``warm_start``, ``early_stopping`` and ``validation_fraction``.
    """

    def _check_training_arguments(self):
        for name in ("max_iter", "n_iter_no_change"):
            check_count(name, getattr(self, name))
        if self.batch_size != "auto":
            check_count("batch_size", self.batch_size)
        check_count("warmup_steps", self.warmup_steps, least=0)
        for name in ("alpha", "tol", "momentum", "beta_1", "beta_2"):
            check_number(name, getattr(self, name))
        for name in ("learning_rate_init", "epsilon"):
            check_number(name, getattr(self, name), above=0.0)
        for name in ("momentum", "beta_1", "beta_2"):
            if getattr(self, name) >= 1:
                raise ValueError(f"{name}={getattr(self, name)!r} must be below 1.")
        check_choice("solver", self.solver, ("adam", "adamw", "sgd"))
        check_choice("learning_rate", self.learning_rate, SCHEDULES)
        for name in ("standardize", "shuffle", "early_stopping", "warm_start"):
            check_flag(name, getattr(self, name))
        with naming("random_state"):
            check_random_state(self.random_state)
        if self.early_stopping:
            check_number("validation_fraction", self.validation_fraction, above=0.0)
            if self.validation_fraction >= 1:
                raise ValueError(
                    f"validation_fraction={self.validation_fraction!r} must be below 1."
                )

    def _training_options(self, n_rows, max_iter):
        """Return the `TrainingOptions` for a number of rows and of epochs."""
        options = {
            field.name: getattr(self, field.name)
            for field in fields(TrainingOptions)
            if field.name not in ("batch_size", "max_iter") and hasattr(self, field.name)
        }
        batch_size = self.batch_size
        if batch_size == "auto":
            batch_size = self._auto_batch_size(n_rows)
        return TrainingOptions(batch_size=min(batch_size, n_rows), max_iter=max_iter, **options)

    def _auto_batch_size(self, n_rows):
        """Return the rows of a batch for ``batch_size="auto"``."""
        return int(np.clip(n_rows // _STEPS, *_BATCH))
