"""`lerobot calibrate`: connect without calibrating, calibrate, end safely."""

from lerobot.core.commands.calibrate import CalibrateConfig
from lerobot.core.devices.person import needs_a_person
from lerobot.core.prompts import Prompter, TerminalPrompter
from lerobot.core.protocols import Calibratable, Robot
from lerobot.core.safety import StopSignals, safe_end


def calibrate(config: CalibrateConfig, prompter: Prompter | None = None) -> None:
    """Run the command.

    Whatever happens, Ctrl-C included, a robot ends in its safe state and the device is disconnected.

    Args:
        config: validated configuration.
        prompter: who is told the result; the terminal if None.

    Raises:
        DeviceError: the device cannot be reached or calibrated.
        LeRobotError: the device asks questions and nobody is at the terminal.
    """
    device: Calibratable = config.device.build()
    with needs_a_person(f"calibrating {device}"):
        if isinstance(device, Robot):
            with safe_end(device) as session:
                session.connect(calibrate=False)
                device.calibrate()
        else:
            _calibrate_unpowered(device)
    (prompter or TerminalPrompter()).say(f"{device} is calibrated.")


def _calibrate_unpowered(device: Calibratable) -> None:
    """Teleoperators are moved by hand: disconnecting is their safe end."""
    with StopSignals():
        try:
            device.connect(calibrate=False)
            device.calibrate()
        finally:
            device.disconnect()
