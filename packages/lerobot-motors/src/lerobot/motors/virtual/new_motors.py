"""Motors from the factory, which an invisible hand plugs in one at a time."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from lerobot.motors.virtual.framing import WRITE
from lerobot.motors.virtual.line import Line
from lerobot.motors.virtual.line_spec import LineSpec
from lerobot.motors.virtual.spec import Fault


def from_the_factory(spec: LineSpec) -> LineSpec:
    """The same arm with motors that nobody set up: all have one id, and the speed of new ones."""
    new = tuple(replace(servo, registers={**servo.registers, **spec.protocol.factory}) for servo in spec.servos)
    return replace(spec, servos=new)


class OneMotorAtATime:
    """A hand that has one new motor on the line, the last of the chain first, and in the end all of them.

    A motor is set up once its id and then its speed are written; then the hand takes the next one.

    Args:
        line: made of `from_the_factory`.
        names: joint names, in the order of the chain.
        tell: hears what the hand does.
    """

    def __init__(self, line: Line, names: Sequence[str], tell: Callable[[str], object]) -> None:
        self._line = line
        self._tell = tell
        self._waiting = list(zip(names, line.servos, strict=True))
        self._plug_in()

    def __call__(self, _now: float) -> None:
        """Take the next motor if the one on the line is set up."""
        while self._waiting and self._line.packets:
            name, servo = self._waiting[-1]
            packet = self._line.protocol.framing.take(bytearray(self._line.packets.popleft()))
            if packet is None or packet.code != WRITE or servo.id != servo.spec.id or packet.id != servo.id:
                continue
            address = self._line.protocol.framing.number(packet.parameters, 0)
            if address == servo.memory.table["Baud_Rate"][0]:
                self._waiting.pop()
                self._tell(f"{name} is set up with id {servo.id}")
                self._plug_in()

    def _plug_in(self) -> None:
        for servo in self._line.servos:
            if self._waiting and servo is not self._waiting[-1][1]:
                servo.set_fault(Fault.MISSING, None)
            else:
                servo.faults.clear()
        self._tell(f"{self._waiting[-1][0]} is plugged in, alone" if self._waiting else "all motors are plugged in")
