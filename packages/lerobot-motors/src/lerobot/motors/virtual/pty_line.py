"""The motors of one line behind a pseudo-terminal, whatever their protocol."""

import heapq
import os
import pty
import random
import tty
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import count
from typing import Protocol

from lerobot.motors.virtual.spec import Fault

LOG_LENGTH = 100_000


class VirtualMotor(Protocol):
    """What a line needs of a motor of any protocol; positions are in the motor's own steps."""

    faults: dict[Fault, float]
    """What is wrong with it, with the fault's value."""

    @property
    def built_in_id(self) -> int:
        """Id it was built in with, whatever its id is now."""
        ...

    @property
    def position(self) -> float:
        """Where its joint is."""
        ...

    @property
    def stops(self) -> tuple[float, float] | None:
        """Ends of its joint's travel; None if it turns freely."""
        ...

    @property
    def has_torque(self) -> bool:
        """Whether it holds its joint, which a hand then cannot move."""
        ...

    def set_fault(self, fault: Fault, value: float | None) -> None:
        """Break something; None takes the fault's default value."""
        ...

    def power_on(self) -> None:
        """Start with what it keeps without power."""
        ...

    def move_by_hand(self, position: float) -> None:
        """Put its joint somewhere, as far as its stops allow."""
        ...

    def state(self, now: float) -> dict[str, float]:
        """What it holds and measures at a time, by name; `Torque_Enable` and `position` among it."""
        ...


class PtyLine(ABC):
    """A line of motors; `port` is the path a program opens instead of a serial port.

    Args:
        seed: seed of everything random.

    Attributes:
        packets: every whole packet received.
        powered: whether the motors have their supply.
    """

    def __init__(self, seed: int) -> None:
        self.packets: deque[bytes] = deque(maxlen=LOG_LENGTH)
        self.powered = True
        self._random = random.Random(seed)  # noqa: S311 (faults are no secrets)
        self._late: list[tuple[float, int, bytes]] = []
        self._order = count()
        self._last_due: dict[int, float] = {}
        """When the last answer of each id goes out: a motor answers in the order it was asked, however late."""
        self.master, self._slave = pty.openpty()
        tty.setraw(self.master)
        tty.setraw(self._slave)
        os.set_blocking(self.master, False)
        self.port = os.ttyname(self._slave)

    @property
    @abstractmethod
    def motors(self) -> Sequence[VirtualMotor]:
        """The motors, in the order of the chain."""

    @abstractmethod
    def receive(self, now: float) -> None:
        """Read what the program sent and answer it."""

    @property
    def next_due(self) -> float | None:
        """When the next late answer goes out, monotonic seconds; None if none waits."""
        return self._late[0][0] if self._late else None

    def motor(self, motor_id: int) -> VirtualMotor:
        """The motor built in with an id, whatever its id is now."""
        return next(motor for motor in self.motors if motor.built_in_id == motor_id)

    def set_fault(self, motor_id: int, fault: Fault, value: float | None, now: float) -> None:  # noqa: ARG002 (a line may need the time)
        """Break something; see `Fault`."""
        self.motor(motor_id).set_fault(fault, value)

    def mend(self, motor_id: int) -> None:
        """Repair everything on a motor."""
        self.motor(motor_id).faults.clear()

    def move(self, positions: Mapping[int, float]) -> None:
        """Move joints by hand."""
        for motor_id, position in positions.items():
            self.motor(motor_id).move_by_hand(position)

    def switch(self, on: bool) -> None:
        """Switch the supply of the whole line."""
        if on and not self.powered:
            for motor in self.motors:
                motor.power_on()
        self.powered = on

    def close(self) -> None:
        """Unplug the adapter."""
        for descriptor in (self.master, self._slave):
            os.close(descriptor)
        self.master = self._slave = -1

    def babble(self, noise: bytes) -> None:
        """Put bytes on the line that no motor sent."""
        self._send(noise)

    def send_due(self, now: float) -> None:
        """Send the late answers whose time has come."""
        while self._late and self._late[0][0] <= now:
            self._send(heapq.heappop(self._late)[2])

    def _read(self) -> bytes:
        return os.read(self.master, 4096)

    def _put(self, motor_id: int, packet: bytes, faults: Mapping[Fault, float], now: float) -> None:
        """Send an answer of a motor, with what its faults do to it."""
        if self._random.random() < faults.get(Fault.LOST, 0):
            return
        if self._random.random() < faults.get(Fault.CORRUPT, 0):
            packet = self._damaged(packet)
        due = max(now + faults.get(Fault.LATE, 0), self._last_due.get(motor_id, now))
        self._last_due[motor_id] = due
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
