"""From joints to the end effector."""

from typing import Any, TypeVar

from lerobot.core.processors.step import (
    ObservationProcessorStep,
    PipelineFeatures,
    ProcessorStep,
    RobotActionProcessorStep,
)
from lerobot.core.processors.transition import EnvTransition, TransitionKey, with_keys
from lerobot.core.types import FeatureSpec, Observation
from lerobot.kinematics.config import (
    ForwardKinematicsActionConfig,
    ForwardKinematicsConfig,
    ForwardKinematicsObservationConfig,
)
from lerobot.kinematics.joints import MotorJoints
from lerobot.kinematics.poses import EE_GRIPPER, GRIPPER, POSE_FEATURES, pose_values

Value = TypeVar("Value")


class _Forward:
    """Replaces joints by the pose, in values and in features."""

    def __init__(self, config: ForwardKinematicsConfig) -> None:
        self._joints = MotorJoints(config.kinematics, config.motor_names)
        self._keep = config.keep_joints

    def values(self, values: dict[str, Any], entry: str) -> dict[str, Any]:
        pose = pose_values(*self._joints.arm.place(self._joints.read(values, entry)))
        if GRIPPER in values:
            pose[EE_GRIPPER] = float(values[GRIPPER])
        result = with_keys(values, {key: key for key in self._kept(values)})
        result.update(pose)
        if isinstance(values, Observation) and isinstance(result, Observation):
            stamps = [values.stamps[key] for key in self._joints.keys if key in values.stamps]
            if stamps:
                # A pose is as old as the oldest joint it was made of.
                result.stamps.update(dict.fromkeys(pose, min(stamps, key=lambda stamp: stamp.time_s)))
        return result

    def features(self, features: PipelineFeatures, entry: str) -> PipelineFeatures:
        joints: dict[str, FeatureSpec] = features[entry]
        self._joints.require(joints, entry)
        gripper = {EE_GRIPPER: joints[GRIPPER]} if GRIPPER in joints else {}
        return {**features, entry: {**self._kept(joints), **POSE_FEATURES, **gripper}}

    def _kept(self, values: dict[str, Value]) -> dict[str, Value]:
        if self._keep:
            return values
        return {key: value for key, value in values.items() if key not in {*self._joints.keys, GRIPPER}}


class ForwardKinematicsJointsToEEObservation(ObservationProcessorStep):
    """Replaces the joint positions of an observation by the end effector's pose; time stamps follow."""

    def __init__(self, config: ForwardKinematicsObservationConfig) -> None:
        super().__init__(config)
        self._forward = _Forward(config)

    def observation(self, observation: dict[str, Any]) -> dict[str, Any]:
        """Replace."""
        return self._forward.values(observation, "observation")

    def transform_features(self, features: PipelineFeatures) -> PipelineFeatures:
        """Replace."""
        return self._forward.features(features, "observation")


class ForwardKinematicsJointsToEEAction(RobotActionProcessorStep):
    """Replaces the joint targets of an action by the pose they stand for."""

    def __init__(self, config: ForwardKinematicsActionConfig) -> None:
        super().__init__(config)
        self._forward = _Forward(config)

    def action(self, action: dict[str, Any]) -> dict[str, Any]:
        """Replace."""
        return self._forward.values(action, "action")

    def transform_features(self, features: PipelineFeatures) -> PipelineFeatures:
        """Replace."""
        return self._forward.features(features, "action")


class ForwardKinematicsJointsToEE(ProcessorStep):
    """Replaces joints by the pose in the observation and the action, whichever there are."""

    def __init__(self, config: ForwardKinematicsConfig) -> None:
        super().__init__(config)
        self._forward = _Forward(config)

    def __call__(self, transition: EnvTransition) -> EnvTransition:
        """Replace."""
        entries = (TransitionKey.ACTION, TransitionKey.OBSERVATION)
        given = {entry: transition[entry] for entry in entries if transition.get(entry) is not None}
        return {**transition, **{entry: self._forward.values(value, entry) for entry, value in given.items()}}

    def transform_features(self, features: PipelineFeatures) -> PipelineFeatures:
        """Replace."""
        for entry in (TransitionKey.ACTION, TransitionKey.OBSERVATION):
            if features[entry]:
                features = self._forward.features(features, entry)
        return features
