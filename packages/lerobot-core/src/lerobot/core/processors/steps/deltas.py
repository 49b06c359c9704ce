"""Deltas: of an end effector, as gamepads and policies give them, and of joints."""

import math
from dataclasses import replace
from typing import Any, ClassVar, TypeAlias

from lerobot.core.errors import FeatureMismatchError
from lerobot.core.processors.arrays import as_vector
from lerobot.core.processors.step import ActionProcessorStep, PipelineFeatures, RobotActionProcessorStep
from lerobot.core.processors.steps.mapping import require_keys
from lerobot.core.types import FeatureSpec

Range: TypeAlias = tuple[float, float]

_DELTAS = ["delta_x", "delta_y", "delta_z"]
_TARGETS = ["target_x", "target_y", "target_z"]
_ROTATIONS = ["target_wx", "target_wy", "target_wz"]


class MapTensorToDeltaActionDictStep(ActionProcessorStep):
    """Makes `delta_x`, `delta_y`, `delta_z` (and `gripper`) of a vector `(n,)` or `(1, n)`; what follows is unused."""

    @property
    def _keys(self) -> list[str]:
        return [*_DELTAS, "gripper"] if self.config.use_gripper else _DELTAS

    def action(self, action: Any) -> dict[str, Any]:
        """Distribute."""
        vector, keys = as_vector(action), self._keys
        if vector.shape[0] < len(keys):
            raise FeatureMismatchError(
                f"the policy action has {vector.shape[0]} elements",
                keys=["action"],
                expected=f"at least {len(keys)}: {', '.join(keys)}",
            )
        return {key: float(vector[index]) for index, key in enumerate(keys)}

    def transform_features(self, features: PipelineFeatures) -> PipelineFeatures:
        """One scalar per element."""
        return {**features, "action": {key: FeatureSpec() for key in self._keys}}


class MapDeltaActionToRobotActionStep(RobotActionProcessorStep):
    """Makes an end-effector target of deltas.

    The arm is `enabled` where the deltas are longer than the noise threshold; targets are the scaled deltas, rotations
    are zero, and a gripper, if there is one, becomes a velocity.
    """

    def action(self, action: dict[str, Any]) -> dict[str, Any]:
        """Map."""
        require_keys(_DELTAS, action, "action")
        deltas = [action[key] for key in _DELTAS]
        target: dict[str, Any] = {"enabled": math.hypot(*deltas) > self.config.noise_threshold}
        target |= {key: delta * self.config.position_scale for key, delta in zip(_TARGETS, deltas, strict=True)}
        target |= dict.fromkeys(_ROTATIONS, 0.0)
        if "gripper" in action:
            target["gripper_vel"] = float(action["gripper"])
        return target

    def transform_features(self, features: PipelineFeatures) -> PipelineFeatures:
        """The keys of the target."""
        require_keys(_DELTAS, features["action"], "action")
        keys = [*_TARGETS, *_ROTATIONS, *(["gripper_vel"] if "gripper" in features["action"] else [])]
        return {**features, "action": {"enabled": FeatureSpec(dtype="bool"), **{key: FeatureSpec() for key in keys}}}


class RelativeJointActionsProcessorStep(RobotActionProcessorStep):
    """Makes joint targets relative: the measured position of the same transition is subtracted."""

    sign: ClassVar[int] = -1

    @property
    def _keys(self) -> list[str]:
        return [f"{name}.pos" for name in self.config.motor_names]

    def _require(self, action: dict[str, Any], measured: dict[str, Any]) -> None:
        require_keys(self._keys, action, "action")
        require_keys(self._keys, measured, "observation")

    def action(self, action: dict[str, Any]) -> dict[str, Any]:
        """Shift."""
        measured = self.transition.get("observation") or {}
        self._require(action, measured)
        return action | {key: action[key] + self.sign * measured[key] for key in self._keys}

    def transform_features(self, features: PipelineFeatures) -> PipelineFeatures:
        """Shift the ranges, as far as they are known."""
        action, measured = features["action"], features["observation"]
        self._require(action, measured)
        shifted = {
            key: replace(action[key], range=self._range(action[key].range, measured[key].range), max_velocity=None)
            for key in self._keys
        }
        return {**features, "action": action | shifted}

    def _range(self, action: Range | None, measured: Range | None) -> Range | None:
        if action is None or measured is None:
            return None
        low, high = sorted(self.sign * bound for bound in measured)
        return action[0] + low, action[1] + high


class AbsoluteJointActionsProcessorStep(RelativeJointActionsProcessorStep):
    """Makes relative joint targets absolute: the measured position of the same transition is added."""

    sign: ClassVar[int] = 1
