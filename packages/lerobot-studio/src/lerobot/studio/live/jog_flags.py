"""How a page moves the robot of a command: a short command asks the robot, so that no driver is imported here."""

import json
from collections.abc import Sequence
from typing import Any

from lerobot.core.errors import LeRobotError
from lerobot.studio.answer import ask

BROWSER = "--teleop.type=browser"
GIVEN = ("--teleop.keys", "--processors.teleop")


def jog_flags(arguments: Sequence[str]) -> list[str]:
    """The flags that the browser as teleoperator needs; none where a command has another one, or has them.

    Args:
        arguments: of a command, each `--flag=value`.

    Raises:
        LeRobotError: the robot does not say what it takes, or takes what a page cannot move.
    """
    if BROWSER not in arguments or any(argument.startswith(GIVEN) for argument in arguments):
        return []
    told = ask("info", "--format=json", *(each for each in arguments if each.startswith("--robot.")))
    if told.code or not isinstance(told.value, dict):
        raise LeRobotError(told.complaint.strip().removeprefix("error: ") or f"`{told.line}` says nothing.")
    limits: dict[str, dict[str, Any]] = told.value
    positions = {
        key: [_short(limit["low"]), _short(limit["high"])]
        for key, limit in limits.items()
        if limit["kind"] == "position"
    }
    velocities = {key: _short(limit["high"]) for key, limit in limits.items() if limit["kind"] == "velocity"}
    if unknown := [key for key, span in positions.items() if None in span]:
        raise LeRobotError(
            f"the robot does not say how far {', '.join(unknown)} may go, so a page cannot move it.",
            hint="Choose another teleoperator, or write --teleop.keys and --processors.teleop yourself.",
        )
    step = {"type": "jog_to_joints", "positions": positions, "velocities": velocities}
    shown = {name: value for name, value in step.items() if value}
    return [f"--teleop.keys={json.dumps([*positions, *velocities])}", f"--processors.teleop={json.dumps([shown])}"]


def _short(number: float | None) -> float | None:
    return None if number is None else round(number, 3)
