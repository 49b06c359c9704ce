"""The servos of one serial line behind a pseudo-terminal."""

import fcntl
import functools
import operator
import struct
from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby

from lerobot.motors.virtual import framing
from lerobot.motors.virtual.framing import BROADCAST, Instruction
from lerobot.motors.virtual.mechanism import ShadowMechanism
from lerobot.motors.virtual.pty_line import PtyLine
from lerobot.motors.virtual.servo import Servo
from lerobot.motors.virtual.spec import Fault, ServoSpec

TWIN_DISTANCE = 321
TCGETS2 = 0x802C542A
"""Linux: terminal settings with the speed as a number, whatever speed it is."""


class Line(PtyLine):
    """A line of servos.

    Args:
        protocol: class of the servos.
        specs: the servos, in the order of the chain.
        voltage: supply in volts.
        seed: seed of everything random.
        now: time of power-on, monotonic seconds.
    """

    def __init__(
        self, protocol: type[Servo], specs: Sequence[ServoSpec], voltage: float, seed: int, now: float
    ) -> None:
        super().__init__(seed)
        self.protocol = protocol
        self._framing = protocol.framing
        self._voltage = voltage
        self.servos: list[Servo] = [protocol(servo, voltage, now) for servo in specs]
        for servo in self.servos:
            if servo.spec.shadow_of is not None:
                servo.mechanism = ShadowMechanism(self.servo(servo.spec.shadow_of).mechanism, servo.mechanism)
        self.twins: dict[int, Servo] = {}
        """Servos that wrongly have the id of another, by that id."""
        self._buffer = bytearray()

    @property
    def motors(self) -> Sequence[Servo]:
        """See `PtyLine.motors`."""
        return self.servos

    def servo(self, servo_id: int) -> Servo:
        """The servo built in with an id, whatever its id is now."""
        return next(servo for servo in self.servos if servo.built_in_id == servo_id)

    def set_fault(self, motor_id: int, fault: Fault, value: float | None, now: float) -> None:
        """See `PtyLine.set_fault`."""
        super().set_fault(motor_id, fault, value, now)
        if fault is Fault.DUPLICATE_ID:
            spec = self.servo(motor_id).spec
            elsewhere = replace(spec, position=spec.position + TWIN_DISTANCE)
            self.twins[motor_id] = self.protocol(elsewhere, self._voltage, now)

    def mend(self, motor_id: int) -> None:
        """See `PtyLine.mend`."""
        super().mend(motor_id)
        self.twins.pop(motor_id, None)

    def receive(self, now: float) -> None:
        """See `PtyLine.receive`."""
        self._buffer += self._read()
        while (instruction := self._framing.take(self._buffer)) is not None:
            self.packets.append(instruction.raw)
            if self.powered:
                self._obey(instruction, now)

    def _obey(self, instruction: Instruction, now: float) -> None:
        baudrate = self._baudrate()
        built_in = [*self.servos, *self.twins.values()]
        present = [s for s in built_in if s.baudrate == baudrate and Fault.MISSING not in s.faults]
        for servo in present:
            servo.refresh(now)
        code, parameters = instruction.code, instruction.parameters
        if code == framing.SYNC_READ:
            self._sync_read(present, parameters, now)
        elif code == framing.SYNC_WRITE:
            self._sync_write(present, parameters)
        else:
            addressed = [s for s in present if instruction.id in {s.id, BROADCAST}]
            self._overhear(present, instruction)
            # An id is taken before the instruction, which may change it.
            for servo_id, group in groupby(sorted(addressed, key=_id_of), key=_id_of):
                servos = list(group)
                answers = [(servo, self._carry_out(servo, code, parameters)) for servo in servos]
                if instruction.id != BROADCAST or code == framing.PING:
                    self._answer(servo_id, [(servo, answer) for servo, answer in answers if answer is not None], now)

    def _carry_out(self, servo: Servo, code: int, parameters: bytes) -> tuple[int, bytes] | None:
        """Have a servo obey; returns error byte and data of its answer, None if it gives none."""
        width = self._framing.address_bytes
        address = self._framing.number(parameters, 0) if parameters else 0
        if code == framing.PING:
            return servo.error(), servo.ping()
        if code == framing.READ:
            return servo.error(), servo.read(address, self._framing.number(parameters, 1))
        if code == framing.WRITE:
            return servo.write(address, parameters[width:]), b""
        if code == framing.REG_WRITE:
            return servo.defer(address, parameters[width:]), b""
        if code == framing.ACTION:
            servo.act()
        elif code == framing.REBOOT:
            servo.power_on()
            return servo.error(), b""
        return None

    def _overhear(self, present: Sequence[Servo], instruction: Instruction) -> None:
        """Have servos take a write to another one as their own too."""
        if instruction.code == framing.WRITE:
            address = self._framing.number(instruction.parameters, 0)
            for servo in present:
                if servo.also_hears(instruction.id, address):
                    servo.write(address, instruction.parameters[self._framing.address_bytes :])

    def _sync_read(self, present: Sequence[Servo], parameters: bytes, now: float) -> None:
        """Answer in the order asked; whoever misses the answer before its own keeps quiet."""
        address, length = self._framing.number(parameters, 0), self._framing.number(parameters, 1)
        for servo_id in parameters[2 * self._framing.address_bytes :]:
            asked = [servo for servo in present if servo.id == servo_id]
            if not asked:
                return
            self._answer(servo_id, [(servo, (servo.error(), servo.read(address, length))) for servo in asked], now)

    def _sync_write(self, present: Sequence[Servo], parameters: bytes) -> None:
        address, length = self._framing.number(parameters, 0), self._framing.number(parameters, 1)
        rest = parameters[2 * self._framing.address_bytes :]
        for start in range(0, len(rest) - length, length + 1):
            for servo in present:
                if servo.id == rest[start] or servo.also_hears(rest[start], address):
                    servo.write(address, rest[start + 1 : start + 1 + length])

    def _answer(self, servo_id: int, answers: Sequence[tuple[Servo, tuple[int, bytes]]], now: float) -> None:
        """Send an answer; two servos of one id answer at once, and each bit is 0 if either sends 0."""
        if not answers:
            return
        packets = [self._framing.status(servo_id, error, data) for _, (error, data) in answers]
        packet = bytes(functools.reduce(operator.and_, column) for column in zip(*packets, strict=True))
        self._put(servo_id, packet, answers[0][0].faults, now)

    def _baudrate(self) -> int:
        """Speed the program set; only servos at that speed understand it."""
        settings = fcntl.ioctl(self.master, TCGETS2, bytes(44))
        return int(struct.unpack("4I20B2I", settings)[-1])


def _id_of(servo: Servo) -> int:
    return servo.id
