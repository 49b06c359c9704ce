"""Finds hook plugins, calls them, and keeps their failures to themselves."""

import difflib
import logging
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import pluggy

from lerobot.core.errors import PluginError, PluginLoadError
from lerobot.core.hooks.specs import PROJECT, SPECS, ControlHooks
from lerobot.core.registry import Discovered, registry

log = logging.getLogger(__name__)

_running: ContextVar["Hooks | None"] = ContextVar("hooks of the run", default=None)


@dataclass(slots=True)
class _Implementation:
    plugin: str
    function: Any
    arguments: tuple[str, ...] = field(default_factory=tuple)


class Hooks:
    """The hook plugins of one run.

    A plugin that fails in a hook is reported once, with its name and cause, and not called for that hook again; a hook
    of the control loop that takes longer than its budget is reported once and counted in `slow`.
    `LEROBOT_TRACE_HOOKS=1` writes each call to stderr.
    """

    def __init__(self) -> None:
        self.budget_s = float("inf")
        """Longest time a call within a turn of the control loop may take before it is reported, in seconds."""
        self.slow: dict[str, int] = {}
        """Number of calls over the budget, by `plugin.hook`."""
        self.broken: list[PluginError] = []
        """Plugins that could not be loaded, and why."""
        self._calls: dict[str, list[_Implementation]] = {}
        self._trace = bool(os.environ.get("LEROBOT_TRACE_HOOKS"))
        self._manager = pluggy.PluginManager(PROJECT)
        for group in SPECS:
            self._manager.add_hookspecs(group)

    def register(self, plugin: object, name: str) -> None:
        """Add a plugin: any object or module with functions marked by `hookimpl`.

        Args:
            plugin: the object.
            name: how messages call it.

        Raises:
            PluginLoadError: it implements a hook that does not exist, takes an argument the hook does not have, or
                wraps hooks; names the hook and the nearest one that exists.
        """
        known = self.names()
        try:
            self._manager.register(plugin, name)
            self._manager.check_pending()
        except pluggy.PluginValidationError as error:
            unknown = [hook for hook in dir(plugin) if _is_marked(plugin, hook) and hook not in known]
            # A plugin that was refused must not stay half registered.
            if self._manager.get_plugin(name) is not None:
                self._manager.unregister(plugin)
            raise self._refused(name, str(error), unknown) from error
        for caller in self._manager.get_hookcallers(plugin) or ():
            for implementation in caller.get_hookimpls():
                if implementation.plugin is not plugin:
                    continue
                if implementation.hookwrapper or implementation.wrapper:
                    self._forget(plugin, name)
                    raise self._refused(name, f"{caller.name} wraps the hook, but hooks only observe", [])
                call = _Implementation(name, implementation.function, tuple(implementation.argnames))
                self._calls.setdefault(caller.name, []).append(call)

    def names(self) -> list[str]:
        """Names of all hooks."""
        return [name for group in SPECS for name in vars(group) if not name.startswith("_")]

    def call(self, hook: str, **arguments: Any) -> None:
        """Call every implementation of a hook; never raises because of one.

        Args:
            hook: name of the hook.
            **arguments: all arguments of its specification.
        """
        for implementation in tuple(self._calls.get(hook, ())):
            started = time.perf_counter()
            try:
                implementation.function(*(arguments[name] for name in implementation.arguments))
            except Exception as error:
                # A plugin may raise anything, and the run must go on without it.
                self._calls[hook].remove(implementation)
                log.exception(
                    "hook %s of plugin %s failed and is switched off: %s: %s",
                    hook, implementation.plugin, type(error).__name__, error,
                )  # fmt: skip
            self._note_time(hook, implementation.plugin, time.perf_counter() - started)

    @contextmanager
    def run(self, command: str, config: Any) -> Iterator[None]:
        """Call `run_start` before and `run_end` after the block."""
        self.call("run_start", command=command, config=config)
        error: BaseException | None = None
        token = _running.set(self)
        try:
            yield
        except BaseException as caught:
            error = caught
            raise
        finally:
            _running.reset(token)
            self.call("run_end", command=command, error=error)

    def _note_time(self, hook: str, plugin: str, seconds: float) -> None:
        if self._trace:
            sys.stderr.write(f"[lerobot hooks] {hook} -> {plugin} {seconds * 1e3:.3f} ms\n")
        if seconds > self.budget_s and hook in vars(ControlHooks):
            name = f"{plugin}.{hook}"
            if name not in self.slow:
                log.warning("hook %s took %.1f ms, budget %.1f ms", name, seconds * 1e3, self.budget_s * 1e3)
            self.slow[name] = self.slow.get(name, 0) + 1

    def _forget(self, plugin: object, name: str) -> None:
        self._manager.unregister(plugin)
        for calls in self._calls.values():
            calls[:] = [call for call in calls if call.plugin != name]

    def _refused(self, name: str, cause: str, unknown: list[str]) -> PluginLoadError:
        near = [match for hook in unknown for match in difflib.get_close_matches(hook, self.names(), n=1)]
        what = f"implements the unknown hook {', '.join(unknown)}" if unknown else cause.strip().replace("\n", " ")
        return PluginLoadError(
            f"hook plugin '{name}' {what}.",
            kind="hooks",
            name=name,
            candidates=near,
            expected=f"one of {', '.join(self.names())}",
            hint=f"Did you mean '{near[0]}'?" if near else "",
        )


def tell_run(hook: str, **arguments: Any) -> None:
    """Call a hook of the run in progress, from code that is handed no hooks, such as that of a device.

    Outside a run, and in threads that the run started, nothing happens.

    Args:
        hook: name of the hook.
        **arguments: all arguments of its specification.
    """
    if (hooks := _running.get()) is not None:
        hooks.call(hook, **arguments)


def load_hooks() -> Hooks:
    """Load every installed hook plugin of the entry-point group `lerobot.hooks`.

    An entry point names an object, a class (which is constructed without arguments) or a module. A plugin that cannot
    be loaded is reported, kept in `Hooks.broken` and left out: it must not stop a robot from being used.
    """
    hooks = Hooks()
    for found in registry.plugins("hooks"):
        name = f"{found.distribution}:{found.name}"
        try:
            hooks.register(_load(found), name)
        except PluginError as error:
            hooks.broken.append(error)
            log.error("%s\n  The plugin is left out of this run.", error)
    return hooks


def _load(found: Discovered) -> object:
    loaded: Any = registry.config_class("hooks", f"{found.distribution}:{found.name}")
    return loaded() if isinstance(loaded, type) else loaded


def _is_marked(plugin: object, name: str) -> bool:
    return getattr(getattr(plugin, name, None), f"{PROJECT}_impl", None) is not None
