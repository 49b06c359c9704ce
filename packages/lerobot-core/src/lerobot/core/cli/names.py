"""Names of commands: those they have, and those they had."""

from lerobot.core.registry import registry


def command_kind(name: str) -> str:
    """Whether a name is one that a command has, or only had earlier: the kind of plugin to look it up by."""
    kinds = ("command", "earlier_command")
    return next((kind for kind in kinds if name in registry.names(kind)), "command")
