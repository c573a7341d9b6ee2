"""Examples run as they are, and leave a picture."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("matplotlib")

FOLDER = Path(__file__).parents[1] / "examples"
QUICK = "plot_localized_gate"
NAMES = sorted(path.stem for path in FOLDER.glob("plot_*.py"))
LONGEST = 100


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=[] if n == QUICK else pytest.mark.slow) for n in NAMES]
)
def test_examples_draw(name, tmp_path):
    picture = tmp_path / "picture.png"
    run = subprocess.run(
        [sys.executable, FOLDER / f"{name}.py", picture],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "MPLBACKEND": "Agg"},
    )
    assert run.returncode == 0, run.stderr
    assert picture.stat().st_size > 10_000


@pytest.mark.parametrize("name", NAMES)
def test_examples_are_short_and_have_a_title(name):
    lines = (FOLDER / f"{name}.py").read_text().splitlines()
    assert len(lines) <= LONGEST
    assert set(lines[2]) == {"="} and len(lines[2]) >= len(lines[1])
