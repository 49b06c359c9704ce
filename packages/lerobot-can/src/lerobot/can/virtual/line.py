"""The motors of one CAN bus behind an adapter on a pseudo-terminal."""

from collections.abc import Sequence

from lerobot.can.virtual.motor import CanMotorSpec, VirtualCanMotor
from lerobot.can.virtual.wire import Adapter
from lerobot.motors.virtual.pty_line import PtyLine
from lerobot.motors.virtual.spec import Fault


class CanLine(PtyLine):
    """A bus of motors; `packets` are frames: two bytes of arbitration id, then the data.

    Args:
        protocol: class of the motors.
        specs: the motors, in the order of the chain.
        adapter: how frames travel on the pseudo-terminal.
        seed: seed of everything random.
        now: time of power-on, monotonic seconds.
    """

    def __init__(
        self, protocol: type[VirtualCanMotor], specs: Sequence[CanMotorSpec], adapter: Adapter, seed: int, now: float
    ) -> None:
        super().__init__(seed)
        self._adapter = adapter
        self._motors = [protocol(spec, now) for spec in specs]

    @property
    def motors(self) -> Sequence[VirtualCanMotor]:
        """See `PtyLine.motors`."""
        return self._motors

    def receive(self, now: float) -> None:
        """See `PtyLine.receive`."""
        for frame in self._adapter.take(self._read()):
            self.packets.append(frame.id.to_bytes(2, "big") + frame.data)
            if not self.powered:
                continue
            for motor in self._motors:
                if Fault.MISSING in motor.faults or self._bitrate_of(motor) != self._adapter.bitrate:
                    continue
                motor.refresh(now)
                answer = motor.hear(frame)
                if answer is not None:
                    self._put(motor.built_in_id, self._adapter.hand_on(answer), motor.faults, now)

    @staticmethod
    def _bitrate_of(motor: VirtualCanMotor) -> float:
        return motor.faults.get(Fault.WRONG_BAUD_RATE, 1_000_000)
