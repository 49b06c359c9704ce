"""The flags of a command as they are for this command line: grouped, with types, defaults and choices.

Help and completion are two views of this. Plugins named by a `type` on the line contribute the fields of their light
configuration class; no implementation is imported.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from lerobot.core.config import CommandConfig, ConfigModel, Installed
from lerobot.core.config.annotations import (
    choices,
    has_effect,
    is_choice,
    is_dict,
    is_model,
    is_positional,
    is_structured,
    item_types,
    limits,
    members,
    short,
    spelling,
    unit,
)
from lerobot.core.config.load import gather
from lerobot.core.config.nodes import Node, Scalar, Table, Text
from lerobot.core.config.resolve import Resolver, by_name
from lerobot.core.config.variants import PluginVariants, Variants, choice_problem, chosen_type, variants_of
from lerobot.core.errors import PluginError
from lerobot.core.registry.catalog import known_plugins


@dataclass(slots=True)
class Row:
    """One flag or positional parameter.

    Attributes:
        flag: `--robot.port`, or `KIND` for a positional parameter.
        type: short name of what it takes.
        default: as it would be typed; empty if there is none worth showing.
        required: whether it must be given.
        text: description, with unit and limits.
        choices: what can be completed.
        within: flag of the section without which nothing of it must be given; empty if there is none.
    """

    flag: str
    type: str
    default: str
    required: bool
    text: str
    choices: tuple[str, ...] = ()
    within: str = ""


@dataclass(slots=True)
class Section:
    """Flags that belong together.

    Attributes:
        title: heading.
        rows: the flags.
        note: what else there is to say.
    """

    title: str
    rows: list[Row] = field(default_factory=list)
    note: str = ""


def describe(model: type[ConfigModel], arguments: Sequence[str], environ: Mapping[str, str]) -> list[Section]:
    """List the flags of a command, as its line is so far.

    Args:
        model: the command's configuration.
        arguments: tokens after the command's name; problems in them are left to `load`.
        environ: environment variables.
    """
    _, layers = gather(model, arguments, environ)
    sections = [Section("Options")]
    _fields(model, layers, (), sections, None)
    return [section for section in sections if section.rows or section.note]


def _fields(
    model: type[ConfigModel], layers: Sequence[Node], path: tuple[str, ...], sections: list[Section], base: Any
) -> None:
    """Append the fields of a model to the last section, and its nested sections after it."""
    section = sections[-1]
    tables = [opened for layer in layers if isinstance(opened := Resolver().open_table(layer, path, ""), Table)]
    nested = []
    for name, info in _in_order(model):
        parts = [part for part in members(info.annotation) if part is not type(None)]
        variants = variants_of([part for part in parts if is_structured(part)])
        if (path and name == "type") or not has_effect(info):
            continue
        if variants or any(is_model(part) for part in parts):
            nested.append((name, info, parts, variants))
        else:
            default = getattr(base, name) if isinstance(base, model) else _default(info)
            section.rows.append(_row(info, (*path, name), parts, default))
    for name, info, parts, variants in nested:
        here = (*path, name)
        first = len(sections)
        inner = [node for table in tables for key, node in table.entries.items() if key.replace("-", "_") == name]
        default = _default(info)
        if variants:
            _chosen(variants, inner, here, sections, default, info)
        else:
            sections.append(Section(f"{'.'.join(here)}: {_sentence(info.description)}".rstrip(": ")))
            _fields(next(part for part in parts if is_model(part)), inner, here, sections, default)
        if default is None and not info.is_required():
            rows = [row for each in sections[first:] for row in each.rows]
            for row in rows:
                row.within = row.within or f"--{'.'.join(here)}"


def _in_order(model: type[ConfigModel]) -> list[tuple[str, FieldInfo]]:
    """Fields of a model; a command's own before those it shares with others."""
    own = model.__annotations__ if issubclass(model, CommandConfig) else {}
    return sorted(model.model_fields.items(), key=lambda field: bool(own) and field[0] not in own)


def _chosen(
    variants: Variants,
    layers: list[Node],
    path: tuple[str, ...],
    sections: list[Section],
    default: Any,
    info: FieldInfo,
) -> None:
    """A section whose fields depend on `type`."""
    layers = [by_name(layer) for layer in layers]
    tables = [opened for layer in layers if isinstance(opened := Resolver().open_table(layer, path, ""), Table)]
    named = [node.text for table in tables if isinstance(node := table.entries.get("type"), Text | Scalar)]
    name = (named[-1] if named else chosen_type(default)) or ""
    flag = f"--{'.'.join(path)}"
    names = variants.names()
    section = Section(f"{'.'.join(path)}: {_sentence(info.description)}".rstrip(": "))
    sections.append(section)
    shown = name if not named else ""
    section.rows.append(
        Row(f"{flag}.type", "name", shown, info.is_required(), f"One of: {', '.join(names) or 'none'}.", tuple(names))
    )
    if not name:
        section.note = _elsewhere(variants, names) + f"Add {flag}.type=NAME to see its flags."
        return
    try:
        cls = variants.config_class(name)
    except PluginError as error:
        section.note = str(choice_problem(f"{flag}.type", name, error))
        return
    section.title = f"{'.'.join(path)} ({name})"
    _fields(cls, layers, path, sections, default)


def _elsewhere(variants: Variants, installed: Sequence[str]) -> str:
    """Names that packages which are not installed would bring."""
    if not isinstance(variants, PluginVariants):
        return ""
    known = sorted(set(known_plugins(variants.kind)) - set(installed))
    return f"Not installed: {', '.join(known)}.\n" if known else ""


def _row(info: FieldInfo, path: tuple[str, ...], parts: Sequence[Any], default: Any) -> Row:
    found = [spelling(choice) for part in parts for choice in choices(part)]
    found += ["true", "false"] if bool in parts else []
    found += [name for mark in info.metadata if isinstance(mark, Installed) for name in mark.names()]
    text = _sentence(info.description)
    if bound := limits(info):
        text += f" Must be {bound}."
    for part in parts:
        if is_dict(part) and is_choice(inner := item_types(part)[-1]):
            text += f" Types: {', '.join(PluginVariants(inner).names()) or 'none installed'}."
    return Row(
        path[-1].upper() if is_positional(info) else f"--{'.'.join(path)}",
        f"{short(_union(parts)) if parts else 'null'} {unit(info)}".rstrip(),
        _shown(default),
        info.is_required() and default is None,
        text.strip(),
        tuple(found),
    )


def _union(parts: Sequence[Any]) -> Any:
    union = parts[0]
    for part in parts[1:]:
        union = union | part
    return union


def _default(info: FieldInfo) -> Any:
    default = info.get_default(call_default_factory=True, validated_data={})
    return None if default is PydanticUndefined else default


def _shown(default: Any) -> str:
    if default is None or default in ("", {}, [], ()):
        return ""
    return spelling(default)


def _sentence(text: str | None) -> str:
    """A description as one sentence on one line, however its author wrote it."""
    words = " ".join((text or "").split())
    sentence = words[:1].upper() + words[1:]
    return sentence if not sentence or sentence[-1] in ".!?:" else f"{sentence}."
