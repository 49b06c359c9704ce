"""The HopeJR hand."""

from lerobot.core.prompts import Prompter
from lerobot.hope_jr.config import HopeJRHandConfig
from lerobot.hope_jr.tables import HANDS
from lerobot.motors.arms.servo_arm import ServoFollower


class HopeJRHand(ServoFollower):
    """A left or right HopeJR hand that follows commands; see `FollowerArm`.

    Args:
        config: see `HopeJRHandConfig`.
        prompter: who answers questions; the terminal if None.
    """

    name = "hope_jr_hand"

    def __init__(self, config: HopeJRHandConfig, *, prompter: Prompter | None = None) -> None:
        self.table = HANDS[config.side]
        super().__init__(config, prompter=prompter)

    def setup_order(self) -> list[str]:
        """Joints in the order their servos are set up in: thumb first."""
        return list(self.table.joints)
