"""Sections that a saved folder fills: `--policy.path=DIR`."""

import importlib
from collections.abc import Mapping, Sequence

from lerobot.core.config.nodes import Node, Origin, Scalar, Table, Text, from_python, to_python
from lerobot.core.errors import LeRobotError


def fields_from_path(loader: str, chosen: Node, siblings: Sequence[Table]) -> Table:
    """Ask a choice's loader for the fields that a path stands for.

    Args:
        loader: `PluginConfig.from_path` of the choice.
        chosen: the path as given.
        siblings: what else is given for the section, the strongest last.

    Returns:
        The saved fields; their origin is the path's.

    Raises:
        LeRobotError: there is no such folder, or what it holds cannot be used.
    """
    path = chosen.text if isinstance(chosen, Text | Scalar) else None
    if not path:
        raise LeRobotError("no path is given")
    module, _, name = loader.partition(":")
    given: dict[str, str] = {}
    for table in siblings:
        given |= {key: value for key, value in to_python(table).items() if isinstance(value, str)}
    fields = getattr(importlib.import_module(module), name)(path, given)
    if not isinstance(fields, Mapping):
        raise LeRobotError(f"{loader} returned {type(fields).__name__}, not a mapping")
    source = chosen.origin.source
    entries = {
        str(key): from_python(value, lambda inner: Origin(source, inner), (str(key),)) for key, value in fields.items()
    }
    return Table(entries, Origin(source))
