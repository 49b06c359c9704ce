"""The OMX follower arm."""

from lerobot.core.prompts import Prompter
from lerobot.motors.arms.servo_arm import ServoFollower
from lerobot.omx.config import OmxFollowerConfig
from lerobot.omx.tables import FOLLOWER


class OmxFollower(ServoFollower):
    """An OMX arm that follows commands; see `FollowerArm`.

    Args:
        config: see `OmxFollowerConfig`.
        prompter: who answers questions; the terminal if None.
    """

    name = "omx_follower"
    table = FOLLOWER

    def __init__(self, config: OmxFollowerConfig, *, prompter: Prompter | None = None) -> None:
        super().__init__(config, in_degrees=config.use_degrees, prompter=prompter)
