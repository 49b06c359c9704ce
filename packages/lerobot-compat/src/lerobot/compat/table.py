"""The names of huggingface/lerobot and what each of them is here: `names/*.toml`, one file per package of its.

A table per module, named without the leading `lerobot.`:

- `NAME = "package.module:attribute"`: what the name is here
- `NAME = { ADAPTER = "package.module:attribute" }`: what it becomes by a function of `ADAPTERS`
- `NAME = { config = "kind:name" }`, `NAME = { built = "kind:name" }`: the configuration of a registered plugin, and
  what it builds; see `registered`
- `NAME = { missing = "reason" }`: nothing, and what to use instead
- `same_as = "module"`: the module has the names of another one
- `missing = "reason"`: the reason for every name that is not listed; of a module without names, for itself and all
  modules below it
"""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from importlib.resources import files
from typing import Any

from lerobot.core.errors import PluginNotFoundError, PluginNotInstalledError
from lerobot.core.registry.catalog import install_hint, packages_here

ROOT = "lerobot"
SAME_AS, MISSING = "same_as", "missing"

ADAPTERS = {
    "act_layer": "lerobot.compat.act_layers:layer",
    "arm": "lerobot.compat.arms:arm",
    "command": "lerobot.compat.commands:command",
    "derivable": "lerobot.compat.derived:derivable",
    "gated": "lerobot.compat.gated:gated",
    "optimizer": "lerobot.compat.optim:optimizer",
    "policy": "lerobot.compat.policy_classes:policy",
    "policy_config": "lerobot.compat.policy_classes:policy_config",
    "scheduler": "lerobot.compat.optim:scheduler",
    "step": "lerobot.compat.steps:step",
}
"""What makes huggingface/lerobot's shape of something of ours."""

REGISTERED = {name: f"lerobot.compat.registered:{name}" for name in ("built", "config", "registered_step")}
"""What finds something of ours in the registry."""

Entry = str | Mapping[str, str]


class NoCounterpartError(ModuleNotFoundError):
    """A name of huggingface/lerobot that nothing here stands for, or whose package is not installed.

    It carries no `name`: Python would put its own line in place of this one.
    """


@cache
def _file(top: str) -> dict[str, dict[str, Any]]:
    file = files("lerobot.compat").joinpath("names", f"{top}.toml")
    return tomllib.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}


def module(name: str) -> dict[str, Any] | None:
    """The table of a module, by its full name; None if huggingface/lerobot has no such module."""
    short = name.removeprefix(f"{ROOT}.")
    tables = _file(short.partition(".")[0])
    if short not in tables:
        # A package needs no table of its own.
        return {} if any(key.startswith(f"{short}.") for key in tables) else None
    table = tables[short]
    other = module(f"{ROOT}.{table[SAME_AS]}") or {} if SAME_AS in table else {}
    return {**other, **{key: value for key, value in table.items() if key != SAME_AS}}


def is_here(name: str) -> bool:
    """Whether a module is here, whatever it hands on."""
    found = module(name)
    return found is not None and (bool(names(name)) or MISSING not in found)


def names(name: str) -> list[str]:
    """The names a module hands on."""
    return sorted(key for key, entry in (module(name) or {}).items() if key != MISSING and not _reason(entry))


def reason(name: str) -> str:
    """Why a module is not here; empty if it is, or never was anywhere."""
    found = module(name)
    if found is not None:
        return "" if is_here(name) else str(found[MISSING])
    parent = name.rpartition(".")[0]
    return "" if parent in {"", ROOT} or is_here(parent) else reason(parent)


def reason_of_name(module_name: str, name: str) -> str:
    """Why a name of a module is not here; empty if it is, or never was anywhere."""
    found = module(module_name) or {}
    entry = found.get(name)
    if entry is not None:
        return _reason(entry)
    return _not_built(found) or str(found.get(MISSING, ""))


def _not_built(entries: Mapping[str, Any]) -> str:
    """Why the plugin that a module is about is not here; empty if it is, or the module is about none or several."""
    named = {
        plugin: REGISTERED[adapter]
        for entry in entries.values()
        if isinstance(entry, Mapping)
        for adapter, plugin in entry.items()
        if adapter in REGISTERED
    }
    if len(named) != 1:
        return ""
    ((plugin, finder),) = named.items()
    try:
        _load(finder, plugin)(plugin)
    except (PluginNotFoundError, PluginNotInstalledError) as error:
        return _said(error)
    return ""


def _reason(entry: Any) -> str:
    return str(entry.get(MISSING, "")) if isinstance(entry, Mapping) else ""


def resolve(module_name: str, name: str) -> Any:
    """Import what a name is here.

    Raises:
        AttributeError: the module has no such name, or nothing here stands for it.
        NoCounterpartError: the package that holds it is not installed.
    """
    entry: Entry | None = (module(module_name) or {}).get(name)
    if entry is None or name == MISSING or _reason(entry):
        raise AttributeError(f"module {module_name!r} has no attribute {name!r}")
    if isinstance(entry, str):
        return _load(entry, f"{module_name}.{name}")
    ((adapter, target),) = entry.items()
    if adapter in REGISTERED:
        return _find(REGISTERED[adapter], target, f"{module_name}.{name}")
    return _load(ADAPTERS[adapter], name)(_load(target, f"{module_name}.{name}"))


def _find(finder: str, plugin: str, asked: str) -> Any:
    try:
        return _load(finder, asked)(plugin)
    except (PluginNotFoundError, PluginNotInstalledError) as error:
        raise NoCounterpartError(f"{asked} has no counterpart here: {_said(error)}") from error


def _said(error: PluginNotFoundError | PluginNotInstalledError) -> str:
    """What is not here and, of what can be installed, how."""
    hint = error.hint if isinstance(error, PluginNotInstalledError) else ""
    return f"{error.what} {hint}".rstrip()


def _load(target: str, asked: str) -> Any:
    home, _, attribute = target.partition(":")
    try:
        found: Any = import_module(home)
    except NoCounterpartError as error:  # of a package of ours that is not installed
        raise NoCounterpartError(f"{asked}: {error}") from error
    for part in attribute.split(".") if attribute else ():
        found = getattr(found, part)
    return found


def not_installed(package: str) -> str:
    """Why a package of ours (`lerobot.policies`) cannot be imported; empty for a name that is none of ours."""
    distribution = package.replace(".", "-").replace("_", "-")
    if distribution not in packages_here():
        return ""
    return f"{package} is in {distribution}, which is not installed. {install_hint(distribution)}"
