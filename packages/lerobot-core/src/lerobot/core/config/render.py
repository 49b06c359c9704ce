"""A resolved configuration as YAML, with the source of each value beside it."""

from collections.abc import Mapping
from typing import Any

import yaml

from lerobot.core.config.load import Loaded

_COLUMN = 48
"""Where comments begin, if the value leaves room."""


def render(loaded: Loaded[Any]) -> str:
    """Write a configuration so that `--config_path` reads it back.

    Args:
        loaded: the configuration and its sources.

    Returns:
        YAML; each line of a value ends in a comment that names its flag, variable, `file:line`, or `default`.
    """
    lines: list[str] = []
    _table(loaded.config.model_dump(mode="json"), (), loaded.sources, lines)
    return "\n".join(lines) + "\n"


def _table(
    values: Mapping[str, Any], path: tuple[str, ...], sources: Mapping[tuple[str, ...], str], lines: list[str]
) -> None:
    for key, value in sorted(values.items(), key=lambda item: item[0] != "type"):
        here = (*path, key)
        start = f"{'  ' * len(path)}{_inline(key)}:"
        if isinstance(value, Mapping) and value:
            lines.append(start)
            _table(value, here, sources, lines)
        else:
            text = f"{start} {_inline(value)}"
            lines.append(f"{text:<{_COLUMN}} # {_source(here, sources)}")


def _source(path: tuple[str, ...], sources: Mapping[tuple[str, ...], str]) -> str:
    """Source of a value, or of the nearest whole it came with."""
    return next((sources[path[:end]] for end in range(len(path), 0, -1) if path[:end] in sources), "default")


def _inline(value: Any) -> str:
    text = yaml.safe_dump(value, default_flow_style=True, width=float("inf"), allow_unicode=True, sort_keys=False)
    return text.removesuffix("\n").removesuffix("\n...")
