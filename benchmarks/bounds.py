"""Bounds under which a Bayesian softmax gate can learn: how far each lies from the truth.

For Gaussian scores with means s and variances r, E[log sum_k exp(score_k)] has no closed form;
every bound below is one from above. A softmax regression with a Gaussian prior is learned under
each of them to the optimum, from the same rows. Printed are, in nats a row: the bound of the
log-evidence that it ends with, how far that lies below what its own posterior is worth (by
Monte Carlo), and the loss on rows held out. Jaakkola and Jordan's bound is one for two classes;
Bouchard's applies it to each of several.

    python benchmarks/bounds.py
    python benchmarks/bounds.py --rows 100 1000 --classes 2 10
"""

import argparse

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, log_softmax, logsumexp, softmax

DRAWS = 400
# How often a bound looks for its own parameters.
ROUNDS = 50


def boehning(s, r):
    """One curvature everywhere, (I - 11'/K) / 2 (Boehning 1992)."""
    K = s.shape[1]
    curvature = np.full(s.shape, 0.25 * (1.0 - 1.0 / K))
    return logsumexp(s, axis=1) + (curvature * r).sum(axis=1), softmax(s, axis=1), curvature


def bouchard(s, r):
    """The product of (1 + exp(score_k - a)), each under Jaakkola and Jordan's bound (2007)."""
    K, a = s.shape[1], s.mean(axis=1)
    for _ in range(ROUNDS):
        xi = np.sqrt(np.square(s - a[:, None]) + r)
        slope = _slope(xi)
        a = ((0.25 * K - 0.5) + (slope * s).sum(axis=1)) / slope.sum(axis=1)
    xi = np.sqrt(np.square(s - a[:, None]) + r)
    terms = 0.5 * (s - a[:, None] - xi) + np.logaddexp(0.0, xi)
    return a + terms.sum(axis=1), 0.5 + 2.0 * _slope(xi) * (s - a[:, None]), _slope(xi)


def jaakkola_jordan(s, r):
    """A parabola under the logistic function of the difference of two scores (2000)."""
    ahead, doubt = s[:, 1] - s[:, 0], r.sum(axis=1)
    xi = np.sqrt(np.square(ahead) + doubt)
    slope = _slope(xi)
    second = 0.5 + 2.0 * slope * ahead
    value = s[:, 0] + 0.5 * (ahead - xi) + np.logaddexp(0.0, xi)
    return value, np.column_stack([1.0 - second, second]), np.column_stack([slope, slope])


def tilted(s, r):
    """Knowles and Minka's bound (2011), which `skmoe.gates.BayesianSoftmaxGate` learns under."""
    a = softmax(s, axis=1)
    for _ in range(ROUNDS):
        a = 0.5 * (a + softmax(s + (0.5 - a) * r, axis=1))
    value = 0.5 * (a * a * r).sum(axis=1) + logsumexp(s + (0.5 - a) * r, axis=1)
    return value, a, 0.5 * a * (1.0 - a)


BOUNDS = {
    "Boehning": boehning,
    "Bouchard": bouchard,
    "Jaakkola-Jordan": jaakkola_jordan,
    "tilted": tilted,
}


def _slope(xi):
    """Return (sigmoid(xi) - 1/2) / (2 xi)."""
    return np.where(xi > 1e-6, (expit(xi) - 0.5) / (2.0 * np.maximum(xi, 1e-6)), 0.125)


