"""Somebody who types, at a terminal of the test's own."""

import os
from typing import Self


class Typist:
    """A pseudo-terminal and the hands on its keyboard.

    Attributes:
        terminal: file descriptor of the terminal's end, what a program reads.
    """

    def __init__(self) -> None:
        import pty  # absent on Windows

        self._hands, self.terminal = pty.openpty()

    def type(self, text: str) -> None:
        """Press keys: characters, or the escape sequences of keys that type none."""
        os.write(self._hands, text.encode())

    def hang_up(self) -> None:
        """Close the window; calling it again does nothing."""
        hands, self._hands = self._hands, -1
        if hands >= 0:
            os.close(hands)

    def __enter__(self) -> Self:
        """Sit down at the terminal."""
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Close both ends."""
        self.hang_up()
        os.close(self.terminal)
