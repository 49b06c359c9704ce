"""Serial ports of this computer, from the system alone."""

import re
import sys
from dataclasses import dataclass
from pathlib import Path

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


if sys.platform == "win32":
    import winreg

    def _registered_ports() -> list[SerialPort]:
        try:
            with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, r"HARDWARE\DEVICEMAP\SERIALCOMM") as key:
                count = winreg.QueryInfoKey(key)[1]
                return sorted(SerialPort(str(winreg.EnumValue(key, index)[1])) for index in range(count))
        except FileNotFoundError:  # the key exists only while there is a port
            return []
