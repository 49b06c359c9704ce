"""Virtual Damiao motors."""

import math
import struct
from types import MappingProxyType

from lerobot.can.damiao.protocol import QUERY, READ, SERVICE_ID, STORE, WRITE, ControlMode, Damiao, Register
from lerobot.can.frame import Frame
from lerobot.can.protocol import CLEAR_FAULT, DISABLE, ENABLE, SET_ZERO
from lerobot.can.virtual.motor import CELSIUS, CanMotorSpec, VirtualCanMotor
from lerobot.motors.virtual.spec import Fault

TRIPPED = MappingProxyType({Fault.OVERLOAD: 0xE, Fault.LOW_VOLTAGE: 0x9})
SPECIAL = {ENABLE, DISABLE, SET_ZERO, CLEAR_FAULT}


class DamiaoMotor(VirtualCanMotor):
    """A Damiao motor, with its registers and control modes; see `VirtualCanMotor`."""

    protocol = Damiao()

    def __init__(self, spec: CanMotorSpec, now: float) -> None:
        motor, model = spec.motor, self.protocol.model(spec.motor)
        self._stored: dict[Register, float] = {
            Register.REPLY_ID: motor.reply_id,
            Register.SEND_ID: motor.id,
            Register.TIMEOUT: 0,
            Register.CONTROL_MODE: ControlMode.IMPEDANCE,
            Register.POSITION_END: model.position,
            Register.VELOCITY_END: model.velocity,
            Register.TORQUE_END: model.torque,
        }
        super().__init__(spec, now)

    def power_on(self) -> None:
        """See `VirtualMotor.power_on`; the registers hold what was stored last."""
        super().power_on()
        self._registers = dict(self._stored)

    def hear(self, frame: Frame) -> Frame | None:
        """See `VirtualCanMotor.hear`."""
        motor_id = self.spec.motor.id
        if frame.id == SERVICE_ID and frame.data[:2] == motor_id.to_bytes(2, "little"):
            return self._serve(frame.data)
        if frame.id == motor_id and (frame.data in SPECIAL or self._mode is ControlMode.IMPEDANCE):
            self._obey(frame.data)
        elif frame.id == 0x100 + motor_id and self._mode is ControlMode.POSITION_VELOCITY:
            self._go(*struct.unpack("<ff", frame.data))
        elif frame.id == 0x300 + motor_id and self._mode is ControlMode.FORCE_POSITION:
            goal, speed, _ratio = struct.unpack("<fHH", frame.data)
            self._go(goal, speed / 100)
        elif frame.id & 0xFF != motor_id or frame.id > 0x3FF:
            return None
        return self._state_frame()

    @property
    def _mode(self) -> ControlMode:
        return ControlMode(int(self._registers[Register.CONTROL_MODE]))

    def _go(self, goal: float, speed: float) -> None:
        if self.enabled:
            self._command = (goal, speed)

    def _goal_and_gains(self) -> tuple[float, ...]:
        return super()._goal_and_gains() if len(self._command) == 5 else tuple(map(math.degrees, self._command[:1]))

    def _move(self, duration: float) -> None:
        if len(self._command) == 5:
            super()._move(duration)
        else:
            goal, speed = self._command
            self._joint.go(self._zero + goal, speed, duration)

    def _state_frame(self) -> Frame:
        code = TRIPPED[self.tripped] if self.tripped else int(self.enabled)
        first = self.spec.motor.id & 0xF | code << 4
        return Frame(self.spec.motor.reply_id, bytes([first]) + self._feedback() + bytes([CELSIUS, CELSIUS + 1]))

    def _serve(self, data: bytes) -> Frame | None:
        """Obey a frame on the id that all motors hear."""
        order, number = data[2], data[3]
        if order == QUERY:
            return self._state_frame()
        if order == STORE:
            self._stored = dict(self._registers)
            return None
        if order not in {READ, WRITE} or number not in set(Register):
            return None
        register = Register(number)
        layout = "<I" if register.is_integer else "<f"
        if order == WRITE and register is not Register.POSITION:
            self._registers[register] = struct.unpack(layout, data[4:])[0]
            self._command = ()
        value = self._read(register)
        return Frame(
            self.spec.motor.reply_id, data[:4] + struct.pack(layout, int(value) if register.is_integer else value)
        )

    def _read(self, register: Register) -> float:
        if register is Register.POSITION:
            return self._joint.position - self._zero
        if register is Register.TORQUE_END and Fault.WRONG_MODEL in self.faults:
            return self.faults[Fault.WRONG_MODEL]
        return self._registers[register]
