"""The bus of Dynamixel X servos."""

from enum import Enum

from lerobot.dynamixel import tables
from lerobot.dynamixel.wire import REPLY_WAIT_S, DynamixelWire
from lerobot.motors import MotorHealth
from lerobot.motors.bus import Motors
from lerobot.motors.encoding import decode_twos_complement, encode_twos_complement
from lerobot.motors.motor import MotorCalibration, TorqueMode
from lerobot.motors.serial.bus import SerialMotorsBus
from lerobot.motors.serial.port import SerialPort
from lerobot.motors.serial.wire import Wire


class OperatingMode(Enum):
    """Content of Operating_Mode; which ones a model allows differs."""

    CURRENT = 0
    VELOCITY = 1
    POSITION = 3
    EXTENDED_POSITION = 4
    CURRENT_POSITION = 5
    PWM = 16


class DynamixelMotorsBus(SerialMotorsBus):
    """Dynamixel X servos on one line.

    Servos reverse their direction themselves (Drive_Mode), so a calibration's drive mode does not change the
    arithmetic here.

    Args:
        port: serial port.
        motors: motors by name, in the order of the chain.
        calibration: calibration by motor name.
    """

    apply_drive_mode = False
    counts_turns = True
    available_baudrates = tables.SCAN_BAUDRATES
    model_baudrate_table = tables.BAUD_CODES
    model_ctrl_table = tables.CONTROL_TABLES
    model_number_table = tables.MODEL_NUMBERS
    model_resolution_table = tables.RESOLUTIONS
    limits_of = staticmethod(tables.limits_of)

    def _make_wire(self) -> Wire:
        return DynamixelWire(SerialPort(self.port, self.default_baudrate, REPLY_WAIT_S))

    def _encode(self, register: str, model: str, value: int) -> int:  # noqa: ARG002 (the same for all models)
        n_bytes = tables.SIGNED_BYTES.get(register)
        return value if n_bytes is None else encode_twos_complement(value, n_bytes)

    def _decode(self, register: str, model: str, content: int) -> int:  # noqa: ARG002 (the same for all models)
        n_bytes = tables.SIGNED_BYTES.get(register)
        return content if n_bytes is None else decode_twos_complement(content, n_bytes)

    def firmware_of(self, motor: str) -> str:
        """See `ServoChain.firmware_of`."""
        return str(self.read("Firmware_Version", motor))

    def alerts_of(self, motor: str) -> tuple[str, ...]:
        """See `ServoChain.alerts_of`."""
        status = int(self.read("Hardware_Error_Status", motor))
        return tuple(alert for bit, alert in tables.HARDWARE_ERRORS.items() if status & bit)

    def supply_of(self, motor: str) -> float:
        """See `ServoChain.supply_of`; the register counts tenths of a volt."""
        return self.read("Present_Input_Voltage", motor) / 10

    def health_of(self, motor: str) -> MotorHealth:
        """See `ServoChain.health_of`; models without a current sensor tell their load instead."""
        values = self.read_together(["Present_Current", "Present_Temperature"], motor)
        unit = tables.CURRENT_UNITS_MA.get(self.motors[motor].model)
        drawn = abs(values["Present_Current"])
        return MotorHealth(
            temperature_c=values["Present_Temperature"],
            current_ma=None if unit is None else drawn * unit,
            load_percent=drawn / 10 if unit is None else None,
        )

    def configure_motors(self, return_delay_time: int = 0) -> None:
        """Write what makes motors answer as fast as they can.

        Args:
            return_delay_time: time before an answer, in 2 us.
        """
        for name in self.motors:
            self.write_if_different("Return_Delay_Time", name, return_delay_time)

    def homing_offset(self, model: str, position: int) -> int:
        """See `ServoChain.homing_offset`: a servo reports its position plus the offset."""
        return (self.model_resolution_table[model] - 1) // 2 - position

    def homed(self, model: str, position: int, offset: int) -> int:  # noqa: ARG002 (the same for all models)
        """See `ServoChain.homed`."""
        return position + offset

    def read_calibration(self) -> dict[str, MotorCalibration]:
        """Read the calibration the motors hold; `drive_mode` is the whole Drive_Mode register."""
        offsets = self.sync_read("Homing_Offset")
        mins = self.sync_read("Min_Position_Limit")
        maxes = self.sync_read("Max_Position_Limit")
        drive_modes = self.sync_read("Drive_Mode")
        return {
            name: MotorCalibration(
                motor.id, int(drive_modes[name]), int(offsets[name]), int(mins[name]), int(maxes[name])
            )
            for name, motor in self.motors.items()
        }

    def _write_calibration_of(self, motor: str, entry: MotorCalibration) -> None:
        """See `ServoChain`; Drive_Mode is the robot's to write."""
        self.write("Homing_Offset", motor, entry.homing_offset)
        self.write("Min_Position_Limit", motor, entry.range_min)
        self.write("Max_Position_Limit", motor, entry.range_max)

    @property
    def is_calibrated(self) -> bool:
        """Whether the motors hold exactly the calibration in use."""
        return self.calibration == self.read_calibration()

    def enable_torque(self, motors: Motors = None, num_retry: int = 0) -> None:
        """Switch torque on; these servos take their present position as goal by themselves."""
        for name in self._select(motors):
            self.write("Torque_Enable", name, TorqueMode.ENABLED.value, num_retry=num_retry)

    def disable_torque_of(self, motor_id: int, model: str, num_retry: int = 0) -> None:
        """Switch the torque of one motor off."""
        address, _ = self.address("Torque_Enable", model)
        self.link.ask(
            motor_id,
            lambda: self.link.wire.write(motor_id, address, bytes([TorqueMode.DISABLED.value])),
            f"Failed to write 'Torque_Enable' on id_={motor_id} with '{TorqueMode.DISABLED.value}'",
            num_retry,
        )
