"""The ALOHA leader arm."""

from lerobot.aloha_robot.arm import ShadowedArm
from lerobot.aloha_robot.tables import LEADER
from lerobot.motors.arms.servo_arm import ServoLeader


class AlohaLeader(ShadowedArm, ServoLeader):
    """A WidowX 250 S arm that is moved by hand and read; see `LeaderArm`."""

    name = "aloha_leader"
    table = LEADER