class Posterior:
    """A softmax regression of K classes with prior N(0, 1) and posteriors N(m_k, R_k'R_k)."""

    def __init__(self, X, labels, K, bound):
        self.X, self.y, self.bound = np.column_stack([np.ones(len(X)), X]), np.eye(K)[labels], bound
        self.shape = K, self.X.shape[1]

    def learned(self):
        """Climb the bound; return means (K, p), roots (K, p, p) and the bound a row."""
        K, p = self.shape
        start = np.concatenate([np.zeros(K * p), np.tile(np.eye(p), (K, 1, 1)).ravel()])
        found = minimize(
            self.descent, start, jac=True, method="L-BFGS-B", options={"maxiter": 5000}
        )
        return *self.split(found.x), -found.fun / len(self.y)

    def split(self, vector):
        K, p = self.shape
        return vector[: K * p].reshape(K, p), vector[K * p :].reshape(K, p, p)

    def scores(self, m, R, X):
        """Return means and variances (n, K) of the scores."""
        return X @ m.T, np.square(np.einsum("krp,np->nkr", R, X)).sum(axis=2)

    def descent(self, vector):
        """Return minus the bound of the log-evidence, and its slope."""
        m, R = self.split(vector)
        s, r = self.scores(m, R, self.X)
        value, of_s, of_r = self.bound(s, r)
        height = (self.y * s).sum() - value.sum() - self.divergence(m, R)
        pull = (self.y - of_s).T @ self.X - m
        curvature = 2.0 * np.einsum("nk,np,nq->kpq", of_r, self.X, self.X)
        turn = np.swapaxes(np.linalg.inv(R), 1, 2) - R - R @ curvature
        return -height, -np.concatenate([pull.ravel(), turn.ravel()])

    def divergence(self, m, R):
        """Return KL(q || prior)."""
        log_det = 2.0 * np.linalg.slogdet(R)[1].sum()
        return 0.5 * (np.square(m).sum() + np.square(R).sum() - m.size - log_det)

    def worth(self, m, R, rng):
        """Return what the posterior is worth without a bound, a row, by Monte Carlo."""
        s, r = self.scores(m, R, self.X)
        draws = s + np.sqrt(r) * rng.standard_normal((DRAWS, *s.shape))
        logs = (self.y * s).sum() - logsumexp(draws, axis=2).mean(axis=0).sum()
        return (logs - self.divergence(m, R)) / len(self.y)

    def loss(self, m, R, X, labels, rng):
        """Return the log loss a row of mean probabilities, by Monte Carlo."""
        s, r = self.scores(m, R, np.column_stack([np.ones(len(X)), X]))
        draws = s + np.sqrt(r) * rng.standard_normal((DRAWS, *s.shape))
        mean = softmax(draws, axis=2).mean(axis=0)
        return -np.log(mean[np.arange(len(labels)), labels]).mean()


def problem(n, d, K, strength, rng):
    """Return rows and labels to learn from, and others."""
    X = rng.standard_normal((2 * n, d))
    scores = log_softmax(X @ (strength * rng.standard_normal((d, K))), axis=1)
    labels = (scores + rng.gumbel(size=scores.shape)).argmax(axis=1)
    return (X[:n], labels[:n]), (X[n:], labels[n:])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--classes", nargs="+", type=int, default=[2, 4, 10])
    parser.add_argument("--rows", nargs="+", type=int, default=[50, 500])
    parser.add_argument("--features", type=int, default=3)
    parser.add_argument("--strength", type=float, default=2.0)
    parser.add_argument("--seeds", type=int, default=5)
    arguments = parser.parse_args()
    print("classes  rows  bound            log-evidence      gap  held-out loss   (nats a row)")
    for K in arguments.classes:
        for n in arguments.rows:
            for name, bound in BOUNDS.items():
                if K > 2 and bound is jaakkola_jordan:
                    continue
                rows = [figures(bound, K, n, arguments, seed) for seed in range(arguments.seeds)]
                evidence, gap, loss = np.mean(rows, axis=0)
                print(f"{K:7}{n:6}  {name:16}{evidence:13.4f}{gap:9.4f}{loss:15.4f}", flush=True)


def figures(bound, K, n, arguments, seed):
    """Return bound of the log-evidence, its gap, and the loss, of one draw of the rows."""
    rng = np.random.RandomState(seed)
    seen, held_out = problem(n, arguments.features, K, arguments.strength, rng)
    posterior = Posterior(*seen, K, bound)
    m, R, evidence = posterior.learned()
    gap = posterior.worth(m, R, rng) - evidence
    return evidence, gap, posterior.loss(m, R, *held_out, rng)


if __name__ == "__main__":
    main()
