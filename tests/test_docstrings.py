"""Public docstrings are numpydoc: parameters, returns, errors and an example each."""

import inspect

import pytest

import skmoe
from skmoe import criteria, experts, fitters, gates, inspection

validate = pytest.importorskip("numpydoc.validate").validate

# Summaries are lines, and lists of what else there is belong in the guide.
NOT_ASKED = {"ES01", "SA01"}

CLASSES = [f"skmoe.{name}" for name in skmoe.__all__ if inspect.isclass(getattr(skmoe, name))]
PARTS = [
    f"{module.__name__}.{name}"
    for module in (criteria, experts, fitters, gates)
    for name in module.__all__
    if inspect.isclass(getattr(module, name))
]

DISPLAYS = [f"skmoe.inspection.{name}" for name in inspection.__all__ if name.endswith("Display")]


def methods(name):
    """Return the names of the public methods and properties that skmoe wrote for a class."""
    family = getattr(skmoe, name.partition(".")[2])
    return [
        f"{name}.{attribute}"
        for attribute in dir(family)
        if not attribute.startswith("_")
        and getattr(inspect.unwrap(getattr(family, attribute)), "__module__", "").startswith(
            "skmoe"
        )
    ]


def errors(name):
    return [error for error in validate(name)["errors"] if error[0] not in NOT_ASKED]


@pytest.mark.parametrize("name", CLASSES + PARTS + DISPLAYS)
def test_classes_are_documented(name):
    assert not errors(name)


@pytest.mark.parametrize("name", [method for name in CLASSES for method in methods(name)])
def test_methods_are_documented(name):
    assert not errors(name)


@pytest.mark.parametrize("name", [method for name in CLASSES for method in methods(name)])
def test_methods_say_what_they_refuse(name):
    takes_rows = {"X", "y"} & set(inspect.signature(_resolve(name)).parameters)
    if takes_rows and not name.startswith("skmoe.MixtureDistribution"):
        assert "Raises\n" in inspect.getdoc(_resolve(name))


def _resolve(name):
    family, method = name.split(".")[1:]
    return getattr(getattr(skmoe, family), method)
