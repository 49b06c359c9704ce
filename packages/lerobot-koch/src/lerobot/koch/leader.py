"""The Koch v1.1 leader arm."""

from lerobot.core.prompts import Prompter
from lerobot.koch.config import KochLeaderConfig
from lerobot.koch.tables import LEADER
from lerobot.motors.arms.servo_arm import TriggerLeader


class KochLeader(TriggerLeader):
    """A Koch v1.1 arm that is moved by hand and read; see `TriggerLeader`.

    Args:
        config: see `KochLeaderConfig`.
        prompter: who answers questions; the terminal if None.
    """

    name = "koch_leader"
    table = LEADER

    def __init__(self, config: KochLeaderConfig, *, prompter: Prompter | None = None) -> None:
        super().__init__(config, open_at=config.gripper_open_pos, in_degrees=False, prompter=prompter)
