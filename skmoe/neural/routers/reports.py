"""What users watch of a router: load, importance, entropies, rows that were dropped."""

import numpy as np

__all__ = ["merge_reports", "report_of", "summarize"]


def report_of(choice, weight, placed, scores, n_experts, watch):
    """Return sums over the rows of a block, by name.

    Parameters
    ----------
    choice : Choice
    weight : ndarray of shape (n, k)
        Combine weights.
    placed : ndarray of bool of shape (n, k) or None
    scores : Scores or None
    n_experts : int
    watch : bool
        Whether to measure entropies of the affinities, too.
    """
    n, k = choice.experts.shape
    flat, shares, routed = choice.experts.T.ravel(), weight.T.ravel(), n
    wanted = n * k if choice.valid is None else int(np.count_nonzero(choice.valid))
    if placed is not None:
        places = np.flatnonzero(placed.T)
        flat, shares = flat[places], shares[places]
        routed = int(np.count_nonzero(placed.T.any(axis=0)))
    report = {"rows": n, "wanted": wanted, "taken": len(flat), "routed": routed}
    report["load"] = np.bincount(flat, minlength=n_experts)
    report["importance"] = np.bincount(flat, shares, minlength=n_experts)
    if watch and scores is not None:
        p = scores.distribution()
        report["watched"] = n
        report["row_entropy"] = float(entropy(p, axis=1).sum())
        report["mean_affinity"] = p.sum(axis=0, dtype=np.float64)
    return report


def entropy(p, axis=-1):
    """Return -sum p log p in nats."""
    return -np.sum(p * np.log(np.maximum(p, np.finfo(p.dtype).tiny)), axis=axis)


def merge_reports(total, report):
    """Return the sum of two reports of one layer."""
    if total is None:
        return dict(report)
    return total | {
        name: total[name] + value if name in total else value for name, value in report.items()
    }


def summarize(report):
    """Return shares and entropies from the sums of a report.

    Returns
    -------
    dict
        ``load`` (E,): share of the rows that each expert took; ``importance`` (E,): share of the
        weight that it got; ``row_entropy`` and ``marginal_entropy``: of a row's affinities, and of
        their mean over rows, in nats; ``dropped``: share of the choices that found no place;
        ``unrouted``: share of the rows that no expert took; ``dead``: experts that took no row.
    """
    rows = max(1, report["rows"])
    importance = report["importance"] / max(report["importance"].sum(), np.finfo(float).tiny)
    summary = {
        "load": report["load"] / rows,
        "importance": importance,
        "dropped": 1.0 - report["taken"] / max(1, report["wanted"]),
        "unrouted": 1.0 - report["routed"] / rows,
        "dead": int(np.count_nonzero(report["load"] == 0)),
        "row_entropy": 0.0,
        "marginal_entropy": float(entropy(importance)),
    }
    if report.get("watched"):
        mean = report["mean_affinity"] / report["watched"]
        summary["row_entropy"] = report["row_entropy"] / report["watched"]
        summary["marginal_entropy"] = float(entropy(mean))
    return summary
