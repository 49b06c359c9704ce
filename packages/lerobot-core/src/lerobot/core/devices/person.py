"""Commands that need somebody at the terminal say so when nobody is there."""

from collections.abc import Iterator
from contextlib import contextmanager

from lerobot.core.errors import LeRobotError


@contextmanager
def needs_a_person(what: str, *, hint: str = "") -> Iterator[None]:
    """Explain a question that nobody could answer.

    Args:
        what: what needs a person, such as `"calibrating fake(one)"`.
        hint: what to do instead; by default, to use a terminal.

    Raises:
        LeRobotError: the block asked a question and there is no terminal.
    """
    try:
        yield
    except EOFError as error:
        raise LeRobotError(
            f"{what} needs somebody at the terminal, but its input has ended.",
            hint=hint or "Run it in a terminal.",
        ) from error
