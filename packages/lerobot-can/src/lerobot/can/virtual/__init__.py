"""CAN motors without hardware: they answer frames on a pseudo-terminal, from a process of their own.

- `joint`: a joint with inertia, driven as motors of impedance drive theirs
- `motor`: what motors of both makers have in common; `damiao`, `robstride`: each one's own
- `wire`: how frames travel: slcan text, or Damiao's serial adapter
- `line`, `line_spec`: the motors of one bus: an arm; `arms`: single motors
"""

from lerobot.can.virtual.damiao import DamiaoMotor
from lerobot.can.virtual.line_spec import CanLineSpec, Wire
from lerobot.can.virtual.motor import CanMotorSpec
from lerobot.can.virtual.robstride import RobstrideMotor

__all__ = ["CanLineSpec", "CanMotorSpec", "DamiaoMotor", "RobstrideMotor", "Wire"]
