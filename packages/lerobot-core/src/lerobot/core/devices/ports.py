"""Serial ports of this computer, from the system alone."""

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lerobot.core.errors import DeviceConnectionError

CONSOLES = re.compile(r"tty\d*")
"""Virtual consoles of Linux, which no device is behind."""


@dataclass(frozen=True, slots=True, order=True)
class SerialPort:
    """One port.

    Attributes:
        path: what `--robot.port` takes: `/dev/ttyACM0`, `/dev/tty.usbmodem58760431551`, `COM3`.
        stable_path: a name that stays the same when devices are plugged in another order; empty if there is none.
    """

    path: str
    stable_path: str = ""


def serial_ports(dev: Path = Path("/dev")) -> list[SerialPort]:
    """List the serial ports that exist now, sorted.

    Args:
        dev: folder of device files; Windows asks its registry instead.
    """
    if sys.platform == "win32":
        return _registered_ports()
    stable = {link.resolve(): str(link) for link in sorted(dev.glob("serial/by-id/*"))}
    return sorted(
        SerialPort(str(path), stable.get(path.resolve(), ""))
        for path in dev.glob("tty*")
        if not CONSOLES.fullmatch(path.name)
    )


def unplugged(before: Sequence[SerialPort], after: Sequence[SerialPort]) -> SerialPort:
    """The port that disappeared.

    Raises:
        DeviceConnectionError: none did, or several did.
    """
    gone = [port for port in before if port.path not in {other.path for other in after}]
    if not gone:
        raise DeviceConnectionError(
            "Could not detect the port. No difference was found ([]).",
            expected="one port to disappear when the cable is pulled",
            hint="Check that the device was plugged in at the start, and that its cable carries data.",
        )
    if len(gone) > 1:
        raise DeviceConnectionError(
            f"Could not detect the port. More than one port was found ({[port.path for port in gone]}).",
            expected="one port to disappear when the cable is pulled",
            hint="Unplug one device only.",
        )
    return gone[0]


if sys.platform == "win32":
    import winreg

    def _registered_ports() -> list[SerialPort]:
        try:
            with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, r"HARDWARE\DEVICEMAP\SERIALCOMM") as key:
                count = winreg.QueryInfoKey(key)[1]
                return sorted(SerialPort(str(winreg.EnumValue(key, index)[1])) for index in range(count))
        except FileNotFoundError:  # the key exists only while there is a port
            return []
