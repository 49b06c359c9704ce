"""Commands of an end effector: the gripper's integration and the workspace."""

import logging
import math
from dataclasses import replace
from typing import Any

from lerobot.core.errors import SafetyError
from lerobot.core.processors.config import EEBoundsAndSafetyConfig, GripperVelocityToJointConfig
from lerobot.core.processors.step import PipelineFeatures, RobotActionProcessorStep
from lerobot.core.processors.steps.mapping import require_keys
from lerobot.core.types import FeatureSpec

log = logging.getLogger(__name__)

_POSITION = ["ee.x", "ee.y", "ee.z"]
_POSE = [*_POSITION, "ee.wx", "ee.wy", "ee.wz"]


class GripperVelocityToJoint(RobotActionProcessorStep):
    """Replaces `ee.gripper_vel` by `ee.gripper_pos = clip(measured + velocity * speed_factor, clip_min, clip_max)`.

    A discrete gripper commands classes instead of velocities, 0 close, 1 stay, 2 open, which stand for the velocities
    `clip_max`, 0 and `-clip_max`. The measured position is read by its key, wherever it stands in the observation.
    """

    def __init__(self, config: GripperVelocityToJointConfig) -> None:
        super().__init__(config)
        self._commanded: float | None = None

    def action(self, action: dict[str, Any]) -> dict[str, Any]:
        """Integrate."""
        config, observation = self.config, self.transition.get("observation") or {}
        require_keys(["ee.gripper_vel"], action, "action")
        require_keys([config.gripper_key], observation, "observation")
        velocity = action.pop("ee.gripper_vel")
        if config.discrete_gripper:
            velocity = -(velocity - 1) * config.clip_max
        start = float(observation[config.gripper_key])
        if config.from_command and self._commanded is not None:
            start = self._commanded
        position = start + velocity * config.speed_factor
        if math.isnan(position):
            raise SafetyError("the gripper target is NaN")
        self._commanded = min(max(position, config.clip_min), config.clip_max)
        return action | {"ee.gripper_pos": self._commanded}

    def reset(self) -> None:
        """Begin from the measured position again."""
        super().reset()
        self._commanded = None

    def transform_features(self, features: PipelineFeatures) -> PipelineFeatures:
        """Replace the velocity by a position with a range."""
        require_keys(["ee.gripper_vel"], features["action"], "action")
        require_keys([self.config.gripper_key], features["observation"], "observation")
        action = {key: spec for key, spec in features["action"].items() if key != "ee.gripper_vel"}
        position = FeatureSpec(range=(self.config.clip_min, self.config.clip_max))
        return {**features, "action": action | {"ee.gripper_pos": position}}


class EEBoundsAndSafety(RobotActionProcessorStep):
    """Clips the commanded position to a box and limits the distance between two commands; orientation passes.

    The first command of an episode is compared with the measured position, `ee.x`, `ee.y`, `ee.z` of the observation
    (forward kinematics puts them there): a first command far from the arm is the most dangerous one.
    """

    def __init__(self, config: EEBoundsAndSafetyConfig) -> None:
        super().__init__(config)
        self._last: list[float] | None = None

    def action(self, action: dict[str, Any]) -> dict[str, Any]:
        """Clip and limit."""
        require_keys(_POSE, action, "action")
        pose = {key: float(action[key]) for key in _POSE}
        if bad := [key for key, value in pose.items() if not math.isfinite(value)]:
            raise SafetyError(f"end-effector target {bad[0]} is {pose[bad[0]]}", expected="a finite number")
        bounds = self.config.end_effector_bounds
        wanted = [
            min(max(pose[key], low), high) for key, low, high in zip(_POSITION, bounds.min, bounds.max, strict=True)
        ]
        self._last = self._limited(wanted)
        return action | pose | dict(zip(_POSITION, self._last, strict=True))

    def _limited(self, wanted: list[float]) -> list[float]:
        last = self._reference()
        if last is None:
            return wanted
        distance, limit = math.dist(wanted, last), self.config.max_ee_step_m
        if distance <= limit:
            return wanted
        if self.config.raise_on_jump:
            raise SafetyError(
                f"EE jump {distance:.3f}m > {limit}m",
                hint="Move the commanding device slower, or set raise_on_jump to false to shorten such steps.",
            )
        log.warning("end-effector step of %.3f m shortened to %.3f m", distance, limit)
        return [start + (end - start) * limit / distance for start, end in zip(last, wanted, strict=True)]

    def _reference(self) -> list[float] | None:
        """Where the arm was last commanded to, or is."""
        if self._last is not None or not self.config.check_first_command:
            return self._last
        observation = self.transition.get("observation") or {}
        require_keys(_POSITION, observation, "observation")
        return [float(observation[key]) for key in _POSITION]

    def reset(self) -> None:
        """Compare the next command with the measured position again."""
        super().reset()
        self._last = None

    def transform_features(self, features: PipelineFeatures) -> PipelineFeatures:
        """Give the position the box as its range."""
        require_keys(_POSE, features["action"], "action")
        if self.config.check_first_command:
            require_keys(_POSITION, features["observation"], "observation")
        bounds = self.config.end_effector_bounds
        bounded = {
            key: replace(features["action"][key], range=(low, high))
            for key, low, high in zip(_POSITION, bounds.min, bounds.max, strict=True)
        }
        return {**features, "action": features["action"] | bounded}
