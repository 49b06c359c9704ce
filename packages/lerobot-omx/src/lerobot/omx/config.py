"""Configurations of OMX followers and leaders."""

from lerobot.motors.arms.config import FollowerConfig, TriggerLeaderConfig, TriggerRest, UnitFields


class OmxFollowerConfig(UnitFields, FollowerConfig):
    """An OMX follower arm."""

    target = "lerobot.omx.follower:OmxFollower"

    type: str = "omx_follower"


class OmxLeaderConfig(TriggerLeaderConfig):
    """An OMX leader arm."""

    target = "lerobot.omx.leader:OmxLeader"

    type: str = "omx_leader"
    gripper_open_pos: TriggerRest = 60.0
