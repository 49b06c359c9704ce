"""Configurations of Koch v1.1 followers and leaders."""

from pydantic import Field

from lerobot.motors.arms.config import (
    ArmFields,
    FollowerConfig,
    FollowerFields,
    FollowerPairConfig,
    LeaderConfig,
    LeaderPairConfig,
)


class KochFollowerFields(FollowerFields):
    """Fields of every follower arm."""

    use_degrees: bool = Field(default=False, description="Joints in degrees; false gives -100 to 100.")


class KochLeaderFields(ArmFields):
    """Fields of every leader arm."""

    gripper_open_pos: float = Field(
        default=50.0, ge=0, le=100, description="Where the trigger rests when no finger pulls it, 0 closed to 100 open."
    )


class KochFollowerConfig(KochFollowerFields, FollowerConfig):
    """A Koch v1.1 follower arm."""

    target = "lerobot.koch.follower:KochFollower"

    type: str = "koch_follower"


class KochLeaderConfig(KochLeaderFields, LeaderConfig):
    """A Koch v1.1 leader arm."""

    target = "lerobot.koch.leader:KochLeader"

    type: str = "koch_leader"


class BiKochFollowerConfig(FollowerPairConfig):
    """Two Koch v1.1 follower arms."""

    target = "lerobot.koch.bimanual:BiKochFollower"

    type: str = "bi_koch_follower"
    left_arm_config: KochFollowerFields = Field(description="The left arm; its cameras get the prefix left_.")
    right_arm_config: KochFollowerFields = Field(description="The right arm; its cameras get the prefix right_.")


class BiKochLeaderConfig(LeaderPairConfig):
    """Two Koch v1.1 leader arms."""

    target = "lerobot.koch.bimanual:BiKochLeader"

    type: str = "bi_koch_leader"
    left_arm_config: KochLeaderFields = Field(description="The left arm.")
    right_arm_config: KochLeaderFields = Field(description="The right arm.")
