"""`lerobot find-port`: the port that disappears when a cable is pulled."""

import time
from collections.abc import Callable, Sequence

from lerobot.core.commands.find_port import FindPortConfig
from lerobot.core.devices.person import needs_a_person
from lerobot.core.devices.ports import SerialPort, serial_ports
from lerobot.core.errors import DeviceConnectionError
from lerobot.core.prompts import Prompter, TerminalPrompter

SETTLE_S = 0.5
"""Time the system takes to remove the port of a device that was unplugged."""


def find_port(
    config: FindPortConfig,
    prompter: Prompter | None = None,
    ports: Callable[[], Sequence[SerialPort]] = serial_ports,
    settle_s: float = SETTLE_S,
) -> None:
    """Run the command.

    Args:
        config: validated configuration.
        prompter: who is asked to pull the cable; the person at the terminal if None.
        ports: lists the ports that exist now.
        settle_s: seconds to wait after the cable was pulled.

    Raises:
        DeviceConnectionError: no port disappeared, or several did.
        LeRobotError: nobody is at the terminal.
    """
    prompter = prompter or TerminalPrompter()
    if config.list_only:
        _list(ports(), prompter)
        return
    prompter.say("Finding all available ports for the MotorsBus.")
    before = ports()
    prompter.say(f"Ports before disconnecting: {[port.path for port in before]}")
    prompter.say("Remove the USB cable from your MotorsBus and press Enter when done.")
    with needs_a_person("finding a port", hint="List ports without asking: lerobot find-port --list_only"):
        prompter.ask("")
    time.sleep(settle_s)
    after = {port.path for port in ports()}
    _tell([port for port in before if port.path not in after], prompter)


def _list(found: Sequence[SerialPort], prompter: Prompter) -> None:
    for port in found:
        prompter.say(f"{port.path}  {port.stable_path}".rstrip())
    if not found:
        prompter.say("No serial ports were found.")


def _tell(gone: Sequence[SerialPort], prompter: Prompter) -> None:
    paths = [port.path for port in gone]
    if not gone:
        raise DeviceConnectionError(
            f"Could not detect the port. No difference was found ({paths}).",
            expected="one port to disappear when the cable is pulled",
            hint="Check that the device was plugged in at the start, and that its cable carries data.",
        )
    if len(gone) > 1:
        raise DeviceConnectionError(
            f"Could not detect the port. More than one port was found ({paths}).",
            expected="one port to disappear when the cable is pulled",
            hint="Unplug one device only.",
        )
    prompter.say(f"The port of this MotorsBus is '{gone[0].path}'")
    if gone[0].stable_path:
        prompter.say(f"It keeps this name when devices are plugged in another order: '{gone[0].stable_path}'")
    prompter.say("Reconnect the USB cable.")
