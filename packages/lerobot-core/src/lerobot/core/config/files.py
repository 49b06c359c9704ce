"""Configuration files: YAML, JSON and TOML as nodes that know their line."""

import json
import re
import tomllib
from collections.abc import Callable
from pathlib import Path

from lerobot.core.config.nodes import Node, Origin, Table, UnreadableError, compose, from_python
from lerobot.core.errors import ConfigError
from lerobot.core.json_file import ENCODING
from lerobot.core.paths import user_path

SUFFIXES = (".yaml", ".yml", ".json", ".toml")
_Placed = Callable[[int, str], Origin]
_SURROGATES = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}")
_TOML_HEADER = re.compile(r"\s*\[+\s*([^\]]+?)\s*\]+")
_TOML_KEY = re.compile(r"\s*([A-Za-z0-9_.\"'-]+)\s*=")


def read_file(name: str, section: tuple[str, ...] = ()) -> Table:
    """Read a configuration file.

    Args:
        name: path as the user gave it; `~` is expanded.
        section: key of the section the file fills, for error texts.

    Returns:
        The file's top mapping; every value knows its line.

    Raises:
        UnreadableError: there is no such file, or it is not a mapping in YAML, JSON or TOML.
    """
    try:
        path = user_path(name)
    except ConfigError as error:
        raise UnreadableError(f"'{name}' names a home folder that does not exist") from error
    if path.suffix.lower() not in SUFFIXES:
        raise UnreadableError(f"'{name}' does not end in one of {', '.join(SUFFIXES)}")
    try:
        text = path.read_text(encoding=ENCODING)
    except OSError as error:
        raise UnreadableError(f"'{name}' cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UnreadableError(f"'{name}' is not UTF-8 text") from error
    except ValueError as error:
        raise UnreadableError(f"{name!r} is not a path") from error
    prefix = "".join(f"{key}." for key in section)

    def origin(line: int, key: str) -> Origin:
        return Origin(f"{name}:{line}", f"{prefix}{key}".rstrip("."))

    try:
        root = _toml(text, origin) if path.suffix.lower() == ".toml" else _yaml(path, text, origin)
    except RecursionError as error:
        raise UnreadableError(f"{name}: a value is nested too deeply") from error
    except UnreadableError as error:
        place = f"{name}:{error.line}" if error.line else name
        raise UnreadableError(f"{place}: {error.reason}") from error
    if root is None:
        return Table({}, Origin(name))
    if not isinstance(root, Table):
        raise UnreadableError(f"'{name}' holds no mapping of keys to values")
    return root


def _yaml(path: Path, text: str, origin: _Placed) -> Node | None:
    if path.suffix.lower() == ".json":
        try:
            json.loads(text)
        except json.JSONDecodeError as error:
            raise UnreadableError(error.msg, error.lineno) from error
        # JSON allows tabs between values and YAML does not; inside JSON strings they are escaped.
        text = text.replace("\t", "  ")
        # JSON writes a character beyond U+FFFF as two escapes, which YAML would leave as two halves.
        text = _SURROGATES.sub(lambda pair: json.loads(f'"{pair[0]}"'), text)
    return compose(text, origin)


def _toml(text: str, origin: _Placed) -> Node:
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"line (\d+)", str(error))
        raise UnreadableError(str(error), int(line[1]) if line else None) from error
    lines = _toml_lines(text)

    def placed(key: str) -> Origin:
        parent = key
        while parent and parent not in lines:
            parent = parent.rpartition(".")[0]
        return origin(lines.get(parent, 1), key)

    return from_python(data, placed)


def _toml_lines(text: str) -> dict[str, int]:
    """Line of every key; the standard parser does not tell, so headers and assignments are looked for."""
    lines: dict[str, int] = {}
    header = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if found := _TOML_HEADER.match(line):
            header = re.sub(r"[\"'\s]", "", found[1])
            lines.setdefault(header, number)
        elif found := _TOML_KEY.match(line):
            key = re.sub(r"[\"']", "", found[1])
            lines.setdefault(f"{header}.{key}".lstrip("."), number)
    return lines
