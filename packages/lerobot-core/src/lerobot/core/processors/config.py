"""Configurations of the steps in core: their fields are the keys of the saved JSON, named as in the peer.

Fields listed in `saved_if_set` are unknown to the peer and written only where they differ from their default.
"""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from lerobot.core.config.base import ConfigModel, ProcessorStepConfig

Entry = Literal["action", "observation"]
Position = Annotated[list[float], Field(min_length=3, max_length=3)]

_STEPS = "lerobot.core.processors.steps"


class IdentityConfig(ProcessorStepConfig):
    """Changes nothing."""

    target: ClassVar[str] = "lerobot.core.processors.step:IdentityProcessorStep"

    type: str = "identity_processor"


# --- names and order -------------------------------------------------------------------------------------------------


class RenameObservationsConfig(ProcessorStepConfig):
    """Renames observation keys."""

    target: ClassVar[str] = f"{_STEPS}.mapping:RenameObservationsProcessorStep"

    type: str = "rename_observations_processor"
    rename_map: dict[str, str] = Field(default={}, description="New key by old key; other keys stay as they are.")


class RenameActionsConfig(ProcessorStepConfig):
    """Renames keys of a robot action."""

    target: ClassVar[str] = f"{_STEPS}.mapping:RenameActionsProcessorStep"

    type: str = "rename_actions_processor"
    rename_map: dict[str, str] = Field(default={}, description="New key by old key; other keys stay as they are.")


class SelectKeysConfig(ProcessorStepConfig):
    """Keeps some keys of an observation or robot action, in the given order."""

    target: ClassVar[str] = f"{_STEPS}.mapping:SelectKeysProcessorStep"

    type: str = "select_keys_processor"
    entry: Entry = Field(description="What to select from.")
    keys: list[str] = Field(min_length=1, description="Keys to keep, in their new order; each must be there.")


class RobotToPolicyActionConfig(ProcessorStepConfig):
    """Makes a vector of a robot action, in motor order."""

    target: ClassVar[str] = f"{_STEPS}.bridge:RobotActionToPolicyActionProcessorStep"

    type: str = "robot_action_to_policy_action_processor"
    motor_names: list[str] = Field(min_length=1, description="Motors in the order of the vector; keys are <name>.pos.")


class PolicyToRobotActionConfig(ProcessorStepConfig):
    """Makes a robot action of a vector, in motor order."""

    target: ClassVar[str] = f"{_STEPS}.bridge:PolicyActionToRobotActionProcessorStep"

    type: str = "policy_action_to_robot_action_processor"
    motor_names: list[str] = Field(min_length=1, description="Motors in the order of the vector; keys are <name>.pos.")


# --- values ----------------------------------------------------------------------------------------------------------


class ClipConfig(ProcessorStepConfig):
    """Clips values to limits."""

    target: ClassVar[str] = f"{_STEPS}.limits:ClipProcessorStep"

    type: str = "clip_processor"
    entry: Entry = Field(default="action", description="What to clip.")
    limits: dict[str, tuple[float, float]] = Field(description="Smallest and largest value by key, in the key's unit.")

    @model_validator(mode="after")
    def _limits_are_ordered(self) -> Self:
        for key, (low, high) in self.limits.items():
            if not low <= high:
                raise PydanticCustomError(
                    "limits_reversed", "low <= high in the limits of '{key}', got {low} and {high}",
                    {"key": key, "low": low, "high": high},
                )  # fmt: skip
        return self


Unit = Literal["deg", "rad", "percent", "m100"]


class UnitConversion(ConfigModel):
    """From which unit to which."""

    source: Unit = Field(description="Unit of the values that come in.")
    target: Unit = Field(description="Unit of the values that go out.")
    range_deg: tuple[float, float] | None = Field(
        default=None, description="Joint range in degrees that percent (0..100) and m100 (-100..100) stand for."
    )

    @model_validator(mode="after")
    def _range_is_there(self) -> Self:
        normalised = {"percent", "m100"}
        if self.range_deg is None:
            if (self.source in normalised) != (self.target in normalised):
                raise PydanticCustomError(
                    "range_missing", "'range_deg', because {source} to {target} depends on the joint's range",
                    {"source": self.source, "target": self.target},
                )  # fmt: skip
        elif not self.range_deg[0] < self.range_deg[1]:
            raise PydanticCustomError("range_empty", "low < high in 'range_deg'")
        return self


class ConvertUnitsConfig(ProcessorStepConfig):
    """Converts joint values between degrees, radians, percent and -100..100."""

    target: ClassVar[str] = f"{_STEPS}.units:ConvertUnitsProcessorStep"

    type: str = "convert_units_processor"
    entry: Entry = Field(default="action", description="What to convert.")
    conversions: dict[str, UnitConversion] = Field(description="Conversion by key; other keys stay as they are.")


# --- deltas ----------------------------------------------------------------------------------------------------------


class TensorToDeltaActionConfig(ProcessorStepConfig):
    """Makes delta_x, delta_y, delta_z and gripper of a vector."""

    target: ClassVar[str] = f"{_STEPS}.deltas:MapTensorToDeltaActionDictStep"

    type: str = "map_tensor_to_delta_action_dict"
    use_gripper: bool = Field(default=True, description="The vector has a fourth element, the gripper.")


class DeltaToRobotActionConfig(ProcessorStepConfig):
    """Makes an end-effector target of delta_x, delta_y, delta_z and, if there is one, gripper."""

    target: ClassVar[str] = f"{_STEPS}.deltas:MapDeltaActionToRobotActionStep"

    type: str = "map_delta_action_to_robot_action"
    position_scale: float = Field(default=1.0, description="Factor on the deltas.")
    noise_threshold: float = Field(default=1e-3, ge=0, description="Deltas up to this length do not enable the arm.")


