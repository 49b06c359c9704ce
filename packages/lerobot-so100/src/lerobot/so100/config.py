"""Configurations of SO-100 and SO-101 followers and leaders."""

from typing import Self

from pydantic import Field, model_validator

from lerobot.core.config.base import CameraConfig, ConfigModel, RobotConfig, TeleoperatorConfig


class SOArmConfig(ConfigModel):
    """Fields of every arm."""

    port: str = Field(description="Serial port of the arm, such as /dev/ttyACM0; `lerobot find-port` finds it.")
    use_degrees: bool = Field(default=True, description="Joints in degrees; false gives -100 to 100.")
    num_read_retries: int = Field(
        default=2, ge=0, description="How often a lost reading is asked for again, if more than the bus does anyway."
    )


class SOFollowerConfig(SOArmConfig):
    """Fields of every follower arm."""

    disable_torque_on_disconnect: bool = Field(
        default=True, description="Switch the motors off at the end; false leaves the arm holding its pose."
    )
    max_relative_target: float | dict[str, float] | None = Field(
        default=None,
        description="Farthest target from the present position, in each joint's unit: one number, or one per joint.",
    )
    cameras: dict[str, CameraConfig] = Field(default_factory=dict, description="Cameras by name.")
    position_p_coefficient: int = Field(default=16, ge=0, le=254, description="P gain of the servos.")
    position_i_coefficient: int = Field(default=0, ge=0, le=254, description="I gain of the servos.")
    position_d_coefficient: int = Field(default=32, ge=0, le=254, description="D gain of the servos.")


class SOLeaderConfig(SOArmConfig):
    """Fields of every leader arm."""


class SO100FollowerConfig(SOFollowerConfig, RobotConfig):
    """An SO-100 follower arm."""

    target = "lerobot.so100.follower:SOFollower"

    type: str = "so100_follower"


class SO101FollowerConfig(SOFollowerConfig, RobotConfig):
    """An SO-101 follower arm."""

    target = "lerobot.so100.follower:SOFollower"

    type: str = "so101_follower"


class SO100LeaderConfig(SOLeaderConfig, TeleoperatorConfig):
    """An SO-100 leader arm."""

    target = "lerobot.so100.leader:SOLeader"

    type: str = "so100_leader"


class SO101LeaderConfig(SOLeaderConfig, TeleoperatorConfig):
    """An SO-101 leader arm."""

    target = "lerobot.so100.leader:SOLeader"

    type: str = "so101_leader"


class BiSOFollowerConfig(RobotConfig):
    """Two SO follower arms."""

    target = "lerobot.so100.bimanual:BiSOFollower"

    type: str = "bi_so_follower"
    left_arm_config: SOFollowerConfig = Field(description="The left arm; its cameras get the prefix left_.")
    right_arm_config: SOFollowerConfig = Field(description="The right arm; its cameras get the prefix right_.")
    cameras: dict[str, CameraConfig] = Field(default_factory=dict, description="Cameras of no arm, without a prefix.")

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        arms = {f"left_{name}" for name in self.left_arm_config.cameras}
        arms |= {f"right_{name}" for name in self.right_arm_config.cameras}
        if clash := arms & set(self.cameras):
            raise ValueError(f"other camera names than {', '.join(sorted(clash))}, which the cameras of an arm have")
        return self


class BiSO100FollowerConfig(BiSOFollowerConfig):
    """Two SO follower arms, by their earlier name."""

    type: str = "bi_so100_follower"


class BiSOLeaderConfig(TeleoperatorConfig):
    """Two SO leader arms."""

    target = "lerobot.so100.bimanual:BiSOLeader"

    type: str = "bi_so_leader"
    left_arm_config: SOLeaderConfig = Field(description="The left arm.")
    right_arm_config: SOLeaderConfig = Field(description="The right arm.")


class BiSO100LeaderConfig(BiSOLeaderConfig):
    """Two SO leader arms, by their earlier name."""

    type: str = "bi_so100_leader"
