"""A prompter that answers from a script."""

from collections import deque
from collections.abc import Iterable


class ScriptedPrompter:
    """Someone who answers as planned and remembers what was said.

    Args:
        answers: what `ask` returns, one after the other; afterwards Enter is pressed without typing anything.

    Attributes:
        said: lines shown, in order.
        asked: questions, in order.
    """

    def __init__(self, answers: Iterable[str] = ()) -> None:
        self._answers = deque(answers)
        self.said: list[str] = []
        self.asked: list[str] = []

    def say(self, text: str) -> None:
        """See `Prompter.say`."""
        self.said.append(text)

    def ask(self, text: str) -> str:
        """See `Prompter.ask`."""
        self.asked.append(text)
        return self._answers.popleft() if self._answers else ""

    def pressed_enter(self) -> bool:
        """See `Prompter.pressed_enter`; Enter is pressed at once."""
        return True
