"""Names that are imported when they are first asked for."""

from importlib import import_module


def lazy_names(package, homes, modules=()):
    """Return the functions ``__getattr__`` and ``__dir__`` of a package.

    Parameters
    ----------
    package : str
        Its name.
    homes : dict of str to str
        Public name -> module in which it lives.
    modules : sequence of str
        Modules of the package that are found without an import of their own.

    Examples
    --------
    >>> from skmoe._lazy import lazy_names
    >>> getattr_, _ = lazy_names("skmoe", {"SoftmaxGate": "skmoe.gates"})
    >>> getattr_("SoftmaxGate")
    <class 'skmoe.gates.softmax.SoftmaxGate'>
    """

    def __getattr__(name):
        if name in homes:
            return getattr(import_module(homes[name]), name)
        if name in modules:
            return import_module(f"{package}.{name}")
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    def __dir__():
        return sorted({*vars(import_module(package)), *homes, *modules})

    return __getattr__, __dir__
