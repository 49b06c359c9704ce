"""The OpenArm follower."""

from lerobot.can.arms.follower import CanFollower
from lerobot.core.prompts import Prompter
from lerobot.openarm.config import OpenArmFollowerConfig
from lerobot.openarm.joints import ZERO_POSE
from lerobot.openarm.motors import bus_of


class OpenArmFollower(CanFollower):
    """An OpenArm that follows commands; see `CanFollower`.

    Args:
        config: its port, motors, gains and limits.
        prompter: who answers questions; the terminal if None.
    """

    name = "openarm_follower"
    zero_pose = ZERO_POSE

    def __init__(self, config: OpenArmFollowerConfig, *, prompter: Prompter | None = None) -> None:
        super().__init__(
            config,
            bus_of(config),
            config.limits,
            tells_velocity_and_torque=config.use_velocity_and_torque,
            prompter=prompter,
        )

    def _travel(self, name: str) -> tuple[int, int]:  # noqa: ARG002 (the same for every joint)
        """A quarter turn each way, as huggingface/lerobot writes."""
        return -90, 90
