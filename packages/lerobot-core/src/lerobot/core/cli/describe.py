"""The flags of a command as they are for this command line: grouped, with types, defaults, choices and what is given.

Help, completion and the studio's forms are views of this. Plugins named by a `type` on the line contribute the fields
of their light configuration class; no implementation is imported.
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
from lerobot.core.config.nodes import Node, Scalar, Table, Text, in_flow
from lerobot.core.config.resolve import Resolver, by_name, is_null
from lerobot.core.config.variants import PluginVariants, Variants, choice_problem, chosen_type, variants_of
from lerobot.core.errors import PluginError
from lerobot.core.registry.catalog import known_plugins


@dataclass(slots=True)
class Row:
    """One flag or positional parameter.

    Attributes:
        flag: `--robot.port`, or `KIND` for a positional parameter.
        type: short name of what it takes.
        default: as it would be typed, of a file or variable where one says so; empty if there is none worth showing.
        required: whether it must be given.
        text: description, with limits.
        choices: what can be completed.
        within: flag of the section without which nothing of it must be given; empty if there is none.
        unit: unit of its value.
        is_closed: whether it takes nothing but `choices`.
        kinds: types of what it holds by name, such as cameras; each of them then has a section of its own.
        given: its value on the line, as it would be typed; empty if it is not on it.
        given_by: flag that gives it there, which may be one of a whole section.
    """

    flag: str
    type: str
    default: str
    required: bool
    text: str
    choices: tuple[str, ...] = ()
    within: str = ""
    unit: str = ""
    is_closed: bool = False
    kinds: tuple[str, ...] = ()
    given: str = ""
    given_by: str = ""


@dataclass(slots=True)
class Section:
    """Flags that belong together.

    Attributes:
        title: heading.
        rows: the flags.
        note: what else there is to say.
        flag: of the section as a whole; empty for the command's own.
        is_optional: whether it has no value, not even defaults, unless something of it is given; `{}` gives it those.
        is_given: whether anything gives it.
    """

    title: str
    rows: list[Row] = field(default_factory=list)
    note: str = ""
    flag: str = ""
    is_optional: bool = False
    is_given: bool = False


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


@dataclass(slots=True)
class _Nested:
    """A field, or a member of one, that has a section of its own."""

    path: tuple[str, ...]
    info: FieldInfo
    parts: list[Any]
    variants: Variants | None
    layers: list[Node]
    is_member: bool = False


def _fields(
    model: type[ConfigModel], layers: Sequence[Node], path: tuple[str, ...], sections: list[Section], base: Any
) -> None:
    """Append the fields of a model to the last section, and its nested sections after it."""
    section = sections[-1]
    nested = []
    tables = _tables(layers, path)
    for name, info in _in_order(model):
        parts = [part for part in members(info.annotation) if part is not type(None)]
        variants = variants_of([part for part in parts if is_structured(part)])
        if (path and name == "type") or not has_effect(info):
            continue
        here = (*path, name)
        inner = [node for table in tables for key, node in table.entries.items() if key.replace("-", "_") == name]
        if variants or any(is_model(part) for part in parts):
            nested.append(_Nested(here, info, parts, variants, inner))
            continue
        row = _row(info, here, parts, getattr(base, name) if isinstance(base, model) else _default(info))
        section.rows.append(row)
        if kinds := _kinds(parts):
            row.kinds = tuple(kinds.names())
            nested += [_Nested(at, info, parts, kinds, nodes, True) for at, nodes in _by_key(inner, here)]
        else:
            _fill_in(row, inner)
    for each in nested:
        _section_of(each, sections)


def _section_of(nested: _Nested, sections: list[Section]) -> None:
    """A section, and those inside it."""
    info = nested.info
    default = None if nested.is_member else _default(info)
    flag = f"--{'.'.join(nested.path)}"
    section = Section(f"{flag[2:]}: {_sentence(info.description)}".rstrip(": "), flag=flag)
    section.is_given = any(not is_null(node) for node in nested.layers)
    is_optional = default is None and not info.is_required() and not nested.is_member
    section.is_optional = is_optional and nested.variants is None
    first = len(sections)
    sections.append(section)
    if nested.variants:
        _chosen(nested, sections, default)
    else:
        model = next(part for part in nested.parts if is_model(part))
        _fields(model, nested.layers, nested.path, sections, default)
    if is_optional:
        for row in [row for each in sections[first:] for row in each.rows]:
            row.within = row.within or flag


def _tables(layers: Sequence[Node], path: tuple[str, ...]) -> list[Table]:
    """The layers that are mappings, or that name a file of one."""
    return [opened for layer in layers if isinstance(opened := Resolver().open_table(layer, path, ""), Table)]


def _kinds(parts: Sequence[Any]) -> PluginVariants | None:
    """What a mapping of names to plugins chooses from; None for any other field."""
    items = [item_types(part)[-1] for part in parts if is_dict(part)]
    return next((PluginVariants(item) for item in items if is_choice(item)), None)


def _by_key(layers: Sequence[Node], path: tuple[str, ...]) -> list[tuple[tuple[str, ...], list[Node]]]:
    """Path and nodes of each member of a mapping; a mapping that is given whole replaces what weaker layers say."""
    members: dict[str, list[Node]] = {}
    for table in _tables(layers, path):
        if not table.step:
            members.clear()
        for key, node in table.entries.items():
            members.setdefault(key, []).append(node)
    return [((*path, key), nodes) for key, nodes in members.items()]


def _fill_in(row: Row, layers: Sequence[Node]) -> None:
    """What the line says for a field as a whole, and what a file or a variable says that the line overrules."""
    for node in layers:
        if isinstance(node, Table) and node.step:
            continue
        text = "true" if isinstance(node, Text) and node.text is None else in_flow(node)
        if (source := node.origin.source).startswith("--") or source == row.flag:
            row.given, row.given_by = text, source
        else:
            row.default, row.required = text, False


def _in_order(model: type[ConfigModel]) -> list[tuple[str, FieldInfo]]:
    """Fields of a model; a command's own before those it shares with others."""
    own = model.__annotations__ if issubclass(model, CommandConfig) else {}
    return sorted(model.model_fields.items(), key=lambda field: bool(own) and field[0] not in own)