class RelativeJointActionsConfig(ProcessorStepConfig):
    """Makes joint targets relative to the measured joint positions."""

    target: ClassVar[str] = f"{_STEPS}.deltas:RelativeJointActionsProcessorStep"

    type: str = "relative_joint_actions_processor"
    motor_names: list[str] = Field(min_length=1, description="Motors whose <name>.pos becomes relative.")


class AbsoluteJointActionsConfig(ProcessorStepConfig):
    """Adds the measured joint positions to relative joint targets."""

    target: ClassVar[str] = f"{_STEPS}.deltas:AbsoluteJointActionsProcessorStep"

    type: str = "absolute_joint_actions_processor"
    motor_names: list[str] = Field(min_length=1, description="Motors whose <name>.pos becomes absolute.")


# --- end effector ----------------------------------------------------------------------------------------------------


class GripperVelocityToJointConfig(ProcessorStepConfig):
    """Integrates a gripper velocity to a gripper position."""

    target: ClassVar[str] = f"{_STEPS}.end_effector:GripperVelocityToJoint"

    saved_if_set: ClassVar[frozenset[str]] = frozenset({"from_command", "gripper_key"})

    type: str = "gripper_velocity_to_joint"
    speed_factor: float = Field(default=20.0, description="Change of position per tick at velocity 1.")
    clip_min: float = Field(default=0.0, description="Smallest position, in the gripper's unit.")
    clip_max: float = Field(default=100.0, description="Largest position, in the gripper's unit.")
    discrete_gripper: bool = Field(default=False, description="Velocities are classes: 0 close, 1 stay, 2 open.")
    gripper_key: str = Field(default="gripper.pos", description="Observation key of the measured gripper position.")
    from_command: bool = Field(
        default=False,
        description="Go on from the last command instead of the measured position, so that a gripper that holds "
        "something keeps its grip.",
    )


class EndEffectorBounds(ConfigModel):
    """A box in the robot's base frame."""

    min: Position = Field(description="Smallest x, y, z in metres.")
    max: Position = Field(description="Largest x, y, z in metres.")

    @model_validator(mode="after")
    def _box_is_not_empty(self) -> Self:
        if any(not low <= high for low, high in zip(self.min, self.max, strict=True)):
            raise PydanticCustomError("bounds_reversed", "min <= max on every axis")
        return self


class EEBoundsAndSafetyConfig(ProcessorStepConfig):
    """Keeps the end effector in a box and its steps small."""

    target: ClassVar[str] = f"{_STEPS}.end_effector:EEBoundsAndSafety"

    saved_if_set: ClassVar[frozenset[str]] = frozenset({"check_first_command"})

    type: str = "ee_bounds_and_safety"
    end_effector_bounds: EndEffectorBounds = Field(description="Box the commanded position stays in.")
    max_ee_step_m: float = Field(default=0.05, gt=0, description="Largest distance between two commands, metres.")
    raise_on_jump: bool = Field(default=True, description="A larger step is an error; otherwise it is shortened.")
    check_first_command: bool = Field(
        default=True, description="Compare the first command with the measured pose, ee.x/y/z of the observation."
    )


# --- episodes and people ---------------------------------------------------------------------------------------------


class TimeLimitConfig(ProcessorStepConfig):
    """Cuts episodes off after a number of steps."""

    target: ClassVar[str] = f"{_STEPS}.episode:TimeLimitProcessorStep"

    type: str = "time_limit_processor"
    max_episode_steps: int = Field(gt=0, description="Steps after which an episode is truncated.")


class GripperPenaltyConfig(ProcessorStepConfig):
    """Penalises opening a closed gripper and closing an open one."""

    target: ClassVar[str] = f"{_STEPS}.episode:GripperPenaltyProcessorStep"

    saved_if_set: ClassVar[frozenset[str]] = frozenset({"gripper_key", "gripper_index"})

    type: str = "gripper_penalty_processor"
    penalty: float = Field(default=-0.02, description="Value of the penalty.")
    max_gripper_pos: float = Field(default=30.0, gt=0, description="Gripper position that counts as 1.")
    open_threshold: float = Field(default=0.1, description="Below this the gripper is open.")
    closed_threshold: float = Field(default=0.9, description="Above this the gripper is closed.")
    gripper_key: str = Field(default="gripper.pos", description="Key of the gripper in positions and robot actions.")
    gripper_index: int = Field(default=-1, description="Element of a policy action that is the gripper.")


class InterventionActionConfig(ProcessorStepConfig):
    """Lets a person take over from the policy and end the episode."""

    target: ClassVar[str] = f"{_STEPS}.intervention:InterventionActionProcessorStep"

    type: str = "intervention_action_processor"
    use_gripper: bool = Field(default=False, description="The person's action has a gripper.")
    terminate_on_success: bool = Field(default=True, description="Success ends the episode.")


class AddTeleopActionConfig(ProcessorStepConfig):
    """Adds the teleoperator's action to the complementary data."""

    target: ClassVar[str] = f"{_STEPS}.intervention:AddTeleopActionAsComplementaryDataStep"

    type: str = "add_teleop_action_as_complementary_data"


class AddTeleopEventsConfig(ProcessorStepConfig):
    """Adds the teleoperator's events to the info."""

    target: ClassVar[str] = f"{_STEPS}.intervention:AddTeleopEventsAsInfoStep"

    type: str = "add_teleop_action_as_info"
