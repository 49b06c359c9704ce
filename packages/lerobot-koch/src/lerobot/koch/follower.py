"""The Koch v1.1 follower arm."""

from lerobot.core.prompts import Prompter
from lerobot.koch.config import KochFollowerConfig
from lerobot.koch.tables import FOLLOWER
from lerobot.motors.arms.servo_arm import ServoFollower


class KochFollower(ServoFollower):
    """A Koch v1.1 arm that follows commands; see `FollowerArm`.

    Args:
        config: see `KochFollowerConfig`.
        prompter: who answers questions; the terminal if None.
    """

    name = "koch_follower"
    table = FOLLOWER

    def __init__(self, config: KochFollowerConfig, *, prompter: Prompter | None = None) -> None:
        super().__init__(config, in_degrees=config.use_degrees, prompter=prompter)
