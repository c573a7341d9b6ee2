"""The source distribution has all that a checkout has, and its tests run."""

import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
KEPT = (".ci", "benchmarks", "docs", "examples", "skmoe", "tests")
# What a build of the documentation leaves behind, and runs of examples and benchmarks.
BUILT = (
    *("docs/auto_examples", "docs/generated", "docs/_build", "docs/_changes.rst"),
    *("docs/sg_execution_times.rst", "benchmarks/.asv"),
)


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory):
    """Build the source distribution from a copy of the project, and unpack it."""
    pytest.importorskip("setuptools", minversion="77")
    place = tmp_path_factory.mktemp("sdist")
    skipped = shutil.ignore_patterns(".git", ".*_cache", "__pycache__", "*.egg-info", "build")
    shutil.copytree(ROOT, place / "project", ignore=skipped)
    call = "from setuptools.build_meta import build_sdist; print(build_sdist('dist'))"
    built = subprocess.run(
        [sys.executable, "-c", call],
        cwd=place / "project",
        capture_output=True,
        text=True,
    )
    assert built.returncode == 0, built.stderr
    with tarfile.open(place / "project/dist" / built.stdout.split()[-1]) as archive:
        # Python 3.11.0 to 3.11.3 know no filters.
        kwargs = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
        archive.extractall(place, **kwargs)
    return next(place.glob("skmoe-*"))


def files(root):
    """Return the files of the project below a folder, caches left out."""
    top = [path for path in root.iterdir() if path.is_file() and path.suffix != ".png"]
    below = [path for folder in KEPT for path in (root / folder).rglob("*") if path.is_file()]
    return {
        str(path.relative_to(root))
        for path in top + below
        if "cache" not in str(path.relative_to(root))
        and path.suffix != ".pyc"
        and not str(path.relative_to(root)).startswith(BUILT)
        and not path.match("examples/*.png")
    }


def test_source_distribution_is_complete(unpacked):
    missing = files(ROOT) - files(unpacked) - {".git", ".gitignore"}
    assert not missing
    assert {"CHANGELOG.md", "CONTRIBUTING.md", "tests/_helpers.py", ".ci/run"} <= files(unpacked)


@pytest.mark.slow
def test_tests_run_from_the_source_distribution(unpacked):
    few = ["tests/test_criteria.py", "tests/test_datasets.py", "tests/test_reference_cases.py"]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *few],
        cwd=unpacked,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout
