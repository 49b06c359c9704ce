"""What leads to the motors: a CAN interface of the machine, or an adapter on a serial port."""

import errno
from dataclasses import dataclass
from typing import Literal, TypeAlias

import serial

import can
from lerobot.can.adapter import DamiaoAdapter
from lerobot.can.slcan import SlcanAdapter
from lerobot.core.errors import DeviceConnectionError

Interface: TypeAlias = Literal["auto", "socketcan", "slcan", "damiao", "virtual"]


@dataclass(frozen=True, slots=True)
class Channel:
    """How a CAN bus is opened.

    Attributes:
        interface: `socketcan`, an interface of the machine such as can0; `slcan`, an adapter that speaks text on a
            serial port; `damiao`, Damiao's own serial adapter; `virtual`, a bus inside this process; `auto`, slcan for
            a device file and else socketcan. Any other interface of python-can works too.
        bitrate: bits per second; of socketcan, `lerobot setup-can` sets it.
        use_fd: send CAN FD frames; socketcan only, others ignore it.
        serial_baud: speed of the serial port of Damiao's adapter.
    """

    interface: Interface | str = "auto"
    bitrate: int = 1_000_000
    use_fd: bool = False
    serial_baud: int = 921_600

    def resolved(self, port: str) -> str:
        """The interface that is used for a port."""
        if self.interface != "auto":
            return self.interface
        return "slcan" if port.startswith(("/dev/", "COM")) else "socketcan"

    def is_fd(self, port: str) -> bool:
        """Whether frames on a port are CAN FD frames."""
        return self.use_fd and self.resolved(port) == "socketcan"

    def open(self, port: str) -> can.BusABC:
        """Open the bus, for this program alone where it is a serial port.

        Raises:
            DeviceConnectionError: it cannot be opened; says why and what to do.
        """
        interface = self.resolved(port)
        if interface == "socketcan" and port.startswith("/"):
            raise DeviceConnectionError(
                f"'{port}' is a serial port, but can_interface is socketcan.",
                device=port,
                expected="a CAN interface, such as can0",
                hint="Set can_interface=slcan for an adapter on a serial port.",
            )
        try:
            return self._open(interface, port)
        except (can.CanError, serial.SerialException, OSError, ValueError) as error:
            raise _failed(interface, port, error) from error

    def _open(self, interface: str, port: str) -> can.BusABC:
        if interface == "damiao":
            return DamiaoAdapter(port, self.serial_baud)
        if interface == "slcan":
            return SlcanAdapter(port, self.bitrate)
        if interface == "socketcan":
            return can.Bus(port, interface, fd=self.use_fd)
        return can.Bus(port, interface, bitrate=self.bitrate)


def _failed(interface: str, port: str, error: Exception) -> DeviceConnectionError:
    """Say why a bus did not open."""
    cause = error.__cause__ or error
    code = getattr(cause, "errno", None) or getattr(error, "errno", None)
    reason, hint = f"{error}", "Check the interface and the port."
    if interface == "socketcan":
        hint = "`ip link` lists the interfaces; `lerobot setup-can --mode=setup --interfaces=can0` brings one up."
        if code == errno.ENODEV:
            reason = "there is no such CAN interface"
        elif code == errno.ENETDOWN:
            reason = "it is down"
        elif code == errno.EAFNOSUPPORT:
            reason = "this system has no SocketCAN"
            hint = "Load it (sudo modprobe can can_raw), or use an slcan adapter: can_interface=slcan."
    elif code == errno.ENOENT or "No such file" in reason:
        reason, hint = "there is no such port", "Try running `lerobot find-port`."
    elif code == errno.EACCES:
        reason = "this user may not open it"
        hint = "Try: sudo usermod -aG dialout $USER (then log in again)."
    elif code in {errno.EAGAIN, errno.EBUSY} or "exclusively lock" in reason:
        reason, hint = "another program is using it", f"Close the other program; `fuser {port}` names it."
    return DeviceConnectionError(f"Could not connect on port '{port}' ({interface}): {reason}.", device=port, hint=hint)
