"""What a virtual line is made of."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType

from lerobot.core.errors import CalibrationError
from lerobot.motors.encoding import encode_sign_magnitude, encode_twos_complement
from lerobot.motors.feetech.tables import MODEL_NUMBERS as FEETECH
from lerobot.motors.motor import Motor, MotorCalibration, MotorNormMode

RESOLUTION = 4096


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
    """

    id: int
    model: str
    position: float = 2048
    stops: tuple[float, float] | None = None
    registers: Mapping[str, int] = field(default_factory=dict)
    load: float = 0.05


@dataclass(frozen=True)
class LineSpec:
    """The servos of one serial line, all of one protocol.

    Attributes:
        servos: in the order of the chain.
        names: joint names, in the same order; empty if they have none.
        voltage: supply in volts.
        seed: seed of everything random.
    """

    servos: tuple[ServoSpec, ...]
    names: tuple[str, ...] = ()
    voltage: float = 7.4
    seed: int = 0

    def motors(self, norm_mode: MotorNormMode) -> dict[str, Motor]:
        """The servos as a bus wants to be told about them, by joint name."""
        pairs = zip(self.names, self.servos, strict=True)
        return {name: Motor(servo.id, servo.model, norm_mode) for name, servo in pairs}


_SO_JOINTS = ("shoulder_pan", "shoulder_lift", "elbow_flex", "wrist_flex", "wrist_roll", "gripper")
_SO_STOPS = ((750, 3350), (800, 3200), (850, 3100), (850, 3200), (130, 3990), (2030, 3500))


def _so(position: float = 2048) -> LineSpec:
    """Travel of an SO arm's joints, rounded from real calibration files, with the encoders mounted mid-travel."""
    return LineSpec(
        tuple(ServoSpec(i + 1, "sts3215", max(stops[0], position), stops) for i, stops in enumerate(_SO_STOPS)),
        _SO_JOINTS,
    )


def _dynamixel(first_id: int, models: tuple[str, ...]) -> LineSpec:
    servos = tuple(ServoSpec(first_id + i, model, stops=(700, 3400)) for i, model in enumerate(models))
    return LineSpec(servos, _SO_JOINTS, voltage=5.0)


ARMS: Mapping[str, LineSpec] = MappingProxyType(
    {
        "koch": _dynamixel(1, ("xl430-w250",) * 2 + ("xl330-m288",) * 4),
        "koch_leader": _dynamixel(1, ("xl330-m077",) * 6),
        "omx": _dynamixel(11, ("xl430-w250",) * 3 + ("xl330-m288",) * 3),
        "omx_leader": _dynamixel(1, ("xl330-m288",) * 5 + ("xl330-m077",)),
        "so100": _so(),
        "so101": _so(),
        "sts3215": LineSpec((ServoSpec(1, "sts3215"),), ("motor",)),
        "xl330-m288": LineSpec((ServoSpec(1, "xl330-m288", registers={"Baud_Rate": 1}),), ("motor",), voltage=5.0),
    }
)
"""Arms by name, and single motors as they leave the factory, for setting up."""


def with_calibration(spec: LineSpec, calibration: Mapping[str, MotorCalibration]) -> LineSpec:
    """Build an arm whose servos hold a calibration and whose joints travel exactly over its ranges.

    Args:
        spec: the arm.
        calibration: calibration by joint name; joints it does not name stay as they are.

    Raises:
        CalibrationError: it names a joint the arm does not have.
    """
    if strangers := calibration.keys() - set(spec.names):
        raise CalibrationError(
            f"the calibration names {', '.join(sorted(strangers))}.", expected=f"joints among {', '.join(spec.names)}"
        )
    servos = []
    for name, servo in zip(spec.names, spec.servos, strict=True):
        if entry := calibration.get(name):
            feetech = servo.model in FEETECH
            sign = 1 if feetech else -1
            offset = entry.homing_offset
            stops = (entry.range_min + sign * offset, entry.range_max + sign * offset)
            registers = {
                "Homing_Offset": encode_sign_magnitude(offset, 11) if feetech else encode_twos_complement(offset, 4),
                "Min_Position_Limit": entry.range_min,
                "Max_Position_Limit": entry.range_max,
            }
            whole_turn = stops[1] - stops[0] >= RESOLUTION - 1
            servo = replace(
                servo,
                position=sum(stops) / 2,
                stops=None if whole_turn else stops,
                registers={**servo.registers, **registers},
            )
        servos.append(servo)
    return replace(spec, servos=tuple(servos))
