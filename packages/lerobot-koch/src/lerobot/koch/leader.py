"""The Koch v1.1 leader arm."""

from lerobot.koch.tables import LEADER
from lerobot.motors.arms.servo_arm import TriggerLeader


class KochLeader(TriggerLeader):
    """A Koch v1.1 arm that is moved by hand and read; see `TriggerLeader`."""

    name = "koch_leader"
    table = LEADER
