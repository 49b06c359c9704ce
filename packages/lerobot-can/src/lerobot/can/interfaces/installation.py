"""What `lerobot doctor` says of CAN interfaces."""

import sys
from collections.abc import Callable

from lerobot.can.interfaces.network import can_interfaces
from lerobot.core.hooks import hookimpl
from lerobot.core.installation import Fact


@hookimpl
def examine_installation(tell: Callable[[Fact], None]) -> None:
    """Which CAN interfaces there are, and whether they are up."""
    if not sys.platform.startswith("linux"):
        tell(Fact("CAN interfaces", "this system has no SocketCAN; adapters on a serial port (slcan) work"))
        return
    found = can_interfaces()
    down = [each.name for each in found if not each.is_up]
    told = ", ".join(f"{each.name} ({'up' if each.is_up else 'down'})" for each in found)
    none = "none; an adapter appears as can0 once its driver is loaded (sudo modprobe gs_usb), slcan adapters need none"
    advice = f"Bring up {', '.join(down)}: lerobot setup-can --mode=setup --interfaces={','.join(down)}" if down else ""
    tell(Fact("CAN interfaces", told or none, advice))
