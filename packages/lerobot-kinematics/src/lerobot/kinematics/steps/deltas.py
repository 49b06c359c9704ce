"""From the deltas of a keyboard, gamepad or policy to joints."""

import math
from typing import Any

from lerobot.core.processors import build_step
from lerobot.core.processors.config import (
    DeltaToRobotActionConfig,
    EEBoundsAndSafetyConfig,
    GripperVelocityToJointConfig,
)
from lerobot.core.processors.step import PipelineFeatures, ProcessorStep, RobotActionProcessorStep
from lerobot.core.processors.steps.mapping import require_keys
from lerobot.core.processors.transition import EnvTransition, TransitionKey
from lerobot.core.protocols import ProcessorStep as Step
from lerobot.core.types import FeatureSpec
from lerobot.kinematics.config import (
    EEDeltasToJointsConfig,
    EEReferenceAndDeltaConfig,
    InverseKinematicsRLConfig,
    StepSizes,
)
from lerobot.kinematics.steps.reference import IK_SOLUTION

_OPEN = 100.0
"""A gripper that is open, percent."""

_STAY = 1.0
"""The command of a gripper to stay as it is."""


class _Given(RobotActionProcessorStep):
    """Turns `delta_x` and `delta_y` from the view of who drives into the base's frame; no `gripper` means it stays."""

    def __init__(self, config: EEDeltasToJointsConfig) -> None:
        super().__init__(config)
        heading = math.radians(config.heading_deg)
        self._cos, self._sin = math.cos(heading), math.sin(heading)

    def action(self, action: dict[str, Any]) -> dict[str, Any]:
        """Turn."""
        require_keys(["delta_x", "delta_y"], action, "action")
        x, y = float(action["delta_x"]), float(action["delta_y"])
        turned = {"delta_x": self._cos * x - self._sin * y, "delta_y": self._sin * x + self._cos * y}
        return {"gripper": _STAY} | action | turned

    def transform_features(self, features: PipelineFeatures) -> PipelineFeatures:
        """There is a gripper now."""
        return {**features, "action": {"gripper": FeatureSpec()} | features["action"]}


class EEDeltasToJoints(ProcessorStep):
    """Replaces `delta_x`, `delta_y`, `delta_z` and `gripper` (0 close, 1 stay, 2 open) by joint targets.

    The end effector goes on from where it was commanded last, so it keeps its height however the arm sags, a gripper
    keeps its grip, and what is out of reach is not remembered.
    """

    def __init__(self, config: EEDeltasToJointsConfig) -> None:
        super().__init__(config)
        self._steps: list[Step] = [
            _Given(config),
            build_step(DeltaToRobotActionConfig()),
            build_step(
                EEReferenceAndDeltaConfig(
                    kinematics=config.kinematics,
                    motor_names=config.motor_names,
                    end_effector_step_sizes=StepSizes(x=config.step_m, y=config.step_m, z=config.step_m),
                    use_latched_reference=False,
                    use_ik_solution=True,
                )
            ),
            build_step(
                EEBoundsAndSafetyConfig(
                    end_effector_bounds=config.end_effector_bounds,
                    # An arm outside the box is brought in step by step.
                    raise_on_jump=False,
                    check_first_command=False,
                )
            ),
            build_step(
                GripperVelocityToJointConfig(
                    discrete_gripper=True,
                    # Classes mean the velocities of a gripper that closes towards 100.
                    speed_factor=-config.gripper_step / _OPEN,
                    clip_max=_OPEN,
                    from_command=True,
                )
            ),
            build_step(
                InverseKinematicsRLConfig(
                    kinematics=config.kinematics,
                    motor_names=config.motor_names,
                    initial_guess_current_joints=False,
                    orientation_weight=config.orientation_weight,
                )
            ),
        ]
        self._solution: Any = None

    def __call__(self, transition: EnvTransition) -> EnvTransition:
        """Replace."""
        if self._solution is not None:
            data = transition.get(TransitionKey.COMPLEMENTARY_DATA) or {}
            transition = {**transition, TransitionKey.COMPLEMENTARY_DATA: {**data, IK_SOLUTION: self._solution}}
        for step in self._steps:
            transition = step(transition)
        self._solution = transition[TransitionKey.COMPLEMENTARY_DATA][IK_SOLUTION]
        return transition

    def reset(self) -> None:
        """Begin from the measured joints again."""
        super().reset()
        self._solution = None
        for step in self._steps:
            step.reset()

    def transform_features(self, features: PipelineFeatures) -> PipelineFeatures:
        """Replace."""
        for step in self._steps:
            features = step.transform_features(features)
        return features
