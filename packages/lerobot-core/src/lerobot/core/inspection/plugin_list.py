"""Tables and descriptions of plugins."""

import inspect
from typing import Any

import typer
from pydantic_core import PydanticUndefined

from lerobot.core.config.annotations import field_words, unit
from lerobot.core.errors import PluginError, PluginLoadError
from lerobot.core.registry import KINDS, Discovered, registry
from lerobot.core.registry.catalog import install_hint, known_plugins


def rows(kind: str, *, known: bool) -> list[dict[str, str]]:
    """One row per plugin, from metadata: nothing is imported."""
    catalog = known_plugins(kind)
    plugins = registry.plugins(kind)
    owners: dict[str, set[str]] = {}
    for found in plugins:
        owners.setdefault(found.name, set()).add(found.distribution)
    found_rows = []
    for found in plugins:
        twice = len(owners[found.name]) > 1
        summary = catalog[found.name].summary if found.name in catalog else ""
        found_rows.append(
            {
                "kind": kind,
                "name": found.name,
                "distribution": found.distribution,
                "version": found.version,
                "status": "claimed twice" if twice else "installed",
                "summary": summary,
            }
        )
    if known:
        found_rows += [
            {
                "kind": kind,
                "name": name,
                "distribution": entry.distribution,
                "version": "",
                "status": "not installed",
                "summary": entry.summary,
            }
            for name, entry in catalog.items()
            if name not in owners
        ]
    return found_rows


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
    except PluginError as error:
        if error.distribution is None:
            raise
        entry = known_plugins(kind)[name]
        typer.echo(f"{kind} {name}: {entry.summary}\n  not installed. {install_hint(entry.distribution)}")
        return 0
    _print_plugin(found, cls)
    return 0


def _print_plugin(found: Discovered, cls: Any) -> None:
    target, model_fields = (cls.target, cls.model_fields) if KINDS[found.kind].config_base else ("", {})
    typer.echo(f"{found.kind} {found.name}")
    if text := (inspect.getdoc(cls) or "").splitlines():
        typer.echo(f"  {text[0]}")
    typer.echo(f"  distribution:   {found.distribution} {found.version}".rstrip())
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
