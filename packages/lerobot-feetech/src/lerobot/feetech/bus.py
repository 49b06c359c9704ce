"""The bus of Feetech STS, SMS and SCS servos."""

from enum import Enum

from lerobot.feetech import tables
from lerobot.feetech.wire import REPLY_WAIT_S, FeetechWire
from lerobot.motors import MotorHealth
from lerobot.motors.bus import Motors
from lerobot.motors.encoding import decode_sign_magnitude, encode_sign_magnitude
from lerobot.motors.errors import MotorError, MotorValueError
from lerobot.motors.motor import Motor, MotorCalibration, TorqueMode
from lerobot.motors.serial.bus import SerialMotorsBus
from lerobot.motors.serial.port import SerialPort
from lerobot.motors.serial.wire import Wire

MULTI_TURN_FEEDBACK = 0x10
"""Bit of the Phase register of an STS3215 with which positions count turns and may be negative."""


HEALTH = ("Present_Load", "Present_Temperature", "Present_Current")
"""Registers 60 to 70: load in tenths of a percent of the torque, temperature in degrees Celsius, current."""

CURRENT_UNIT_MA = 6.5
"""Unit of Present_Current (memory table of the STS3215)."""


class OperatingMode(Enum):
    """Content of Operating_Mode."""

    POSITION = 0
    VELOCITY = 1
    PWM = 2
    STEP = 3


