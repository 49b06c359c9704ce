"""Python's side: modules of huggingface/lerobot that hand on what the table says."""

import sys
import warnings
from importlib import import_module
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType
from typing import Any

from lerobot.compat import table

OLD = f"{table.ROOT}.common"
"""Everything stood below this until release 0.3; what is left of it stands in the table."""


class HandedOn(ModuleType):
    """A module of huggingface/lerobot; each of its names is imported when it is first asked for."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        value = table.resolve(self.__name__, name)
        setattr(self, name, value)
        return value

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *table.names(self.__name__)})


class FormerlyCommon(ModuleType):
    """A module by its path of releases 0.1 to 0.3, below `lerobot.common`."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        home = present_name(self.__name__)
        warnings.warn(f"{self.__name__} is now {home}: import {name} from there", FutureWarning, stacklevel=2)
        value = getattr(import_module(home), name)
        setattr(self, name, value)
        return value


class Loader:
    """Makes the module of a spec."""

    @staticmethod
    def create_module(spec: ModuleSpec) -> ModuleType:
        """See `importlib.abc.Loader`."""
        return (HandedOn if table.module(spec.name) is not None else FormerlyCommon)(spec.name)

    @staticmethod
    def exec_module(module: ModuleType) -> None:
        """See `importlib.abc.Loader`."""
        if isinstance(module, HandedOn):
            module.__all__ = table.names(module.__name__)  # type: ignore[attr-defined] # what `import *` asks for


def present_name(name: str) -> str:
    """Where a module of `lerobot.common` went."""
    return f"{table.ROOT}{name.removeprefix(OLD)}"


def find(name: str) -> ModuleSpec | None:
    """Answer for a module that no other finder knows.

    A name that a module of ours lacks and the table has is lent to that module: Python looks for `lerobot.policies.X`
    as a module when `from lerobot.policies import X` finds no such name, and looks at the name once more afterwards.

    Raises:
        NoCounterpartError: nothing here stands for it; says what to use instead.
    """
    # Asked for a package of ours, it is not there: no other finder knew it.
    if name.count(".") == 1 and (text := table.not_installed(name)):
        raise table.NoCounterpartError(text)
    if table.is_here(name):
        return ModuleSpec(name, Loader, is_package=True)  # type: ignore[arg-type] # a class with the methods asked for
    if text := table.reason(name):
        raise table.NoCounterpartError(f"{name} has no counterpart here: {text}")
    parent, _, last = name.rpartition(".")
    if last in table.names(parent):
        setattr(sys.modules[parent], last, table.resolve(parent, last))
    elif text := table.reason_of_name(parent, last):
        raise table.NoCounterpartError(f"{name} has no counterpart here: {text}")
    elif name.startswith(f"{OLD}.") and find_spec(present_name(name)) is not None:
        return ModuleSpec(name, Loader, is_package=True)  # type: ignore[arg-type]
    return None
