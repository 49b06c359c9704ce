"""The servos of one serial line: connection, pings, speed and torque around their registers."""

import logging
from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

from lerobot.core.errors import AlreadyConnectedError, DeviceConnectionError, DeviceError
from lerobot.core.protocols.ability import MotorHealth
from lerobot.motors.bus import Motors, NameOrID
from lerobot.motors.calibration_limits import require_possible
from lerobot.motors.motor import MotorCalibration
from lerobot.motors.serial.port import SerialPort
from lerobot.motors.serial.registers import MotorRegisters
from lerobot.motors.serial.statistics import BusStatistics
from lerobot.motors.serial.wire import Outcome

log = logging.getLogger(__name__)


class ServoChain(MotorRegisters):
    """What setting up, calibrating and examining servos need of them, and what a protocol adds.

    Args:
        port: serial port, such as `"/dev/ttyACM0"`.
        motors: motors by name, in the order of the chain.
        calibration: calibration by motor name; needed for positions in user units.
    """

    available_baudrates: ClassVar[tuple[int, ...]]
    default_baudrate: ClassVar[int] = 1_000_000
    model_number_table: ClassVar[Mapping[str, int]]
    model_baudrate_table: ClassVar[Mapping[int, int]]
    """Baud rate to content of the Baud_Rate register; the same for every model of a bus."""

    counts_turns: ClassVar[bool] = False
    """Whether positions go on beyond a turn, counted from where a motor was switched on."""

    # --- what a protocol adds ----------------------------------------------------------------------------------------

    @abstractmethod
    def homing_offset(self, model: str, position: int) -> int:
        """Content of Homing_Offset with which a motor at the un-homed `position` reports the half turn.

        Where the register cannot hold it, the nearest content that homes the motor within a step.
        """

    @abstractmethod
    def homed(self, model: str, position: int, offset: int) -> int:
        """What a motor at the un-homed `position` reports with `offset` in Homing_Offset."""

    @abstractmethod
    def read_calibration(self) -> dict[str, MotorCalibration]:
        """Read the calibration the motors hold."""

    @abstractmethod
    def _write_calibration_of(self, motor: str, entry: MotorCalibration) -> None:
        """Write what a motor keeps of its calibration, which it can hold."""

    @abstractmethod
    def disable_torque_of(self, motor_id: int, model: str, num_retry: int = 0) -> None:
        """Switch the torque of one motor off, whatever its name, so that its EEPROM can be written."""

    @abstractmethod
    def firmware_of(self, motor: str) -> str:
        """Firmware version of a motor."""

    @abstractmethod
    def alerts_of(self, motor: str) -> tuple[str, ...]:
        """What a motor complains about now, such as `"overload"`."""

    @abstractmethod
    def supply_of(self, motor: str) -> float:
        """Supply a motor measures, in volts."""

    @abstractmethod
    def health_of(self, motor: str) -> MotorHealth:
        """What a motor feels now; read with one packet."""

    # --- connection --------------------------------------------------------------------------------------------------

    @property
    def is_connected(self) -> bool:
        """Whether the port is open; False too after the port was lost."""
        return self.port_handler.is_open

    def require_connected(self) -> None:
        """Check that the port is open.

        Raises:
            NotConnectedError: it is not.
        """
        if not self.is_connected:
            raise self.port_handler.not_open(repr(self))

    def open(self) -> None:
        """Open the port, without a word to the motors.

        Raises:
            AlreadyConnectedError: the port is open.
            DeviceConnectionError: the port cannot be opened; says why.
        """
        if self.is_connected:
            raise AlreadyConnectedError(f"{self!r} is already connected.", device=self.port)
        self.link.open()

    def close(self) -> None:
        """Close the port, and say how many answers were missed; torque stays as it is."""
        self.port_handler.close()
        statistics = self.statistics
        if statistics.misses:
            # The session survived them, but a cable may be about to fail.
            by_motor = statistics.timeouts + statistics.corrupt
            names = {motor_id: self.link.name_of(motor_id) if motor_id else "unknown" for motor_id in by_motor}
            told = ", ".join(f"{names[motor_id]} {count}" for motor_id, count in by_motor.most_common())
            log.warning("motors on port '%s': %s. Misses by motor: %s", self.port, statistics, told)

    def set_timeout(self, timeout_ms: float) -> None:
        """Wait `timeout_ms` milliseconds for a motor to begin its answer, besides the time of the bytes."""
        self.port_handler.reply_wait_s = timeout_ms / 1000

    def get_baudrate(self) -> int:
        """Speed of the port in bits per second."""
        return self.port_handler.baudrate

    def set_baudrate(self, baudrate: int) -> None:
        """Change the speed of the port; the motors keep theirs."""
        self.port_handler.set_baudrate(baudrate)

    @property
    def port_handler(self) -> SerialPort:
        """The port as the SDK's packet handler sees it."""
        return self.link.wire.port

    @property
    def packet_handler(self) -> Any:
        """The SDK's packet handler."""
        return self.link.wire.packet_handler

    @property
    def ids(self) -> list[int]:
        """Motor ids in the order of the chain."""
        return list(self._names)

    @property
    def models(self) -> list[str]:
        """Motor models in the order of the chain."""
        return [motor.model for motor in self.motors.values()]

    @property
    def statistics(self) -> BusStatistics:
        """What went over the bus since it was connected, as of now."""
        return self.link.statistics

    # --- calibration -------------------------------------------------------------------------------------------------

    def require_possible(self, calibration: Mapping[str, MotorCalibration], *, whole: bool = True) -> None:
        """Check a calibration against the motors; nothing is written.

        Args:
            calibration: calibration by motor name.
            whole: whether every motor needs an entry.

        Raises:
            CalibrationError: the motors cannot hold it, or one has no entry.
        """
        source = f"calibration for port '{self.port}'"
        require_possible(calibration, self.calibration_limits, source=source, whole=whole)

    def write_calibration(self, calibration_dict: dict[str, MotorCalibration], cache: bool = True) -> None:
        """See `MotorsBus.write_calibration`."""
        self.require_possible(calibration_dict, whole=cache)
        for name, entry in calibration_dict.items():
            self._write_calibration_of(name, entry)
        if cache:
            self.calibration = calibration_dict

    def write_drive_modes(self, drive_modes: Mapping[str, int]) -> None:
        """Tell motors that reverse their direction themselves which it is; where the bus does it, write nothing."""
        if not self.apply_drive_mode:
            for name, drive_mode in drive_modes.items():
                self.write_if_different("Drive_Mode", name, drive_mode)

    # --- single motors -----------------------------------------------------------------------------------------------

    def ping(self, motor: NameOrID, num_retry: int = 0, raise_on_error: bool = False) -> int | None:
        """Ask a motor whether it is there.

        Args:
            motor: name, or any id.
            num_retry: how often to ask again. Pings are not retried beyond that: silence is an answer.
            raise_on_error: raise instead of returning None.

        Returns:
            Its model number, None if it did not answer.

        Raises:
            DeviceConnectionError: it did not answer and `raise_on_error`.
        """
        motor_id = motor if isinstance(motor, int) else self._motor(motor).id
        reply = self.link.repeat(motor_id, lambda: self.link.wire.ping(motor_id), num_retry)
        if reply.outcome is Outcome.OK:
            return int.from_bytes(reply.data, self.link.wire.byte_order)
        if raise_on_error:
            raise self.link.failure(f"Failed to ping id_={motor_id}", {motor_id: reply}, 1 + num_retry)
        return None

    def disable_torque(self, motors: Motors = None, num_retry: int = 0) -> None:
        """Switch torque off, on every motor that can be reached.

        Args:
            motors: names or ids; all if None.
            num_retry: how often to send again, if more than `retries`.

        Raises:
            DeviceError: motors could not be reached, which are named; the others are off.
        """
        failed: dict[str, DeviceError] = {}
        for name in self._select(motors):
            try:
                self.disable_torque_of(self.motors[name].id, self.motors[name].model, num_retry)
            except DeviceError as error:
                failed[name] = error
                if not self.is_connected:
                    raise
        if failed:
            first = next(iter(failed.values()))
            raise DeviceConnectionError(
                f"Torque of {', '.join(failed)} could not be switched off. {first.what}",
                device=self.port,
                hint="Hold the arm and cut the power of the motors.",
            ) from first
