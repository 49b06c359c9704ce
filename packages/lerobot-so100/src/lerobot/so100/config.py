"""Configurations of SO-100 and SO-101 followers and leaders."""

from pydantic import Field

from lerobot.motors.arms.config import (
    ArmFields,
    FollowerConfig,
    FollowerFields,
    FollowerPairConfig,
    LeaderConfig,
    LeaderPairConfig,
)


class SOArmConfig(ArmFields):
    """Fields of every arm."""

    use_degrees: bool = Field(default=True, description="Joints in degrees; false gives -100 to 100.")
    num_read_retries: int = Field(
        default=2, ge=0, description="How often a lost reading is asked for again, if more than the bus does anyway."
    )


class SOFollowerConfig(FollowerFields, SOArmConfig):
    """Fields of every follower arm."""

    position_p_coefficient: int = Field(default=16, ge=0, le=254, description="P gain of the servos.")
    position_i_coefficient: int = Field(default=0, ge=0, le=254, description="I gain of the servos.")
    position_d_coefficient: int = Field(default=32, ge=0, le=254, description="D gain of the servos.")


class SOLeaderConfig(SOArmConfig):
    """Fields of every leader arm."""


class SO100FollowerConfig(SOFollowerConfig, FollowerConfig):
    """An SO-100 follower arm."""

    target = "lerobot.so100.follower:SOFollower"

    type: str = "so100_follower"


class SO101FollowerConfig(SOFollowerConfig, FollowerConfig):
    """An SO-101 follower arm."""

    target = "lerobot.so100.follower:SOFollower"

    type: str = "so101_follower"


class SO100LeaderConfig(SOLeaderConfig, LeaderConfig):
    """An SO-100 leader arm."""

    target = "lerobot.so100.leader:SOLeader"

    type: str = "so100_leader"


class SO101LeaderConfig(SOLeaderConfig, LeaderConfig):
    """An SO-101 leader arm."""

    target = "lerobot.so100.leader:SOLeader"

    type: str = "so101_leader"


class BiSOFollowerConfig(FollowerPairConfig):
    """Two SO follower arms."""

    target = "lerobot.so100.bimanual:BiSOFollower"

    type: str = "bi_so_follower"
    left_arm_config: SOFollowerConfig = Field(description="The left arm; its cameras get the prefix left_.")
    right_arm_config: SOFollowerConfig = Field(description="The right arm; its cameras get the prefix right_.")


class BiSO100FollowerConfig(BiSOFollowerConfig):
    """Two SO follower arms, by their earlier name."""

    type: str = "bi_so100_follower"


class BiSOLeaderConfig(LeaderPairConfig):
    """Two SO leader arms."""

    target = "lerobot.so100.bimanual:BiSOLeader"

    type: str = "bi_so_leader"
    left_arm_config: SOLeaderConfig = Field(description="The left arm.")
    right_arm_config: SOLeaderConfig = Field(description="The right arm.")


class BiSO100LeaderConfig(BiSOLeaderConfig):
    """Two SO leader arms, by their earlier name."""

    type: str = "bi_so100_leader"
