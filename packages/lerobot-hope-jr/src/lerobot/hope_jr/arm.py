"""The HopeJR arm."""

from lerobot.core.prompts import Prompter
from lerobot.feetech import FeetechMotorsBus
from lerobot.hope_jr.config import HopeJRArmConfig
from lerobot.hope_jr.tables import ACCELERATION, ARM
from lerobot.motors.arms.servo_arm import ServoFollower


class HopeJRArm(ServoFollower):
    """A HopeJR arm, from the shoulder to the wrist, that follows commands; see `FollowerArm`.

    Args:
        config: see `HopeJRArmConfig`.
        prompter: who answers questions; the terminal if None.
    """

    name = "hope_jr_arm"
    table = ARM
    bus: FeetechMotorsBus

    def __init__(self, config: HopeJRArmConfig, *, prompter: Prompter | None = None) -> None:
        super().__init__(config, in_degrees=False, prompter=prompter)

    def _write_settings(self) -> None:
        self.bus.configure_motors(maximum_acceleration=ACCELERATION, acceleration=ACCELERATION)
