"""Public names: found when they are asked for, and seen by type checkers."""

import ast
import inspect
from importlib import import_module

import pytest

packages = pytest.mark.parametrize("package", ["skmoe", "skmoe.estimators"])


def named_for_type_checkers(module):
    """Return name -> home of what a module imports for type checkers alone."""
    tree = ast.parse(inspect.getsource(module))
    blocks = [
        node
        for node in tree.body
        if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING"
    ]
    imports = [node for block in blocks for node in block.body]
    # A name is handed on to users if it is imported under an alias, be it the same.
    return {alias.asname: node.module for node in imports for alias in node.names}


@packages
def test_type_checkers_see_the_public_names(package):
    module = import_module(package)
    assert named_for_type_checkers(module) == module._HOMES


@packages
def test_public_names_are_found(package):
    module = import_module(package)
    for name in module.__all__:
        assert getattr(module, name) is not None and name in dir(module)
    with pytest.raises(AttributeError, match="Nothing"):
        module.Nothing  # noqa: B018