def _chosen(nested: _Nested, sections: list[Section], default: Any) -> None:
    """Fill in a section whose fields depend on `type`."""
    section, variants, path = sections[-1], nested.variants, nested.path
    if variants is None:
        return
    layers = [by_name(layer) for layer in nested.layers]
    tables = _tables(layers, path)
    named = [node for table in tables if isinstance(node := table.entries.get("type"), Text | Scalar)]
    saved = [node for table in tables if isinstance(node := table.entries.get("path"), Text | Scalar)]
    name = (named[-1].text if named else chosen_type(default)) or ""
    names = variants.names()
    row = Row(f"{section.flag}.type", "name", "" if named else name, nested.info.is_required() and not saved, "")
    row.text, row.choices, row.is_closed = f"One of: {', '.join(names) or 'none'}.", tuple(names), True
    _fill_in(row, named)
    section.rows.append(row)
    if any(is_choice(part) and part.from_path for part in nested.parts) or saved:
        text = f"Folder or repository of a saved {variants.label}, in place of a type."
        section.rows.append(Row(f"{section.flag}.path", "text", "", False, text))
        _fill_in(section.rows[-1], saved)
    if not name:
        section.note = _elsewhere(variants, names) + f"Add {section.flag}.type=NAME to see its flags."
        return
    try:
        cls = variants.config_class(name)
    except PluginError as error:
        section.note = str(choice_problem(row.flag, name, error))
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
    installed = [mark for mark in info.metadata if isinstance(mark, Installed)]
    found += [name for mark in installed for name in mark.names()]
    text = _sentence(info.description)
    if bound := limits(info):
        text += f" Must be {bound}."
    if kinds := _kinds(parts):
        text += f" Types: {', '.join(kinds.names()) or 'none installed'}."
    return Row(
        path[-1].upper() if is_positional(info) else f"--{'.'.join(path)}",
        short(_union(parts)) if parts else "null",
        _shown(default),
        info.is_required() and default is None,
        text.strip(),
        tuple(found),
        unit=unit(info),
        is_closed=bool(installed) or all(part is bool or choices(part) for part in parts),
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
