"""What `lerobot doctor` finds: each broken plugin with its real cause; devices are examined by `devices.diagnose`."""

import importlib.util
import platform
import sys
from collections import Counter

import typer

from lerobot.core.commands.doctor import DoctorConfig
from lerobot.core.devices.diagnose import diagnose
from lerobot.core.errors import PluginError
from lerobot.core.registry import Discovered, registry


def run(config: DoctorConfig) -> int:
    """Print what was checked; the exit code is 1 if something is broken."""
    if config.subject == "hardware":
        return diagnose(config)
    typer.echo(f"Python {platform.python_version()} on {platform.platform()} ({sys.executable})")
    problems = [*_namespace(), *_metadata(), *_duplicates()]
    checked = 0
    for found in registry.plugins():
        checked += 1
        if error := _check(found, deep=config.deep):
            problems.append(str(error))
    typer.echo(f"{checked} plugins of {len({found.distribution for found in registry.plugins()})} packages checked")
    for problem in problems:
        typer.echo(f"broken: {problem}")
    typer.echo(f"{len(problems)} problems" if problems else "all is well")
    return 1 if problems else 0


def _namespace() -> list[str]:
    """A regular package named lerobot hides the plugins installed elsewhere on the path."""
    spec = importlib.util.find_spec("lerobot")
    if spec is None or spec.origin is None:
        return []
    return [f"'lerobot' is a regular package at {spec.origin}; keep huggingface/lerobot in an environment of its own"]


def _metadata() -> list[str]:
    return [f"metadata of {damaged.distribution}\n  {damaged.cause}" for damaged in registry.damaged()]


def _duplicates() -> list[str]:
    owners = Counter((found.kind, found.name) for found in registry.plugins())
    problems = []
    for (kind, name), count in owners.items():
        if count > 1:
            try:
                registry.find(kind, name)
            except PluginError as error:
                problems.append(str(error))
    return problems


def _check(found: Discovered, *, deep: bool) -> PluginError | None:
    if error := registry.check(found):
        return error
    return registry.check_implementation(found) if deep else None
