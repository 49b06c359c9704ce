"""Forward and inverse kinematics of a robot by its joint angles in degrees, for programs that keep their own loop."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from lerobot.kinematics.arm import Arm
from lerobot.kinematics.config import KinematicsConfig
from lerobot.kinematics.solver import InverseKinematics


class RobotKinematics:
    """Between joint angles and the pose of a link.

    Args:
        urdf_path: URDF file, or the name of a model that comes with `lerobot-kinematics`: so101.
        target_frame_name: link whose pose is meant.
        joint_names: joints of the URDF in the order of joint angles; those that the link does not depend on, such as
            a gripper's, are handed on as they are. Those between base and link if None.

    Attributes:
        config: the chain, as steps take it.

    Raises:
        ConfigError: the file cannot be read, or lacks the link or a joint.
    """

    def __init__(
        self, urdf_path: str, target_frame_name: str = "gripper_frame_link", joint_names: Sequence[str] | None = None
    ) -> None:
        chain = Arm(KinematicsConfig(urdf_path=urdf_path, target_frame_name=target_frame_name)).joint_names
        self.joint_names = list(joint_names or chain)
        turning = [name for name in self.joint_names if name in chain]
        self._places = [self.joint_names.index(name) for name in turning]
        self.config = KinematicsConfig(
            urdf_path=urdf_path, target_frame_name=target_frame_name, joint_names=turning or None
        )
        self._arm = Arm(self.config)

    def forward_kinematics(self, joint_pos_deg: Any) -> Any:
        """Where the link is.

        Args:
            joint_pos_deg: `(n,)` degrees.

        Returns:
            `(4, 4)`: rotation and position (metres) in the base's frame.
        """
        position, rotation = self._arm.place(np.radians(np.asarray(joint_pos_deg, np.float64)[self._places]))
        pose = np.eye(4)
        pose[:3, :3], pose[:3, 3] = rotation, position
        return pose

    def inverse_kinematics(
        self,
        current_joint_pos: Any,
        desired_ee_pose: Any,
        position_weight: float = 1.0,
        orientation_weight: float = 0.01,
    ) -> Any:
        """Joint angles for a pose; the search is carried to its end, position first.

        Args:
            current_joint_pos: `(n,)` degrees, where the search begins.
            desired_ee_pose: `(4, 4)`.
            position_weight: accepted, and not needed: the position always comes first.
            orientation_weight: how strongly the orientation is sought; 0 leaves it free.

        Returns:
            `(n,)` degrees.
        """
        del position_weight
        joints = np.array(current_joint_pos, np.float64)
        pose = np.asarray(desired_ee_pose, np.float64)
        solver = InverseKinematics(self._arm, orientation_weight=orientation_weight)
        found = solver.solve(pose[:3, 3], pose[:3, :3], np.radians(joints[self._places]))
        joints[self._places] = np.degrees(found.joints)
        return joints
