"""Pages made from the package's own export lists, which therefore cannot go stale."""

import re
from importlib import import_module
from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import Directive
from docutils.statemachine import StringList

#: Rooms of the reference -> what a reader finds there.
ROOMS = {
    "skmoe": "Estimators",
    "skmoe.experts": "Experts",
    "skmoe.gates": "Gates",
    "skmoe.criteria": "Criteria",
    "skmoe.fitters": "Fitters",
    "skmoe.neural.routers": "Routers",
    "skmoe.metrics": "Metrics",
    "skmoe.features": "Bases of columns",
    "skmoe.inspection": "Inspection",
    "skmoe.model_selection": "Model selection",
    "skmoe.datasets": "Data",
    "skmoe.batches": "Rows in blocks",
    "skmoe.errors": "Error functions of 1991",
    "skmoe.base": "Contracts",
}
HIDDEN = {"SHORT_NAMES", "__version__"}


class ShortNames(Directive):
    """A table of short names, their classes and what they are: ``.. short-names:: skmoe.gates``."""

    required_arguments = 1

    def run(self):
        module = self.arguments[0]
        lines = [".. list-table::", "   :header-rows: 1", "   :widths: 20 25 55", ""]
        lines += ["   * - short name", "     - made of", "     - what it is"]
        for name, made in import_module(module).SHORT_NAMES.items():
            build = getattr(made, "build", made)
            summary = (build.__doc__ or "").strip().partition("\n")[0]
            known = isinstance(build, type)
            kind = f":class:`~{module}.{build.__name__}`" if known else "a preset"
            lines += [f'   * - ``"{name}"``', f"     - {kind}", f"     - {summary}"]
        node = nodes.Element()
        self.state.nested_parse(StringList(lines, source="short-names"), 0, node)
        return node.children


def write_rooms(docs):
    """Write one page a room into a folder of the docs, with a table of what it exports."""
    folder = Path(docs, "generated")
    folder.mkdir(exist_ok=True)
    for room, title in ROOMS.items():
        module = import_module(room)
        listed = getattr(module, "__all__", None) or _defined(module)
        names = [name for name in listed if name not in HIDDEN]
        lines = [title, "=" * len(title), "", f".. currentmodule:: {room}", ""]
        if room != "skmoe":
            lines += [(module.__doc__ or "").strip(), ""]
        lines += [".. autosummary::", "   :toctree: api", "   :nosignatures:", ""]
        lines += [f"   {name}" for name in names]
        page, text = folder / f"{room}.rst", "\n".join(lines) + "\n"
        # An unchanged page need not be read again.
        if not page.exists() or page.read_text() != text:
            page.write_text(text)


def write_changes(docs):
    """Write the changelog of the project as reStructuredText: headings, lists and literals."""
    marks = {"## ": "-", "### ": "~"}
    lines = []
    for line in Path(docs, "..", "CHANGELOG.md").read_text().split("\n")[2:]:
        line = re.sub(r"\[([^\]]+)\]\((http[^)]+)\)", r"`\1 <\2>`__", line)
        mark = next((under for start, under in marks.items() if line.startswith(start)), None)
        if mark is not None:
            title = line.lstrip("# ").replace("[", "").replace("]", "")
            lines += [title, mark * len(title)]
        else:
            lines.append(re.sub(r"(?<!`)`(?!`)([^`<]+)`(?!`)", r"``\1``", line))
    Path(docs, "_changes.rst").write_text("\n".join(lines))


def _defined(module):
    own = vars(module).items()
    return [
        name
        for name, value in own
        if getattr(value, "__module__", None) == module.__name__ and not name.startswith("_")
    ]


_LITERAL = re.compile(r"(``.+?``|:?[\w:]*`[^`]+`_?)")
_MARKUP = re.compile(r"\||(?<=\w)_(?=\W|$)")


def escape_formulas(app, what, name, obj, options, lines):
    """Take bars and trailing underscores of prose for themselves: |y - f|, n_iter_."""
    in_example = False
    for number, line in enumerate(lines):
        in_example = line.lstrip().startswith(">>>") or (in_example and bool(line.strip()))
        if not in_example and not line.lstrip().startswith(".. "):
            pieces = _LITERAL.split(line)
            pieces[::2] = [_MARKUP.sub(lambda found: "\\" + found[0], each) for each in pieces[::2]]
            lines[number] = "".join(pieces)


def leave_out_of_pages(app, what, name, obj, skip, options):
    """Leave out what estimators have from scikit-learn, whose own pages describe it."""
    home = getattr(obj, "__module__", None) or ""
    return True if home.startswith("sklearn") or name.endswith("_request") else None


def setup(app):
    app.add_directive("short-names", ShortNames)
    # After numpydoc, which reads the docstrings as they are.
    app.connect("autodoc-process-docstring", escape_formulas, priority=900)
    app.connect("autodoc-skip-member", leave_out_of_pages)
    return {"parallel_read_safe": True}
