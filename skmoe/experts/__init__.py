"""Expert banks. One file per family, one line per name."""

from skmoe.experts.bayesian_linear import BayesianLinearExperts
from skmoe.experts.bayesian_logistic import BayesianLogisticExperts
from skmoe.experts.concatenation import ConcatenatedExperts
from skmoe.experts.constant import CategoricalExperts, ConstantExperts
from skmoe.experts.estimator import EstimatorExperts
from skmoe.experts.gamma import GammaExperts
from skmoe.experts.heteroscedastic import HeteroscedasticExperts
from skmoe.experts.known import KnownExperts, NoiseExperts
from skmoe.experts.laplace import LaplaceExperts
from skmoe.experts.linear import LinearExperts
from skmoe.experts.logistic import LogisticExperts, MultinomialExperts
from skmoe.experts.negative_binomial import NegativeBinomialExperts
from skmoe.experts.poisson import PoissonExperts
from skmoe.experts.student_t import StudentTExperts
from skmoe.experts.unit import UnitExperts

SHORT_NAMES = {
    "bayesian_linear": BayesianLinearExperts,
    "bayesian_logistic": BayesianLogisticExperts,
    "categorical": CategoricalExperts,
    "constant": ConstantExperts,
    "gamma": GammaExperts,
    "laplace": LaplaceExperts,
    "linear": LinearExperts,
    "logistic": LogisticExperts,
    "negative_binomial": NegativeBinomialExperts,
    "poisson": PoissonExperts,
    "student_t": StudentTExperts,
}

__all__ = [
    "SHORT_NAMES",
    "BayesianLinearExperts",
    "BayesianLogisticExperts",
    "CategoricalExperts",
    "ConcatenatedExperts",
    "ConstantExperts",
    "EstimatorExperts",
    "GammaExperts",
    "HeteroscedasticExperts",
    "KnownExperts",
    "LaplaceExperts",
    "LinearExperts",
    "LogisticExperts",
    "MultinomialExperts",
    "NegativeBinomialExperts",
    "NoiseExperts",
    "PoissonExperts",
    "StudentTExperts",
    "UnitExperts",
]
