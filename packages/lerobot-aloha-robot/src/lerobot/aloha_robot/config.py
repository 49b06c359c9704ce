"""Configurations of ALOHA followers and leaders."""

from lerobot.motors.arms.config import (
    FollowerConfig,
    FollowerPairConfig,
    LeaderConfig,
    LeaderPairConfig,
    UnitFields,
    UnitFollowerFields,
)


class AlohaFollowerConfig(UnitFields, FollowerConfig):
    """A ViperX 300 S follower arm of ALOHA."""

    target = "lerobot.aloha_robot.follower:AlohaFollower"

    type: str = "aloha_follower"


class AlohaLeaderConfig(UnitFields, LeaderConfig):
    """A WidowX 250 S leader arm of ALOHA."""

    target = "lerobot.aloha_robot.leader:AlohaLeader"

    type: str = "aloha_leader"


class BiAlohaFollowerConfig(FollowerPairConfig[UnitFollowerFields]):
    """Two ViperX 300 S follower arms of ALOHA."""

    target = "lerobot.aloha_robot.bimanual:BiAlohaFollower"

    type: str = "bi_aloha_follower"


class BiAlohaLeaderConfig(LeaderPairConfig[UnitFields]):
    """Two WidowX 250 S leader arms of ALOHA."""

    target = "lerobot.aloha_robot.bimanual:BiAlohaLeader"

    type: str = "bi_aloha_leader"
