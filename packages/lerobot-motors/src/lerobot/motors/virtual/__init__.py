"""Servos without hardware: they answer real packets on a pseudo-terminal, from a process of their own.

- `spec`: what to build: servos, an arm, faults
- `mechanism`: a joint: travel, speed, acceleration, stops
- `memory`: a control table with its EEPROM
- `servo`, `feetech`, `dynamixel`: what one servo does with an instruction
- `framing`: bytes to instructions and back, for both protocols
- `line`: the servos of one serial line on a pseudo-terminal
- `process`: the line in another process, and the handle to it
"""

from lerobot.motors.virtual.process import VirtualBus
from lerobot.motors.virtual.spec import ARMS, Fault, LineSpec, ServoSpec, with_calibration

__all__ = ["ARMS", "Fault", "LineSpec", "ServoSpec", "VirtualBus", "with_calibration"]
