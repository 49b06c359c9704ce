"""Configurations of the steps between joints and end effector, and of the links that the safety gate knows.

Keys and defaults of the steps are those of the peer. Fields listed in `saved_if_set` are unknown to the peer and
written only where they differ from their default.
"""

from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import Field

from lerobot.core.config.base import ConfigModel, PathText, ProcessorStepConfig, Unit
from lerobot.core.processors.config import EndEffectorBounds
from lerobot.core.safety.config import ArmModelConfig

_STEPS = "lerobot.kinematics.steps"

TABLE_TOP = EndEffectorBounds(min=[-0.6, -0.6, 0.0], max=[0.6, 0.6, 0.7])
"""Everything within reach of a small arm and not below its base."""


class KinematicsConfig(ConfigModel):
    """The arm's kinematic chain."""

    urdf_path: PathText = Field(description="URDF file, or the name of a model that comes with the package: so101.")
    target_frame_name: str = Field(default="gripper_frame_link", description="Link of the URDF that is the end.")
    joint_names: list[str] | None = Field(
        default=None,
        min_length=1,
        description="Joints of the URDF in the order of motor_names, where they are named otherwise than the motors; "
        "default: those between base and end.",
    )


class LinksConfig(ArmModelConfig):
    """Links of an arm as capsules, from its URDF or MJCF file: makes its workspace and collisions known to the gate."""

    target: ClassVar[str] = "lerobot.kinematics.links:Links"

    type: str = "links"
    file: PathText = Field(description="URDF or MJCF file, or the name of a model that comes with the package: so101.")
    end_effector: str = Field(default="gripper_frame_link", description="Link whose place the workspace's box is for.")
    joints: dict[str, str] = Field(
        default_factory=dict, description="The file's joint by motor, where they are named otherwise: {pan: joint_1}."
    )
    capsules: Path | None = Field(
        default=None,
        description="YAML file with the capsules of links; without it the file's shapes, else its lengths.",
    )
    radius_m: float = Field(
        default=0.03, gt=0, description="Radius of links whose shape is not known, metres: 0.03 fits an SO-101."
    )


class _KinematicStepConfig(ProcessorStepConfig):
    kinematics: KinematicsConfig = Field(description="The arm's kinematic chain.")
    motor_names: list[str] | None = Field(
        default=None,
        min_length=1,
        description="Motors whose <name>.pos, in degrees, are the joints; 'gripper' may be among them. Default: named "
        "as the joints.",
    )


class ForwardKinematicsConfig(_KinematicStepConfig):
    """Replaces joint positions by the end effector's pose, in observation and action."""

    target: ClassVar[str] = f"{_STEPS}.forward:ForwardKinematicsJointsToEE"
    saved_if_set: ClassVar[frozenset[str]] = frozenset({"keep_joints"})

    type: str = "forward_kinematics_joints_to_ee"
    keep_joints: bool = Field(default=False, description="Add the pose instead of replacing the joint positions.")


class ForwardKinematicsObservationConfig(ForwardKinematicsConfig):
    """Replaces joint positions of the observation by the end effector's pose."""

    target: ClassVar[str] = f"{_STEPS}.forward:ForwardKinematicsJointsToEEObservation"

    type: str = "forward_kinematics_joints_to_ee_observation"


class ForwardKinematicsActionConfig(ForwardKinematicsConfig):
    """Replaces joint targets of the action by the end effector's pose."""

    target: ClassVar[str] = f"{_STEPS}.forward:ForwardKinematicsJointsToEEAction"

    type: str = "forward_kinematics_joints_to_ee_action"


class StepSizes(ConfigModel):
    """How far a target of 1 is."""

    x: Annotated[float, Unit("m")] = Field(description="Along x of the base.")
    y: Annotated[float, Unit("m")] = Field(description="Along y of the base.")
    z: Annotated[float, Unit("m")] = Field(description="Along z of the base.")


class EEReferenceAndDeltaConfig(_KinematicStepConfig):
    """Makes a pose of a displacement from where the arm is, or was when it was enabled."""

    target: ClassVar[str] = f"{_STEPS}.reference:EEReferenceAndDelta"

    type: str = "ee_reference_and_delta"
    end_effector_step_sizes: StepSizes = Field(description="Metres per unit of target_x, target_y and target_z.")
    use_latched_reference: bool = Field(
        default=True, description="Displacements count from the pose at the moment of enabling; otherwise from now."
    )
    use_ik_solution: bool = Field(
        default=False, description="Where the arm is, is what was commanded last (IK_solution), not what is measured."
    )


class InverseKinematicsConfig(_KinematicStepConfig):
    """Makes joint targets of a pose of the end effector."""

    target: ClassVar[str] = f"{_STEPS}.inverse:InverseKinematicsEEToJoints"
    saved_if_set: ClassVar[frozenset[str]] = frozenset({"max_position_error_m", "max_joint_step_deg"})

    type: str = "inverse_kinematics_ee_to_joints"
    initial_guess_current_joints: bool = Field(
        default=True, description="Start the search from the measured joints; otherwise from the last solution."
    )
    orientation_weight: float = Field(
        default=0.01, ge=0, description="How strongly the orientation is sought once the position is met; 0: not."
    )
    max_position_error_m: float = Field(
        default=0.001, gt=0, description="A pose that cannot be met closer than this is out of reach: the arm holds."
    )
    max_joint_step_deg: float = Field(
        default=10.0, gt=0, description="Farthest a joint target moves per tick, degrees; longer ways take more ticks."
    )


class InverseKinematicsRLConfig(InverseKinematicsConfig):
    """Makes joint targets of a pose, and adds them to the complementary data as IK_solution."""

    target: ClassVar[str] = f"{_STEPS}.inverse:InverseKinematicsRLStep"
    saved_if_set: ClassVar[frozenset[str]] = InverseKinematicsConfig.saved_if_set | {"orientation_weight"}

    type: str = "inverse_kinematics_rl_step"


class EEDeltasToJointsConfig(_KinematicStepConfig):
    """Drives joints with the deltas of a keyboard, gamepad or policy: the whole chain of end-effector steps."""

    target: ClassVar[str] = f"{_STEPS}.deltas:EEDeltasToJoints"

    type: str = "ee_deltas_to_joints"
    step_m: float = Field(default=0.004, gt=0, description="Way of the end effector per tick at a delta of 1, metres.")
    heading_deg: float = Field(
        default=0.0,
        description="Where the deltas' x points in the base's frame, degrees to the left: the view of who drives. 90 "
        "makes the up key of keyboard_ee forward.",
    )
    gripper_step: float = Field(
        default=3.0, gt=0, description="Way of the gripper per tick while it opens or closes, in its unit (percent)."
    )
    end_effector_bounds: EndEffectorBounds = Field(
        default=TABLE_TOP, description="Box the commanded position stays in, base frame, metres."
    )
    orientation_weight: float = Field(default=0.01, ge=0, description="How strongly the orientation is kept; 0: not.")
