"""The joints of an arm as robots name them: `<motor>.pos` in degrees."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from lerobot.core.errors import ConfigError, ConfigProblem, FeatureMismatchError
from lerobot.core.processors.steps.mapping import require_keys
from lerobot.core.types import FeatureSpec
from lerobot.kinematics.arm import Arm, Vector
from lerobot.kinematics.config import KinematicsConfig

_GRIPPER_MOTOR = "gripper"


class MotorJoints:
    """The joints of a chain under the names of the motors that turn them.

    Args:
        kinematics: the chain.
        motor_names: the motors, a gripper may be among them; None if they are named as the joints.

    Attributes:
        arm: the chain; its joints are in the order of the motors.
        keys: `<motor>.pos` of each.

    Raises:
        ConfigError: the chain cannot be had, or motors and joints do not match.
    """

    def __init__(self, kinematics: KinematicsConfig, motor_names: list[str] | None) -> None:
        motors = [name for name in motor_names or [] if name != _GRIPPER_MOTOR]
        joints = kinematics.joint_names or motors or None
        self.arm = Arm(kinematics.model_copy(update={"joint_names": joints}))
        motors = motors or self.arm.joint_names
        if len(motors) != len(self.arm.joint_names):
            expected = f"one motor per joint: {', '.join(self.arm.joint_names)}"
            raise ConfigError([ConfigProblem("motor_names", ", ".join(motors), expected)])
        self.keys = [f"{name}.pos" for name in motors]

    def read(self, values: Mapping[str, Any], entry: str) -> Vector:
        """Joint angles `(n,)` rad in an observation or action.

        Raises:
            FeatureMismatchError: a joint is missing; names it.
        """
        require_keys(self.keys, dict(values), entry)
        return np.radians([float(values[key]) for key in self.keys])

    def values(self, joints: Vector) -> dict[str, float]:
        """Degrees by key of joint angles `(n,)` in rad."""
        return dict(zip(self.keys, np.degrees(joints).tolist(), strict=True))

    def require(self, features: Mapping[str, FeatureSpec], entry: str) -> None:
        """Check that features hold every joint, in degrees.

        Raises:
            FeatureMismatchError: a joint is missing or in another unit; names it.
        """
        require_keys(self.keys, dict(features), entry)
        if others := [key for key in self.keys if features[key].unit not in {None, "deg"}]:
            raise FeatureMismatchError(
                f"{', '.join(others)} of the {entry} in {features[others[0]].unit}",
                keys=others,
                expected="degrees, which kinematics needs",
                hint="Set use_degrees=true for robot and teleoperator.",
            )

    @property
    def features(self) -> dict[str, FeatureSpec]:
        """What `values` gives."""
        low, high = np.degrees(self.arm.low).tolist(), np.degrees(self.arm.high).tolist()
        return {
            key: FeatureSpec(unit="deg", range=(low[i], high[i]) if np.isfinite(low[i]) else None)
            for i, key in enumerate(self.keys)
        }
