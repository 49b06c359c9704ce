"""How hardware code talks to the person in front of it, without calling `input` or `print`."""

import sys
from io import BufferedReader
from typing import Protocol

from lerobot.core.terminal import terminal_keys


class Prompter(Protocol):
    """Someone, or a script, who reads instructions and answers."""

    def say(self, text: str) -> None:
        """Show a line."""
        ...

    def ask(self, text: str) -> str:
        """Show a question and return the typed answer without its newline.

        Raises:
            EOFError: nobody can answer (no terminal).
        """
        ...

    def pressed_enter(self) -> bool:
        """Whether Enter was pressed since the last question; never waits."""
        ...


class TerminalPrompter:
    """The person at this terminal."""

    def is_there(self) -> bool:
        """Whether there may be answers: the input is a terminal, or has not ended yet."""
        if sys.stdin is None or sys.stdin.closed:
            return False
        if sys.stdin.isatty() or sys.platform == "win32":
            return True
        import select

        # A pipe that is silent may speak later; what can be read and holds nothing has ended.
        silent = not select.select([sys.stdin], [], [], 0)[0]
        return silent or not isinstance(sys.stdin.buffer, BufferedReader) or bool(sys.stdin.buffer.peek(1))

    def can_redraw(self) -> bool:
        """Whether what was said can be drawn over: the output is a terminal, not a file or a pipe."""
        return sys.stdout.isatty()

    def say(self, text: str) -> None:
        """See `Prompter.say`."""
        sys.stdout.write(text + "\n")
        sys.stdout.flush()

    def ask(self, text: str) -> str:
        """See `Prompter.ask`."""
        sys.stdout.write(text)
        sys.stdout.flush()
        with terminal_keys.suspended():
            line = sys.stdin.readline()
        if not line:
            sys.stdout.write("\n")  # nobody pressed Enter; what is said next starts on its own line
            raise EOFError(text)
        return line.rstrip("\r\n")

    def pressed_enter(self) -> bool:
        """See `Prompter.pressed_enter`."""
        if sys.platform == "win32":
            import msvcrt

            return bool(msvcrt.kbhit() and msvcrt.getwch() in "\r\n")
        import select

        if not select.select([sys.stdin], [], [], 0)[0]:
            return False
        sys.stdin.readline()
        return True
