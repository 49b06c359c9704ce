"""Virtual RobStride motors."""

from types import MappingProxyType

from lerobot.can.frame import Frame
from lerobot.can.robstride.protocol import READ_FAULTS, Robstride
from lerobot.can.virtual.motor import CELSIUS, VirtualCanMotor
from lerobot.motors.virtual.spec import Fault

TRIPPED_BIT = MappingProxyType({Fault.OVERLOAD: 14, Fault.LOW_VOLTAGE: 2})


class RobstrideMotor(VirtualCanMotor):
    """A RobStride motor; see `VirtualCanMotor`."""

    protocol = Robstride()

    def hear(self, frame: Frame) -> Frame | None:
        """See `VirtualCanMotor.hear`."""
        motor = self.spec.motor
        if frame.id != motor.id:
            return None
        first = bytes([motor.id & 0xFF])
        if frame.data == READ_FAULTS:
            word = 1 << TRIPPED_BIT[self.tripped] if self.tripped else 0
            return Frame(motor.reply_id, first + word.to_bytes(4, "little") + bytes(3))
        self._obey(frame.data)
        return Frame(motor.reply_id, first + self._feedback() + (CELSIUS * 10).to_bytes(2, "big"))
