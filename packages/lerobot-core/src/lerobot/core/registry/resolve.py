"""Levels 1 and 2: from a registered name to its config class, and from a config to its implementation."""

import contextlib
import difflib
import importlib
import logging
from collections.abc import Iterator
from typing import Any

from lerobot.core.errors import (
    DuplicatePluginError,
    PluginError,
    PluginLoadError,
    PluginNotFoundError,
    PluginNotInstalledError,
)
from lerobot.core.registry.api import api_problem, still_loads
from lerobot.core.registry.catalog import NOT_HERE, Known, install_hint, known_plugins, third_party_plugins
from lerobot.core.registry.discovery import Damaged, Discovered, PluginFinder, ThirdParty, discover, trace
from lerobot.core.registry.kinds import KINDS

log = logging.getLogger(__name__)

REGISTERED = "(registered)"
COMPAT = "lerobot-compat"
"""What makes plugins of huggingface/lerobot usable here."""


class Registry:
    """Finds plugins by kind and name.

    Metadata is read once, at the first question. `register` adds a name for this process only (notebooks, tests, the
    package named by `discover_packages_path`); `temporary` takes back what was registered inside it.
    """

    def __init__(self) -> None:
        self._installed: list[Discovered] | None = None
        self._damaged: list[Damaged] = []
        self._third_party: list[ThirdParty] = []
        self._registered: dict[tuple[str, str], type] = {}
        self._loaded: dict[str, Any] = {}
        self._warned: set[str] = set()

    # --- level 0: names ----------------------------------------------------------------------------------------------

    def plugins(self, kind: str | None = None) -> list[Discovered]:
        """List plugins from metadata, those registered in this process included; imports nothing."""
        if self._installed is None:
            self._installed, self._damaged, self._third_party = discover()
            if self._third_party:
                self._ask_finders()
        local = [
            Discovered(kind_, name, f"{cls.__module__}:{cls.__qualname__}", REGISTERED, "")
            for (kind_, name), cls in self._registered.items()
        ]
        return [found for found in (*self._installed, *local) if kind is None or found.kind == kind]

    def damaged(self) -> list[Damaged]:
        """List distributions whose metadata cannot be read or does not make sense."""
        self.plugins()
        return list(self._damaged)

    def unreached(self) -> list[ThirdParty]:
        """List installed plugins of huggingface/lerobot that nothing makes usable here."""
        reached = {found.distribution for found in self.plugins()}
        return [found for found in self._third_party if found.distribution not in reached]

    def names(self, kind: str) -> list[str]:
        """List the registered names of a kind, without repeats; imports nothing."""
        return sorted({found.name for found in self.plugins(kind)})

    def refresh(self) -> None:
        """Forget what was read, so that the next question reads the metadata again."""
        self._installed = None
        self._loaded.clear()

    def find(self, kind: str, name: str) -> Discovered:
        """Find the one plugin of this kind and name.

        Args:
            kind: registry kind.
            name: registered name, or `distribution:name` where several distributions claim it.

        Raises:
            DuplicatePluginError: several distributions claim the name.
            PluginNotInstalledError: a known package would provide it.
            PluginNotFoundError: nobody does; carries the nearest names.
        """
        distribution, _, short = name.rpartition(":")
        matches = [
            found
            for found in self.plugins(kind)
            if found.name == short and (not distribution or found.distribution == distribution)
        ]
        local = [found for found in matches if found.distribution == REGISTERED]
        if local or len(matches) == 1:
            return (local or matches)[0]
        if matches:
            raise _duplicate(kind, name, matches)
        raise self._missing(kind, name)

    # --- level 1: configuration classes ------------------------------------------------------------------------------

    def config_class(self, kind: str, name: str) -> type[Any]:
        """Import the configuration class behind a name; never the implementation.

        Args:
            kind: registry kind.
            name: registered name, `distribution:name`, or `package.module:Class` for an unpackaged experiment.

        Raises:
            PluginError: see `find`, and `PluginLoadError` if the module cannot be imported or holds no such class.
        """
        if registered := self._registered.get((kind, name)):
            return registered
        found = self._experiment(kind, name) or self.find(kind, name)
        return self._load_config(found)

    def check(self, found: Discovered) -> PluginError | None:
        """Try to import a plugin's light module; return what is wrong with it, or None."""
        try:
            self._load_config(found)
        except PluginError as error:
            return error
        return None

    def _load_config(self, found: Discovered) -> type[Any]:
        loaded = self._load(found.value, found)
        base = KINDS[found.kind].config_base
        if base and not (isinstance(loaded, type) and issubclass(loaded, _import(base))):
            for finder in self._finders():
                if adapted := finder.adapted(found, loaded):
                    return adapted
            raise _broken(found, f"'{found.value}' is not a subclass of {base.partition(':')[2]}")
        return loaded  # type: ignore[no-any-return]

    def _finders(self) -> list[PluginFinder]:
        return [self._load(found.value, found) for found in self.plugins("finder")]

    def _ask_finders(self) -> None:
        for finder in self._finders():
            plugins, damaged = finder.find(self._third_party)
            self._installed = [*(self._installed or ()), *plugins]
            self._damaged += damaged

    def _experiment(self, kind: str, name: str) -> Discovered | None:
        """A name such as `my_module:MyConfig`, unless an installed distribution of that name exists."""
        module, _, attribute = name.partition(":")
        if not attribute or any(found.distribution == module for found in self.plugins(kind)):
            return None
        return Discovered(kind, name, name, module, "unpackaged")

    # --- level 2: implementations ------------------------------------------------------------------------------------

    def implementation(self, config: Any, target: str = "") -> Any:
        """Import the implementation that a configuration names.

        Args:
            config: of the plugin.
            target: another name that its class gives, in place of its `target`.

        Raises:
            PluginLoadError: it cannot be imported; the cause is chained and shown.
        """
        found = next(
            (plugin for plugin in self.plugins(config.kind) if plugin.name == config.type),
            Discovered(config.kind, config.type, config.target, type(config).__module__.partition(".")[0], ""),
        )
        return self._load(target or config.target, found)

    def function(self, command: Discovered, target: str) -> Any:
        """Import the function that runs a command.

        Args:
            command: the command's entry.
            target: `CommandConfig.target`.

        Raises:
            PluginLoadError: it cannot be imported; the cause is chained and shown.
        """
        return self._load(target, command)

    def check_implementation(self, found: Discovered) -> PluginError | None:
        """Try to import what a plugin's configuration class targets; return what is wrong with it, or None."""
        try:
            loaded = self._load_config(found)
            if KINDS[found.kind].config_base and loaded.target:
                self._load(loaded.target, found)
        except PluginError as error:
            return error
        return None

    def _load(self, value: str, found: Discovered) -> Any:
        if value in self._loaded:
            return self._loaded[value]
        self._check_api(found)
        trace("import", plugin=found.name, value=value)
        try:
            loaded = _import(value)
        except (Exception, SystemExit) as error:
            # A plugin's module can raise anything at import, or even exit; either breaks that plugin only.
            raise _broken(found, _cause(error), hint=self._peer_hint(error)) from error
        self._loaded[value] = loaded
        return loaded

    def _check_api(self, found: Discovered) -> None:
        problem = api_problem(found.api)
        if not problem:
            return
        plugin = f"{found.kind} '{found.name}' ({found.distribution} {found.version})"
        if not still_loads(found.api):
            raise PluginLoadError(
                f"{plugin} cannot be used: {problem}.",
                kind=found.kind,
                name=found.name,
                distribution=found.distribution,
            )
        if found.distribution not in self._warned:
            self._warned.add(found.distribution)
            log.warning("%s still works, but %s.", plugin, problem)

    def _peer_hint(self, error: BaseException) -> str:
        """What to do about a plugin that imports a module of huggingface/lerobot."""
        missing = error.name or "" if isinstance(error, ModuleNotFoundError) else ""
        if not missing.startswith("lerobot.") or self.plugins("finder"):
            return ""
        return f"It is written for huggingface/lerobot; {COMPAT} makes it usable. {install_hint(COMPAT)}"

    # --- names of this process ---------------------------------------------------------------------------------------

    def register(self, kind: str, name: str, config_class: type) -> None:
        """Register a configuration class for this process.

        Raises:
            DuplicatePluginError: another class already has the name.
        """
        current = self._registered.get((kind, name))
        if current is not None and current is not config_class:
            raise DuplicatePluginError(
                f"{kind} '{name}' is already registered as {current.__module__}.{current.__qualname__}",
                kind=kind,
                name=name,
                candidates=(f"{current.__module__}:{current.__qualname__}",),
            )
        self._registered[(kind, name)] = config_class

    @contextlib.contextmanager
    def temporary(self) -> Iterator["Registry"]:
        """Take back every name registered inside the `with` block."""
        saved, loaded = dict(self._registered), dict(self._loaded)
        try:
            yield self
        finally:
            self._registered, self._loaded = saved, loaded

    # --- explanations ------------------------------------------------------------------------------------------------

    def _missing(self, kind: str, name: str) -> PluginError:
        known: dict[str, Known] = known_plugins(kind)
        package = known.get(name) or third_party_plugins(kind).get(name)
        if package and not package.distribution:
            return PluginNotInstalledError(f"{kind} '{name}' is {NOT_HERE}.", kind=kind, name=name)
        if package:
            return PluginNotInstalledError(
                f"{kind} '{name}' is provided by '{package.distribution}', which is not installed.",
                kind=kind,
                name=name,
                distribution=package.distribution,
                hint=install_hint(package.distribution),
            )
        installed = self.names(kind)
        near = difflib.get_close_matches(name, sorted({*installed, *known}), n=3)
        hint = f"Did you mean '{near[0]}'?" if near else f"See all: lerobot plugins list {kind}"
        if others := [found.distribution for found in self.unreached() if found.kind == kind]:
            hint += f" {', '.join(others)}: for huggingface/lerobot; needs {COMPAT}. {install_hint(COMPAT)}"
        return PluginNotFoundError(
            f"no {kind} is named '{name}'.",
            kind=kind,
            name=name,
            candidates=near,
            expected=f"one of {', '.join(installed) or '(none installed)'}",
            hint=hint,
        )


