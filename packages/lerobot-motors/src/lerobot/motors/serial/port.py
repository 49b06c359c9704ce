"""The serial port under both vendors' SDKs.

The SDKs' own port handlers poll a non-blocking port in a Python loop, so one waiting thread occupies a core and
starves the threads that read cameras; they leave late bytes of a failed packet in the input, where they damage the
next answer; and they accept only listed baud rates. This class has the methods the SDKs' packet handlers call.
"""

import errno
import time

import serial

from lerobot.core.errors import DeviceConnectionError, NotConnectedError

POLL_S = 0.005
"""Longest time one read blocks; how much a timeout may be exceeded."""


QUIET_S = 0.02
"""Silence after which no answer is on its way any more: longer than a USB adapter holds bytes back."""


class SerialPort:
    """A serial port, 8 data bits, no parity, one stop bit.

    Args:
        path: device file or port name.
        baudrate: bits per second used by `openPort`.
        reply_wait_s: how long a motor may take to begin answering, on top of the time its bytes need.
    """

    def __init__(self, path: str, baudrate: int, reply_wait_s: float) -> None:
        self.path = path
        self.baudrate = baudrate
        self.reply_wait_s = reply_wait_s
        self.is_using = False
        self.is_lost = False
        self._serial: serial.Serial | None = None
        self._deadline = 0.0

    @property
    def is_open(self) -> bool:
        """Whether the port is open."""
        return self._serial is not None

    def open(self) -> None:
        """Open the port for this process alone.

        Raises:
            DeviceConnectionError: it cannot be opened; says why and what to do.
        """
        try:
            self._serial = serial.Serial(self.path, self.baudrate, timeout=POLL_S, write_timeout=1, exclusive=True)
        except (serial.SerialException, OSError, ValueError) as error:
            raise _opening_failed(self.path, error) from error
        self.is_using = self.is_lost = False

    def not_open(self, user: str) -> NotConnectedError:
        """The error of `user`, who needs the port open: whether it never was, or was lost."""
        if self.is_lost:
            return NotConnectedError(f"Port '{self.path}' was lost; nothing reaches it any more.", device=self.path)
        return NotConnectedError(f"{user} is not connected.", device=self.path, hint="Call connect() first.")

    def close(self) -> None:
        """Close the port; calling it again does nothing."""
        port, self._serial = self._serial, None
        if port is not None:
            port.close()

    def set_baudrate(self, baudrate: int) -> None:
        """Change the speed of an open port, or the speed it will be opened with."""
        self.baudrate = baudrate
        if self._serial is not None:
            try:
                self._serial.baudrate = baudrate
            except (serial.SerialException, OSError, ValueError) as error:
                raise DeviceConnectionError(
                    f"Port '{self.path}' cannot run at {baudrate} baud: {error}.", device=self.path
                ) from error

    def settle(self, quiet_s: float = QUIET_S) -> None:
        """Read bytes away until none came for `quiet_s` seconds."""
        quiet_since = time.monotonic()
        while time.monotonic() - quiet_since < quiet_s:
            if self.readPort(256):
                quiet_since = time.monotonic()

    # --- called by the SDKs' packet handlers, hence the names --------------------------------------------------------

    def clearPort(self) -> None:  # noqa: N802
        """Forget bytes that came too late for an earlier packet."""
        with _Losing(self) as port:
            # Reading bytes away, unlike flushing them, fails with an OSError on every platform when the port is gone.
            port.read(port.in_waiting)

    def writePort(self, packet: list[int]) -> int:  # noqa: N802
        """Send a packet; returns the number of bytes sent."""
        with _Losing(self) as port:
            return int(port.write(bytes(packet)) or 0)

    def readPort(self, length: int) -> bytes:  # noqa: N802
        """Return up to `length` bytes, as soon as they are there or after `POLL_S`."""
        with _Losing(self) as port:
            return bytes(port.read(length))

    def getBaudRate(self) -> int:  # noqa: N802
        """Bits per second."""
        return self.baudrate

    def setPacketTimeout(self, packet_length: int) -> None:  # noqa: N802
        """Start waiting for an answer of `packet_length` bytes; each byte takes ten bits on the wire."""
        self._deadline = time.monotonic() + self.reply_wait_s + 10 * (packet_length + 3) / self.baudrate

    def setPacketTimeoutMillis(self, milliseconds: float) -> None:  # noqa: N802
        """Start waiting for `milliseconds`."""
        self._deadline = time.monotonic() + milliseconds / 1000

    def isPacketTimeout(self) -> bool:  # noqa: N802
        """Whether the waiting time is over."""
        return time.monotonic() > self._deadline


class _Losing:
    """Turn the loss of an open port into an error that names it, and close it."""

    def __init__(self, port: SerialPort) -> None:
        self._port = port

    def __enter__(self) -> serial.Serial:
        if self._port._serial is None:
            raise DeviceConnectionError(f"Port '{self._port.path}' is closed.", device=self._port.path)
        return self._port._serial

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, serial.SerialException | OSError) and not isinstance(error, DeviceConnectionError):
            self._port.close()
            self._port.is_lost = True
            raise DeviceConnectionError(
                f"Port '{self._port.path}' was lost: {error}.",
                device=self._port.path,
                hint="Check the USB cable and the adapter, then connect again.",
            ) from error


def _opening_failed(path: str, error: Exception) -> DeviceConnectionError:
    """Say why a port did not open; every text begins as plugin authors and users know it."""
    code = getattr(error, "errno", None)
    reason, hint = str(error), "Try running `lerobot find-port`."
    if code == errno.ENOENT:
        reason = "there is no such port"
    elif code == errno.EACCES:
        reason = "this user may not open it"
        hint = f"Try: sudo usermod -aG dialout $USER (then log in again), or sudo chmod 666 {path}"
    elif code in {errno.EBUSY, errno.EAGAIN} or "exclusively lock" in reason:
        reason = "another program is using it"
        hint = f"Close the other program; `fuser {path}` names it."
    return DeviceConnectionError(
        f"Could not connect on port '{path}': {reason}.",
        device=path,
        expected="the serial port of a motor bus. Make sure you are using the correct port.",
        hint=hint,
    )
