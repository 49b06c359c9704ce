"""What pydantic found wrong, in this project's words and at the place where the value was given."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from lerobot.core.config.annotations import field_words
from lerobot.core.config.base import ConfigModel
from lerobot.core.config.nodes import Items, Node, Table, shown
from lerobot.core.errors import ConfigProblem

_OWN_WORDS = ("value_error", "assertion_error")


def validation_problems(
    error: ValidationError,
    cls: type[ConfigModel],
    given: Mapping[str, Sequence[Node]],
    noted: set[str],
    path: tuple[str, ...],
) -> list[ConfigProblem]:
    """Translate the errors of one model.

    Args:
        error: what pydantic raised.
        cls: the model.
        given: nodes of each field, the strongest last.
        noted: fields whose problem is known already.
        path: where the model stands in the configuration.
    """
    found = []
    for detail in error.errors(include_url=False):
        place = [str(part) for part in detail["loc"]]
        # A check of the whole says nothing while parts are missing.
        if place[0] in noted if place else noted:
            continue
        where = f"--{'.'.join((*path, *place))}" if path or place else "the command line"
        nodes = given.get(place[0], ()) if place else ()
        node = _dig(nodes[-1], place[1:]) if nodes else None
        expected = _expected(detail, cls, place)
        found.append(ConfigProblem(str(node.origin) if node else where, shown(node) if node else None, expected))
    return found


def _dig(node: Node, place: Sequence[str]) -> Node:
    """The node deepest inside `node` along the place of an error."""
    while place:
        if isinstance(node, Table) and place[0] in node.entries:
            node = node.entries[place[0]]
        elif isinstance(node, Items) and place[0].isdigit() and int(place[0]) < len(node.items):
            node = node.items[int(place[0])]
        else:
            return node
        place = place[1:]
    return node


def _expected(detail: ErrorDetails, cls: type[ConfigModel], place: Sequence[str]) -> str:
    message: str = detail["msg"]
    field: Any = cls.model_fields.get(place[0]) if len(place) == 1 else None
    if detail["type"] in _OWN_WORDS:
        return message.partition(", ")[2] or message
    if field is not None and message.startswith(("Input should", "String should", "List should", "Dictionary should")):
        return field_words(field)
    return message.replace("Input should be ", "").replace("Input should have ", "")
