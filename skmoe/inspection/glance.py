"""A fitted mixture in a notebook: experts and gate as small tables."""

from html import escape

import numpy as np

from skmoe.inspection.labels import labels_of

__all__ = ["html_glance"]

# More rows and columns than these are no glance.
MOST = 12
EXPERTS = ("coef_", "intercept_", "covariances_")
GATE = ("gate_coef_", "gate_intercept_")
HOW_TO_GO_ON = "coefficient_table has all of them, with standard errors"


def html_glance(est):
    """Return tables of the experts' and the gate's numbers, in the units of the data, as HTML.

    Parameters
    ----------
    est : estimator
        A fitted classical mixture.

    Returns
    -------
    str
        Empty if the parts show no coefficients.
    """
    experts, gate = (_table(est, names) for names in (EXPERTS, GATE))
    if not experts and not gate:
        return ""
    how = "converged" if est.converged_ else escape(est.stop_reason_)
    head = f"{est.n_experts} experts, {est.n_parameters_} parameters, {est.n_passes_} passes: {how}"
    return f"<div><p>{head}</p>{_captioned('Experts', experts)}{_captioned('Gate', gate)}</div>"


def _captioned(title, table):
    return f"<p><b>{title}</b></p>{table}" if table else ""


def _table(est, names):
    """Return an HTML table of attributes, a row for each expert."""
    arrays = {name: np.asarray(getattr(est, name)) for name in names if hasattr(est, name)}
    arrays = {name: value for name, value in arrays.items() if value.dtype.kind == "f"}
    if not arrays:
        return ""
    labels = labels_of(est, arrays)
    values = np.concatenate([value.ravel() for value in arrays.values()])
    cells, columns, rows = {}, {}, {}
    for expert, name, term, value in zip(
        labels.expert, labels.attribute, labels.term, values, strict=True
    ):
        column = f"{name} {term}".rstrip()
        rows[expert] = columns[column] = None
        cells[expert, column] = f"{value:.4g}"
    shown, kept = list(rows)[:MOST], list(columns)[:MOST]
    head = "".join(f"<th>{escape(column)}</th>" for column in kept)
    body = "".join(
        f"<tr><th>{_named(expert)}</th>"
        + "".join(f"<td>{cells.get((expert, column), '')}</td>" for column in kept)
        + "</tr>"
        for expert in shown
    )
    whole = len(shown) == len(rows) and len(kept) == len(columns)
    rest = "" if whole else f"<p>The first of them; {HOW_TO_GO_ON}.</p>"
    return f"<table><tr><th></th>{head}</tr>{body}</table>{rest}"


def _named(expert):
    return escape(f"expert {expert}" if isinstance(expert, int) else str(expert))
