"""The bus of servos on a serial line: one object for whoever drives, calibrates, sets up or examines them."""

from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager

from lerobot.core.errors import DeviceConnectionError
from lerobot.core.prompts import Prompter
from lerobot.motors.bus import Motors
from lerobot.motors.finding import Finding
from lerobot.motors.serial import setup, sweep
from lerobot.motors.serial.chain import ServoChain
from lerobot.motors.serial.diagnosis import diagnose


class SerialMotorsBus(ServoChain):
    """Several servos on one serial line, addressed by name; a `lerobot.motors.MotorsBus`.

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

    # --- what a protocol adds ----------------------------------------------------------------------------------------

    @abstractmethod
    def configure_motors(self) -> None:
        """Write what makes motors answer and accelerate as fast as they can."""

    @abstractmethod
    def enable_torque(self, motors: Motors = None, num_retry: int = 0) -> None:
        """Switch torque on, with the motors staying where they are."""

    @property
    @abstractmethod
    def is_calibrated(self) -> bool:
        """Whether the motors hold the calibration in use."""

    def _check_motors(self) -> None:
        """Check what a handshake checks besides ids and models."""

    # --- connection and torque ---------------------------------------------------------------------------------------

    def connect(self, handshake: bool = True) -> None:
        """Open the port and check that the motors are the expected ones.

        Args:
            handshake: ask every motor for its model, and what else the protocol checks.

        Raises:
            AlreadyConnectedError: the port is open.
            DeviceConnectionError: the port cannot be opened; says why.
            MotorError: motors are missing or are not the expected ones; names them and the likely cause.
        """
        self.open()
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
        self.require_connected()
        try:
            if disable_torque:
                self.disable_torque()
        finally:
            self.close()

    @contextmanager
    def torque_disabled(self, motors: Motors = None) -> Iterator[None]:
        """Switch torque off for the block and on again after it, also if the block fails."""
        self.disable_torque(motors)
        try:
            yield
        finally:
            self.enable_torque(motors)

    # --- finding motors ----------------------------------------------------------------------------------------------

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
        self.require_connected()
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
            self.open()
        setup.setup_motor(self, motor, initial_baudrate, initial_id)

    def diagnose(self) -> list[Finding]:
        """Examine the line while it is not connected; see `lerobot.motors.serial.diagnosis`.

        Returns:
            What is wrong, where, and what to do; empty if nothing is.
        """
        return diagnose(self)

    # --- calibration -------------------------------------------------------------------------------------------------

    def reset_calibration(self, motors: Motors = None) -> None:
        """Remove homing and limits from motors, and the calibration in use."""
        sweep.reset(self, self._select(motors))

    def set_half_turn_homings(self, motors: Motors = None) -> dict[str, int]:
        """Make the present position of motors their half turn.

        Returns:
            The Homing_Offset written, by name.
        """
        return sweep.set_half_turn_homings(self, self._select(motors))

    def record_ranges_of_motion(
        self, motors: Motors = None, display_values: bool = True, *, prompter: Prompter | None = None
    ) -> tuple[dict[str, int], dict[str, int]]:
        """Record the smallest and largest position of homed motors until Enter is pressed.

        Returns:
            Smallest and largest raw position, by name.

        Raises:
            CalibrationError: a motor did not move, or crossed the seam of its encoder.
        """
        return sweep.record_ranges_of_motion(self, self._select(motors), display_values, prompter)
