"""The OMX follower arm."""

from lerobot.motors.arms.servo_arm import ServoFollower
from lerobot.omx.tables import FOLLOWER


class OmxFollower(ServoFollower):
    """An OMX arm that follows commands; see `FollowerArm`."""

    name = "omx_follower"
    table = FOLLOWER