class FeetechMotorsBus(SerialMotorsBus):
    """Feetech servos on one line, all of one protocol.

    Args:
        port: serial port.
        motors: motors by name, in the order of the chain.
        calibration: calibration by motor name.
        protocol_version: 0 for STS and SMS servos, 1 for SCS servos.

    Raises:
        MotorValueError: a motor speaks the other protocol.
    """

    apply_drive_mode = True
    available_baudrates = tables.SCAN_BAUDRATES
    model_baudrate_table = tables.BAUD_CODES
    model_ctrl_table = tables.CONTROL_TABLES
    model_number_table = tables.MODEL_NUMBERS
    model_resolution_table = tables.RESOLUTIONS
    models_read_alone = tables.READ_ALONE
    limits_of = staticmethod(tables.limits_of)

    def __init__(
        self,
        port: str,
        motors: dict[str, Motor],
        calibration: dict[str, MotorCalibration] | None = None,
        protocol_version: int = 0,
    ) -> None:
        self.protocol_version = protocol_version
        super().__init__(port, motors, calibration)
        strangers = [name for name, motor in motors.items() if tables.PROTOCOLS[motor.model] != protocol_version]
        if strangers:
            raise MotorValueError(
                f"{', '.join(strangers)} cannot be on a bus of protocol {protocol_version}.",
                expected="STS and SMS servos on protocol 0, SCS servos on protocol 1",
            )

    def _make_wire(self) -> Wire:
        return FeetechWire(SerialPort(self.port, self.default_baudrate, REPLY_WAIT_S), self.protocol_version)

    def _encode(self, register: str, model: str, value: int) -> int:
        sign_bit = self._sign_bit(register, model)
        return value if sign_bit is None else encode_sign_magnitude(value, sign_bit)

    def _decode(self, register: str, model: str, content: int) -> int:
        sign_bit = self._sign_bit(register, model)
        return content if sign_bit is None else decode_sign_magnitude(content, sign_bit)

    @staticmethod
    def _sign_bit(register: str, model: str) -> int | None:
        return None if tables.PROTOCOLS[model] else tables.SIGN_BITS.get(register)

    def _check_motors(self) -> None:
        """Refuse to drive servos of one model with different firmware, whose registers may differ."""
        models: dict[str, dict[str, str]] = {}
        for name, motor in self.motors.items():
            models.setdefault(motor.model, {})[name] = self.firmware_of(name)
        for model, versions in models.items():
            if len(set(versions.values())) == 1:
                continue
            listed = ", ".join(f"{name} {version}" for name, version in versions.items())
            raise MotorError(
                f"Some motors on port '{self.port}' use different firmware versions: {listed}.",
                device=self.port,
                expected=f"the same version on all motors of the model {model}",
                hint="Update them with Feetech's software first: https://www.feetechrc.com/software",
            )

    def firmware_of(self, motor: str) -> str:
        """See `ServoChain.firmware_of`; major and minor version."""
        return f"{self.read('Firmware_Major_Version', motor)}.{self.read('Firmware_Minor_Version', motor)}"

    def alerts_of(self, motor: str) -> tuple[str, ...]:
        """See `ServoChain.alerts_of`."""
        status = int(self.read("Status", motor))
        return tuple(alert for bit, alert in tables.ALERTS.items() if status & bit)

    def supply_of(self, motor: str) -> float:
        """See `ServoChain.supply_of`; the register counts tenths of a volt."""
        return self.read("Present_Voltage", motor) / 10

    def health_of(self, motor: str) -> MotorHealth:
        """See `ServoChain.health_of`; SCS servos tell their temperature alone."""
        table = self.model_ctrl_table[self.motors[motor].model]
        known = [name for name in HEALTH if name in table and self.protocol_version == 0] or ["Present_Temperature"]
        values = self.read_together(known, motor)
        load, current = values.get("Present_Load"), values.get("Present_Current")
        return MotorHealth(
            temperature_c=values["Present_Temperature"],
            current_ma=None if current is None else abs(current) * CURRENT_UNIT_MA,
            load_percent=None if load is None else abs(load) / 10,
        )

    def configure_motors(
        self, return_delay_time: int = 0, maximum_acceleration: int = 254, acceleration: int = 254
    ) -> None:
        """Write what makes motors answer and accelerate as fast as they can, and report single turns.

        Args:
            return_delay_time: time before an answer, in 2 us.
            maximum_acceleration: limit of accelerations, in 100 steps/s^2.
            acceleration: acceleration of position moves, in 100 steps/s^2.
        """
        for name, motor in self.motors.items():
            self.write_if_different("Return_Delay_Time", name, return_delay_time)
            if self.protocol_version == 0:
                self.write_if_different("Maximum_Acceleration", name, maximum_acceleration)
            self.write("Acceleration", name, acceleration)
            if motor.model == "sts3215":
                phase = int(self.read("Phase", name))
                if phase & MULTI_TURN_FEEDBACK:
                    self.write("Phase", name, phase & ~MULTI_TURN_FEEDBACK)

    def homing_offset(self, model: str, position: int) -> int:
        """See `ServoChain.homing_offset`: a servo reports its position less the offset, within one turn.

        The register holds -2047 to 2047, so one of the 4096 positions is homed a step beside the half turn.
        """
        if "Homing_Offset" not in self.model_ctrl_table[model]:
            return 0
        resolution = self.model_resolution_table[model]
        half = resolution // 2
        return min(position % resolution - (half - 1), half - 1)

    def homed(self, model: str, position: int, offset: int) -> int:
        """See `ServoChain.homed`."""
        if "Homing_Offset" not in self.model_ctrl_table[model]:
            return position
        return (position - offset) % self.model_resolution_table[model]

    def read_calibration(self) -> dict[str, MotorCalibration]:
        """Read the calibration the motors hold; the drive mode is not kept by these servos and reported as 0."""
        mins = self.sync_read("Min_Position_Limit")
        maxes = self.sync_read("Max_Position_Limit")
        offsets = self.sync_read("Homing_Offset") if self.protocol_version == 0 else dict.fromkeys(self.motors, 0)
        return {
            name: MotorCalibration(motor.id, 0, int(offsets[name]), int(mins[name]), int(maxes[name]))
            for name, motor in self.motors.items()
        }

    def _write_calibration_of(self, motor: str, entry: MotorCalibration) -> None:
        """See `ServoChain`."""
        if self.protocol_version == 0:
            self.write("Homing_Offset", motor, entry.homing_offset)
        self.write("Min_Position_Limit", motor, entry.range_min)
        self.write("Max_Position_Limit", motor, entry.range_max)

    @property
    def is_calibrated(self) -> bool:
        """Whether ranges, and offsets where the servos have them, equal the calibration in use."""
        held = self.read_calibration()
        if set(held) != set(self.calibration):
            return False
        return all(
            (entry.range_min, entry.range_max) == (self.calibration[name].range_min, self.calibration[name].range_max)
            and (self.protocol_version == 1 or entry.homing_offset == self.calibration[name].homing_offset)
            for name, entry in held.items()
        )

    def enable_torque(self, motors: Motors = None, num_retry: int = 0) -> None:
        """Switch torque on where the motors are, and protect their EEPROM.

        A servo in position mode moves to whatever Goal_Position holds when its torque comes on, so the goal is set
        to the present position first; one in velocity mode would turn at whatever Goal_Velocity holds, so that is set
        to zero.
        """
        names = self._select(motors)
        holding = names
        if self.protocol_version == 0:
            modes = self.sync_read("Operating_Mode", names, num_retry=num_retry)
            holding = [name for name in names if modes[name] == OperatingMode.POSITION.value]
            for name in names:
                if modes[name] == OperatingMode.VELOCITY.value:
                    self.write("Goal_Velocity", name, 0, num_retry=num_retry)
        if holding:
            present = self.sync_read("Present_Position", holding, normalize=False, num_retry=num_retry)
            for name, position in present.items():
                self.write("Goal_Position", name, position, normalize=False, num_retry=num_retry)
        for name in names:
            self.write("Torque_Enable", name, TorqueMode.ENABLED.value, num_retry=num_retry)
            self.write("Lock", name, 1, num_retry=num_retry)

    def disable_torque_of(self, motor_id: int, model: str, num_retry: int = 0) -> None:
        """Switch the torque of one motor off and open its EEPROM."""
        for register, content in (("Torque_Enable", TorqueMode.DISABLED.value), ("Lock", 0)):
            address, _ = self.address(register, model)
            self.link.ask(
                motor_id,
                lambda address=address, content=content: self.link.wire.write(motor_id, address, bytes([content])),  # type: ignore[misc]
                f"Failed to write '{register}' on id_={motor_id} with '{content}'",
                num_retry,
            )
