"""The OMX leader arm."""

from lerobot.core.prompts import Prompter
from lerobot.motors.arms.servo_arm import TriggerLeader
from lerobot.omx.config import OmxLeaderConfig
from lerobot.omx.tables import LEADER


class OmxLeader(TriggerLeader):
    """An OMX arm that is moved by hand and read; see `TriggerLeader`.

    Args:
        config: see `OmxLeaderConfig`.
        prompter: who answers questions; the terminal if None.
    """

    name = "omx_leader"
    table = LEADER

    def __init__(self, config: OmxLeaderConfig, *, prompter: Prompter | None = None) -> None:
        super().__init__(config, open_at=config.gripper_open_pos, in_degrees=False, prompter=prompter)
