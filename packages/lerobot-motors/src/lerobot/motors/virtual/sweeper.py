"""Somebody who calibrates virtual arms, for the tests of those who build one."""

from collections.abc import Iterable

from lerobot.motors.virtual.process import VirtualBus


class Sweeper:
    """A `Prompter` who sweeps every joint of an arm from stop to stop when asked to, and presses Enter at all else.

    Args:
        lines: the arms, in the order they are calibrated.
        answers: what to answer before pressing Enter, question by question.

    Attributes:
        said: what was said, in order.
        asked: what was asked, in order.
    """

    def __init__(self, lines: Iterable[VirtualBus], answers: Iterable[str] = ()) -> None:
        self._lines = list(lines)
        self.said: list[str] = []
        self.asked: list[str] = []
        self._answers = list(answers)
        self._steps: list[float] = []

    def say(self, text: str) -> None:
        """Begin to sweep when that is asked for."""
        self.said.append(text)
        if text.startswith("Move all joints"):
            tenths = [*range(5, 11), *range(10, -1, -1), *range(6)]
            self._steps = [step / 10 for step in tenths]
            self._line = self._lines.pop(0)

    def ask(self, text: str) -> str:
        """Give the next answer."""
        self.asked.append(text)
        return self._answers.pop(0) if self._answers else ""

    def pressed_enter(self) -> bool:
        """Move all joints by a step; True once the sweep is done."""
        if not self._steps:
            return True
        part = self._steps.pop(0)
        stops = self._line.spec.stops
        self._line.move({motor_id: low + part * (high - low) for motor_id, (low, high) in stops.items()})
        return False
