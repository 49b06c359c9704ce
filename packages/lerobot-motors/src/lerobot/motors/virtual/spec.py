"""What a virtual servo is, and what can be wrong with it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType


class Fault(StrEnum):
    """Something wrong with a servo; `value` in a call means what is said here."""

    MISSING = "missing"
    """It is not on the line."""

    DUPLICATE_ID = "duplicate_id"
    """A second servo has the same id, so different answers collide."""

    WRONG_BAUD_RATE = "wrong_baud_rate"
    """It speaks at `value` baud (default 115200)."""

    CORRUPT = "corrupt"
    """Each of its answers is damaged with probability `value` (default 0.05)."""

    LOST = "lost"
    """Each of its answers is lost with probability `value` (default 0.05)."""

    LATE = "late"
    """Its answers come `value` seconds (default 0.1) too late."""

    OVERLOAD = "overload"
    """It reports overload and holds with its protective torque only."""

    LOW_VOLTAGE = "low_voltage"
    """Its supply is at `value` volts (default 3.5)."""

    DEAD = "dead"
    """Its electronics answer and report a sensor error; its motor never moves."""

    WRONG_FIRMWARE = "wrong_firmware"
    """Its firmware has minor version `value` (default 1)."""

    WRONG_MODEL = "wrong_model"
    """It reports model number `value` (default 1)."""


DEFAULTS: Mapping[Fault, float] = MappingProxyType(
    {
        Fault.WRONG_BAUD_RATE: 115_200,
        Fault.CORRUPT: 0.05,
        Fault.LOST: 0.05,
        Fault.LATE: 0.1,
        Fault.LOW_VOLTAGE: 3.5,
        Fault.WRONG_FIRMWARE: 1,
        Fault.WRONG_MODEL: 1,
    }
)


@dataclass(frozen=True)
class ServoSpec:
    """One servo as it comes out of the box and is built into a joint.

    Attributes:
        id: address on the line.
        model: model name, as in the bus's tables.
        position: encoder steps at power-on, without homing.
        stops: smallest and largest position the joint can take, without homing; None if it turns freely.
        registers: EEPROM contents that differ from the factory's, by register name, as raw contents.
        load: torque that gravity asks of the motor at rest, as a part of its stall torque.
        shadow_of: id of the servo whose joint it turns too, mounted facing it; None if it has a joint of its own.
    """

    id: int
    model: str
    position: float = 2048
    stops: tuple[float, float] | None = None
    registers: Mapping[str, int] = field(default_factory=dict)
    load: float = 0.05
    shadow_of: int | None = None
