"""A virtual Dynamixel X servo, protocol 2.0."""

from types import MappingProxyType

from lerobot.dynamixel import tables
from lerobot.dynamixel.virtual.framing import DynamixelFraming
from lerobot.motors.encoding import decode_twos_complement, encode_twos_complement
from lerobot.motors.motor import MotorCalibration
from lerobot.motors.virtual.mechanism import Mechanism
from lerobot.motors.virtual.memory import Memory
from lerobot.motors.virtual.servo import Servo
from lerobot.motors.virtual.spec import Fault, ServoSpec

FACTORY = {
    "Firmware_Version": 46,
    "Baud_Rate": 1,
    "Return_Delay_Time": 250,
    "Operating_Mode": 3,
    "Secondary_ID": 255,
    "Protocol_Type": 2,
    "Moving_Threshold": 10,
    "Temperature_Limit": 70,
    "Max_Voltage_Limit": 140,
    "Min_Voltage_Limit": 35,
    "PWM_Limit": 885,
    "Current_Limit": 1750,
    "Acceleration_Limit": 32767,
    "Velocity_Limit": 445,
    "Max_Position_Limit": 4095,
    "Shutdown": 53,
}

CURRENT, VELOCITY, POSITION, EXTENDED, CURRENT_POSITION, PWM = 0, 1, 3, 4, 5, 16
ALERT, DATA_RANGE, ACCESS = 0x80, 4, 7
VOLTAGE_BIT, HEAT_BIT, SENSOR_BIT, OVERLOAD_BIT = 1, 4, 8, 32
REVERSE = 1
RESOLUTION = 4096
SPEED_UNIT = 0.229 / 60 * RESOLUTION
"""Steps/s of a unit of velocity, 0.229 rpm."""
ACCELERATION_UNIT = 214.577 / 3600 * RESOLUTION
"""Steps/s^2 of a unit of acceleration, 214.577 rev/min^2."""
STALL_S = 1.0
LARGEST_OFFSET_IN_POSITION_MODE = 1024
LARGEST_ID = 252
READ_ONLY = ("Model_Number", "Model_Information", "Firmware_Version")
RATES = {code: rate for rate, code in tables.BAUD_CODES.items()}


