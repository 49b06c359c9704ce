"""Running one command: its configuration is resolved, then its function is imported and called with it."""

import logging
import os
from collections.abc import Sequence

import typer

from lerobot.core.cli.names import command_kind
from lerobot.core.config import CommandConfig, load, render
from lerobot.core.registry import registry

HELP = frozenset({"--help", "-h"})
PRINT_CONFIG = frozenset({"--print_config", "--print-config"})
TRACEBACK = frozenset({"--traceback"})


def run_command(name: str, arguments: Sequence[str]) -> int:
    """Run a command.

    Args:
        name: registered name of the command.
        arguments: tokens after the name; `--help`, `--print_config` and `--traceback` belong to every command.

    Returns:
        The command's exit code; 0 if it returns none.

    Raises:
        LeRobotError: the configuration is wrong, or the command failed in a way the user can act on.
    """
    kind = command_kind(name)
    model: type[CommandConfig] = registry.config_class(kind, name)
    own = [token for token in arguments if token not in HELP | PRINT_CONFIG | TRACEBACK]
    if HELP & set(arguments):
        from lerobot.core.cli.help import show_help

        show_help(name, model, own, os.environ)
        return 0
    loaded = load(model, own, os.environ)
    if PRINT_CONFIG & set(arguments):
        typer.echo(render(loaded), nl=False)
        return 0
    # The application decides where log lines go; libraries only write them.
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
    command = registry.find(kind, name)
    if model.preflight:
        registry.function(command, model.preflight)(loaded.config)
    function = registry.function(command, model.target)
    result = function(loaded.config)
    return result if isinstance(result, int) else 0
