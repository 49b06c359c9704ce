"""The motors of a virtual CAN bus: an arm, or a single motor."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Self

from lerobot.can.motor import CanMotor
from lerobot.can.virtual.line import CanLine
from lerobot.can.virtual.motor import CanMotorSpec, VirtualCanMotor
from lerobot.can.virtual.wire import Adapter, Damiao, Slcan
from lerobot.motors.calibration_limits import CalibrationLimits, require_possible
from lerobot.motors.motor import MotorCalibration


class Wire(StrEnum):
    """How frames travel on the pseudo-terminal."""

    SLCAN = "slcan"
    DAMIAO = "damiao"

    def adapter(self) -> Adapter:
        """A new adapter of the kind."""
        return Slcan() if self is Wire.SLCAN else Damiao()


@dataclass(frozen=True)
class CanLineSpec:
    """The motors of one CAN bus, all of one protocol; see `ArmSpec`.

    Attributes:
        protocol: class of the motors.
        motors: by joint name, in the order of the chain.
        wire: how frames travel.
        seed: seed of everything random.
    """

    protocol: type[VirtualCanMotor]
    motors: Mapping[str, CanMotorSpec]
    wire: Wire = Wire.SLCAN
    seed: int = 0

    @property
    def names(self) -> tuple[str, ...]:
        """See `ArmSpec.names`."""
        return tuple(self.motors)

    @property
    def ids(self) -> dict[str, int]:
        """See `ArmSpec.ids`."""
        return {name: spec.motor.id for name, spec in self.motors.items()}

    @property
    def stops(self) -> dict[int, tuple[float, float]]:
        """See `ArmSpec.stops`; degrees."""
        return {spec.motor.id: spec.stops for spec in self.motors.values()}

    @property
    def can_motors(self) -> dict[str, CanMotor]:
        """The motors as a bus wants to be told about them, by joint name."""
        return {name: spec.motor for name, spec in self.motors.items()}

    def seeded(self, seed: int) -> Self:
        """See `ArmSpec.seeded`."""
        return replace(self, seed=seed)

    def holding(self, calibration: Mapping[str, MotorCalibration]) -> Self:
        """See `ArmSpec.holding`: a CAN motor keeps a zero and nothing else, and is built in at it."""
        limits = {name: CalibrationLimits(motor_id, (-720, 720), (0, 0)) for name, motor_id in self.ids.items()}
        require_possible(calibration, limits, source="calibration of the virtual arm", whole=False)
        return self

    def open(self, now: float) -> CanLine:
        """See `ArmSpec.open`."""
        return CanLine(self.protocol, tuple(self.motors.values()), self.wire.adapter(), self.seed, now)
