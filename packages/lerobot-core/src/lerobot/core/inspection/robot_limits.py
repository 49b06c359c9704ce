"""What a robot takes, for people and for programs that make commands for it."""

import math
from typing import Any

from lerobot.core.config.base import RobotConfig
from lerobot.core.protocols.robot import Robot
from lerobot.core.safety.config import SafetyConfig
from lerobot.core.safety.limits import Limit, derive_limits


def robot_limits(config: RobotConfig) -> dict[str, dict[str, Any]]:
    """The limits that the safety gate keeps unless it is told of tighter ones, by key of the robot's command.

    Args:
        config: the robot; it is built and not connected.

    Returns:
        `kind` (`"position"`, `"velocity"` or `"switch"`), `unit`, `low`, `high` and `max_rate` of each key, in the
        robot's units; None for what is not known or not limited.

    Raises:
        FeatureMismatchError: an entry is not a number or a switch.
        PluginError: the driver cannot be imported.
    """
    robot: Robot = config.build()
    limits, _ = derive_limits(robot.action_features, SafetyConfig())
    return {
        key: {
            "kind": limit.kind,
            "unit": limit.unit,
            **{name: value if math.isfinite(value) else None for name, value in _numbers(limit).items()},
        }
        for key, limit in limits.items()
    }


def _numbers(limit: Limit) -> dict[str, float]:
    return {"low": limit.low, "high": limit.high, "max_rate": limit.max_rate}


def limit_text(limit: dict[str, Any]) -> str:
    """One of `robot_limits` in words."""
    low, high, rate = limit["low"], limit["high"], limit["max_rate"]
    unit = f" {limit['unit']}" if limit["unit"] else ""
    span = "of no known range" if low is None or high is None else f"{low:g} to {high:g}{unit}"
    return f"{limit['kind']} {span}" + ("" if rate is None else f", at most {rate:g}{unit} a second")