class DynamixelServo(Servo):
    """See `Servo`; an XL430 reaches 57 rpm."""

    factory = MappingProxyType({"ID": 1, "Baud_Rate": tables.BAUD_CODES[57_600]})
    framing = DynamixelFraming()
    limits_of = staticmethod(tables.limits_of)

    @classmethod
    def holding(
        cls,
        calibration: MotorCalibration,
        model: str,  # noqa: ARG003 (all keep the same)
    ) -> tuple[dict[str, int], tuple[float, float]]:
        """See `Servo.holding`; a servo reports its position, reversed if its drive mode says so, plus the offset."""
        offset = calibration.homing_offset
        registers = {
            "Drive_Mode": calibration.drive_mode,
            "Homing_Offset": encode_twos_complement(offset, tables.SIGNED_BYTES["Homing_Offset"]),
            "Min_Position_Limit": calibration.range_min,
            "Max_Position_Limit": calibration.range_max,
        }
        low, high = calibration.range_min - offset, calibration.range_max - offset
        return registers, (-high, -low) if calibration.drive_mode & REVERSE else (low, high)

    def __init__(self, spec: ServoSpec, voltage: float, now: float) -> None:
        self._overloaded = False
        self._stalled_s = 0.0
        super().__init__(spec, voltage, now)

    def _memory(self) -> Memory:
        contents = {
            **FACTORY,
            "Model_Number": tables.MODEL_NUMBERS[self.spec.model],
            "ID": self.spec.id,
            "Baud_Rate": tables.BAUD_CODES[1_000_000],
            **self.spec.registers,
        }
        return Memory(tables.X_SERIES, range(tables.EEPROM_END), contents, "little")

    def _mechanism(self) -> Mechanism:
        return Mechanism(self.spec.position, self.spec.stops, 57 / 60 * RESOLUTION, 12 * RESOLUTION)

    @property
    def baudrate(self) -> int:
        """See `Servo.baudrate`."""
        return int(self.faults.get(Fault.WRONG_BAUD_RATE, RATES.get(self.memory["Baud_Rate"], 0)))

    def power_on(self) -> None:
        """See `Servo.power_on`; the motor counts its turns from here."""
        self.memory.restart()
        self.memory["Status_Return_Level"] = 2
        self.memory["Goal_PWM"] = self.memory["PWM_Limit"]
        self.memory["Goal_Current"] = self.memory["Current_Limit"]
        self._overloaded = False
        self.mechanism.release()
        self._measure()

    def ping(self) -> bytes:
        """See `Servo.ping`."""
        return self.read(*tables.X_SERIES["Model_Number"]) + self.read(*tables.X_SERIES["Firmware_Version"])

    def read(self, address: int, length: int) -> bytes:
        """See `Servo.read`; faults of identity show here."""
        data = bytearray(super().read(address, length))
        for fault, name in ((Fault.WRONG_MODEL, "Model_Number"), (Fault.WRONG_FIRMWARE, "Firmware_Version")):
            start, size = tables.X_SERIES[name]
            if fault in self.faults and (address, length) == (start, size):
                data[:] = int(self.faults[fault]).to_bytes(size, "little")
        return bytes(data)

    def also_hears(self, servo_id: int, address: int) -> bool:
        """See `Servo.also_hears`; Secondary_ID names a servo whose writes to RAM reach this one (e-Manual)."""
        second = self.memory["Secondary_ID"]
        return servo_id == second <= LARGEST_ID and servo_id != self.id and address >= tables.EEPROM_END

    def write(self, address: int, data: bytes) -> int:
        """See `Servo.write`; with torque on, the EEPROM cannot be written."""
        memory = self.memory
        if any(memory.touches(name, address, len(data)) for name in READ_ONLY):
            return ACCESS
        if address < tables.EEPROM_END and memory["Torque_Enable"]:
            return ACCESS
        if (address, len(data)) == tables.X_SERIES["ID"] and data[0] > LARGEST_ID:
            return DATA_RANGE
        torque_before = memory["Torque_Enable"]
        memory.write(address, data, keep=True)
        if memory.touches("Torque_Enable", address, len(data)) and memory["Torque_Enable"] and not torque_before:
            memory["Goal_Position"] = self._present()
        return self.error()

    def error(self) -> int:
        """See `Servo.error`."""
        return ALERT if self.memory["Hardware_Error_Status"] else 0

    def refresh(self, now: float) -> None:
        """See `Servo.refresh`."""
        duration = self._pass_time(now)
        if self.memory["Torque_Enable"] and Fault.DEAD not in self.faults:
            self._drive(duration)
        else:
            self.mechanism.release()
        limit = (
            min(1.0, self.memory["Goal_Current"] / 1750) if self.memory["Operating_Mode"] == CURRENT_POSITION else 1.0
        )
        self.load = self._load_of(bool(self.memory["Torque_Enable"]), limit)
        self._protect(duration)
        self._measure()

    def _protect(self, duration: float) -> None:
        """Shut down after a stall that lasts, until the next reboot, if the Shutdown register asks for it."""
        self._stalled_s = self._stalled_s + duration if self.mechanism.blocked and abs(self.load) >= 0.8 else 0.0
        if self._stalled_s >= STALL_S and self.memory["Shutdown"] & OVERLOAD_BIT:
            self._overloaded = True
            self.memory["Torque_Enable"] = 0

    def _drive(self, duration: float) -> None:
        memory, joint = self.memory, self.mechanism
        mode = memory["Operating_Mode"]
        acceleration = memory["Profile_Acceleration"] * ACCELERATION_UNIT
        if mode == VELOCITY:
            speed = self._direction * decode_twos_complement(memory["Goal_Velocity"], 4) * SPEED_UNIT
            joint.drive_at(speed, acceleration, duration)
        elif mode in {PWM, CURRENT}:
            name, full = ("Goal_PWM", 885) if mode == PWM else ("Goal_Current", 1750)
            part = decode_twos_complement(memory[name], 2) / full
            joint.drive_at(self._direction * part * joint.speed, acceleration, duration)
        else:
            goal = decode_twos_complement(memory["Goal_Position"], 4)
            if mode == POSITION:
                goal = max(memory["Min_Position_Limit"], min(memory["Max_Position_Limit"], goal))
            target = joint.position + self._direction * (goal - self._present())
            joint.drive_to(target, memory["Profile_Velocity"] * SPEED_UNIT, acceleration, duration)

    def _measure(self) -> None:
        memory = self.memory
        memory["Present_Position"] = self._present()
        memory["Present_Velocity"] = self._direction * round(self.mechanism.velocity / SPEED_UNIT)
        memory["Present_Current"] = self._direction * round(1750 * self.load)
        memory["Present_PWM"] = self._direction * round(885 * self.load)
        memory["Present_Input_Voltage"] = round(10 * self.voltage)
        memory["Present_Temperature"] = round(self.temperature)
        memory["Moving"] = int(abs(self.mechanism.velocity) > memory["Moving_Threshold"] * SPEED_UNIT)
        low, high = memory["Min_Voltage_Limit"] / 10, memory["Max_Voltage_Limit"] / 10
        status = VOLTAGE_BIT * (not low <= self.voltage <= high)
        status |= HEAT_BIT * (self.temperature > memory["Temperature_Limit"])
        status |= SENSOR_BIT * (Fault.DEAD in self.faults)
        status |= OVERLOAD_BIT * (self._overloaded or Fault.OVERLOAD in self.faults)
        memory["Hardware_Error_Status"] = status

    @property
    def _direction(self) -> int:
        return -1 if self.memory["Drive_Mode"] & REVERSE else 1

    def _present(self) -> int:
        """Position as reported: reversed and homed as the registers say."""
        position = self._direction * round(self.mechanism.position)
        offset = decode_twos_complement(self.memory["Homing_Offset"], 4)
        if self.memory["Operating_Mode"] == POSITION:
            position %= RESOLUTION
            if abs(offset) > LARGEST_OFFSET_IN_POSITION_MODE:
                offset = 0
        return position + offset
