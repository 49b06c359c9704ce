"""Types of ROS 2 as a log carries them: the text of a message definition with those it is made of.

Source:
    https://docs.ros.org/en/rolling/Concepts/Basic/About-Interfaces.html
"""

import re
from dataclasses import dataclass
from typing import Final

PRIMITIVES: Final = {
    "bool": "?",
    "byte": "B",
    "char": "B",
    "int8": "b",
    "uint8": "B",
    "int16": "h",
    "uint16": "H",
    "int32": "i",
    "uint32": "I",
    "int64": "q",
    "uint64": "Q",
    "float32": "f",
    "float64": "d",
}
"""Letter of the `struct` module by type; it is numpy's too."""

STRING: Final = "string"

_TIMES = "int32 sec\nuint32 nanosec"
_KNOWN = {"builtin_interfaces/Time": _TIMES, "builtin_interfaces/Duration": _TIMES}
"""Types that some recorders leave out of a definition."""

_SEPARATOR = re.compile(r"^={3,}\s*$", re.MULTILINE)
_FIELD = re.compile(r"(?P<type>[\w/]+?)(?P<bound><=\d+)?(?P<array>\[(?:<=)?\d*\])?\s+(?P<name>[A-Za-z]\w*)(?P<rest>.*)")
_CONSTANT = re.compile(r"\s*=")


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a type.

    Attributes:
        name: its name.
        type: a primitive, `STRING`, `wstring`, or the name of another type.
        is_array: whether it holds several.
        length: how many, where that is fixed; None for sequences.
    """

    name: str
    type: str
    is_array: bool
    length: int | None


Definitions = dict[str, tuple[Field, ...]]
"""Fields by type; the names are `package/Name`."""


def parse_definitions(name: str, text: str) -> tuple[str, Definitions]:
    """Read a definition with those below its separators.

    Args:
        name: of the first type, such as `sensor_msgs/msg/JointState`.
        text: the definition.

    Returns:
        The first type's short name, and the fields of every type that it needs.

    Raises:
        ValueError: a line is no field, a type is missing, or one contains itself.
    """
    root = _short(name, "")
    sections = {root: ""}
    first, *others = _SEPARATOR.split(text)
    sections[root] = first
    for section in others:
        head, _, body = section.strip().partition("\n")
        if not head.startswith("MSG:"):
            raise ValueError(f"a part of the definition of {name} begins with {head[:60]!r}, not with MSG:")
        sections[_short(head[4:].strip(), "")] = body
    definitions: Definitions = {}
    _resolve(root, {**_KNOWN, **sections}, definitions, ())
    return root, definitions


def _resolve(name: str, sections: dict[str, str], definitions: Definitions, above: tuple[str, ...]) -> None:
    if name in above:
        raise ValueError(f"the type {name} contains itself")
    if name in definitions:
        return
    if name not in sections:
        raise ValueError(f"the definition of {name} is missing")
    if len(above) > _DEEPEST:
        raise ValueError(f"{name} is nested more than {_DEEPEST} types deep")
    fields = tuple(_fields(name, sections[name]))
    if len({field.name for field in fields}) < len(fields):
        raise ValueError(f"two fields of {name} have the same name")
    for field in fields:
        if field.type not in PRIMITIVES and field.type not in (STRING, "wstring"):
            _resolve(field.type, sections, definitions, (*above, name))
    definitions[name] = fields


_DEEPEST = 32


def _fields(name: str, text: str) -> list[Field]:
    fields = []
    for line in text.splitlines():
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        found = _FIELD.match(line)
        if found is None:
            raise ValueError(f"{line[:60]!r} in the definition of {name} is no field")
        if _CONSTANT.match(found["rest"]):
            continue
        given, array = found["type"], found["array"]
        kind = given if given in PRIMITIVES or given in (STRING, "wstring") else _short(given, name)
        size = None if array is None or not array[1:-1].isdigit() else int(array[1:-1])
        if size == 0:
            raise ValueError(f"{found['name']} of {name} is an array of nothing")
        fields.append(Field(found["name"], kind, array is not None, size))
    return fields


def _short(name: str, within: str) -> str:
    """`package/Name` of `package/msg/Name`, and of `Name` beside another type of the package."""
    parts = name.split("/")
    if len(parts) == 1:
        package = within.partition("/")[0]
        return "std_msgs/Header" if name == "Header" and package != "std_msgs" else f"{package}/{name}"
    return f"{parts[0]}/{parts[-1]}"
