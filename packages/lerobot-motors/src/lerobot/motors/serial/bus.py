"""The bus every protocol shares: names and units around a `Link`."""

import logging
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar

from lerobot.core.errors import (
    AlreadyConnectedError,
    DeviceConnectionError,
    DeviceError,
    NotConnectedError,
)
from lerobot.core.prompts import Prompter
from lerobot.motors import calibrate, setup
from lerobot.motors.diagnosis import Finding, diagnose
from lerobot.motors.motor import MotorCalibration
from lerobot.motors.port import SerialPort
from lerobot.motors.registers import MotorRegisters, Motors, NameOrID
from lerobot.motors.statistics import BusStatistics
from lerobot.motors.wire import Outcome

log = logging.getLogger(__name__)


class SerialMotorsBus(MotorRegisters):
    """Several motors on one serial line, addressed by name.

    Calls may come from any thread; each exchange of packets has the line to itself. A reply that is lost or damaged
    is asked for again, up to `retries` times and for the silent motors only, so a noisy line costs time instead of a
    session; `statistics` counts every miss. Alerts that motors add to their replies (overload, overheating, low
    voltage) are counted and logged when they appear; they do not stop a call, because torque must be switchable on a
    motor that complains.

    Args:
        port: serial port, such as `"/dev/ttyACM0"`.
        motors: motors by name, in the order of the chain.
        calibration: calibration by motor name; needed for positions in user units.

    Raises:
        MotorValueError: two motors have the same id, or a model is unknown.
    """

    available_baudrates: ClassVar[tuple[int, ...]]
    default_baudrate: ClassVar[int] = 1_000_000
    model_number_table: ClassVar[Mapping[str, int]]
    model_baudrate_table: ClassVar[Mapping[int, int]]
    """Baud rate to content of the Baud_Rate register; the same for every model of a bus."""

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
    def configure_motors(self) -> None:
        """Write what makes motors answer and accelerate as fast as they can."""

    @abstractmethod
    def enable_torque(self, motors: Motors = None, num_retry: int = 0) -> None:
        """Switch torque on."""

    @abstractmethod
    def disable_torque_of(self, motor_id: int, model: str, num_retry: int = 0) -> None:
        """Switch the torque of one motor off, whatever its name, so that its EEPROM can be written."""

    @abstractmethod
    def read_calibration(self) -> dict[str, MotorCalibration]:
        """Read the calibration the motors hold."""

    @abstractmethod
    def write_calibration(self, calibration_dict: dict[str, MotorCalibration], cache: bool = True) -> None:
        """Write a calibration to the motors and, if `cache`, use it from now on."""

    @property
    @abstractmethod
    def is_calibrated(self) -> bool:
        """Whether the motors hold the calibration in use."""

    def _check_motors(self) -> None:
        """Check what a handshake checks besides ids and models."""

    # --- connection --------------------------------------------------------------------------------------------------

    @property
    def is_connected(self) -> bool:
        """Whether the port is open; False too after the port was lost."""
        return self.port_handler.is_open

    def _require_connected(self) -> None:
        if not self.is_connected:
            raise NotConnectedError(f"{self!r} is not connected.", device=self.port, hint="Call connect() first.")

    def connect(self, handshake: bool = True) -> None:
        """Open the port and check that the motors are the expected ones.

        Args:
            handshake: ask every motor for its model, and what else the protocol checks.

        Raises:
            AlreadyConnectedError: the port is open.
            DeviceConnectionError: the port cannot be opened; says why.
            MotorError: motors are missing or are not the expected ones; names them and the likely cause.
        """
        if self.is_connected:
            raise AlreadyConnectedError(f"{self!r} is already connected.", device=self.port)
        self.link.open()
        if not handshake:
            return
        try:
            setup.check_motors(self)
            self._check_motors()
        except BaseException:
            self.port_handler.close()
            raise

    def disconnect(self, disable_torque: bool = True) -> None:
        """Close the port, also if switching torque off fails.

        Args:
            disable_torque: switch the torque of every motor off first.

        Raises:
            NotConnectedError: the port is not open.
            DeviceError: torque could not be switched off; names the motors.
        """
        self._require_connected()
        try:
            if disable_torque:
                self.disable_torque(num_retry=5)
        finally:
            self.port_handler.close()
            self._report_misses()

    def _report_misses(self) -> None:
        """Say how many answers were missed, though the session survived them: a cable may be about to fail."""
        statistics = self.statistics
        if statistics.misses:
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

    # --- finding motors ----------------------------------------------------------------------------------------------

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

    def broadcast_ping(self, num_retry: int = 0, raise_on_error: bool = False) -> dict[int, int] | None:
        """Ask all motors at the port's baud rate whether they are there.

        Args:
            num_retry: how often to ask again if nobody answered.
            raise_on_error: raise instead of returning None.

        Returns:
            Model number by id; None if nobody answered.

        Raises:
            DeviceConnectionError: nobody answered and `raise_on_error`.
        """
        self._require_connected()
        for _ in range(1 + num_retry):
            if found := {motor_id: numbers[0] for motor_id, numbers in setup.find_motors(self).items()}:
                return found
        if raise_on_error:
            raise DeviceConnectionError(
                f"No motor answered on port '{self.port}' at {self.get_baudrate()} baud.", device=self.port
            )
        return None

    @classmethod
    def scan_port(cls, port: str) -> dict[int, list[int]]:
        """Search a port at every baud rate motors may have.

        Returns:
            Ids that answered, by baud rate; baud rates without an answer are left out.
        """
        return setup.scan_port(cls(port, {}))

    def setup_motor(self, motor: str, initial_baudrate: int | None = None, initial_id: int | None = None) -> None:
        """Give the only connected motor the id of `motor` and the bus's baud rate.

        Args:
            motor: name of the motor.
            initial_baudrate: its present baud rate; searched if None.
            initial_id: its present id; searched if None.

        Raises:
            MotorError: no motor, several motors or a motor of another model was found.
        """
        if not self.is_connected:
            self.connect(handshake=False)
        setup.setup_motor(self, motor, initial_baudrate, initial_id)

    @abstractmethod
    def firmware_of(self, motor: str) -> str:
        """Firmware version of a motor."""

    @abstractmethod
    def alerts_of(self, motor: str) -> tuple[str, ...]:
        """What a motor complains about now, such as `"overload"`."""

    def diagnose(self) -> list[Finding]:
        """Examine the line while it is not connected; see `lerobot.motors.diagnosis`.

        Returns:
            What is wrong, where, and what to do; empty if nothing is.
        """
        return diagnose(self)

    # --- torque ------------------------------------------------------------------------------------------------------

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

    @contextmanager
    def torque_disabled(self, motors: Motors = None) -> Iterator[None]:
        """Switch torque off for the block and on again after it, also if the block fails."""
        self.disable_torque(motors)
        try:
            yield
        finally:
            self.enable_torque(motors)

    # --- calibration -------------------------------------------------------------------------------------------------

    def reset_calibration(self, motors: Motors = None) -> None:
        """Remove homing and limits from motors, and the calibration in use."""
        calibrate.reset(self, self._select(motors))

    def set_half_turn_homings(self, motors: Motors = None) -> dict[str, int]:
        """Make the present position of motors their half turn.

        Returns:
            The Homing_Offset written, by name.
        """
        return calibrate.set_half_turn_homings(self, self._select(motors))

    def record_ranges_of_motion(
        self, motors: Motors = None, display_values: bool = True, *, prompter: Prompter | None = None
    ) -> tuple[dict[str, int], dict[str, int]]:
        """Record the smallest and largest position of homed motors until Enter is pressed.

        Returns:
            Smallest and largest raw position, by name.

        Raises:
            CalibrationError: a motor did not move, or crossed the seam of its encoder.
        """
        return calibrate.record_ranges_of_motion(self, self._select(motors), display_values, prompter)
