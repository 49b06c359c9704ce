"""Command lines of programs that describe them by a dataclass or a configuration of ours."""

import sys
from collections.abc import Callable
from functools import wraps
from typing import Any, get_type_hints

from lerobot.compat.plugins.models import Adapted, section
from lerobot.core.config.base import ConfigModel
from lerobot.core.config.load import load
from lerobot.core.errors import ConfigError


def wrap(config_path: str | None = None) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Let a function that takes a configuration first be called without it: then the command line says what it is.

    Flags are dotted, as those of our commands, and `--config_path=FILE` reads a file first.

    Args:
        config_path: file to read where the command line names none.
    """

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        config_class = next(iter(get_type_hints(function).values()))

        @wraps(function)
        def called(*args: Any, **settings: Any) -> Any:
            if args and isinstance(args[0], config_class):
                return function(*args, **settings)
            return function(parse(config_class, sys.argv[1:], config_path), *args, **settings)

        return called

    return decorate


def parse(config_class: Any, arguments: list[str], config_path: str | None = None) -> Any:
    """Read a configuration from flags.

    Args:
        config_class: a dataclass, or a configuration of ours.
        arguments: the flags.
        config_path: see `wrap`.

    Raises:
        SystemExit: something is wrong with them; says what, a line each.
    """
    given = [f"--config_path={config_path}", *arguments] if config_path else arguments
    model = config_class if issubclass(config_class, ConfigModel) else section(config_class)
    try:
        loaded = load(model, given).config
    except ConfigError as error:
        raise SystemExit(f"error: {error}") from error
    return loaded.original() if isinstance(loaded, Adapted) else loaded
