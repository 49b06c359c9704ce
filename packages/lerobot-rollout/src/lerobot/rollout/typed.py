"""Lines that a person types while a robot is driven."""

import os
import queue
import threading


class TypedLines:
    """Reads lines in a thread of its own, so that nobody waits for them.

    Args:
        file: descriptor to read from, such as that of standard input.
    """

    def __init__(self, file: int) -> None:
        self._file = file
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        # From the descriptor: whoever waits for a line of `sys.stdin` holds its lock, also when the program ends.
        threading.Thread(target=self._run, name="typed lines", daemon=True).start()

    def poll(self) -> list[str | None]:
        """Lines since the last call, the oldest first; None once there will be no more."""
        found: list[str | None] = []
        while not self._lines.empty():
            found.append(self._lines.get())
        return found

    def _run(self) -> None:
        rest = b""
        while data := self._read():
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                self._lines.put(line.decode(errors="replace").strip())
        self._lines.put(None)

    def _read(self) -> bytes:
        try:
            return os.read(self._file, 4096)
        except OSError:
            return b""
