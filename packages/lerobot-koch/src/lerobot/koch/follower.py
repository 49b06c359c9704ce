"""The Koch v1.1 follower arm."""

from lerobot.koch.tables import FOLLOWER
from lerobot.motors.arms.servo_arm import ServoFollower


class KochFollower(ServoFollower):
    """A Koch v1.1 arm that follows commands; see `FollowerArm`."""

    name = "koch_follower"
    table = FOLLOWER
