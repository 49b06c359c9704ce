"""The ALOHA follower arm."""

from lerobot.aloha_robot.arm import ShadowedArm
from lerobot.aloha_robot.tables import FOLLOWER
from lerobot.motors.arms.servo_arm import ServoFollower


class AlohaFollower(ShadowedArm, ServoFollower):
    """A ViperX 300 S arm that follows commands; see `FollowerArm`."""

    name = "aloha_follower"
    table = FOLLOWER
