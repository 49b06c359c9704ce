"""A virtual Feetech servo: STS and SMS (protocol 0), SCS (protocol 1)."""

from lerobot.feetech import tables
from lerobot.feetech.virtual.framing import FeetechFraming
from lerobot.motors.encoding import decode_sign_magnitude, encode_sign_magnitude
from lerobot.motors.motor import MotorCalibration
from lerobot.motors.virtual.mechanism import Mechanism
from lerobot.motors.virtual.memory import Memory
from lerobot.motors.virtual.servo import Servo
from lerobot.motors.virtual.spec import Fault, ServoSpec

FACTORY = {
    "Firmware_Major_Version": 3,
    "Firmware_Minor_Version": 10,
    "Return_Delay_Time": 250,
    "Response_Status_Level": 1,
    "Max_Temperature_Limit": 70,
    "Max_Voltage_Limit": 140,
    "Min_Voltage_Limit": 40,
    "Max_Torque_Limit": 1000,
    "Phase": 12,
    "Unloading_Condition": 44,
    "LED_Alarm_Condition": 47,
    "P_Coefficient": 32,
    "D_Coefficient": 32,
    "Minimum_Startup_Force": 16,
    "CW_Dead_Zone": 1,
    "CCW_Dead_Zone": 1,
    "Protection_Current": 500,
    "Angular_Resolution": 1,
    "Protective_Torque": 20,
    "Protection_Time": 200,
    "Overload_Torque": 80,
    "Velocity_closed_loop_P_proportional_coefficient": 10,
    "Over_Current_Protection_Time": 200,
    "Velocity_closed_loop_I_integral_coefficient": 10,
}

POSITION, VELOCITY, PWM, STEP_MODE = 0, 1, 2, 3
VOLTAGE_BIT, SENSOR_BIT, HEAT_BIT, OVERLOAD_BIT = 1, 2, 4, 32
SPEED_IN_STEPS, MULTI_TURN = 0x04, 0x10
SPEED_UNIT = 50.0
"""Steps/s of a unit of speed (0.732 rpm) unless the Phase register asks for single steps/s."""
ACCELERATION_UNIT = 100.0
CALIBRATE_MIDDLE = 128
STALL_CURRENT_A = 2.7
CURRENT_UNIT_A = 0.0065


