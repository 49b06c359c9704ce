"""What was given, before it is known what it means: a small tree in which every value remembers where it came from.

Files and flags become the same nodes, so one reading of values serves all sources. Nothing is turned into a Python
value here: whether `001` is a number or a name is for the field to say.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import yaml

_MAX_DEPTH = 50
"""Deeper nesting is an alias that contains itself, or an attack."""
_MAX_VALUES = 100_000
"""More values than that, once every alias is written out, are an attack on the memory."""

_PLAIN = re.compile(r"-?[\w./+~](?:[\w ./+~-]*[\w./+~-])?")
"""Words that need no quotes inside brackets."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value was given.

    Attributes:
        source: flag (`--robot.port`), variable (`LEROBOT_FPS`) or place in a file (`run.yaml:12`).
        key: dotted key inside the file; empty for flags and variables.
    """

    source: str
    key: str = ""

    def __str__(self) -> str:
        """The place as error texts show it."""
        return f"{self.source} {self.key}".rstrip()


@dataclass(frozen=True, slots=True)
class Text:
    """Text of a flag or a variable, still to be read; None is a flag without a value."""

    text: str | None
    origin: Origin


@dataclass(frozen=True, slots=True)
class Scalar:
    """One word of a file or of a structured flag; `quoted` if it was written in quotes."""

    text: str
    quoted: bool
    origin: Origin


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    items: tuple["Node", ...]
    origin: Origin


@dataclass(frozen=True, slots=True)
class Table:
    """A mapping.

    Attributes:
        entries: values by key as written, in order.
        origin: where it was given.
        step: True for a mapping that only leads to a dotted flag; it adds to what is there and never replaces it.
    """

    entries: dict[str, "Node"] = field(default_factory=dict)
    origin: Origin = Origin("")
    step: bool = False


Node: TypeAlias = Text | Scalar | Items | Table


class UnreadableError(ValueError):
    """Text is not YAML, JSON or TOML; carries where and why, in one line."""

    def __init__(self, reason: str, line: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.line = line


def at(path: tuple[str, ...], node: Node) -> Node:
    """Wrap a node in the mappings that lead to it, as a dotted flag does."""
    for key in reversed(path):
        node = Table({key: node}, node.origin, step=True)
    return node


def compose(text: str, origin: Callable[[int, str], Origin]) -> Node | None:
    """Read YAML text as nodes.

    Args:
        text: one YAML document; JSON is one too.
        origin: from the line (from 1) and the dotted key of a value to its origin.

    Returns:
        The root, or None for an empty document.

    Raises:
        UnreadableError: the text is not YAML, or repeats a key of a mapping.
    """
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        if root is not None and _size(root, {}) > _MAX_VALUES:
            raise UnreadableError("its aliases stand for too many values")
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        raise UnreadableError(str(error.problem or error.context), line) from error
    except RecursionError as error:
        raise UnreadableError("a value is nested too deeply") from error
    except yaml.YAMLError as error:
        raise UnreadableError(str(error).splitlines()[0]) from error
    return None if root is None else _from_yaml(root, (), origin)


def _size(node: yaml.Node, known: dict[int, int]) -> int:
    """Number of values of a YAML node once every alias is written out."""
    if id(node) not in known:
        known[id(node)] = 1  # for an alias inside itself, which its depth gives away later
        parts = node.value if isinstance(node, yaml.CollectionNode) else []
        inner = [part for pair in parts for part in pair] if isinstance(node, yaml.MappingNode) else parts
        known[id(node)] = 1 + sum(_size(part, known) for part in inner)
    return known[id(node)]


def _from_yaml(
    node: yaml.Node, path: tuple[str, ...], origin: Callable[[int, str], Origin], line: int | None = None
) -> Node:
    """Nodes of a YAML node; `line` is that of its key, where it has one."""
    line = line or node.start_mark.line + 1
    place = origin(line, ".".join(path))
    if len(path) > _MAX_DEPTH:
        raise UnreadableError("a value is nested too deeply", line)
    if isinstance(node, yaml.ScalarNode):
        return Scalar(node.value, node.style is not None, place)
    if isinstance(node, yaml.SequenceNode):
        items = (_from_yaml(item, (*path, str(index)), origin) for index, item in enumerate(node.value))
        return Items(tuple(items), place)
    inherited: dict[str, Node] = {}
    entries: dict[str, Node] = {}
    for key_node, value_node in node.value:
        key, key_line = str(key_node.value), key_node.start_mark.line + 1
        if not isinstance(key_node, yaml.ScalarNode):
            raise UnreadableError("a key is not a plain word", key_line)
        if key == "<<":
            inherited.update(_merged(value_node, path, origin))
            continue
        if key in entries:
            raise UnreadableError(f"key '{key}' is given twice", key_line)
        entries[key] = _from_yaml(value_node, (*path, key), origin, key_line)
    return Table({**inherited, **entries}, place)


def _merged(node: yaml.Node, path: tuple[str, ...], origin: Callable[[int, str], Origin]) -> dict[str, Node]:
    """Entries that YAML's `<<` brings in."""
    merged = _from_yaml(node, path, origin)
    parts = merged.items if isinstance(merged, Items) else (merged,)
    entries: dict[str, Node] = {}
    for part in reversed(parts):
        entries.update(part.entries if isinstance(part, Table) else {})
    return entries


