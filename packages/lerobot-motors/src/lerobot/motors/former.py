"""Former places of names: they hand the name on and say where it stands now."""

import warnings
from collections.abc import Callable
from importlib import import_module
from typing import Any


def handed_on(former: str, module: str, *, stacklevel: int = 2) -> Callable[[str], Any]:
    """A module's `__getattr__` that takes names from the module they moved to.

    Args:
        former: the module the names stood in.
        module: the module they stand in now; imported when a name is asked for, so a package that is not installed
            is missed only then.
        stacklevel: where the notice points: 2 at who asks the function returned.
    """

    def __getattr__(name: str) -> Any:  # noqa: N807 (it becomes a module's)
        if name.startswith("__"):
            raise AttributeError(f"module {former!r} has no attribute {name!r}")
        value = getattr(import_module(module), name)
        warnings.warn(f"{former}.{name} is now {module}.{name}", DeprecationWarning, stacklevel=stacklevel)
        return value

    return __getattr__
