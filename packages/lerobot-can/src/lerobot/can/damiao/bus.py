"""A bus of Damiao motors."""

import itertools
from collections.abc import Mapping

from lerobot.can.bus import CanMotorsBus
from lerobot.can.channel import Channel
from lerobot.can.damiao.protocol import MODES, ControlMode, Damiao, Register
from lerobot.can.drive import Drive
from lerobot.can.frame import Frame
from lerobot.can.motor import CanMotor
from lerobot.core.errors import DeviceConnectionError
from lerobot.motors.bus import Motors
from lerobot.motors.errors import MotorError
from lerobot.motors.motor import MotorCalibration

SCALES = (Register.POSITION_END, Register.VELOCITY_END, Register.TORQUE_END)
NONCES = (Register.SEND_ID, Register.REPLY_ID, Register.TIMEOUT, Register.CONTROL_MODE, *SCALES)
"""Registers that are asked for in turn to find out whether older answers are still on their way: one for each further
try, so that none comes twice within a second."""


class DamiaoMotorsBus(CanMotorsBus):
    """Damiao motors; see `CanMotorsBus`.

    The handshake reads each motor's scales and compares them with those of its model: feedback that is unpacked with
    the scales of another model is wrong by a factor, and so is every command.

    Args:
        port: see `CanMotorsBus`.
        motors: see `CanMotorsBus`; `reply_id` is the motor's master id.
        drives: how each goes to a position; `configure_motors` sets its control mode accordingly.
        calibration: see `CanMotorsBus`.
        channel: see `CanMotorsBus`.
    """

    _protocol: Damiao

    def __init__(
        self,
        port: str,
        motors: Mapping[str, CanMotor],
        drives: Mapping[str, Drive] | None = None,
        calibration: dict[str, MotorCalibration] | None = None,
        channel: Channel | None = None,
    ) -> None:
        super().__init__(port, motors, Damiao(), drives, calibration, channel)
        self._nonces = itertools.cycle(NONCES)

    def read_register(self, register: Register, motors: Motors = None) -> dict[str, float]:
        """Read a parameter of motors.

        Raises:
            DeviceConnectionError: motors did not answer, which are named.
        """
        questions = {name: self._protocol.read(self._motors[name], register) for name in self._names(motors)}
        return self._ask_register(questions, register, f"Failed to read {register.name}")

    def write_register(self, register: Register, values: Mapping[str, float]) -> None:
        """Set a parameter of motors until their supply is switched off; see `store`.

        Raises:
            DeviceConnectionError: motors did not answer, which are named.
            MotorError: a motor kept another value.
        """
        questions = {name: self._protocol.write(self._motors[name], register, value) for name, value in values.items()}
        self._ask_register(questions, register, f"Failed to write {register.name}")
        held = self.read_register(register, list(values))
        if other := [name for name, value in values.items() if abs(held[name] - value) > 1e-6 * max(1, abs(value))]:
            raise MotorError(f"{', '.join(other)} did not take {register.name}.", device=self.port)

    def store(self, motors: Motors = None) -> None:
        """Keep the parameters of motors, whose torque is off, without a supply; wears their memory.

        No manual says how a motor answers, so nothing is waited for.
        """
        with self._lock:
            for name in self._names(motors):
                self._link.send(self._protocol.store(self._motors[name]))

    def configure_motors(self) -> None:
        """Set the control mode that each motor's drive needs; only a motor in another one loses torque for it."""
        wanted = {name: float(MODES[type(drive)]) for name, drive in self._drives.items()}
        held = self.read_register(Register.CONTROL_MODE)
        if other := {name: mode for name, mode in wanted.items() if held[name] != mode}:
            powered = [name for name, on in self.sync_read("Torque_Enable", list(other)).items() if on]
            self.disable_torque(list(other))
            self.write_register(Register.CONTROL_MODE, other)
            self.enable_torque(powered)

    def _check_motors(self) -> None:
        try:
            self.read_states()
            scales = {register: self.read_register(register) for register in SCALES}
        except DeviceConnectionError as error:
            ids = ", ".join(f"{name} {motor.id}/{motor.reply_id:#x}" for name, motor in self._motors.items())
            raise MotorError(
                error.what,
                device=self.port,
                expected=f"these motors (name, id/reply id): {ids}",
                hint="Check the supply, the cables and the ids; `lerobot setup-can --mode=test` lists who answers.",
            ) from error
        for name, motor in self._motors.items():
            model = self._protocol.model(motor)
            held = [f"{scales[register][name]:g}" for register in SCALES]
            expected = [f"{end:g}" for end in (model.position, model.velocity, model.torque)]
            if held != expected:
                raise MotorError(
                    f"'{name}' has the scales {', '.join(held)}.",
                    device=self.port,
                    expected=f"{', '.join(expected)} (rad, rad/s, Nm), those of a {motor.model}",
                    hint="Correct the model in the configuration, or the motor's PMAX, VMAX and TMAX.",
                )

    def control_modes(self, motors: Motors = None) -> dict[str, ControlMode]:
        """The control mode each motor is in."""
        return {
            name: ControlMode(int(mode)) for name, mode in self.read_register(Register.CONTROL_MODE, motors).items()
        }

    def _ask_register(self, questions: Mapping[str, Frame], register: Register, what: str) -> dict[str, float]:
        def accept(name: str, frame: Frame) -> float | None:
            answer = self._protocol.register(self._motors[name], frame)
            if answer is None:
                self._note(name, frame)
            return answer[1] if answer is not None and answer[0] == register else None

        return self._ask(questions, accept, what)

    def _note(self, name: str, frame: Frame) -> None:
        if self._protocol.register(self._motors[name], frame) is None:
            super()._note(name, frame)

    def _settle(self, names: list[str]) -> None:
        """Ask for a register: a motor answers in order, so what comes after that answer answers a later question."""
        nonce = next(self._nonces)
        waiting = set(names)
        for name in names:
            self._link.send(self._protocol.read(self._motors[name], nonce))

        def take(name: str, frame: Frame) -> None:
            answer = self._protocol.register(self._motors[name], frame)
            if answer is not None and answer[0] == nonce:
                waiting.discard(name)
            else:
                self._note(name, frame)

        self._hear(take, lambda: not waiting)
        self._unsettled -= set(names) - waiting
