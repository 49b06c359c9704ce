"""Configurations of Koch v1.1 followers and leaders."""

from lerobot.motors.arms.config import (
    FollowerConfig,
    FollowerPairConfig,
    LeaderPairConfig,
    TriggerFields,
    TriggerLeaderConfig,
    UnitFields,
    UnitFollowerFields,
)


class KochFollowerConfig(UnitFields, FollowerConfig):
    """A Koch v1.1 follower arm."""

    target = "lerobot.koch.follower:KochFollower"

    type: str = "koch_follower"


class KochLeaderConfig(TriggerLeaderConfig):
    """A Koch v1.1 leader arm."""

    target = "lerobot.koch.leader:KochLeader"

    type: str = "koch_leader"


class BiKochFollowerConfig(FollowerPairConfig[UnitFollowerFields]):
    """Two Koch v1.1 follower arms."""

    target = "lerobot.koch.bimanual:BiKochFollower"

    type: str = "bi_koch_follower"


class BiKochLeaderConfig(LeaderPairConfig[TriggerFields]):
    """Two Koch v1.1 leader arms."""

    target = "lerobot.koch.bimanual:BiKochLeader"

    type: str = "bi_koch_leader"
