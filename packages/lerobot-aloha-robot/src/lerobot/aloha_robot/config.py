"""Configurations of ALOHA followers and leaders."""

from pydantic import Field

from lerobot.motors.arms.config import (
    ArmFields,
    FollowerConfig,
    FollowerFields,
    FollowerPairConfig,
    LeaderConfig,
    LeaderPairConfig,
)

IN_DEGREES = "Joints in degrees; false gives -100 to 100."


class AlohaFollowerFields(FollowerFields):
    """Fields of every follower arm."""

    use_degrees: bool = Field(default=False, description=IN_DEGREES)


class AlohaLeaderFields(ArmFields):
    """Fields of every leader arm."""

    use_degrees: bool = Field(default=False, description=IN_DEGREES)


class AlohaFollowerConfig(AlohaFollowerFields, FollowerConfig):
    """A ViperX 300 S follower arm of ALOHA."""

    target = "lerobot.aloha_robot.follower:AlohaFollower"

    type: str = "aloha_follower"


class AlohaLeaderConfig(AlohaLeaderFields, LeaderConfig):
    """A WidowX 250 S leader arm of ALOHA."""

    target = "lerobot.aloha_robot.leader:AlohaLeader"

    type: str = "aloha_leader"


class BiAlohaFollowerConfig(FollowerPairConfig):
    """Two ViperX 300 S follower arms of ALOHA."""

    target = "lerobot.aloha_robot.bimanual:BiAlohaFollower"

    type: str = "bi_aloha_follower"
    left_arm_config: AlohaFollowerFields = Field(description="The left arm; its cameras get the prefix left_.")
    right_arm_config: AlohaFollowerFields = Field(description="The right arm; its cameras get the prefix right_.")


class BiAlohaLeaderConfig(LeaderPairConfig):
    """Two WidowX 250 S leader arms of ALOHA."""

    target = "lerobot.aloha_robot.bimanual:BiAlohaLeader"

    type: str = "bi_aloha_leader"
    left_arm_config: AlohaLeaderFields = Field(description="The left arm.")
    right_arm_config: AlohaLeaderFields = Field(description="The right arm.")
