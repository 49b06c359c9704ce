"""The servos of one serial line behind a pseudo-terminal."""

import fcntl
import functools
import heapq
import operator
import os
import pty
import random
import struct
import tty
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import count, groupby

from lerobot.motors.virtual import framing
from lerobot.motors.virtual.framing import BROADCAST, Instruction
from lerobot.motors.virtual.line_spec import LineSpec
from lerobot.motors.virtual.mechanism import ShadowMechanism
from lerobot.motors.virtual.servo import Servo
from lerobot.motors.virtual.spec import Fault

LOG_LENGTH = 100_000
TWIN_DISTANCE = 321
TCGETS2 = 0x802C542A
"""Linux: terminal settings with the speed as a number, whatever speed it is."""


class Line:
    """A line of servos; `port` is the path a program opens instead of a serial port.

    Args:
        spec: the servos.
        now: time of power-on, monotonic seconds.
    """

    def __init__(self, spec: LineSpec, now: float) -> None:
        self.spec = spec
        self._framing = spec.protocol.framing
        self.servos: list[Servo] = [spec.protocol(servo, spec.voltage, now) for servo in spec.servos]
        for servo in self.servos:
            if servo.spec.shadow_of is not None:
                servo.mechanism = ShadowMechanism(self.servo(servo.spec.shadow_of).mechanism, servo.mechanism)
        self.twins: dict[int, Servo] = {}
        """Servos that wrongly have the id of another, by that id."""
        self.packets: deque[bytes] = deque(maxlen=LOG_LENGTH)
        """Every whole packet received."""
        self.powered = True
        self._random = random.Random(spec.seed)  # noqa: S311 (faults are no secrets)
        self._buffer = bytearray()
        self._late: list[tuple[float, int, bytes]] = []
        self._order = count()
        self._last_due: dict[int, float] = {}
        """When the last answer of each id goes out: a servo answers in the order it was asked, however late."""
        self.master, self._slave = pty.openpty()
        tty.setraw(self.master)
        tty.setraw(self._slave)
        os.set_blocking(self.master, False)
        self.port = os.ttyname(self._slave)

    @property
    def next_due(self) -> float | None:
        """When the next late answer goes out, monotonic seconds; None if none waits."""
        return self._late[0][0] if self._late else None

    def servo(self, servo_id: int) -> Servo:
        """The servo built in with an id, whatever its id is now."""
        return next(servo for servo in self.servos if servo.spec.id == servo_id)

    def set_fault(self, servo_id: int, fault: Fault, value: float | None, now: float) -> None:
        """Break something; see `Fault`."""
        servo = self.servo(servo_id)
        servo.set_fault(fault, value)
        if fault is Fault.DUPLICATE_ID:
            elsewhere = replace(servo.spec, position=servo.spec.position + TWIN_DISTANCE)
            self.twins[servo_id] = self.spec.protocol(elsewhere, self.spec.voltage, now)

    def mend(self, servo_id: int) -> None:
        """Repair everything on a servo."""
        self.servo(servo_id).faults.clear()
        self.twins.pop(servo_id, None)

    def close(self) -> None:
        """Unplug the adapter."""
        for descriptor in (self.master, self._slave):
            os.close(descriptor)
        self.master = self._slave = -1

    def receive(self, now: float) -> None:
        """Read what the program sent and answer it."""
        self._buffer += os.read(self.master, 4096)
        while (instruction := self._framing.take(self._buffer)) is not None:
            self.packets.append(instruction.raw)
            if self.powered:
                self._obey(instruction, now)

    def send_due(self, now: float) -> None:
        """Send the late answers whose time has come."""
        while self._late and self._late[0][0] <= now:
            self._send(heapq.heappop(self._late)[2])

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
        faults = answers[0][0].faults
        packets = [self._framing.status(servo_id, error, data) for _, (error, data) in answers]
        packet = bytes(functools.reduce(operator.and_, column) for column in zip(*packets, strict=True))
        if self._random.random() < faults.get(Fault.CORRUPT, 0):
            packet = self._damaged(packet)
        due = max(now + faults.get(Fault.LATE, 0), self._last_due.get(servo_id, now))
        self._last_due[servo_id] = due
        heapq.heappush(self._late, (due, next(self._order), packet))
        self.send_due(now)

    def _send(self, packet: bytes) -> None:
        """Put bytes on the line; nobody waits for a program that does not read them."""
        with suppress(BlockingIOError):
            os.write(self.master, packet)

    def _damaged(self, packet: bytes) -> bytes:
        """Flip a bit, lose a byte, or lose the rest."""
        place = self._random.randrange(len(packet))
        kind = self._random.randrange(3)
        if kind == 0:
            return packet[:place] + bytes([packet[place] ^ 1 << self._random.randrange(8)]) + packet[place + 1 :]
        return packet[:place] + (packet[place + 1 :] if kind == 1 else b"")

    def _baudrate(self) -> int:
        """Speed the program set; only servos at that speed understand it."""
        settings = fcntl.ioctl(self.master, TCGETS2, bytes(44))
        return int(struct.unpack("4I20B2I", settings)[-1])


def _id_of(servo: Servo) -> int:
    return servo.id
