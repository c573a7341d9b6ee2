"""Notebooks run, and say what their text says."""

from pathlib import Path

import pytest

jupytext = pytest.importorskip("jupytext")
nbclient = pytest.importorskip("nbclient")
pytest.importorskip("ipykernel")
pytest.importorskip("matplotlib")

FOLDER = Path(__file__).parents[1] / "docs" / "notebooks"
lessons = pytest.mark.parametrize("path", sorted(FOLDER.glob("*.md")), ids=lambda path: path.stem)


@lessons
def test_text_and_notebook_are_a_pair(path):
    pair = [jupytext.read(each) for each in (path, path.with_suffix(".ipynb"))]
    text, notebook = ([(cell.cell_type, cell.source) for cell in each.cells] for each in pair)
    assert text == notebook


@lessons
def test_lessons_say_what_for_and_have_exercises(path):
    text = path.read_text()
    assert "you will be able to" in text
    exercises = text.split("## Exercise")[1:]
    assert len(exercises) >= 3
    assert all("# Your answer" in each and "assert " in each for each in exercises)


@lessons
@pytest.mark.slow
def test_lessons_run(path):
    client = nbclient.NotebookClient(jupytext.read(path), timeout=60, kernel_name="python3")
    client.execute()
