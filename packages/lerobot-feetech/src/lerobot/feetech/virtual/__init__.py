"""Virtual Feetech servos.

- `framing`: bytes to instructions and back
- `servo`: what one servo does with an instruction
- `arms`: a single new motor
"""

from lerobot.feetech.virtual.servo import FeetechServo

__all__ = ["FeetechServo"]
