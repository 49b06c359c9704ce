"""Command lines of programs that describe them by a dataclass or a configuration of ours."""

import dataclasses
import sys
from collections.abc import Callable
from functools import wraps
from typing import Any, get_type_hints

from pydantic import Field, create_model

from lerobot.compat import choice
from lerobot.core.config import base
from lerobot.core.config.base import ConfigModel
from lerobot.core.config.load import load
from lerobot.core.errors import ConfigError

CHOICES: dict[Any, Any] = {
    choice.RobotConfig: base.RobotConfig,
    choice.TeleoperatorConfig: base.TeleoperatorConfig,
    choice.CameraConfig: base.CameraConfig,
}
"""What a field takes that is annotated with a base class of programs: any plugin of the kind."""


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


def parse(config_class: type, arguments: list[str], config_path: str | None = None) -> Any:
    """Read a configuration from flags.

    Args:
        config_class: a dataclass, or a configuration of ours.
        arguments: the flags.
        config_path: see `wrap`.

    Raises:
        SystemExit: something is wrong with them; says what, a line each.
    """
    given = [f"--config_path={config_path}", *arguments] if config_path else arguments
    model = as_model(config_class)
    try:
        loaded = load(model, given).config
    except ConfigError as error:
        raise SystemExit(f"error: {error}") from error
    return _as_program_has_it(config_class, loaded)


def as_model(config_class: Any) -> type[ConfigModel]:
    """A model with the fields of a dataclass, nested ones included; a configuration of ours is one."""
    if issubclass(config_class, ConfigModel):
        known: type[ConfigModel] = config_class
        return known
    hints = get_type_hints(config_class)
    fields: dict[str, Any] = {
        each.name: (_annotation(hints[each.name]), _default(each)) for each in dataclasses.fields(config_class)
    }
    made: type[ConfigModel] = create_model(config_class.__name__, __base__=ConfigModel, **fields)
    return made


def _annotation(hint: Any) -> Any:
    if hint in CHOICES:
        return CHOICES[hint]
    return as_model(hint) if isinstance(hint, type) and dataclasses.is_dataclass(hint) else hint


def _default(field: dataclasses.Field[Any]) -> Any:
    if field.default is not dataclasses.MISSING:
        return Field(default=field.default)
    if field.default_factory is not dataclasses.MISSING:
        return Field(default_factory=field.default_factory)
    return Field()


def _as_program_has_it(config_class: type, loaded: Any) -> Any:
    """The dataclass, of a model's values; what is one already, such as a default, stays."""
    if not isinstance(loaded, ConfigModel) or issubclass(config_class, ConfigModel):
        return loaded
    hints = get_type_hints(config_class)
    values = {name: _nested(hints[name], value) for name, value in loaded}
    return config_class(**values)


def _nested(hint: Any, value: Any) -> Any:
    nested = isinstance(hint, type) and dataclasses.is_dataclass(hint) and hint not in CHOICES
    return _as_program_has_it(hint, value) if nested else value
