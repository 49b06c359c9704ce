"""The HopeJR arm."""

from lerobot.feetech import FeetechMotorsBus
from lerobot.hope_jr.tables import ACCELERATION, ARM
from lerobot.motors.arms.servo_arm import ServoFollower


class HopeJRArm(ServoFollower):
    """A HopeJR arm, from the shoulder to the wrist, that follows commands; see `FollowerArm`."""

    name = "hope_jr_arm"
    table = ARM
    bus: FeetechMotorsBus

    def _write_settings(self) -> None:
        self.bus.configure_motors(maximum_acceleration=ACCELERATION, acceleration=ACCELERATION)
