"""Hooks: plugins that react to what happens in a run."""

from lerobot.core.hooks.manager import Hooks, load_hooks, tell_run
from lerobot.core.hooks.specs import SPECS, hookimpl

__all__ = ["SPECS", "Hooks", "hookimpl", "load_hooks", "tell_run"]
