"""`lerobot setup-motors`: the device walks through its motors, one at a time."""

from typing import Protocol, runtime_checkable

from lerobot.core.commands.setup_motors import SetupMotorsConfig
from lerobot.core.devices.person import needs_a_person
from lerobot.core.errors import DeviceError
from lerobot.core.prompts import Prompter, TerminalPrompter
from lerobot.core.safety import StopSignals


@runtime_checkable
class HasMotorSetup(Protocol):
    """A device whose motors need ids before first use."""

    def setup_motors(self) -> None:
        """Ask for one motor after the other to be plugged in, and give each its id and speed."""
        ...

    def disconnect(self) -> None:
        """Release the bus."""
        ...


def setup_motors(config: SetupMotorsConfig, prompter: Prompter | None = None) -> None:
    """Run the command.

    Args:
        config: validated configuration.
        prompter: who is told the result; the terminal if None.

    Raises:
        DeviceError: the device has no motors to set up, or one does not answer.
        LeRobotError: nobody is at the terminal.
    """
    device = config.device.build()
    if not isinstance(device, HasMotorSetup):
        raise DeviceError(
            f"Device type '{config.device.type}' does not support motor setup.",
            device=str(device),
            expected="a device whose motors share a bus and need ids",
            hint=f"See what it can do: lerobot plugins info {config.device.kind} {config.device.type}",
        )
    with needs_a_person(f"setting up the motors of {device}"), StopSignals():
        try:
            device.setup_motors()
        finally:
            device.disconnect()
    (prompter or TerminalPrompter()).say(f"The motors of {device} are set up.")
