"""`lerobot doctor hardware`: what is wrong with a device, where, and what to do about it."""

import json
from collections.abc import Callable, Iterator
from typing import Any

from lerobot.core.cameras import CameraSet, HasCameras
from lerobot.core.commands.doctor import DoctorConfig
from lerobot.core.errors import DeviceError
from lerobot.core.prompts import TerminalPrompter
from lerobot.core.protocols.ability import Diagnosable, Finding
from lerobot.core.safety import StopSignals
from lerobot.core.words import counted

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
    say = prompter.say if config.format == "text" else _unsaid
    wrong: dict[str, list[dict[str, Any]]] = {}
    with StopSignals():
        for chosen in (config.robot, config.teleop):
            if chosen is not None:
                device = chosen.build()
                wrong[str(device)] = _examine(device, chosen.type, say)
    if config.format == "json":
        prompter.say(json.dumps(wrong, indent=2))
    return 1 if any(wrong.values()) else 0


def _unsaid(_text: str) -> None:
    """Only the list at the end is written."""


def _examine(device: Any, type_name: str, say: Callable[[str], None]) -> list[dict[str, Any]]:
    """Tell what is wrong with one device, and give it."""
    if not isinstance(device, Diagnosable):
        raise DeviceError(
            f"Device type '{type_name}' cannot examine itself.",
            device=str(device),
            expected="a device with motors on a bus",
            hint="See whether it connects: lerobot teleoperate --help",
        )
    say(f"Examining {device}; nothing moves ...")
    found = [_entry(finding) for finding in device.diagnose()]
    if isinstance(device, HasCameras) and device.cameras:
        found += _camera_problems(device.cameras)
    for number, entry in enumerate(found, start=1):
        lines = (f"{number}. {entry['where']}: {entry['cause']}", entry["what"], entry["hint"])
        say("\n   ".join(filter(None, lines)))
    say(f"{device}: " + (counted(len(found), "problem") if found else "nothing wrong was found"))
    return found


def _entry(finding: Finding) -> dict[str, Any]:
    where = f"motor {finding.place} of the chain ('{finding.motor}')" if finding.motor else "the whole line"
    named = {"where": where, "motor": finding.motor, "place": finding.place}
    return {**named, "cause": finding.cause.replace("_", " "), "what": finding.what, "hint": finding.hint}


def _camera_problems(cameras: CameraSet) -> Iterator[dict[str, Any]]:
    """Run all cameras at the same time, as they run when the robot is used."""
    try:
        cameras.connect()
        rates = cameras.measure(CAMERA_TEST_S)
    except DeviceError as error:
        yield {"where": "cameras", "cause": "not reachable", "what": str(error), "hint": ""}
        return
    finally:
        cameras.disconnect()
    for name, rate in rates.items():
        if rate.is_short:
            yield {
                "where": f"camera '{name}'",
                "cause": "too slow",
                "what": f"{rate.measured_hz:.1f} of {rate.expected_hz:.1f} pictures a second arrive.",
                "hint": "Try another USB port, a smaller picture, fourcc MJPG, or more light.",
            }
