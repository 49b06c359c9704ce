"""What virtual CAN motors of both makers have in common."""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from lerobot.can.frame import Frame
from lerobot.can.motor import CanMotor
from lerobot.can.packing import pack_feedback, unpack_command
from lerobot.can.protocol import CLEAR_FAULT, DISABLE, ENABLE, SET_ZERO, Protocol
from lerobot.can.virtual.joint import Joint
from lerobot.motors.errors import MotorValueError
from lerobot.motors.virtual.spec import DEFAULTS, Fault

CELSIUS = 30
POSSIBLE = frozenset(Fault) - {Fault.DUPLICATE_ID, Fault.WRONG_FIRMWARE}


@dataclass(frozen=True)
class CanMotorSpec:
    """One motor as it is built into a joint.

    Attributes:
        motor: its ids and model.
        position: where the joint is at power-on, degrees from the zero that the motor keeps.
        stops: ends of the joint's travel, degrees.
    """

    motor: CanMotor
    position: float = 0.0
    stops: tuple[float, float] = (-180.0, 180.0)


class VirtualCanMotor(ABC):
    """One motor; `now` in every call is a monotonic time in seconds. Outside, positions are degrees.

    Args:
        spec: what it is.
        now: time of power-on.
    """

    protocol: ClassVar[Protocol]

    def __init__(self, spec: CanMotorSpec, now: float) -> None:
        self.spec = spec
        self.faults: dict[Fault, float] = {}
        self._model = self.protocol.model(spec.motor)
        stops = (math.radians(spec.stops[0]), math.radians(spec.stops[1]))
        self._joint = Joint(math.radians(spec.position), stops, self._model.torque, self._model.speed)
        self._zero = 0.0
        """Where its zero is, in radians of the joint."""
        self._now = now
        self.power_on()

    # --- see `VirtualMotor` ------------------------------------------------------------------------------------------

    @property
    def built_in_id(self) -> int:
        """See `VirtualMotor.built_in_id`."""
        return self.spec.motor.id

    @property
    def position(self) -> float:
        """Degrees, from where its zero was when it was built in."""
        return math.degrees(self._joint.position)

    @property
    def stops(self) -> tuple[float, float]:
        """See `VirtualMotor.stops`; degrees."""
        return self.spec.stops

    @property
    def has_torque(self) -> bool:
        """See `VirtualMotor.has_torque`."""
        return self.enabled

    def set_fault(self, fault: Fault, value: float | None) -> None:
        """See `VirtualMotor.set_fault`.

        Raises:
            MotorValueError: CAN motors have no such fault.
        """
        if fault not in POSSIBLE:
            raise MotorValueError(f"CAN motors have no fault {fault}.", expected=", ".join(sorted(POSSIBLE)))
        self.faults[fault] = DEFAULTS.get(fault, 1) if value is None else value

    def power_on(self) -> None:
        """See `VirtualMotor.power_on`."""
        self.enabled = False
        self.tripped: Fault | None = None
        """Why it has switched itself off; kept until it is cleared."""
        self._command: tuple[float, ...] = ()

    def move_by_hand(self, position: float) -> None:
        """See `VirtualMotor.move_by_hand`."""
        self._joint.move_by_hand(math.radians(position))

    def state(self, now: float) -> dict[str, float]:
        """See `VirtualMotor.state`; positions in degrees, also `zero`, and `goal`, `kp` and `kd` while it has them."""
        self.refresh(now)
        names = ("goal", "kp", "kd")
        command = dict(zip(names, self._goal_and_gains(), strict=False))
        return {
            "Torque_Enable": int(self.enabled),
            "position": self.position,
            "zero": math.degrees(self._zero),
            "velocity": math.degrees(self._joint.velocity),
            "torque": self._joint.torque,
            **command,
        }

    def _goal_and_gains(self) -> tuple[float, ...]:
        if not self._command:
            return ()
        return (math.degrees(self._command[0]), *self._command[2:4])

    # --- what happens to it ------------------------------------------------------------------------------------------

    def refresh(self, now: float) -> None:
        """Let time pass up to `now`."""
        duration, self._now = now - self._now, now
        for fault in (Fault.OVERLOAD, Fault.LOW_VOLTAGE):
            if fault in self.faults and self.enabled:
                self.tripped, self.enabled = fault, False
        if not self.enabled or Fault.DEAD in self.faults:
            self._joint.release()
        elif self._command:
            self._move(duration)

    def _move(self, duration: float) -> None:
        """Do what the command says for some seconds."""
        position, velocity, kp, kd, torque = self._command
        self._joint.pull(self._zero + position, kp, kd, torque + kd * velocity, duration)

    @abstractmethod
    def hear(self, frame: Frame) -> Frame | None:
        """Obey a frame that may be meant for it; returns the answer."""

    def _obey(self, data: bytes) -> None:
        """Obey a frame on its own id."""
        if data == ENABLE:
            self.enabled = self.tripped is None
            self._command = ()
        elif data == DISABLE:
            self.enabled = False
        elif data == SET_ZERO:
            if not self.enabled:
                self._zero = self._joint.position
        elif data == CLEAR_FAULT:
            if not {Fault.OVERLOAD, Fault.LOW_VOLTAGE} & self.faults.keys():
                self.tripped = None
        elif self.enabled and len(data) == 8:
            self._command = unpack_command(self._model, data)

    def _feedback(self) -> bytes:
        joint = self._joint
        return pack_feedback(self._model, joint.position - self._zero, joint.velocity, joint.torque)
