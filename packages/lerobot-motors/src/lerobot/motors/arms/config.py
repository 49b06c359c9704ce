"""Fields that configurations of arms share."""

from typing import Self

from pydantic import Field, model_validator

from lerobot.core.config.base import CameraConfig, ConfigModel, RobotConfig, TeleoperatorConfig


class ArmFields(ConfigModel):
    """Fields of every arm."""

    port: str = Field(description="Serial port of the arm, such as /dev/ttyACM0; `lerobot find-port` finds it.")


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


class FollowerConfig(FollowerFields, RobotConfig):
    """A follower arm."""


class LeaderConfig(ArmFields, TeleoperatorConfig):
    """A leader arm."""


class FollowerPairConfig(RobotConfig):
    """Two follower arms; a subclass gives the arms the fields of their kind."""

    left_arm_config: FollowerFields = Field(description="The left arm; its cameras get the prefix left_.")
    right_arm_config: FollowerFields = Field(description="The right arm; its cameras get the prefix right_.")
    cameras: dict[str, CameraConfig] = Field(default_factory=dict, description="Cameras of no arm, without a prefix.")

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        arms = {f"left_{name}" for name in self.left_arm_config.cameras}
        arms |= {f"right_{name}" for name in self.right_arm_config.cameras}
        if clash := arms & set(self.cameras):
            raise ValueError(f"other camera names than {', '.join(sorted(clash))}, which the cameras of an arm have")
        return self


class LeaderPairConfig(TeleoperatorConfig):
    """Two leader arms; a subclass gives the arms the fields of their kind."""

    left_arm_config: ArmFields = Field(description="The left arm.")
    right_arm_config: ArmFields = Field(description="The right arm.")
