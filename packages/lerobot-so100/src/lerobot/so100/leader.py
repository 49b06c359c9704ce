"""The SO-100 and SO-101 leader arm."""

from lerobot.motors.arms.servo_arm import ServoLeader
from lerobot.so100.tables import LEADER


class SOLeader(ServoLeader):
    """An SO arm that is moved by hand and read; see `LeaderArm`."""

    name = "so_leader"
    former_names = ("so101_leader", "so100_leader")
    table = LEADER
