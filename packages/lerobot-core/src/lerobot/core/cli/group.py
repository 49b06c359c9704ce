"""The commands, known from metadata alone: one is imported when it is run, helped or completed."""

from dataclasses import dataclass
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from lerobot.core.cli.names import command_kind
from lerobot.core.registry import registry

INTERRUPTED = 130
"""Exit code after Ctrl-C: 128 and the number of the signal, as shells count."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One completion, as typer's shell scripts print it."""

    value: str
    help: str = ""
    type: str = "plain"


class PluginCommand(TyperCommand):
    """A command of the `lerobot.commands` entry points; its arguments are read by its configuration model."""

    def __init__(self, name: str, summary: str) -> None:
        super().__init__(name, help=summary, add_help_option=False)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Keep the arguments as they are."""
        ctx.args = args
        return args

    def invoke(self, ctx: Any) -> None:
        """Run the command and leave with its exit code."""
        from lerobot.core.cli.run import run_command

        try:
            code = run_command(str(self.name), ctx.args)
        except KeyboardInterrupt as interruption:
            typer.echo("\nInterrupted.", err=True)
            raise typer.Exit(INTERRUPTED) from interruption
        raise typer.Exit(code)

    def shell_complete(self, ctx: Any, incomplete: str) -> list[Any]:
        """Suggest flags, plugin names and choices."""
        from lerobot.core.cli.complete import suggestions

        return [Suggestion(value, text) for value, text in suggestions(str(self.name), ctx.args, incomplete)]


class CommandGroup(TyperGroup):
    """`lerobot`, with every installed command."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - the signature is typer's
        """List the commands from metadata."""
        return registry.names("command")

    def get_command(self, ctx: Any, cmd_name: str) -> PluginCommand | None:  # noqa: ARG002 - as above
        """A command that is imported when it is used; None if nothing of that name is installed."""
        known = cmd_name in registry.names(command_kind(cmd_name))
        return PluginCommand(cmd_name, summary(cmd_name)) if known else None

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Find the command, or explain why there is none and which package would bring it."""
        name = args[0]
        command = self.get_command(ctx, name)
        if command is None and not ctx.resilient_parsing:
            registry.find("command", name)
        return name, command, args[1:]


def summary(name: str) -> str:
    """What a command does, in one line, without importing it: from the catalogue, else who brings it."""
    from lerobot.core.registry.catalog import known_plugins

    if known := known_plugins("command").get(name):
        return known.summary
    owners = [found.distribution for found in registry.plugins(command_kind(name)) if found.name == name]
    return f"(from {' and '.join(owners)})"
