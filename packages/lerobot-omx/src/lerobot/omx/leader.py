"""The OMX leader arm."""

from lerobot.motors.arms.servo_arm import TriggerLeader
from lerobot.omx.tables import LEADER


class OmxLeader(TriggerLeader):
    """An OMX arm that is moved by hand and read; see `TriggerLeader`."""

    name = "omx_leader"
    table = LEADER
