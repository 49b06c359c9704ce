"""CAN interfaces of the operating system."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from lerobot.core.errors import DeviceConnectionError

NETWORK = Path("/sys/class/net")
CAN_TYPE = "280"
"""ARPHRD_CAN of linux/if_arp.h."""


@dataclass(frozen=True)
class CanInterface:
    """One interface.

    Attributes:
        name: such as can0.
        is_up: whether frames can be sent.
    """

    name: str
    is_up: bool


def can_interfaces(network: Path = NETWORK) -> list[CanInterface]:
    """The CAN interfaces there are; none where the system is not Linux."""
    found = []
    for folder in sorted(network.glob("*")):
        kind, flags = folder / "type", folder / "flags"
        if kind.is_file() and kind.read_text().strip() == CAN_TYPE:
            found.append(CanInterface(folder.name, bool(int(flags.read_text(), 16) & 1)))
    return found


def bring_up_commands(interface: str, bitrate: int, data_bitrate: int | None) -> list[list[str]]:
    """The commands that bring an interface up.

    Args:
        interface: such as can0.
        bitrate: bits per second.
        data_bitrate: bits per second of the data of CAN FD frames; None for classic CAN.
    """
    rates = ["bitrate", str(bitrate)]
    if data_bitrate is not None:
        rates += ["dbitrate", str(data_bitrate), "fd", "on"]
    return [
        ["ip", "link", "set", interface, "down"],
        ["ip", "link", "set", interface, "type", "can", *rates],
        ["ip", "link", "set", interface, "up"],
    ]


def as_root(command: list[str]) -> list[str]:
    """The command as it is run by root, or by a user who may become root."""
    return command if is_root() else ["sudo", *command]


def is_root() -> bool:
    """Whether this program may change interfaces."""
    return hasattr(os, "geteuid") and os.geteuid() == 0


def run(commands: list[list[str]]) -> None:
    """Run commands as root; `sudo` asks for a password at the terminal.

    Raises:
        DeviceConnectionError: one failed, or nobody can become root here; says which lines to run.
    """
    lines = "\n".join("  " + " ".join(command) for command in commands)
    hint = f"These lines need root; run them yourself:\n{lines}"
    if shutil.which("ip") is None:
        raise DeviceConnectionError("There is no command `ip` here, so no CAN interface can be set up.", hint=hint)
    if not is_root() and (shutil.which("sudo") is None or not sys.stdin.isatty()):
        raise DeviceConnectionError("Setting up a CAN interface needs root, and nobody can be asked.", hint=hint)
    for command in commands:
        result = subprocess.run(as_root(command), capture_output=True, text=True, check=False)
        # An interface that is down already is no failure.
        if result.returncode and command[-1] != "down":
            raise DeviceConnectionError(f"`{' '.join(command)}` failed: {result.stderr.strip()}.", hint=hint)
