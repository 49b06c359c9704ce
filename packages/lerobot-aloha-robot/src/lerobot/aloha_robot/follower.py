"""The ALOHA follower arm."""

from lerobot.aloha_robot.arm import ShadowedArm
from lerobot.aloha_robot.config import AlohaFollowerConfig
from lerobot.aloha_robot.tables import FOLLOWER
from lerobot.core.prompts import Prompter
from lerobot.motors.arms.servo_arm import ServoFollower


class AlohaFollower(ShadowedArm, ServoFollower):
    """A ViperX 300 S arm that follows commands; see `FollowerArm`.

    Args:
        config: see `AlohaFollowerConfig`.
        prompter: who answers questions; the terminal if None.
    """

    name = "aloha_follower"
    table = FOLLOWER

    def __init__(self, config: AlohaFollowerConfig, *, prompter: Prompter | None = None) -> None:
        super().__init__(config, in_degrees=config.use_degrees, prompter=prompter)
