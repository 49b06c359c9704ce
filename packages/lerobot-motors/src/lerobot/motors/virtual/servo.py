"""What all virtual servos have in common: a mechanism, heat, supply and faults."""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar

from lerobot.motors.calibration_limits import CalibrationLimits
from lerobot.motors.motor import MotorCalibration
from lerobot.motors.virtual.framing import Framing
from lerobot.motors.virtual.mechanism import Mechanism
from lerobot.motors.virtual.memory import Memory
from lerobot.motors.virtual.spec import DEFAULTS, Fault, ServoSpec

AMBIENT_C = 28.0
HEATING_C = 60.0
"""Final rise of temperature at stall."""
HEATING_TIME_S = 300.0


class Servo(ABC):
    """One servo; `now` in every call is a monotonic time in seconds.

    Args:
        spec: what it is.
        voltage: supply in volts.
        now: time of power-on.
    """

    framing: ClassVar[Framing]
    """How packets of its protocol look."""

    factory: ClassVar[Mapping[str, int]] = MappingProxyType({"ID": 1})
    """Contents of registers that setting up changes, as it leaves the factory."""

    @classmethod
    @abstractmethod
    def holding(cls, calibration: MotorCalibration, model: str) -> tuple[dict[str, int], tuple[float, float]]:
        """EEPROM contents of a servo of a model that holds a calibration, and the ends of its range without homing."""

    @staticmethod
    @abstractmethod
    def limits_of(motor_id: int, model: str) -> CalibrationLimits:
        """What a servo can hold of a calibration."""

    @abstractmethod
    def _memory(self) -> Memory:
        """Its control table as it leaves the factory, but for what `spec` says."""

    @abstractmethod
    def _mechanism(self) -> Mechanism:
        """Its joint."""

    def __init__(self, spec: ServoSpec, voltage: float, now: float) -> None:
        self.spec = spec
        self.memory = self._memory()
        self.mechanism = self._mechanism()
        self.faults: dict[Fault, float] = {}
        self.temperature = AMBIENT_C
        self.load = 0.0
        """Torque as a part of the stall torque, signed."""
        self._supply = voltage
        self._now = now
        self._deferred: tuple[int, bytes] | None = None
        self.power_on()

    @property
    def id(self) -> int:
        """Address it answers to."""
        return self.memory["ID"]

    @property
    def built_in_id(self) -> int:
        """See `VirtualMotor.built_in_id`."""
        return self.spec.id

    @property
    def position(self) -> float:
        """See `VirtualMotor.position`."""
        return self.mechanism.position

    @property
    def stops(self) -> tuple[float, float] | None:
        """See `VirtualMotor.stops`."""
        return self.mechanism.stops

    @property
    def has_torque(self) -> bool:
        """See `VirtualMotor.has_torque`."""
        return self.memory["Torque_Enable"] == 1

    def move_by_hand(self, position: float) -> None:
        """See `VirtualMotor.move_by_hand`."""
        self.mechanism.move_by_hand(position)

    def state(self, now: float) -> dict[str, float]:
        """See `VirtualMotor.state`: raw registers, position without homing, temperature in Celsius."""
        self.refresh(now)
        registers: dict[str, float] = {name: self.memory[name] for name in self.memory.table}
        return {**registers, "position": self.position, "temperature": self.temperature}

    @property
    @abstractmethod
    def baudrate(self) -> int:
        """Speed it listens at."""

    @property
    def voltage(self) -> float:
        """Supply under load, volts."""
        return self.faults.get(Fault.LOW_VOLTAGE, self._supply) - 0.4 * abs(self.load)

    def set_fault(self, fault: Fault, value: float | None) -> None:
        """Break something; None takes the fault's default value."""
        self.faults[fault] = DEFAULTS.get(fault, 1) if value is None else value

    @abstractmethod
    def power_on(self) -> None:
        """Start with what the EEPROM holds."""

    @abstractmethod
    def refresh(self, now: float) -> None:
        """Let time pass up to `now` and update the registers that measure."""

    @abstractmethod
    def ping(self) -> bytes:
        """Parameters of the answer to a ping."""

    @abstractmethod
    def write(self, address: int, data: bytes) -> int:
        """Write registers; returns the error byte of the answer."""

    @abstractmethod
    def error(self) -> int:
        """Error byte of an answer that carries no refusal."""

    def also_hears(self, servo_id: int, address: int) -> bool:  # noqa: ARG002 (a protocol may have such servos)
        """Whether it takes a write to another servo as its own too, without answering."""
        return False

    def read(self, address: int, length: int) -> bytes:
        """Read registers."""
        return self.memory.read(address, length)

    def defer(self, address: int, data: bytes) -> int:
        """Keep a write until `act`."""
        self._deferred = (address, data)
        return self.error()

    def act(self) -> None:
        """Carry out a deferred write."""
        if self._deferred is not None:
            self.write(*self._deferred)
            self._deferred = None

    def _pass_time(self, now: float) -> float:
        """Heat up or cool down; returns the seconds passed."""
        duration, self._now = now - self._now, now
        settled = AMBIENT_C + HEATING_C * self.load**2
        self.temperature = settled + (self.temperature - settled) * math.exp(-duration / HEATING_TIME_S)
        return duration

    def _load_of(self, torque_on: bool, limit: float) -> float:
        """Torque the motor gives now, as a part of its stall torque, at most `limit`."""
        if not torque_on:
            return 0.0
        joint = self.mechanism
        if joint.blocked:
            return limit * joint.blocked
        moving = 0.2 * joint.velocity / joint.speed
        return max(-limit, min(limit, self.spec.load + moving))
