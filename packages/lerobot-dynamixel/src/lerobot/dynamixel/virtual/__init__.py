"""Virtual Dynamixel X servos.

- `framing`: bytes to instructions and back
- `servo`: what one servo does with an instruction
- `arms`: arms of them
"""

from lerobot.dynamixel.virtual.servo import DynamixelServo

__all__ = ["DynamixelServo"]
