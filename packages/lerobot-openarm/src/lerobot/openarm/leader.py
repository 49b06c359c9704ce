"""The OpenArm leader."""

from lerobot.can.arms.leader import CanLeader
from lerobot.core.prompts import Prompter
from lerobot.openarm.config import OpenArmLeaderConfig
from lerobot.openarm.joints import ZERO_POSE
from lerobot.openarm.motors import bus_of


class OpenArmLeader(CanLeader):
    """An OpenArm that is moved by hand and read; see `CanLeader`.

    Args:
        config: its port, motors and gains.
        prompter: who answers questions; the terminal if None.
    """

    name = "openarm_leader"
    zero_pose = ZERO_POSE

    def __init__(self, config: OpenArmLeaderConfig, *, prompter: Prompter | None = None) -> None:
        super().__init__(
            config,
            bus_of(config),
            holds=not config.manual_control,
            tells_velocity_and_torque=config.use_velocity_and_torque,
            prompter=prompter,
        )