def from_python(value: Any, origin: Callable[[str], Origin], path: tuple[str, ...] = ()) -> Node:
    """Turn plain Python data (of TOML or of a checkpoint's configuration) into nodes.

    Args:
        value: dictionaries, lists and scalars.
        origin: from the dotted key of a value to its origin.
        path: key of `value` itself.
    """
    place = origin(".".join(path))
    if isinstance(value, Mapping):
        entries = {str(key): from_python(item, origin, (*path, str(key))) for key, item in value.items()}
        return Table(entries, place)
    if isinstance(value, list | tuple):
        items = tuple(from_python(item, origin, (*path, str(index))) for index, item in enumerate(value))
        return Items(items, place)
    if value is None or isinstance(value, bool):
        return Scalar({None: "null", True: "true", False: "false"}[value], False, place)
    return Scalar(str(value), isinstance(value, str), place)


def shown(node: Node) -> str | None:
    """The value as the user gave it, shortened to fit on a line; None for a flag without a value."""
    text = _flow(node)
    return text if text is None or len(text) <= 60 else f"{text[:57]}..."


def _flow(node: Node) -> str | None:
    if isinstance(node, Table):
        return "{" + ", ".join(f"{key}: {_flow(item)}" for key, item in node.entries.items()) + "}"
    if isinstance(node, Items):
        return "[" + ", ".join(f"{_flow(item)}" for item in node.items) + "]"
    return node.text


def in_flow(node: Node) -> str:
    """The value as it would be typed after a flag; a single word as it is, so that its field reads it."""
    return node.text or "" if isinstance(node, Text | Scalar) else _in_flow(node)


def _in_flow(node: Node) -> str:
    if isinstance(node, Table):
        return "{" + ", ".join(f"{_word(key)}: {_in_flow(item)}" for key, item in node.entries.items()) + "}"
    if isinstance(node, Items):
        return "[" + ", ".join(map(_in_flow, node.items)) + "]"
    if isinstance(node, Scalar) and node.quoted:
        return json.dumps(node.text, ensure_ascii=False)
    return _word(node.text or "null")


def _word(text: str) -> str:
    return text if _PLAIN.fullmatch(text) else json.dumps(text, ensure_ascii=False)


def to_python(node: Node) -> Any:
    """Plain data of a node: dictionaries, lists and the text of scalars."""
    if isinstance(node, Table):
        return {key: to_python(item) for key, item in node.entries.items()}
    if isinstance(node, Items):
        return [to_python(item) for item in node.items]
    return node.text
