"""Command lines and environment variables as layers of nodes, the weakest first.

A flag is `--a.b=value`, `--a.b value` or, for true, `--a.b` alone; dashes in names are underscores. The last of two
equal flags wins, and a flag for a part (`--robot.port`) always wins over one for the whole (`--robot robot.yaml`).
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from lerobot.core.config.annotations import is_choice, is_dict, is_model, is_positional, members
from lerobot.core.config.base import CommandConfig, ConfigModel
from lerobot.core.config.nodes import Node, Origin, Text, at
from lerobot.core.config.scalars import FALSE, TRUE
from lerobot.core.errors import ConfigProblem

log = logging.getLogger(__name__)

DISCOVER = "discover_packages_path"
CONFIG_FILE = "config_path"
COMMON_FLAGS = {
    f"--{CONFIG_FILE}": "Read the configuration from a YAML, JSON or TOML file.",
    "--print_config": "Print the configuration with the source of each value and stop.",
    "--help": "Show the flags and stop.",
    "--traceback": "Show the traceback of an error.",
}
"""Flags that every command has."""
ENVIRONMENT_PREFIX = "LEROBOT_"
RESERVED_VARIABLES = frozenset(
    {
        "LEROBOT_BLOCK_PLUGINS",
        "LEROBOT_HOME",
        "LEROBOT_PLUGINS",
        "LEROBOT_TRACEBACK",
        "LEROBOT_TRACE_HOOKS",
        "LEROBOT_TRACE_PLUGINS",
    }
)
"""Variables with a meaning of their own; they never set a field."""


@dataclass(slots=True)
class Arguments:
    """A command line, taken apart.

    Attributes:
        layers: one node per flag, those of shorter paths first.
        config_file: text of `--config_path`, if given.
        packages: flags `--<anything>.discover_packages_path` with the package each names.
        problems: tokens that are neither flags nor positional parameters.
    """

    layers: list[Node] = field(default_factory=list)
    config_file: Text | None = None
    packages: list[tuple[str, str]] = field(default_factory=list)
    problems: list[ConfigProblem] = field(default_factory=list)


def read_arguments(model: type[ConfigModel], arguments: Sequence[str]) -> Arguments:
    """Take a command line apart.

    Args:
        model: what it configures; says which fields are positional, and which of the top fields are switches.
        arguments: the tokens after the command's name.
    """
    result = Arguments()
    positional = [name for name, field_ in model.model_fields.items() if is_positional(field_)]
    flags: list[tuple[tuple[str, ...], Text]] = []
    tokens = list(arguments)
    while tokens:
        token = tokens.pop(0)
        if token.startswith("--") and len(token) > 2:
            name, equals, value = token[2:].partition("=")
            text = value if equals else _take_value(model, name, tokens)
            _add_flag(result, flags, model, name, text)
        elif positional:
            name = positional.pop(0)
            flags.append(((name,), Text(token, Origin(name.upper()))))
        elif token.strip():
            result.problems.append(
                ConfigProblem(f"'{token}'", None, "a flag such as --name=value", "quote a value that contains spaces")
            )
    flags.sort(key=lambda flag: len(flag[0]))
    result.layers = [at(path, text) for path, text in flags]
    return result


def _add_flag(
    result: Arguments, flags: list[tuple[tuple[str, ...], Text]], model: type[ConfigModel], name: str, text: str | None
) -> None:
    value = Text(text, Origin(f"--{name}"))
    key = name.replace("-", "_")
    if issubclass(model, CommandConfig):
        if key in model.refused_flags:
            result.problems.append(ConfigProblem(f"--{name}", text, model.refused_flags[key]))
            return
        if key in model.earlier_flags:
            log.warning("--%s is now --%s", name, model.earlier_flags[key])
            name = model.earlier_flags[key]
    path = tuple(name.split("."))
    last = path[-1].replace("-", "_")
    if last == DISCOVER:
        result.packages.append((f"--{name}", text or ""))
    elif last == CONFIG_FILE and len(path) == 1 and CONFIG_FILE not in model.model_fields:
        result.config_file = value
    elif text is None and (switch := _negated(model, last)) and len(path) == 1:
        flags.append(((switch,), Text("false", value.origin)))
    else:
        flags.append((path, value))


def _take_value(model: type[ConfigModel], name: str, tokens: list[str]) -> str | None:
    """The token after a flag if it is the flag's value."""
    if not tokens or (tokens[0].startswith("--") and len(tokens[0]) > 2):
        return None
    if _is_switch(model, name) and tokens[0].strip().lower() not in TRUE | FALSE:
        return None
    return tokens.pop(0)


def _is_switch(model: type[ConfigModel], name: str) -> bool:
    """Whether this is a true-or-false field of the command itself, or the `no_` form of one."""
    key = name.replace("-", "_")
    found = model.model_fields.get(key)
    return bool(_negated(model, key)) or (found is not None and bool in members(found.annotation))


def _negated(model: type[ConfigModel], key: str) -> str:
    """`autoplay` for `no_autoplay`, unless a field really has that name."""
    name = key.removeprefix("no_")
    found = model.model_fields.get(name)
    if name == key or key in model.model_fields or found is None:
        return ""
    return name if bool in members(found.annotation) else ""


def read_environment(model: type[ConfigModel], environ: Mapping[str, str]) -> list[Node]:
    """Read the variables that set fields of a command.

    `LEROBOT_FPS` is `--fps`, `LEROBOT_ROBOT__PORT` is `--robot.port`: two underscores stand for the dot. Variables
    whose first part is no field of this command belong to another command and are left alone.
    """
    flags: list[tuple[tuple[str, ...], Text]] = []
    for variable in sorted(environ):
        if not variable.startswith(ENVIRONMENT_PREFIX) or variable in RESERVED_VARIABLES:
            continue
        path = tuple(variable.removeprefix(ENVIRONMENT_PREFIX).lower().split("__"))
        found = model.model_fields.get(path[0])
        if found is None or not all(path):
            continue
        if len(path) > 1 and not any(_has_parts(part) for part in members(found.annotation)):
            continue
        flags.append((path, Text(environ[variable], Origin(variable))))
    flags.sort(key=lambda flag: len(flag[0]))
    return [at(path, text) for path, text in flags]


def _has_parts(annotation: object) -> bool:
    return is_model(annotation) or is_choice(annotation) or is_dict(annotation)
