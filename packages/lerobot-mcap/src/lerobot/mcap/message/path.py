"""Values inside a message by their path, whatever the message was written in."""

import re
from typing import Any

_STEP = re.compile(r"([A-Za-z]\w*)(?:\[(\d+)\])?")


class FieldPath:
    """A way into a message: `position`, `header.stamp`, `points[0].positions`.

    Args:
        text: the path, which a contract has checked.

    Attributes:
        text: the path.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self._steps = [(found[1], None if found[2] is None else int(found[2])) for found in _STEP.finditer(text)]

    def of(self, message: Any) -> Any:
        """The value in a message.

        Raises:
            ValueError: the message has no such field, or too few elements.
        """
        for name, index in self._steps:
            members = fields_of(message)
            if name not in members:
                there = f"only {', '.join(members)}" if members else "and no fields at all"
                raise ValueError(f"there is no field {name!r} of {self.text}, {there}")
            message = message[name]
            if index is not None:
                message = _element(message, index, self.text)
        return message


def fields_of(message: Any) -> list[str]:
    """Names of a message's fields; none if it is no message."""
    return list(message) if isinstance(message, dict) else []


def _element(values: Any, index: int, path: str) -> Any:
    try:
        return values[index]
    except (IndexError, TypeError, KeyError) as error:
        size = len(values) if hasattr(values, "__len__") else "no"
        raise ValueError(f"{path} asks for element {index} of {size} elements") from error
