"""What goes wrong on the wire."""

from lerobot.core.errors import LeRobotError


class ForeignTextError(LeRobotError):
    """An error whose text may hold what another computer sent.

    Signs that are not printable (a line break, a terminal's escape) are shown as Python writes them, so that a text
    stays one line and changes nothing on the screen that shows it.
    """

    def __init__(self, what: str, *, expected: str = "", hint: str = "") -> None:
        super().__init__(printable(what), expected=printable(expected), hint=printable(hint))


class WireError(ForeignTextError, ValueError):
    """A message is no message, or says something that cannot be."""


class RefusedError(ForeignTextError):
    """The other end refused, in its own words."""


def printable(text: str) -> str:
    """`text` with every sign that is not printable replaced by its escape."""
    return "".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in text)
