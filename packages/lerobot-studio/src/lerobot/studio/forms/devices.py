"""Which ports a command takes, so that two runs do not reach for one arm."""

from collections.abc import Iterator
from pathlib import Path

from lerobot.core.cli.names import command_kind
from lerobot.core.config import CommandConfig, RobotConfig, TeleoperatorConfig, load
from lerobot.core.config.annotations import members
from lerobot.core.errors import LeRobotError
from lerobot.core.registry import registry
from lerobot.studio.runs.run import Run


def require_free_ports(config: CommandConfig, running: list[Run]) -> None:
    """Check that no run has a serial port that a command needs.

    Raises:
        LeRobotError: one has; says which.
    """
    wanted = {port: flag for flag, port in _ports(config)}
    for run in running:
        for flag, port in _ports_of(run) if wanted else ():
            if port in wanted:
                raise LeRobotError(
                    f"{wanted[port]}: {port} is taken by run {run.id}, as its {flag}.", hint="Interrupt that run first."
                )


def drives_robot(model: type[CommandConfig]) -> bool:
    """Whether a command takes a robot."""
    parts = [part for field in model.model_fields.values() for part in members(field.annotation)]
    return any(isinstance(part, type) and issubclass(part, RobotConfig) for part in parts)


def _ports_of(run: Run) -> list[tuple[str, Path]]:
    try:
        model = registry.config_class(command_kind(run.command), run.command)
        return list(_ports(load(model, run.arguments).config))
    except LeRobotError:  # it was started with a package, a file or a plugin that is not here any more
        return []


def _ports(config: CommandConfig) -> Iterator[tuple[str, Path]]:
    for name, value in config:
        if isinstance(value, RobotConfig | TeleoperatorConfig):
            yield from ((f"--{name}.{field}", Path(port).resolve()) for field, port in value.ports().items())
