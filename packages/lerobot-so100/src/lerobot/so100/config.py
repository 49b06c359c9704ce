"""Configurations of SO-100 and SO-101 followers and leaders."""

from pydantic import Field

from lerobot.motors.arms.config import (
    FollowerConfig,
    FollowerFields,
    FollowerPairConfig,
    LeaderConfig,
    LeaderPairConfig,
    RetryFields,
)


class SOFollowerConfig(FollowerFields, RetryFields):
    """Fields of every follower arm."""

    position_p_coefficient: int = Field(default=16, ge=0, le=254, description="P gain of the servos.")
    position_i_coefficient: int = Field(default=0, ge=0, le=254, description="I gain of the servos.")
    position_d_coefficient: int = Field(default=32, ge=0, le=254, description="D gain of the servos.")


class SOLeaderConfig(RetryFields):
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


class BiSOFollowerConfig(FollowerPairConfig[SOFollowerConfig]):
    """Two SO follower arms."""

    target = "lerobot.so100.bimanual:BiSOFollower"

    type: str = "bi_so_follower"


class BiSO100FollowerConfig(BiSOFollowerConfig):
    """Two SO follower arms, by their earlier name."""

    type: str = "bi_so100_follower"


class BiSOLeaderConfig(LeaderPairConfig[SOLeaderConfig]):
    """Two SO leader arms."""

    target = "lerobot.so100.bimanual:BiSOLeader"

    type: str = "bi_so_leader"


class BiSO100LeaderConfig(BiSOLeaderConfig):
    """Two SO leader arms, by their earlier name."""

    type: str = "bi_so100_leader"
