"""Virtual Feetech servos.

- `framing`: bytes to instructions and back
- `servo`: what one servo does with an instruction
"""

from lerobot.feetech.virtual.servo import FeetechServo
from lerobot.motors.virtual.line_spec import LineSpec
from lerobot.motors.virtual.spec import ServoSpec

__all__ = ["STS3215", "FeetechServo"]

STS3215 = LineSpec(FeetechServo, (ServoSpec(1, "sts3215"),), ("motor",))
"""One new motor, for setting up."""
