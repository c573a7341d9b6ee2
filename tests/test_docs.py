"""What the page of systems names exists: guide, estimator, example and test."""

import re
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
N_SYSTEMS = 23
COLUMNS = ("number", "system", "guide", "estimator", "example", "test")


def rows():
    """Return the rows of the table of systems, dicts of column -> text."""
    text = (ROOT / "docs" / "systems.rst").read_text()
    cells = [re.split(r"\n     -", row) for row in re.split(r"\n   \* -", text)[2:]]
    return [dict(zip(COLUMNS, map(str.strip, row), strict=True)) for row in cells]


@pytest.fixture(params=rows(), ids=lambda row: row["system"][:30])
def row(request):
    return request.param


def test_every_system_has_a_row():
    numbers = [row["number"] for row in rows() if row["number"]]
    assert numbers == [str(n) for n in range(1, N_SYSTEMS + 1)]


def test_guide_and_examples_exist(row):
    pages = re.findall(r":doc:`guide/(\w+)`", row["guide"])
    examples = re.findall(r":doc:`auto_examples/(\w+)`", row["example"])
    assert pages and examples
    assert all((ROOT / "docs" / "guide" / f"{page}.rst").exists() for page in pages)
    assert all((ROOT / "examples" / f"{name}.py").exists() for name in examples)


def test_estimators_exist(row):
    named = re.findall(r":(?:class|func):`~([\w.]+)`", row["estimator"])
    assert named
    for module, _, name in (each.rpartition(".") for each in named):
        assert hasattr(import_module(module), name)


def test_tests_exist(row):
    named = re.findall(r"<\.\./(tests/\w+\.py)>`(?: \(``(\w+)``\))?", row["test"])
    assert named and len(named) == row["test"].count(":download:")
    for path, function in named:
        assert f"def {function}" in (ROOT / path).read_text()


def test_every_example_is_linked_from_the_docs():
    pages = [page for page in (ROOT / "docs").glob("**/*.rst") if "auto_examples" not in page.parts]
    written = "".join(page.read_text() for page in pages)
    for example in (ROOT / "examples").glob("plot_*.py"):
        assert f"auto_examples/{example.stem}" in written
