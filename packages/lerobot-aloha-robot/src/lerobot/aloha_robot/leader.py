"""The ALOHA leader arm."""

from lerobot.aloha_robot.arm import ShadowedArm
from lerobot.aloha_robot.config import AlohaLeaderConfig
from lerobot.aloha_robot.tables import LEADER
from lerobot.core.prompts import Prompter
from lerobot.motors.arms.servo_arm import ServoLeader


class AlohaLeader(ShadowedArm, ServoLeader):
    """A WidowX 250 S arm that is moved by hand and read; see `LeaderArm`.

    Args:
        config: see `AlohaLeaderConfig`.
        prompter: who answers questions; the terminal if None.
    """

    name = "aloha_leader"
    table = LEADER

    def __init__(self, config: AlohaLeaderConfig, *, prompter: Prompter | None = None) -> None:
        super().__init__(config, in_degrees=config.use_degrees, prompter=prompter)
