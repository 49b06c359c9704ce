"""Servos without hardware: they answer real packets on a pseudo-terminal, from a process of their own.

- `spec`: what a servo is, and what can be wrong with it
- `mechanism`: a joint: travel, speed, acceleration, stops
- `memory`: a control table with its EEPROM
- `servo`: what servos of every protocol have in common; `framing`: what their packets have in common
- `pty_line`: the motors of one line on a pseudo-terminal; `line`: servos on it
- `arm_spec`: an arm of any protocol; `line_spec`: one of servos; `arms`: those that installed packages bring
- `process`: the line in another process, and the handle to it
- `sway`, `command`: `lerobot virtual-arm`
- `sweeper`: somebody who calibrates, for tests
- `printer`: a device that prints lines of integers

The servos of a protocol, and how its packets look, stand in the package of the protocol.
"""

from lerobot.motors.virtual.arm_spec import ArmSpec
from lerobot.motors.virtual.arms import ARMS
from lerobot.motors.virtual.line_spec import LineSpec, with_calibration
from lerobot.motors.virtual.printer import Printer
from lerobot.motors.virtual.process import VirtualBus
from lerobot.motors.virtual.spec import Fault, ServoSpec
from lerobot.motors.virtual.sweeper import Sweeper

__all__ = ["ARMS", "ArmSpec", "Fault", "LineSpec", "Printer", "ServoSpec", "Sweeper", "VirtualBus", "with_calibration"]
