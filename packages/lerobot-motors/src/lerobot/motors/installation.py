"""What motor buses find on this machine."""

import os
from collections.abc import Callable

from lerobot.core.hooks import hookimpl
from lerobot.core.installation import Fact


@hookimpl
def examine_installation(tell: Callable[[Fact], None]) -> None:
    """Which serial ports there are, and whether this user may open them."""
    from serial.tools.list_ports import comports

    ports = [port for port in comports() if port.vid is not None]
    closed = [port.device for port in ports if os.name == "posix" and not os.access(port.device, os.R_OK | os.W_OK)]
    found = ", ".join(f"{port.device} ({port.description})" for port in ports)
    advice = ""
    if closed:
        advice = f"{', '.join(closed)} may not be opened by you: sudo usermod -aG dialout $USER, then log in again."
    tell(Fact("serial ports", found or "no USB adapter is plugged in", advice))
