"""Lines of integers that a microcontroller prints on a serial port: gloves, exoskeletons, home-made sensors."""

import re
import threading
import time
from collections import deque

from lerobot.core.errors import DeviceConnectionError, DeviceTimeoutError, NotConnectedError
from lerobot.motors.serial.port import SerialPort

LINE = re.compile(rb"[0-9]{1,5}(?: +[0-9]{1,5})*")
LARGEST = 99_999
"""Largest integer of a line."""

CHUNK = 256
KEPT_LINES = 256
"""Lines that are kept until somebody takes them; older ones are forgotten."""
LONGEST_LINE = 4096
"""Bytes without a newline of which only the last are kept."""


class IntegerLines:
    r"""Lines of unsigned integers, separated by blanks and ended by `\n`, as they arrive on a port.

    A line with another number of fields is left out, unless longer ones are wanted too, and so is one that holds
    anything but digits and blanks. What comes before the first newline is left out too: it may be the end of a line
    whose first number is cut. A thread reads the port all the time, so an old line never waits in front of a new one.

    Args:
        port: serial port, such as `"/dev/ttyACM0"`.
        baudrate: bits per second.
        fields: integers of a line.
        or_more: lines may be longer; what is beyond `fields` is not given.
    """

    def __init__(self, port: str, baudrate: int, fields: int, *, or_more: bool = False) -> None:
        self.port = port
        self._fields = fields
        self._or_more = or_more
        self._serial = SerialPort(port, baudrate, reply_wait_s=0)
        self._lines: deque[tuple[int, ...]] = deque(maxlen=KEPT_LINES)
        self._newest_at: float | None = None
        self._lost: DeviceConnectionError | None = None
        self._arrival = threading.Condition()
        self._stopped = threading.Event()
        self._reader: threading.Thread | None = None

    def open(self) -> None:
        """Open the port and begin to read.

        Raises:
            DeviceConnectionError: the port cannot be opened; says why.
        """
        self._serial.open()
        self._lines.clear()
        self._newest_at = self._lost = None
        self._stopped.clear()
        self._reader = threading.Thread(target=self._read, name=f"lines of {self.port}", daemon=True)
        self._reader.start()

    def close(self) -> None:
        """Stop reading and close the port; calling it again does nothing."""
        reader, self._reader = self._reader, None
        if reader is not None:
            self._stopped.set()
            reader.join()
        self._serial.close()

    def wait_for_next(self, timeout_s: float) -> None:
        """Forget the lines that are there, and wait for the next one, which `take` then gives.

        Raises:
            DeviceTimeoutError: none came in `timeout_s` seconds.
            DeviceConnectionError: the port was lost.
            NotConnectedError: the port is not open.
        """
        with self._arrival:
            self._lines.clear()
            self._arrival.wait_for(lambda: bool(self._lines) or self._lost is not None, timeout_s)
            self._require_younger_than(timeout_s)

    def take(self, max_age_s: float) -> list[tuple[int, ...]]:
        """Give the lines that arrived since the last call, the oldest first; none if it was called a moment ago.

        Raises:
            DeviceTimeoutError: the newest line of all is older than `max_age_s` seconds.
            DeviceConnectionError: the port was lost.
            NotConnectedError: the port is not open.
        """
        with self._arrival:
            self._require_younger_than(max_age_s)
            lines = list(self._lines)
            self._lines.clear()
            return lines

    def _require_younger_than(self, max_age_s: float) -> None:
        if self._lost is not None:
            raise DeviceConnectionError(self._lost.what, device=self.port, hint=self._lost.hint) from self._lost
        if self._reader is None:
            raise NotConnectedError(f"Port '{self.port}' is not open.", device=self.port, hint="Call connect() first.")
        if self._newest_at is None or time.monotonic() - self._newest_at > max_age_s:
            raise DeviceTimeoutError(
                f"No line of {self._fields} integers came on port '{self.port}' for {max_age_s:g} s.",
                device=self.port,
                expected=f"{self._fields} integers separated by blanks, line after line",
                hint="Check the port, the baud rate, and that the device is switched on and is the expected one.",
            )

    def _read(self) -> None:
        received, is_first = b"", True
        while not self._stopped.is_set():
            try:
                received += self._serial.readPort(CHUNK)
            except DeviceConnectionError as error:
                with self._arrival:
                    self._lost = error
                    self._arrival.notify_all()
                return
            *lines, received = received[-LONGEST_LINE:].split(b"\n")
            if lines and is_first:
                lines, is_first = lines[1:], False
            for line in lines:
                self._add(line.strip())

    def _add(self, line: bytes) -> None:
        if LINE.fullmatch(line) is None:
            return
        values = tuple(int(field) for field in line.split())
        if len(values) < self._fields or (len(values) > self._fields and not self._or_more):
            return
        with self._arrival:
            self._lines.append(values[: self._fields])
            self._newest_at = time.monotonic()
            self._arrival.notify_all()
