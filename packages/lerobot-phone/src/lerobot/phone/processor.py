"""From a phone to a displacement of an end effector."""

import math
from typing import Any

import numpy as np

from lerobot.core.processors.step import PipelineFeatures, RobotActionProcessorStep
from lerobot.core.processors.steps.mapping import require_keys
from lerobot.core.types import FeatureSpec
from lerobot.phone.config import MapPhoneActionConfig

POSE = ("phone.enabled", "phone.pos", "phone.rot")
INPUTS = "phone.raw_inputs."
TARGETS = ("enabled", *(f"target_{axis}" for axis in ("x", "y", "z", "wx", "wy", "wz")), "gripper_vel")


class MapPhoneActionToRobotAction(RobotActionProcessorStep):
    """Replaces `phone.*` by `enabled`, `target_x` ... `target_wz` and `gripper_vel`, for `ee_reference_and_delta`.

    While the phone is not held every target is zero; the gripper moves all the same.
    """

    def __init__(self, config: MapPhoneActionConfig) -> None:
        super().__init__(config)
        heading = math.radians(config.heading_deg)
        self._cos, self._sin = math.cos(heading), math.sin(heading)
        used = ("a3",) if config.platform == "ios" else ("reservedButtonA", "reservedButtonB")
        self._used = [f"{INPUTS}{name}" for name in used]

    def action(self, action: dict[str, Any]) -> dict[str, Any]:
        """Replace."""
        require_keys([*POSE, *self._used], action, "action")
        enabled = bool(action["phone.enabled"])
        position = np.asarray(action["phone.pos"], float) * enabled
        rotation = np.asarray(action["phone.rot"], float) * enabled
        x, y = -position[1], position[0]
        inputs = [float(action[key]) for key in self._used]
        targets = {
            "enabled": enabled,
            "target_x": self._cos * x - self._sin * y,
            "target_y": self._sin * x + self._cos * y,
            "target_z": position[2],
            "target_wx": rotation[1],
            "target_wy": rotation[0],
            "target_wz": -rotation[2],
            "gripper_vel": inputs[0] - sum(inputs[1:]),
        }
        return _others(action) | targets

    def transform_features(self, features: PipelineFeatures) -> PipelineFeatures:
        """Replace."""
        require_keys([*POSE, *self._used], features["action"], "action")
        return {**features, "action": _others(features["action"]) | dict.fromkeys(TARGETS, FeatureSpec())}


def _others(action: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in action.items() if key not in POSE and not key.startswith(INPUTS)}
