"""From a command line, files and the environment to a validated configuration that knows where each value came from.

The order is: defaults, `--config_path` file, environment (`LEROBOT_FPS`, `LEROBOT_ROBOT__PORT`), section files
(`--robot robot.yaml`), dotted flags. `~` is expanded in path fields; `$VARIABLES` are left to the shell.
"""

import importlib
import pkgutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from lerobot.core.config.arguments import CONFIG_FILE, Arguments, read_arguments, read_environment
from lerobot.core.config.base import CommandConfig, ConfigModel, PluginConfig
from lerobot.core.config.files import read_file
from lerobot.core.config.nodes import Node, Table, UnreadableError
from lerobot.core.config.resolve import FAILED, REQUIRED, Resolver
from lerobot.core.errors import ConfigError, ConfigProblem
from lerobot.core.paths import user_path

Config = TypeVar("Config", bound=ConfigModel)


@dataclass(frozen=True, slots=True)
class Loaded(Generic[Config]):
    """A configuration and where it came from.

    Attributes:
        config: the validated configuration.
        sources: flag, variable or `file:line` of each value that was given, by its path.
    """

    config: Config
    sources: dict[tuple[str, ...], str]


def load(
    model: type[Config], arguments: Sequence[str] = (), environ: Mapping[str, str] | None = None
) -> Loaded[Config]:
    """Resolve a configuration.

    Args:
        model: what is configured, usually a `CommandConfig`.
        arguments: flags, as after the command's name; those of the process are never read.
        environ: environment variables; none if None.

    Returns:
        The configuration with its sources.

    Raises:
        ConfigError: carries every problem that was found.
    """
    parsed, layers = gather(model, arguments, environ)
    resolver = Resolver()
    config = resolver.model(model, [layer for layer in layers if isinstance(layer, Table)], ())
    problems = [*parsed.problems, *resolver.problems]
    if any(problem.where == f"--{CONFIG_FILE}" for problem in parsed.problems):
        # What is missing may well stand in the file that could not be read.
        problems = [problem for problem in problems if problem.hint != REQUIRED]
    if problems or config is FAILED:
        raise ConfigError(problems)
    if parsed.config_file is not None and isinstance(config, CommandConfig):
        config = config.read_from(user_path(parsed.config_file.text or ""))
    return Loaded(config, resolver.sources)


def gather(
    model: type[ConfigModel], arguments: Sequence[str], environ: Mapping[str, str] | None
) -> tuple[Arguments, list[Node]]:
    """Read every source as nodes, the weakest first, and import the packages that flags name."""
    parsed = read_arguments(model, arguments)
    for flag, package in parsed.packages:
        try:
            discover_package(package)
        except Exception as error:  # noqa: BLE001 - importing a user's package can raise anything, and is told as it is
            cause = (str(error).splitlines() or [""])[0]
            expected = "a package that can be imported"
            parsed.problems.append(ConfigProblem(flag, package, expected, f"{type(error).__name__}: {cause}"))
    layers: list[Node] = []
    if parsed.config_file is not None:
        try:
            layers.append(read_file(parsed.config_file.text or ""))
        except UnreadableError as error:
            parsed.problems.append(
                ConfigProblem(f"--{CONFIG_FILE}", parsed.config_file.text, "a YAML, JSON or TOML file", error.reason)
            )
    layers += read_environment(model, environ or {})
    return parsed, [*layers, *parsed.layers]


def discover_package(name: str) -> list[str]:
    """Import a package and its direct modules, and register the plugins it defines for this process.

    Args:
        name: import name of the package.

    Returns:
        What was registered, as `kind:name`.

    Raises:
        ImportError: it, or one of its modules, cannot be imported.
        DuplicatePluginError: a name it registers is taken by another class.
    """
    from lerobot.core.registry import registry

    package = importlib.import_module(name)
    for module in pkgutil.iter_modules(getattr(package, "__path__", ())):
        importlib.import_module(f"{name}.{module.name}")
    registered = []
    for cls in _subclasses(PluginConfig):
        plugin_name = cls.model_fields["type"].default
        inside = cls.__module__ == name or cls.__module__.startswith(f"{name}.")
        if inside and cls.target and plugin_name:
            registry.register(cls.kind, plugin_name, cls)
            registered.append(f"{cls.kind}:{plugin_name}")
    return registered


def _subclasses(cls: type[PluginConfig]) -> list[type[PluginConfig]]:
    return [found for child in cls.__subclasses__() for found in (child, *_subclasses(child))]
