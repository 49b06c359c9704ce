"""A device without hardware that prints lines of integers, as gloves and exoskeletons do."""

import array
import fcntl
import os
import pty
import termios
import threading
import tty
from collections.abc import Sequence
from contextlib import suppress
from typing import Self

PERIOD_S = 0.005


class Printer:
    """A device on a pseudo-terminal that prints a line every `PERIOD_S` seconds; a context manager.

    Args:
        text: what it prints at first.

    Attributes:
        text: what it prints now.
        port: path to open instead of a serial port.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self._fresh = 0
        self.master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self.master, False)
        self.port = os.ttyname(self._slave)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._print, daemon=True)

    def __enter__(self) -> Self:
        self.switch_on()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.unplug()

    def wear(self, values: Sequence[int]) -> None:
        """Print these integers from now on."""
        self.text = " ".join(map(str, values))
        self._fresh = 0

    def is_seen(self) -> bool:
        """Whether what it prints now was printed, and read away by whoever has the port open."""
        unread = array.array("i", [0])
        fcntl.ioctl(self._slave, termios.FIONREAD, unread)
        return self._fresh >= 2 and not unread[0]

    def switch_on(self) -> None:
        """Begin to print."""
        self._thread.start()

    def _print(self) -> None:
        while not self._stopped.wait(PERIOD_S):
            with suppress(BlockingIOError):  # nobody reads
                os.write(self.master, f"{self.text}\n".encode())
                self._fresh += 1

    def switch_off(self) -> None:
        """Stop printing; the port stays."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()

    def unplug(self) -> None:
        """Take the port away."""
        self.switch_off()
        for end in (self.master, self._slave):
            if end >= 0:
                os.close(end)
        self.master = self._slave = -1
