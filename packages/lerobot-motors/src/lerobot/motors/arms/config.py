"""Fields that configurations of arms share."""

from typing import Annotated, Generic, Self, TypeVar

from pydantic import Field, model_validator

from lerobot.core.config.base import CameraConfig, ConfigModel, RobotConfig, TeleoperatorConfig

InDegrees = Annotated[bool, Field(description="Joints in degrees; false gives -100 to 100.")]
ReadRetries = Annotated[
    int, Field(ge=0, description="How often a lost reading is asked for again, if more than the bus does anyway.")
]
TriggerRest = Annotated[
    float, Field(ge=0, le=100, description="Where the trigger rests when no finger pulls it, 0 closed to 100 open.")
]


class ArmFields(ConfigModel):
    """Fields of every arm."""

    port: str = Field(description="Serial port of the arm, such as /dev/ttyACM0; `lerobot find-port` finds it.")

    @property
    def in_degrees(self) -> bool:
        """Whether joints are in degrees; else from -100 to 100."""
        return False

    @property
    def read_retries(self) -> int:
        """How often a lost reading is asked for again, if more than the bus does anyway."""
        return 0


class UnitFields(ArmFields):
    """Fields of an arm whose joints have the unit that one wants."""

    use_degrees: InDegrees = False

    @property
    def in_degrees(self) -> bool:
        """See `ArmFields.in_degrees`."""
        return self.use_degrees


class RetryFields(UnitFields):
    """Fields of an arm whose readings are asked for as often as one wants."""

    use_degrees: InDegrees = True
    num_read_retries: ReadRetries = 2

    @property
    def read_retries(self) -> int:
        """See `ArmFields.read_retries`."""
        return self.num_read_retries


class TriggerFields(ArmFields):
    """Fields of a leader arm whose gripper is a trigger that springs open."""

    gripper_open_pos: TriggerRest = 50.0


class FollowerFields(ArmFields):
    """Fields of every follower arm."""

    disable_torque_on_disconnect: bool = Field(
        default=True, description="Switch the motors off at the end; false leaves the arm holding its pose."
    )
    max_relative_target: float | dict[str, float] | None = Field(
        default=None,
        description="Farthest target from the present position, in each joint's unit: one number, or one per joint.",
    )
    cameras: dict[str, CameraConfig] = Field(default_factory=dict, description="Cameras by name.")


class UnitFollowerFields(UnitFields, FollowerFields):
    """Fields of a follower arm whose joints have the unit that one wants."""


class FollowerConfig(FollowerFields, RobotConfig):
    """A follower arm."""


class LeaderConfig(ArmFields, TeleoperatorConfig):
    """A leader arm."""


class TriggerLeaderConfig(TriggerFields, LeaderConfig):
    """A leader arm whose gripper is a trigger."""


OneFollower = TypeVar("OneFollower", bound=FollowerFields)
OneLeader = TypeVar("OneLeader", bound=ArmFields)


class FollowerPairConfig(RobotConfig, Generic[OneFollower]):
    """Two follower arms with the fields of their kind: `FollowerPairConfig[UnitFollowerFields]`."""

    left_arm_config: OneFollower = Field(description="The left arm; its cameras get the prefix left_.")
    right_arm_config: OneFollower = Field(description="The right arm; its cameras get the prefix right_.")
    cameras: dict[str, CameraConfig] = Field(default_factory=dict, description="Cameras of no arm, without a prefix.")

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        arms = {f"left_{name}" for name in self.left_arm_config.cameras}
        arms |= {f"right_{name}" for name in self.right_arm_config.cameras}
        if clash := arms & set(self.cameras):
            raise ValueError(f"other camera names than {', '.join(sorted(clash))}, which the cameras of an arm have")
        return self


class LeaderPairConfig(TeleoperatorConfig, Generic[OneLeader]):
    """Two leader arms with the fields of their kind: `LeaderPairConfig[ArmFields]`."""

    left_arm_config: OneLeader = Field(description="The left arm.")
    right_arm_config: OneLeader = Field(description="The right arm.")
