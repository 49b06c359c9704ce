"""Configurations of OMX followers and leaders."""

from pydantic import Field

from lerobot.motors.arms.config import FollowerConfig, LeaderConfig


class OmxFollowerConfig(FollowerConfig):
    """An OMX follower arm."""

    target = "lerobot.omx.follower:OmxFollower"

    type: str = "omx_follower"
    use_degrees: bool = Field(default=False, description="Joints in degrees; false gives -100 to 100.")


class OmxLeaderConfig(LeaderConfig):
    """An OMX leader arm."""

    target = "lerobot.omx.leader:OmxLeader"

    type: str = "omx_leader"
    gripper_open_pos: float = Field(
        default=60.0, ge=0, le=100, description="Where the trigger rests when no finger pulls it, 0 closed to 100 open."
    )
