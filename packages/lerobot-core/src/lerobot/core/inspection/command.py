"""The commands that look at what is installed: `lerobot doctor`, `info` and `plugins`."""

import importlib.util
import json
from collections import Counter

import typer

from lerobot.core.amounts import counted
from lerobot.core.commands.doctor import DoctorConfig
from lerobot.core.commands.info import InfoConfig
from lerobot.core.commands.plugins import PluginsConfig
from lerobot.core.devices.diagnosis import diagnose
from lerobot.core.errors import ConfigError, ConfigProblem, PluginError
from lerobot.core.hooks import load_hooks
from lerobot.core.inspection.plugin_list import explain, print_table, rows
from lerobot.core.inspection.versions import versions
from lerobot.core.installation import own_facts
from lerobot.core.registry import KINDS, Discovered, kind_of, registry


def info(_config: InfoConfig) -> None:
    """Print versions and the platform, as bullets for a bug report."""
    for name, value in versions().items():
        typer.echo(f"- {name}: {value}")


def plugins(config: PluginsConfig) -> int:
    """Print the list or the explanation; the exit code is 1 if the one asked for is broken."""
    kind = None if config.kind is None else _kind(config.kind)
    if config.action == "info":
        return explain(str(kind), str(config.name))
    found = [row for name in ([kind] if kind else KINDS) for row in rows(str(name), known=config.known)]
    if config.format == "json":
        typer.echo(json.dumps(found, indent=2))
    else:
        print_table(found)
    for damaged in registry.damaged():
        typer.echo(f"warning: {damaged.distribution}: {damaged.cause}", err=True)
    return 0


def _kind(name: str) -> str:
    try:
        return kind_of(name).name
    except KeyError as error:
        raise ConfigError([ConfigProblem("KIND", name, f"one of {', '.join(KINDS)}")]) from error


def doctor(config: DoctorConfig) -> int:
    """Print what was checked; the exit code is 1 if something is broken."""
    if config.subject == "hardware":
        return diagnose(config)
    _tell_facts()
    problems = [*_namespace(), *_metadata(), *_duplicates()]
    checked = 0
    for found in registry.plugins():
        checked += 1
        if error := _check(found, deep=config.deep):
            problems.append(str(error))
    owners = {found.distribution for found in registry.plugins()}
    typer.echo(f"{counted(checked, 'plugin')} of {counted(len(owners), 'package')} checked")
    for problem in problems:
        typer.echo(f"broken: {problem}")
    typer.echo(counted(len(problems), "problem") if problems else "all is well")
    return 1 if problems else 0


def _tell_facts() -> None:
    """What every package found out about the machine, one line each, with what to do about it below."""
    facts = list(own_facts())
    load_hooks().call("examine_installation", tell=facts.append)
    width = max(len(fact.subject) for fact in facts)
    for fact in facts:
        typer.echo(f"{fact.subject:<{width}}  {fact.found}")
        if fact.advice:
            typer.echo(f"{'':<{width}}  -> {fact.advice}")


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
