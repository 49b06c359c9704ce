"""`lerobot doctor hardware`: what is wrong with a device, where, and what to do about it."""

from collections.abc import Iterator
from typing import Any

from lerobot.core.cameras import CameraSet, HasCameras
from lerobot.core.commands.doctor import DoctorConfig
from lerobot.core.errors import DeviceError
from lerobot.core.prompts import Prompter, TerminalPrompter
from lerobot.core.protocols.ability import Diagnosable, Finding
from lerobot.core.safety import StopSignals

CAMERA_TEST_S = 2.0


def diagnose(config: DoctorConfig) -> int:
    """Examine the devices of the configuration, the robot first.

    Args:
        config: validated configuration.

    Returns:
        The exit code: 1 if anything is wrong.

    Raises:
        DeviceError: a device cannot examine itself, or it broke while it was examined.
    """
    prompter = TerminalPrompter()
    wrong = 0
    with StopSignals():
        for chosen in (config.robot, config.teleop):
            if chosen is not None:
                wrong += _examine(chosen.build(), chosen.type, prompter)
    return 1 if wrong else 0


def _examine(device: Any, type_name: str, prompter: Prompter) -> int:
    """Tell what is wrong with one device; give how many things are."""
    if not isinstance(device, Diagnosable):
        raise DeviceError(
            f"Device type '{type_name}' cannot examine itself.",
            device=str(device),
            expected="a device with motors on a bus",
            hint="See whether it connects: lerobot teleoperate --help",
        )
    prompter.say(f"Examining {device}; nothing moves ...")
    entries = [_describe(finding) for finding in device.diagnose()]
    if isinstance(device, HasCameras) and device.cameras:
        entries += _camera_problems(device.cameras)
    for number, entry in enumerate(entries, start=1):
        prompter.say(f"{number}. {entry}")
    count = len(entries)
    prompter.say(f"{device}: " + (f"{count} problem{'s' * (count > 1)}" if count else "nothing wrong was found"))
    return count


def _describe(finding: Finding) -> str:
    where = f"motor {finding.place} of the chain ('{finding.motor}')" if finding.motor else "the whole line"
    return f"{where}: {finding.cause.replace('_', ' ')}\n   {finding.what}\n   {finding.hint}"


def _camera_problems(cameras: CameraSet) -> Iterator[str]:
    """Run all cameras at the same time, as they run when the robot is used."""
    try:
        cameras.connect()
        rates = cameras.measure(CAMERA_TEST_S)
    except DeviceError as error:
        yield f"cameras: not reachable\n   {error}"
        return
    finally:
        cameras.disconnect()
    for name, rate in rates.items():
        if rate.is_short:
            yield (
                f"camera '{name}': too slow\n"
                f"   {rate.measured_hz:.1f} of {rate.expected_hz:.1f} pictures a second arrive.\n"
                "   Try another USB port, a smaller picture, fourcc MJPG, or more light."
            )