def _import(value: str) -> Any:
    """Import `package.module:Class`, or a module as hooks may be."""
    module, _, attribute = value.partition(":")
    if not module:
        raise ValueError(f"'{value}' is not of the form 'package.module:Class'")
    loaded: Any = importlib.import_module(module)
    for part in attribute.split(".") if attribute else ():
        loaded = getattr(loaded, part)
    return loaded


def _cause(error: BaseException) -> str:
    """The innermost cause on one line, with its place for a syntax error."""
    if isinstance(error, SyntaxError):
        return f"SyntaxError: {error.msg} ({error.filename}, line {error.lineno})"
    first = (str(error).splitlines() or [""])[0]
    return f"{type(error).__name__}: {first}"


def _broken(found: Discovered, cause: str, hint: str = "") -> PluginLoadError:
    where = f"{found.distribution} {found.version}".strip()
    return PluginLoadError(
        f"{found.kind} '{found.name}' ({where}) could not load '{found.value}'.\n  {cause}",
        kind=found.kind,
        name=found.name,
        distribution=found.distribution,
        hint=hint,
    )


def _duplicate(kind: str, name: str, matches: list[Discovered]) -> DuplicatePluginError:
    claims = [f"{found.distribution}:{found.name}" for found in matches]
    return DuplicatePluginError(
        f"{kind} '{name}' is claimed by {' and '.join(found.distribution for found in matches)}.",
        kind=kind,
        name=name,
        candidates=claims,
        expected=f"one of {', '.join(claims)}",
        hint=f"Choose one, or uninstall the other: uv pip uninstall {matches[-1].distribution}",
    )


registry = Registry()
"""The registry of this process."""
