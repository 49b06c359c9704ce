"""The commands that look at what is installed: `lerobot doctor`, `info` and `plugins`."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from importlib.machinery import PathFinder

import typer

from lerobot.core.commands.doctor import DoctorConfig
from lerobot.core.commands.info import InfoConfig
from lerobot.core.commands.plugins import PluginsConfig
from lerobot.core.devices.diagnosis import diagnose
from lerobot.core.distributions.installer import Installer
from lerobot.core.distributions.ownership import PEER, installed, strangers
from lerobot.core.distributions.record import left_out, recorded
from lerobot.core.distributions.repair import damage, repair
from lerobot.core.distributions.source import Source
from lerobot.core.errors import ConfigError, ConfigProblem, PluginError
from lerobot.core.hooks import load_hooks
from lerobot.core.inspection.plugin_list import explain, print_table, rows
from lerobot.core.inspection.robot_limits import limit_text, robot_limits
from lerobot.core.inspection.versions import versions
from lerobot.core.installation import Fact, own_facts
from lerobot.core.registry import KINDS, Discovered, kind_of, registry
from lerobot.core.registry.catalog import install_hint
from lerobot.core.registry.resolve import COMPAT
from lerobot.core.words import counted


def info(config: InfoConfig) -> None:
    """Print versions and the platform, as bullets for a bug report; or what a robot takes, a key a line.

    Raises:
        FeatureMismatchError: the robot takes something that the safety gate cannot limit.
        PluginError: its driver cannot be imported.
    """
    limits = {} if config.robot is None else robot_limits(config.robot)
    if config.format == "json":
        typer.echo(json.dumps(limits or versions(), indent=2))
        return
    texts = {key: limit_text(limit) for key, limit in limits.items()} or versions()
    for name, text in texts.items():
        typer.echo(f"- {name}: {text}")


def plugins(config: PluginsConfig) -> int:
    """Print the list or the explanation, or add a plugin; the exit code is 1 if the one asked for is broken."""
    if config.action == "add":
        return _add(config)
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


def _add(config: PluginsConfig) -> int:
    from lerobot.core.distributions.add import add, wanted

    kind, name = (None, config.kind) if config.name is None else (_kind(str(config.kind)), config.name)
    source = None if config.source is None else Source.at(config.source)
    add(wanted(str(name), kind), source, Installer.here(), typer.echo, dry_run=config.dry_run)
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
    if config.repair:
        repair(None if config.source is None else Source.at(config.source), Installer.here(), typer.echo)
        registry.refresh()
    facts = _facts()
    plugins = list(registry.plugins())
    if config.format == "text":
        _tell(facts)
    problems = [*_distributions(), *_metadata(), *_duplicates()]
    problems += [str(error) for found in plugins if (error := _check(found, deep=config.deep))]
    owners = {found.distribution for found in plugins}
    if config.format == "json":
        counts = {"plugins": len(plugins), "packages": len(owners)}
        typer.echo(json.dumps({"facts": [asdict(fact) for fact in facts], **counts, "problems": problems}, indent=2))
        return 1 if problems else 0
    typer.echo(f"{counted(len(plugins), 'plugin')} of {counted(len(owners), 'package')} checked")
    for problem in problems:
        typer.echo(f"broken: {problem}")
    typer.echo(counted(len(problems), "problem") if problems else "all is well")
    return 1 if problems else 0


def _facts() -> list[Fact]:
    """What every package found out about the machine."""
    facts = [*own_facts(), *_third_party()]
    load_hooks().call("examine_installation", tell=facts.append)
    return facts


def _tell(facts: list[Fact]) -> None:
    """Print facts, one line each, with what to do about it below."""
    width = max(len(fact.subject) for fact in facts)
    for fact in facts:
        typer.echo(f"{fact.subject:<{width}}  {fact.found}")
        if fact.advice:
            typer.echo(f"{'':<{width}}  -> {fact.advice}")


def _third_party() -> Iterator[Fact]:
    """Plugins of huggingface/lerobot that are installed here: what they need, and what they were added without."""
    for other in registry.unreached():
        found = f"{other.distribution} {other.version} is written for huggingface/lerobot and cannot be used yet"
        yield Fact("third party", found, f"{COMPAT} makes it usable. {install_hint(COMPAT)}")
    distributions = installed()
    for name, entry in recorded().items():
        if name in distributions and (asked := left_out(distributions[name])):
            version = distributions[name].version
            when = "" if version == entry["version"] else f" (added as {entry['version']})"
            yield Fact("third party", f"{name} {version}{when} runs without {', '.join(asked)}, as it was added")


def _distributions() -> Iterator[str]:
    """Whatever is installed that is not ours and stands in our place."""
    distributions = installed()
    yield from damage(distributions)
    for other in strangers(distributions):
        source = f"comes from {other.source}" if other.source else "does not say where it comes from"
        what = f"{other.name} {other.version} is not this project's: it {source}"
        yield f"{what}\n  Take it out: uv pip uninstall {other.name}"
    spec = PathFinder.find_spec("lerobot")
    if PEER not in distributions and spec is not None and spec.origin is not None:
        yield f"'lerobot' is a regular package at {spec.origin}; it hides the plugins installed elsewhere on the path"


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