class FeetechServo(Servo):
    """See `Servo`; an STS3215 reaches 3400 steps/s at 7.4 V."""

    framing = FeetechFraming()
    limits_of = staticmethod(tables.limits_of)

    @classmethod
    def holding(cls, calibration: MotorCalibration, model: str) -> tuple[dict[str, int], tuple[float, float]]:
        """See `Servo.holding`; a servo reports its position less the offset, if it keeps one."""
        registers = {"Min_Position_Limit": calibration.range_min, "Max_Position_Limit": calibration.range_max}
        if "Homing_Offset" not in tables.CONTROL_TABLES[model]:
            return registers, (calibration.range_min, calibration.range_max)
        offset = calibration.homing_offset
        registers["Homing_Offset"] = encode_sign_magnitude(offset, tables.SIGN_BITS["Homing_Offset"])
        return registers, (calibration.range_min + offset, calibration.range_max + offset)

    def __init__(self, spec: ServoSpec, voltage: float, now: float) -> None:
        self.resolution = tables.RESOLUTIONS[spec.model]
        self.protocol = tables.PROTOCOLS[spec.model]
        self._step_goal = spec.position
        self._stalled_since: float | None = None
        self._overloaded = False
        super().__init__(spec, voltage, now)

    def _memory(self) -> Memory:
        table = tables.CONTROL_TABLES[self.spec.model]
        contents = {
            **{name: value for name, value in FACTORY.items() if name in table},
            "Model_Number": tables.MODEL_NUMBERS[self.spec.model],
            "ID": self.spec.id,
            "Max_Position_Limit": self.resolution - 1,
            **self.spec.registers,
        }
        return Memory(table, tables.KEPT, contents, "big" if self.protocol else "little")

    def _mechanism(self) -> Mechanism:
        return Mechanism(self.spec.position, self.spec.stops, 0.83 * self.resolution, 12 * self.resolution)

    @property
    def baudrate(self) -> int:
        """See `Servo.baudrate`."""
        rates = {code: rate for rate, code in tables.BAUD_CODES.items()}
        return int(self.faults.get(Fault.WRONG_BAUD_RATE, rates.get(self.memory["Baud_Rate"], 0)))

    def power_on(self) -> None:
        """See `Servo.power_on`."""
        self.memory.restart()
        self.memory["Lock"] = 1
        if "Torque_Limit" in self.memory:
            self.memory["Torque_Limit"] = self.memory["Max_Torque_Limit"]
        self._overloaded = False
        self.mechanism.release()
        self.memory["Goal_Position"] = self._encode(self._present(), 15)
        self._measure()

    def ping(self) -> bytes:
        """See `Servo.ping`."""
        return b""

    def read(self, address: int, length: int) -> bytes:
        """See `Servo.read`; faults of identity show here."""
        data = bytearray(super().read(address, length))
        for fault, name in ((Fault.WRONG_MODEL, "Model_Number"), (Fault.WRONG_FIRMWARE, "Firmware_Minor_Version")):
            start, size = self.memory.table[name]
            if fault in self.faults and self.memory.touches(name, address, length):
                false = int(self.faults[fault]).to_bytes(size, "big" if self.protocol else "little")
                for offset, byte in enumerate(false):
                    if 0 <= start + offset - address < length:
                        data[start + offset - address] = byte
        return bytes(data)

    def write(self, address: int, data: bytes) -> int:
        """See `Servo.write`; with Lock set, EEPROM registers change until power-off only."""
        self.memory.write(address, data, keep=self.memory["Lock"] == 0)
        if self.memory.touches("Torque_Enable", address, len(data)):
            self._overloaded = False
            if self.memory["Torque_Enable"] == CALIBRATE_MIDDLE and "Homing_Offset" in self.memory:
                self._calibrate_middle()
        stepping = self.memory.get("Operating_Mode", POSITION) == STEP_MODE
        if stepping and self.memory.touches("Goal_Position", address, len(data)):
            self._step_goal = self.mechanism.position + self._decode(self.memory["Goal_Position"], 15)
        return self.error()

    def error(self) -> int:
        """See `Servo.error`."""
        return self.memory["Status"]

    def refresh(self, now: float) -> None:
        """See `Servo.refresh`."""
        duration = self._pass_time(now)
        if self.memory["Torque_Enable"] == 1 and Fault.DEAD not in self.faults:
            self._drive(duration)
        else:
            self.mechanism.release()
        self._protect(now)
        self._measure()

    def _drive(self, duration: float) -> None:
        memory, joint = self.memory, self.mechanism
        unit = 1.0 if memory["Phase"] & SPEED_IN_STEPS else SPEED_UNIT
        speed = self._decode(memory["Goal_Velocity"], 15) * unit
        acceleration = memory["Acceleration"] * ACCELERATION_UNIT
        mode = memory.get("Operating_Mode", POSITION)
        if mode == VELOCITY:
            joint.drive_at(speed, acceleration, duration)
        elif mode == PWM:
            joint.drive_at(self._decode(memory["Goal_Time"], 10) / 1000 * joint.speed, acceleration, duration)
        elif mode == STEP_MODE:
            joint.drive_to(self._step_goal, abs(speed), acceleration, duration)
        else:
            goal = self._decode(memory["Goal_Position"], 15)
            low, high = memory["Min_Position_Limit"], memory["Max_Position_Limit"]
            if high > low:
                goal = max(low, min(high, goal))
            # A servo knows no short way across the seam of its encoder: it drives the difference it sees.
            joint.drive_to(joint.position + goal - self._present(), abs(speed), acceleration, duration)

    def _protect(self, now: float) -> None:
        """Notice a stall that lasts, and hold with the protective torque from then on."""
        limit = self.memory.get("Torque_Limit", 1000) / 1000
        if self._overloaded or Fault.OVERLOAD in self.faults:
            limit = min(limit, self.memory["Protective_Torque"] / 100)
        self.load = self._load_of(self.memory["Torque_Enable"] == 1, limit)
        threshold = self.memory.get("Overload_Torque", 80) / 100
        if not self.mechanism.blocked:
            self._stalled_since = None
            self._overloaded = False
        elif abs(self.load) >= threshold:
            self._stalled_since = self._stalled_since or now
            self._overloaded = now - self._stalled_since >= self.memory["Protection_Time"] / 100

    def _measure(self) -> None:
        memory = self.memory
        unit = 1.0 if memory["Phase"] & SPEED_IN_STEPS else SPEED_UNIT
        memory["Present_Position"] = self._encode(self._present(), 15)
        memory["Present_Velocity"] = self._encode(round(self.mechanism.velocity / unit), 15)
        memory["Present_Load"] = self._encode(round(1000 * self.load), 10)
        memory["Present_Voltage"] = round(10 * self.voltage)
        memory["Present_Temperature"] = round(self.temperature)
        memory["Moving"] = int(self.mechanism.velocity != 0)
        if "Present_Current" in memory:
            memory["Present_Current"] = round(abs(self.load) * STALL_CURRENT_A / CURRENT_UNIT_A)
        low, high = memory["Min_Voltage_Limit"] / 10, memory["Max_Voltage_Limit"] / 10
        status = VOLTAGE_BIT * (not low <= self.voltage <= high)
        status |= SENSOR_BIT * (Fault.DEAD in self.faults)
        status |= HEAT_BIT * (self.temperature > memory["Max_Temperature_Limit"])
        status |= OVERLOAD_BIT * (self._overloaded or Fault.OVERLOAD in self.faults)
        memory["Status"] = status

    def _present(self) -> int:
        """Position as reported: homed, and within one turn unless the servo counts turns."""
        position = round(self.mechanism.position)
        if self.protocol:
            return max(0, min(self.resolution - 1, position))
        position -= self._decode(self.memory["Homing_Offset"], 11)
        return position if self.memory["Phase"] & MULTI_TURN else position % self.resolution

    def _calibrate_middle(self) -> None:
        """Home the servo so that it reports half a turn where it is, and switch torque off again."""
        half = self.resolution // 2
        offset = (round(self.mechanism.position) - half + half) % self.resolution - half
        address, _ = self.memory.table["Homing_Offset"]
        content = encode_sign_magnitude(max(offset, 1 - half), 11)
        self.memory.write(address, content.to_bytes(2, "little"), keep=True)
        self.memory["Torque_Enable"] = 0

    def _encode(self, value: int, sign_bit: int) -> int:
        return value if self.protocol and value >= 0 else encode_sign_magnitude(value, sign_bit)

    def _decode(self, content: int, sign_bit: int) -> int:
        return content if self.protocol else decode_sign_magnitude(content, sign_bit)
