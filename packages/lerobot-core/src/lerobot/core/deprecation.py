"""Old names of what moved: they keep working, and say where everything went."""

import importlib
import sys
import warnings
from collections.abc import Callable, Mapping, MutableSequence
from types import ModuleType
from typing import Any


class _MovedModule(ModuleType):
    """Stands under an old name, and hands on what is asked of it."""

    __path__: MutableSequence[str]

    def __init__(self, name: str, home: str) -> None:
        super().__init__(name, f"Moved to `{home}`.")
        self._home = home
        # Python looks for modules below this one only if it is a package; where it looks, there is none.
        self.__path__ = []

    def __getattr__(self, name: str) -> Any:
        # Python and its tools ask every module for names like these; no user means them.
        if name.startswith("__"):
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        try:
            return getattr(importlib.import_module(self._home), name)
        finally:
            # After the import: a module that changes the filters of warnings has Python forget what was said before.
            warnings.warn(f"{self.__name__} is now {self._home}: import {name} from there", FutureWarning, stacklevel=2)


def moved_names(module: str, moved: Mapping[str, str], *, stacklevel: int = 2) -> Callable[[str], Any]:
    """The `__getattr__` of a module that stays while some of its names moved.

    Args:
        module: that held the names.
        moved: full name of the module that has each of them now; it is imported when the name is asked for.
        stacklevel: where the notice points: 2 at who asks the function returned.
    """

    def __getattr__(name: str) -> Any:  # noqa: N807 (it becomes a module's)
        if name not in moved:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        warnings.warn(f"{module}.{name} is now {moved[name]}.{name}", FutureWarning, stacklevel=stacklevel)
        return getattr(importlib.import_module(moved[name]), name)

    return __getattr__


def keep_moved_modules(package: str, moved: Mapping[str, str]) -> None:
    """Let the old names of a package's modules be imported; called in its `__init__`.

    Nothing is imported before a name is asked for, which gives a `FutureWarning`.

    Args:
        package: that held the modules, such as `"lerobot.policies"`.
        moved: new full name of each module by its old name within the package, such as
            `{"rollout": "lerobot.rollout.command"}`.
    """
    for old, home in moved.items():
        name = f"{package}.{old}"
        parent, _, last = name.rpartition(".")
        module = sys.modules.setdefault(name, _MovedModule(name, home))
        # `import a.b.c` gives `a`, from which the rest is got by attributes.
        if parent in sys.modules:
            setattr(sys.modules[parent], last, module)
