"""Tables and descriptions of plugins."""

import inspect
from typing import Any

import typer
from pydantic_core import PydanticUndefined

from lerobot.core.config.annotations import field_words, unit
from lerobot.core.errors import PluginLoadError, PluginNotInstalledError
from lerobot.core.registry import KINDS, Discovered, registry
from lerobot.core.registry.catalog import Known, install_hint, known_plugins, third_party_plugins
from lerobot.core.registry.resolve import COMPAT

UNKNOWN = "(unknown)"
"""Stands for the registered names of a plugin that nothing here can read."""


def rows(kind: str, *, known: bool) -> list[dict[str, str]]:
    """One row per plugin, from metadata: nothing is imported."""
    catalog = known_plugins(kind)
    plugins = registry.plugins(kind)
    owners: dict[str, set[str]] = {}
    for found in plugins:
        owners.setdefault(found.name, set()).add(found.distribution)
    found_rows = []
    for found in plugins:
        installed = f"through {found.through}" if found.through else "installed"
        status = "claimed twice" if len(owners[found.name]) > 1 else installed
        summary = catalog[found.name].summary if found.name in catalog else ""
        found_rows.append(_row(kind, found.name, found.distribution, status, found.version, summary))
    found_rows += [
        _row(kind, UNKNOWN, other.distribution, f"needs {COMPAT}", other.version)
        for other in registry.unreached()
        if other.kind == kind
    ]
    if known:
        for name, entry in {**third_party_plugins(kind), **catalog}.items():
            if name not in owners:
                status = "not installed" if entry.distribution else "not here yet"
                found_rows.append(_row(kind, name, entry.distribution, status, summary=_summary(entry)))
    return found_rows


def _row(kind: str, name: str, distribution: str, status: str, version: str = "", summary: str = "") -> dict[str, str]:
    return {
        "kind": kind,
        "name": name,
        "distribution": distribution,
        "version": version,
        "status": status,
        "summary": summary,
    }


def _summary(known: Known) -> str:
    return f"{known.summary} By {known.owner}." if known.owner else known.summary


def print_table(plugins: list[dict[str, str]]) -> None:
    """Write columns as wide as they need to be; no line is cut, so that the output can be searched."""
    columns = ("kind", "name", "distribution", "version", "status")
    widths = {column: max([len(column), *(len(row[column]) for row in plugins)]) for column in columns}
    typer.echo("  ".join(column.upper().ljust(widths[column]) for column in columns).rstrip())
    for row in plugins:
        typer.echo("  ".join(row[column].ljust(widths[column]) for column in columns).rstrip())


def explain(kind: str, name: str) -> int:
    """Print what one plugin is; the exit code is 1 if it is broken."""
    try:
        found = registry.find(kind, name)
        cls = registry.config_class(kind, name)
    except PluginLoadError as error:
        typer.echo(f"{kind} '{name}' is installed but broken", err=True)
        typer.echo(str(error), err=True)
        return 1
    except PluginNotInstalledError as error:
        entry = {**third_party_plugins(kind), **known_plugins(kind)}[name]
        hint = f"not installed. {install_hint(entry.distribution)}" if entry.distribution else error.what
        typer.echo(f"{kind} {name}: {_summary(entry)}\n  {hint}")
        return 0
    _print_plugin(found, cls)
    return 0


def _print_plugin(found: Discovered, cls: Any) -> None:
    target, model_fields = (cls.target, cls.model_fields) if KINDS[found.kind].config_base else ("", {})
    typer.echo(f"{found.kind} {found.name}")
    if text := (inspect.getdoc(cls) or "").splitlines():
        typer.echo(f"  {text[0]}")
    through = f" (through {found.through})" if found.through else ""
    typer.echo(f"  distribution:   {found.distribution} {found.version}{through}".rstrip())
    typer.echo(f"  configuration:  {found.value}")
    typer.echo(f"  implementation: {target or 'none'}")
    typer.echo(f"  file:           {inspect.getsourcefile(cls)}")
    fields = {name: field for name, field in model_fields.items() if name != "type"}
    if fields:
        typer.echo("  fields:")
    for name, field in fields.items():
        default = field.get_default(call_default_factory=True, validated_data={})
        shown = "required" if default is PydanticUndefined else f"default {default!r}"
        typer.echo(f"    {name}: {f'{field_words(field)} {unit(field)}'.rstrip()}; {shown}")
