"""Registers of motors by name, in user units where a position is meant."""

import difflib
import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar

from lerobot.core.errors import CalibrationError
from lerobot.motors.bus import Motors, NameOrID, Value
from lerobot.motors.calibration_limits import CalibrationLimits, require_possible
from lerobot.motors.errors import MotorValueError
from lerobot.motors.motor import Motor, MotorCalibration
from lerobot.motors.normalization import normalize, unnormalize
from lerobot.motors.serial.link import Link
from lerobot.motors.serial.wire import Wire


class MotorRegisters(ABC):
    """Reading and writing the registers of named motors.

    Args:
        port: serial port, such as `"/dev/ttyACM0"`.
        motors: motors by name, in the order of the chain.
        calibration: calibration by motor name; needed for positions in user units.

    Raises:
        MotorValueError: two motors have the same id, or a model is unknown.
        CalibrationError: the motors cannot hold the calibration.
    """

    apply_drive_mode: ClassVar[bool]
    model_ctrl_table: ClassVar[Mapping[str, Mapping[str, tuple[int, int]]]]
    model_resolution_table: ClassVar[Mapping[str, int]]
    models_read_alone: ClassVar[frozenset[str]] = frozenset()
    """Models that do not answer a sync read, which `sync_read` asks one by one."""

    normalized_data: ClassVar[tuple[str, ...]] = ("Goal_Position", "Present_Position")

    retries: int = 6
    """How often a packet is sent again at least: seven tries lose one in 10^9 calls at 5 % damaged replies, and find
    a silent line in less than a second."""

    def __init__(
        self, port: str, motors: dict[str, Motor], calibration: dict[str, MotorCalibration] | None = None
    ) -> None:
        self.port = port
        self.motors = motors
        self.calibration = calibration or {}
        self._names = {motor.id: name for name, motor in motors.items()}
        if len(self._names) != len(motors):
            raise MotorValueError(f"Some motors have the same id: {motors}.", expected="one id per motor")
        for name, motor in motors.items():
            if motor.model not in self.model_ctrl_table:
                known = ", ".join(self.model_ctrl_table)
                raise MotorValueError(f"motor '{name}' has the unknown model {motor.model!r}.", expected=known)
        require_possible(
            self.calibration, self.calibration_limits, source=f"calibration for port '{port}'", whole=False
        )
        self.link = Link(self._make_wire(), self._names, self.retries)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(port={self.port!r}, motors={list(self.motors)})"

    def __len__(self) -> int:
        return len(self.motors)

    @staticmethod
    @abstractmethod
    def limits_of(motor_id: int, model: str) -> CalibrationLimits:
        """What a motor can hold of a calibration."""

    @abstractmethod
    def _make_wire(self) -> Wire: ...

    @abstractmethod
    def _encode(self, register: str, model: str, value: int) -> int:
        """Signed number to register content."""

    @abstractmethod
    def _decode(self, register: str, model: str, content: int) -> int:
        """Register content to signed number."""

    @property
    def calibration_limits(self) -> dict[str, CalibrationLimits]:
        """What the motors can hold of a calibration, by name."""
        return {name: self.limits_of(motor.id, motor.model) for name, motor in self.motors.items()}

    def read(self, data_name: str, motor: str, *, normalize: bool = True, num_retry: int = 0) -> Value:
        """Read a register of one motor.

        Args:
            data_name: register, such as `"Present_Position"`.
            motor: name of the motor.
            normalize: give positions in the motor's `norm_mode`.
            num_retry: how often to ask again, if more than `retries`.

        Returns:
            Signed register content, or the position in user units.

        Raises:
            DeviceConnectionError: the motor did not answer, or the port was lost.
            MotorError: the motor refused.
            MotorValueError: there is no such register or motor.
        """
        entry = self._motor(motor)
        address, length = self.address(data_name, entry.model)
        what = f"Failed to read '{data_name}' on id_={entry.id}"
        reply = self.link.ask(entry.id, lambda: self.link.wire.read(entry.id, address, length), what, num_retry)
        return self._interpret(data_name, motor, reply.data, normalize)

    def read_together(self, data_names: Sequence[str], motor: str) -> dict[str, int]:
        """Read several registers of one motor with one packet; they should lie close to each other.

        Args:
            data_names: registers.
            motor: name of the motor.

        Returns:
            Signed register contents, by register.

        Raises:
            DeviceConnectionError: the motor did not answer, or the port was lost.
            MotorError: the motor refused.
            MotorValueError: there is no such register or motor.
        """
        entry = self._motor(motor)
        places = {name: self.address(name, entry.model) for name in data_names}
        start = min(address for address, _ in places.values())
        length = max(address + size for address, size in places.values()) - start
        what = f"Failed to read {', '.join(data_names)} on id_={entry.id}"
        data = self.link.ask(entry.id, lambda: self.link.wire.read(entry.id, start, length), what, 0).data
        return {
            name: self._decode(
                name,
                entry.model,
                int.from_bytes(data[address - start : address - start + size], self.link.wire.byte_order),
            )
            for name, (address, size) in places.items()
        }

    def write(self, data_name: str, motor: str, value: Value, *, normalize: bool = True, num_retry: int = 0) -> None:
        """Write a register of one motor and wait until it acknowledges.

        Args:
            data_name: register.
            motor: name of the motor.
            value: signed number, truncated to an integer; positions in user units if `normalize`.
            normalize: take positions in the motor's `norm_mode`.
            num_retry: how often to send again, if more than `retries`.

        Raises:
            DeviceConnectionError: the motor did not acknowledge, or the port was lost.
            MotorError: the motor refused.
            MotorValueError: there is no such register or motor, or the value does not fit.
        """
        entry = self._motor(motor)
        data = self._to_bytes(data_name, motor, value, normalize)
        address, _ = self.address(data_name, entry.model)
        what = f"Failed to write '{data_name}' on id_={entry.id} with '{value}'"
        self.link.ask(entry.id, lambda: self.link.wire.write(entry.id, address, data), what, num_retry)

    def write_if_different(self, data_name: str, motor: str, value: int) -> None:
        """Write a register only if it holds something else, which spares EEPROM cells that wear out."""
        if self.read(data_name, motor, normalize=False) != value:
            self.write(data_name, motor, value, normalize=False)

    def sync_read(
        self, data_name: str, motors: Motors = None, *, normalize: bool = True, num_retry: int = 0
    ) -> dict[str, Value]:
        """Read a register of several motors, with one packet where the protocol can.

        Replies that arrive whole are kept; only the missing ones are asked for again.

        Args:
            data_name: register.
            motors: names or ids; all if None.
            normalize: give positions in each motor's `norm_mode`.
            num_retry: how often to ask again, if more than `retries`.

        Returns:
            Signed register contents or positions, by name.

        Raises:
            DeviceConnectionError: motors did not answer, which are named, or the port was lost.
            MotorError: a motor refused.
            MotorValueError: there is no such register or motor.
        """
        names = self._select(motors)
        alone = [name for name in names if self.motors[name].model in self.models_read_alone]
        together = [name for name in names if name not in alone]
        groups: dict[tuple[int, int], list[int]] = {}
        for name in together:
            groups.setdefault(self.address(data_name, self.motors[name].model), []).append(self.motors[name].id)
        data: dict[int, bytes] = {}
        for (address, length), motor_ids in groups.items():
            what = f"Failed to sync read '{data_name}' on ids={motor_ids}"
            data |= self.link.ask_group(motor_ids, address, length, what, num_retry)
        values = {name: self._interpret(data_name, name, data[self.motors[name].id], normalize) for name in together}
        for name in alone:
            values[name] = self.read(data_name, name, normalize=normalize, num_retry=num_retry)
        return {name: values[name] for name in names}

    def sync_write(
        self,
        data_name: str,
        values: Value | Mapping[str, Value],
        *,
        normalize: bool = True,
        num_retry: int = 0,  # noqa: ARG002 (see below)
    ) -> None:
        """Write a register of several motors with one packet, which no motor acknowledges.

        Args:
            data_name: register.
            values: one value for all motors, or a value by name; positions in user units if `normalize`.
            normalize: take positions in each motor's `norm_mode`.
            num_retry: accepted for symmetry; without acknowledgements nothing can be found missing.

        Raises:
            DeviceConnectionError: the port was lost.
            MotorValueError: there is no such register or motor, or a value does not fit.
        """
        by_name = values if isinstance(values, Mapping) else dict.fromkeys(self.motors, values)
        groups: dict[int, dict[int, bytes]] = {}
        for name, value in by_name.items():
            entry = self._motor(name)
            address, _ = self.address(data_name, entry.model)
            groups.setdefault(address, {})[entry.id] = self._to_bytes(data_name, name, value, normalize)
        for address, data in groups.items():
            self.link.exchange(lambda address=address, data=data: self.link.wire.sync_write(address, data))  # type: ignore[misc]

    def address(self, data_name: str, model: str) -> tuple[int, int]:
        """Address and length in bytes of a register.

        Raises:
            MotorValueError: the model has no such register; names the nearest.
        """
        table = self.model_ctrl_table[model]
        if data_name not in table:
            near = ", ".join(difflib.get_close_matches(data_name, table, n=3)) or "see the model's control table"
            raise MotorValueError(f"model '{model}' has no register '{data_name}'.", expected=near)
        return table[data_name]

    def _motor(self, name: str) -> Motor:
        if name not in self.motors:
            raise MotorValueError(f"there is no motor '{name}' on port '{self.port}'.", expected=", ".join(self.motors))
        return self.motors[name]

    def _select(self, motors: Motors) -> list[str]:
        if motors is None:
            return list(self.motors)
        chosen: Iterable[NameOrID] = [motors] if isinstance(motors, str | int) else motors
        names = [self._names.get(motor, str(motor)) if isinstance(motor, int) else motor for motor in chosen]
        for name in names:
            self._motor(name)
        return names

    def _interpret(self, data_name: str, name: str, data: bytes, in_user_units: bool) -> Value:
        motor = self.motors[name]
        value = self._decode(data_name, motor.model, int.from_bytes(data, self.link.wire.byte_order))
        if not in_user_units or data_name not in self.normalized_data:
            return value
        return normalize(
            value,
            self._calibration_of(name),
            motor.norm_mode,
            self.model_resolution_table[motor.model],
            honours_drive_mode=self.apply_drive_mode,
        )

    def _to_bytes(self, data_name: str, name: str, value: Value, in_user_units: bool) -> bytes:
        motor = self._motor(name)
        _, length = self.address(data_name, motor.model)
        if in_user_units and data_name in self.normalized_data:
            value = unnormalize(
                value,
                self._calibration_of(name),
                motor.norm_mode,
                self.model_resolution_table[motor.model],
                honours_drive_mode=self.apply_drive_mode,
            )
        elif not math.isfinite(value):
            raise MotorValueError(f"{value} is no register content.", expected="a finite number")
        content = self._encode(data_name, motor.model, int(value))
        if not 0 <= content < 256**length:
            raise MotorValueError(
                f"{value} does not fit register '{data_name}' of '{name}'.", expected=f"0 to {256**length - 1}"
            )
        return content.to_bytes(length, self.link.wire.byte_order)

    def _calibration_of(self, name: str) -> MotorCalibration:
        if name not in self.calibration:
            raise CalibrationError(
                f"{self!r} has no calibration registered for '{name}'.",
                device=self.port,
                hint="Calibrate the device first: lerobot calibrate --help",
            )
        return self.calibration[name]
