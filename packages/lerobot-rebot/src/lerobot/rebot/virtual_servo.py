"""Virtual smart servos of a reBot 102, on a pseudo-terminal."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

from lerobot.motors.calibration_limits import CalibrationLimits, require_possible
from lerobot.motors.errors import MotorValueError
from lerobot.motors.motor import MotorCalibration
from lerobot.motors.virtual.pty_line import PtyLine
from lerobot.motors.virtual.spec import DEFAULTS, Fault
from lerobot.rebot import packets

POSSIBLE = frozenset({Fault.MISSING, Fault.CORRUPT, Fault.LOST, Fault.LATE})
MILLIVOLT = 7400
TURN = 360.0


@dataclass(frozen=True)
class SmartServoSpec:
    """One servo as it is built into a joint.

    Attributes:
        id: address on the line.
        position: where the joint is at power-on, degrees from the origin that the servo keeps.
        stops: ends of the joint's travel, degrees.
    """

    id: int
    position: float = 0.0
    stops: tuple[float, float] = (-180.0, 180.0)


class SmartServo:
    """One servo; see `VirtualMotor`. Positions are degrees.

    Args:
        spec: what it is.
    """

    def __init__(self, spec: SmartServoSpec) -> None:
        self.spec = spec
        self.faults: dict[Fault, float] = {}
        self.position = spec.position
        self.origin = 0.0
        self.power_on()

    @property
    def built_in_id(self) -> int:
        """See `VirtualMotor.built_in_id`."""
        return self.spec.id

    @property
    def stops(self) -> tuple[float, float]:
        """See `VirtualMotor.stops`."""
        return self.spec.stops

    @property
    def angle(self) -> float:
        """What it tells: degrees from its origin, with the turns it counted."""
        return self.position - self.origin + TURN * self.turns

    def set_fault(self, fault: Fault, value: float | None) -> None:
        """See `VirtualMotor.set_fault`.

        Raises:
            MotorValueError: these servos have no such fault.
        """
        if fault not in POSSIBLE:
            raise MotorValueError(f"Smart servos have no fault {fault}.", expected=", ".join(sorted(POSSIBLE)))
        self.faults[fault] = DEFAULTS.get(fault, 1) if value is None else value

    def power_on(self) -> None:
        """See `VirtualMotor.power_on`."""
        self.has_torque = True
        self.turns = 0

    def move_by_hand(self, position: float) -> None:
        """See `VirtualMotor.move_by_hand`."""
        self.position = max(self.stops[0], min(self.stops[1], position))

    def state(self, now: float) -> dict[str, float]:  # noqa: ARG002 (it moves by hand only)
        """See `VirtualMotor.state`."""
        return {
            "Torque_Enable": int(self.has_torque),
            "position": self.position,
            "origin": self.origin,
            "turns": self.turns,
        }

    def hear(self, packet: packets.Packet) -> bytes | None:
        """Obey a packet for it; returns its answer."""
        match packet.code:
            case packets.PING:
                return packets.reply(packets.PING, bytes([self.spec.id]))
            case packets.STOP:
                self.has_torque = False
            case packets.SET_ORIGIN:
                self.origin, self.turns = self.position, 0
            case packets.RESET_TURNS:
                self.turns = 0
            case packets.MONITOR:
                content = packets.monitor_content(self.spec.id, MILLIVOLT, round(self.angle * 10), self.turns)
                return packets.reply(packets.MONITOR, content)
        return None


class SmartServoLine(PtyLine):
    """A line of servos.

    Args:
        specs: the servos, in the order of the chain.
        seed: seed of everything random.
    """

    def __init__(self, specs: Sequence[SmartServoSpec], seed: int) -> None:
        super().__init__(seed)
        self._servos = [SmartServo(spec) for spec in specs]
        self._buffer = bytearray()

    @property
    def motors(self) -> Sequence[SmartServo]:
        """See `PtyLine.motors`."""
        return self._servos

    def receive(self, now: float) -> None:
        """See `PtyLine.receive`."""
        self._buffer += self._read()
        while (packet := packets.take(self._buffer, packets.REQUEST)) is not None:
            self.packets.append(packets.request(*packet))
            if not self.powered or not packet.content:
                continue
            if packet.code == packets.SYNC:
                asked = [(servo_id, packets.Packet(packet.content[0], b"")) for servo_id in packet.content[3:]]
            else:
                asked = [(packet.content[0], packet)]
            for servo_id, each in asked:
                self._pass_on(servo_id, each, now)

    def _pass_on(self, servo_id: int, packet: packets.Packet, now: float) -> None:
        for servo in self._servos:
            if servo.spec.id == servo_id and Fault.MISSING not in servo.faults:
                answer = servo.hear(packet)
                if answer is not None:
                    self._put(servo_id, answer, servo.faults, now)


@dataclass(frozen=True)
class SmartServoLineSpec:
    """The servos of one line; see `ArmSpec`.

    Attributes:
        servos: by joint name, in the order of the chain.
        seed: seed of everything random.
    """

    servos: Mapping[str, SmartServoSpec]
    seed: int = 0
    protocol: type[SmartServo] = SmartServo

    @property
    def names(self) -> tuple[str, ...]:
        """See `ArmSpec.names`."""
        return tuple(self.servos)

    @property
    def ids(self) -> dict[str, int]:
        """See `ArmSpec.ids`."""
        return {name: spec.id for name, spec in self.servos.items()}

    @property
    def stops(self) -> dict[int, tuple[float, float]]:
        """See `ArmSpec.stops`; degrees."""
        return {spec.id: spec.stops for spec in self.servos.values()}

    def seeded(self, seed: int) -> Self:
        """See `ArmSpec.seeded`."""
        return replace(self, seed=seed)

    def holding(self, calibration: Mapping[str, MotorCalibration]) -> Self:
        """See `ArmSpec.holding`: a servo keeps its origin and nothing else, and is built in at it."""
        limits = {name: CalibrationLimits(servo_id, (-3600, 3600), (0, 0)) for name, servo_id in self.ids.items()}
        require_possible(calibration, limits, source="calibration of the virtual arm", whole=False)
        return self

    def open(self, now: float) -> SmartServoLine:  # noqa: ARG002 (nothing moves by itself)
        """See `ArmSpec.open`."""
        return SmartServoLine(tuple(self.servos.values()), self.seed)
