"""What a field accepts: its annotation taken apart, and said in words."""

import enum
import types
from collections.abc import Mapping, Sequence, Set
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from lerobot.core.config.base import ConfigModel, NoEffect, PluginConfig, Positional, Unit

_SIMPLE = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
    Path: "a path",
    type(None): "null",
    Any: "any value",
}


def members(annotation: Any) -> tuple[Any, ...]:
    """The alternatives of an annotation, in order; a single one if it is no union."""
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if get_origin(annotation) in (Union, types.UnionType):
        return tuple(member for part in get_args(annotation) for member in members(part))
    return (annotation,)


def is_model(annotation: Any) -> bool:
    """Whether this is one configuration model with known fields."""
    return isinstance(annotation, type) and issubclass(annotation, ConfigModel) and not is_choice(annotation)


def is_choice(annotation: Any) -> bool:
    """Whether this stands for any plugin of a kind."""
    return isinstance(annotation, type) and issubclass(annotation, PluginConfig) and not annotation.target


def is_list(annotation: Any) -> bool:
    """Whether this is a list, tuple or set."""
    origin = get_origin(annotation) or annotation
    return isinstance(origin, type) and issubclass(origin, Sequence | Set) and not issubclass(origin, str | bytes)


def is_dict(annotation: Any) -> bool:
    """Whether this is a mapping with free keys."""
    origin = get_origin(annotation) or annotation
    return isinstance(origin, type) and issubclass(origin, Mapping)


def is_structured(annotation: Any) -> bool:
    """Whether values have parts, so that text is read as YAML."""
    return any(test(annotation) for test in (is_model, is_choice, is_list, is_dict))


def item_types(annotation: Any) -> tuple[Any, ...]:
    """Types of the items of a list (`[int]`), or of keys and values of a mapping (`[str, int]`)."""
    arguments = tuple(part for part in get_args(annotation) if part is not Ellipsis)
    return arguments or ((str, Any) if is_dict(annotation) else (Any,))


def choices(annotation: Any) -> tuple[Any, ...]:
    """Values of a Literal or members of an Enum; empty for anything else."""
    if get_origin(annotation) is Literal:
        return get_args(annotation)
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
        return tuple(annotation)
    return ()


def spelling(choice: Any) -> str:
    """How a choice is written on the command line."""
    value = choice.value if isinstance(choice, enum.Enum) else choice
    return str(value).lower() if isinstance(value, bool) else str(value)


def words(annotation: Any) -> str:
    """Say what an annotation accepts, for error texts: `a whole number`, `one of rgb, bgr`."""
    parts = members(annotation)
    if len(parts) > 1:
        return " or ".join(dict.fromkeys(words(part) for part in parts))
    part = parts[0]
    if part in _SIMPLE:
        return _SIMPLE[part]
    if found := choices(part):
        return f"one of {', '.join(spelling(choice) for choice in found)}"
    if is_choice(part):
        return f"a {part.kind}: a mapping with 'type', or a file (yaml, json, toml)"
    if is_model(part):
        return "a mapping, or a file (yaml, json, toml)"
    if is_dict(part):
        return f"a mapping {{name: ...}}, each {words(item_types(part)[1])}"
    if is_list(part):
        return f"a list [...], each {words(item_types(part)[0])}"
    return str(getattr(part, "__name__", part))


def short(annotation: Any) -> str:
    """Name an annotation in one word, for help: `int`, `float`, `path`, `rgb|bgr`."""
    names: dict[Any, str] = {str: "text", Path: "path", Any: "any", type(None): "null"}
    shown = []
    for part in members(annotation):
        if found := choices(part):
            shown.append("|".join(spelling(choice) for choice in found))
        elif is_choice(part):
            shown.append(part.kind)
        elif is_model(part):
            shown.append("file")
        elif is_dict(part):
            shown.append("{name: " + short(item_types(part)[1]) + "}")
        elif is_list(part):
            shown.append(f"[{short(item_types(part)[0])}]")
        else:
            shown.append(names.get(part) or str(getattr(part, "__name__", part)))
    return "|".join(dict.fromkeys(shown))


def limits(field: FieldInfo) -> str:
    """The constraints of a field: `> 0`, `>= 0 and <= 1`; empty if there are none."""
    signs = {"gt": ">", "ge": ">=", "lt": "<", "le": "<=", "multiple_of": "a multiple of"}
    lengths = {"min_length": "at least", "max_length": "at most"}
    found = []
    for constraint in field.metadata:
        for name, sign in signs.items():
            if (bound := getattr(constraint, name, None)) is not None:
                found.append(f"{sign} {bound}")
        for name, sign in lengths.items():
            if (bound := getattr(constraint, name, None)) is not None:
                found.append(
                    f"with {sign} {bound} of them"
                    if any(map(is_structured, members(field.annotation)))
                    else f"with {sign} {bound} characters"
                )
        if pattern := getattr(constraint, "pattern", None):
            found.append(f"matching {pattern}")
    return " and ".join(found)


def field_words(field: FieldInfo) -> str:
    """Say what a field accepts, constraints included: `a whole number > 0 or null`."""
    parts = members(field.annotation)
    real = " or ".join(dict.fromkeys(words(part) for part in parts if part is not type(None)))
    return f"{real} {limits(field)}".rstrip() + (" or null" if type(None) in parts else "")


def is_positional(field: FieldInfo) -> bool:
    """Whether a field is given by place."""
    return any(isinstance(mark, Positional) for mark in field.metadata)


def has_effect(field: FieldInfo) -> bool:
    """Whether anything reads the field; see `NoEffect`."""
    return not any(isinstance(mark, NoEffect) for mark in field.metadata)


def unit(field: FieldInfo) -> str:
    """Unit of a field, as declared by `Unit`; empty if there is none."""
    return next((mark.name for mark in field.metadata if isinstance(mark, Unit)), "")
