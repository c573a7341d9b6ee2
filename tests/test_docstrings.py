"""Public docstrings are numpydoc: parameters, returns, errors and an example each."""

import dataclasses
import inspect
import re
from functools import cached_property
from importlib import import_module
from pathlib import Path

import pytest

import skmoe

validate = pytest.importorskip("numpydoc.validate").validate

# Summaries are lines, and lists of what else there is belong in the guide.
NOT_ASKED = {"ES01", "SA01"}
# Contracts and what is handed to their parts are made by nobody but the package; the pages
# of the docs show a part as a whole.
WITHOUT_EXAMPLE = {"skmoe.base", "skmoe.batches"}
# A method of a contract says in a line what goes in and comes out, with its shapes.
OF_A_CONTRACT = {"EX01", "PR01", "PR07", "RT01", "RT03"}

ROOMS = re.findall(
    r"generated/(skmoe\S*)", (Path(__file__).parents[1] / "docs" / "api.rst").read_text()
)


def exported(room):
    """Return the names of the classes and functions that a room has for its users."""
    module = import_module(room)
    listed = getattr(module, "__all__", None) or [
        name
        for name, value in vars(module).items()
        if getattr(value, "__module__", None) == room and not name.startswith("_")
    ]
    named = {name: getattr(module, name) for name in listed}
    return [
        name for name, value in named.items() if inspect.isclass(value) or inspect.isfunction(value)
    ]


PUBLIC = [f"{room}.{name}" for room in ROOMS for name in exported(room)]
CLASSES = [name for name in PUBLIC if name.startswith("skmoe.") and name.count(".") == 1]
CLASSES = [name for name in CLASSES if inspect.isclass(getattr(skmoe, name.partition(".")[2]))]


def resolve(name):
    """Return what a dotted name means, and of a property the function behind it."""
    room = max((r for r in ROOMS if name.startswith(f"{r}.")), key=len)
    found = import_module(room)
    for attribute in name.removeprefix(f"{room}.").split("."):
        found = inspect.getattr_static(found, attribute, None) or getattr(found, attribute)
    found = getattr(found, "__func__", found)
    for kind, function in ((property, "fget"), (cached_property, "func")):
        if isinstance(found, kind):
            return getattr(found, function)
    return inspect.unwrap(found) if callable(found) else found


def methods(name):
    """Return the names of the public methods and properties that skmoe wrote for a class."""
    return [
        f"{name}.{attribute}"
        for attribute in dir(resolve(name))
        if not attribute.startswith("_")
        and inspect.isfunction(resolve(f"{name}.{attribute}"))
        and resolve(f"{name}.{attribute}").__module__.startswith("skmoe")
    ]


def errors(name, beside=()):
    return [e for e in validate(name)["errors"] if e[0] not in NOT_ASKED.union(beside)]


ESTIMATORS = [method for name in CLASSES for method in methods(name)]
OTHERS = [
    method
    for name in PUBLIC
    if name not in CLASSES and inspect.isclass(resolve(name))
    for method in methods(name)
]


@pytest.mark.parametrize("name", PUBLIC)
def test_public_names_are_documented(name):
    beside = {"EX01"} if name.rpartition(".")[0] in WITHOUT_EXAMPLE else set()
    if dataclasses.is_dataclass(resolve(name)) or hasattr(resolve(name), "_fields"):
        # Records are made of their attributes.
        beside.add("PR01")
        described = inspect.getdoc(resolve(name)).partition("Attributes\n")[2]
        for field in getattr(resolve(name), "__annotations__", ()):
            assert re.search(rf"\b{field}\b", described)
    assert not errors(name, beside)


@pytest.mark.parametrize("name", ESTIMATORS)
def test_methods_of_estimators_are_documented(name):
    beside = {"EX01"} if isinstance(inspect.getattr_static(*_owner(name)), property) else ()
    assert not errors(name, beside)


def test_methods_of_parts_are_described():
    """Overridden ones have the contract's words."""
    assert not [name for name in OTHERS if not inspect.getdoc(getattr(*_owner(name)))]
    own = [name for name in OTHERS if resolve(name).__doc__]
    faults = {name: errors(name, OF_A_CONTRACT) for name in own}
    assert not {name: fault for name, fault in faults.items() if fault}


@pytest.mark.parametrize("name", ESTIMATORS)
def test_methods_say_what_they_refuse(name):
    takes_rows = {"X", "y"} & set(inspect.signature(resolve(name)).parameters)
    if takes_rows and not name.startswith("skmoe.MixtureDistribution"):
        assert "Raises\n" in inspect.getdoc(resolve(name))


def _owner(name):
    family, _, method = name.rpartition(".")
    return resolve(family), method
