"""The servos of a virtual line: an arm, or a single motor."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self

from lerobot.motors.calibration_limits import require_possible
from lerobot.motors.motor import Motor, MotorCalibration, MotorNormMode
from lerobot.motors.virtual.line import Line
from lerobot.motors.virtual.servo import Servo
from lerobot.motors.virtual.spec import ServoSpec

WHOLE_TURN = 4095
"""A range of so many steps belongs to a joint without stops."""


@dataclass(frozen=True)
class LineSpec:
    """The servos of one serial line, all of one protocol.

    Attributes:
        protocol: class of the servos.
        servos: in the order of the chain.
        names: joint names, in the same order; empty if they have none.
        voltage: supply in volts.
        seed: seed of everything random.
    """

    protocol: type[Servo]
    servos: tuple[ServoSpec, ...]
    names: tuple[str, ...] = ()
    voltage: float = 7.4
    seed: int = 0

    def motors(self, norm_mode: MotorNormMode) -> dict[str, Motor]:
        """The servos as a bus wants to be told about them, by joint name."""
        pairs = zip(self.names, self.servos, strict=True)
        return {name: Motor(servo.id, servo.model, norm_mode) for name, servo in pairs}

    @property
    def ids(self) -> dict[str, int]:
        """See `ArmSpec.ids`."""
        return {name: servo.id for name, servo in zip(self.names, self.servos, strict=True)}

    @property
    def stops(self) -> dict[int, tuple[float, float]]:
        """See `ArmSpec.stops`."""
        return {servo.id: servo.stops for servo in self.servos if servo.stops is not None}

    def seeded(self, seed: int) -> Self:
        """See `ArmSpec.seeded`."""
        return replace(self, seed=seed)

    def holding(self, calibration: Mapping[str, MotorCalibration]) -> "LineSpec":
        """See `ArmSpec.holding`."""
        return with_calibration(self, calibration)

    def open(self, now: float) -> Line:
        """See `ArmSpec.open`."""
        return Line(self.protocol, self.servos, self.voltage, self.seed, now)


def with_calibration(spec: LineSpec, calibration: Mapping[str, MotorCalibration]) -> LineSpec:
    """Build an arm whose servos hold a calibration and whose joints travel exactly over its ranges.

    Args:
        spec: the arm.
        calibration: calibration by joint name; joints it does not name stay as they are.

    Raises:
        CalibrationError: it names a joint the arm does not have, or values its servos cannot hold.
    """
    limits = {
        name: spec.protocol.limits_of(servo.id, servo.model)
        for name, servo in zip(spec.names, spec.servos, strict=True)
    }
    require_possible(calibration, limits, source="calibration of the virtual arm", whole=False)
    servos = []
    for name, servo in zip(spec.names, spec.servos, strict=True):
        if entry := calibration.get(name):
            registers, stops = spec.protocol.holding(entry, servo.model)
            whole_turn = stops[1] - stops[0] >= WHOLE_TURN
            servo = replace(
                servo,
                position=sum(stops) / 2,
                stops=None if whole_turn else stops,
                registers={**servo.registers, **registers},
            )
        servos.append(servo)
    return replace(spec, servos=tuple(servos))
