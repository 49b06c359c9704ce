"""A bus of CAN motors, as a device needs it."""

import logging
import math
import time
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from types import MappingProxyType

from lerobot.can.channel import Channel
from lerobot.can.diagnosis import diagnose
from lerobot.can.drive import Drive, Impedance
from lerobot.can.exchange import Exchange
from lerobot.can.frame import Frame, MotorState
from lerobot.can.motor import CanModel, CanMotor
from lerobot.can.protocol import CLEAR_FAULT, DISABLE, ENABLE, SET_ZERO, Protocol
from lerobot.core.errors import AlreadyConnectedError
from lerobot.motors.bus import Motors, Value
from lerobot.motors.calibration_limits import CalibrationLimits, require_possible
from lerobot.motors.errors import MotorError, MotorValueError
from lerobot.motors.finding import Finding
from lerobot.motors.motor import MotorCalibration

log = logging.getLogger(__name__)

WEAK = Impedance(kp=10.0, kd=0.5)
"""How a motor is driven that nothing else is said about; the gains of huggingface/lerobot."""

ZERO_PAUSE_S = 0.01
"""How long a motor takes to keep its zero."""

ZERO_ERROR_RAD = 0.02

LIMITS_DEG = 720
"""No scale of a position reaches farther."""

_READINGS: Mapping[str, Callable[[MotorState], float | None]] = MappingProxyType(
    {
        "Present_Position": lambda state: state.position,
        "Present_Velocity": lambda state: state.velocity,
        "Present_Torque": lambda state: state.torque,
        "Temperature_MOS": lambda state: state.mos_temperature,
        "Temperature_Rotor": lambda state: state.rotor_temperature,
    }
)
_ANGLES = {"Present_Position", "Present_Velocity"}


class CanMotorsBus(Exchange):
    """CAN motors of one protocol; see `MotorsBus`.

    Quantities: `Present_Position` (degrees), `Present_Velocity` (degrees/s), `Present_Torque` (Nm), `Temperature_MOS`,
    `Temperature_Rotor` (Celsius), `Torque_Enable`; `Goal_Position` (degrees) can be written, and `Kp` and `Kd`, which
    the next goal is sent with. Without `normalize`, angles are in radians, as the motors have them.

    A motor keeps its zero and nothing else of a calibration, and does not tell it: a calibration is what the file says.

    Args:
        port: CAN interface such as can0, or serial port of an adapter.
        motors: the motors by name, in the order of the chain.
        protocol: their frames.
        drives: how each goes to a position; those that are not named, as a weak spring.
        calibration: calibration by name.
        channel: how the port is opened.

    Raises:
        MotorValueError: there is no such model, or a drive cannot be said in a frame.
    """

    def __init__(
        self,
        port: str,
        motors: Mapping[str, CanMotor],
        protocol: Protocol,
        drives: Mapping[str, Drive] | None = None,
        calibration: dict[str, MotorCalibration] | None = None,
        channel: Channel | None = None,
    ) -> None:
        super().__init__(port, motors, protocol, channel or Channel())
        self.calibration: dict[str, MotorCalibration] = calibration or {}
        self._drives: dict[str, Drive] = {name: (drives or {}).get(name, WEAK) for name in motors}
        for name, drive in self._drives.items():
            self._require_sayable(name, drive)
        self._last: dict[str, Frame] = {}
        """The command that each motor follows which has torque."""

    # --- what a protocol adds ----------------------------------------------------------------------------------------

    @abstractmethod
    def _check_motors(self) -> None:
        """Check that the motors are there and are the expected ones; nothing moves.

        Raises:
            MotorError: they are not; says which.
        """

    @abstractmethod
    def configure_motors(self) -> None:
        """See `MotorsBus.configure_motors`."""

    # --- connection --------------------------------------------------------------------------------------------------

    def connect(self, handshake: bool = True) -> None:
        """See `MotorsBus.connect`."""
        if self.is_connected:
            raise AlreadyConnectedError(f"The bus on port '{self.port}' is connected already.", device=self.port)
        with self._lock:
            self._last.clear()
            self.faults.clear()
            self._unsettled.clear()
            self._forget_positions(list(self._motors))
            self._link.open()
            if not handshake:
                return
            try:
                self._check_motors()
            except BaseException:
                self._link.close()
                raise

    def disconnect(self, disable_torque: bool = True) -> None:
        """See `MotorsBus.disconnect`."""
        self._link.require_open()
        try:
            if disable_torque:
                self.disable_torque()
        finally:
            with self._lock:
                self._link.close()

    def model(self, motor: str) -> CanModel:
        """Scales and speed of a motor's model."""
        return self._protocol.model(self._motors[motor])

    def ping(self, motor: str | int) -> bool:
        """Whether a motor answers one question for its state."""
        (name,) = self._names(motor)
        answers: dict[str, MotorState] = {}
        with self._lock:
            self._try({name: self._query(name)}, self._state, answers)
        return name in answers

    def diagnose(self) -> list[Finding]:
        """See `MotorsBus.diagnose`."""
        return diagnose(self)

    # --- states ------------------------------------------------------------------------------------------------------

    def _query(self, name: str) -> Frame:
        return self._protocol.query(self._motors[name], self._last.get(name))

    def read_states(self, motors: Motors = None, num_retry: int = 0) -> dict[str, MotorState]:
        """Ask motors for all that they measure, in radians; see `MotorState`.

        Raises:
            DeviceConnectionError: motors did not answer, which are named.
        """
        names = self._names(motors)
        questions = {name: self._query(name) for name in names}
        return self._ask(questions, self._state, f"Failed to read {', '.join(names)}", num_retry)

    def read(self, data_name: str, motor: str, *, normalize: bool = True, num_retry: int = 0) -> Value:
        """See `MotorsBus.read`."""
        (value,) = self.sync_read(data_name, motor, normalize=normalize, num_retry=num_retry).values()
        return value

    def sync_read(
        self, data_name: str, motors: Motors = None, *, normalize: bool = True, num_retry: int = 0
    ) -> dict[str, Value]:
        """See `MotorsBus.sync_read`."""
        if data_name in {"Kp", "Kd"}:
            gains = {name: self._impedance(name) for name in self._names(motors)}
            return {name: gain.kp if data_name == "Kp" else gain.kd for name, gain in gains.items()}
        if data_name not in _READINGS and data_name != "Torque_Enable":
            raise MotorValueError(f"CAN motors have no {data_name!r}.", expected=", ".join(_READINGS))
        states = self.read_states(motors, num_retry)
        if data_name == "Torque_Enable":
            return {name: int(self._has_torque(name, state)) for name, state in states.items()}
        values: dict[str, Value] = {}
        for name, state in states.items():
            value = _READINGS[data_name](state)
            if value is None:
                raise MotorValueError(f"'{name}' does not tell its {data_name}.")
            values[name] = math.degrees(value) if normalize and data_name in _ANGLES else value
        return values

    def _has_torque(self, name: str, state: MotorState) -> bool:
        """Whether a motor has torque: what it says, or else what it was told."""
        return name in self._last if state.enabled is None else state.enabled

    # --- commands ----------------------------------------------------------------------------------------------------

    def write(self, data_name: str, motor: str, value: Value, *, normalize: bool = True, num_retry: int = 0) -> None:
        """See `MotorsBus.write`."""
        self.sync_write(data_name, {motor: value}, normalize=normalize, num_retry=num_retry)

    def sync_write(
        self, data_name: str, values: Value | Mapping[str, Value], *, normalize: bool = True, num_retry: int = 0
    ) -> None:
        """See `MotorsBus.sync_write`; returns when each motor has answered, so it has the command.

        Raises:
            DeviceConnectionError: motors did not answer, which are named.
            MotorError: a motor has switched itself off, or lost its supply meanwhile.
            MotorValueError: a value cannot be said in a frame; nothing was sent.
        """
        given = values if isinstance(values, Mapping) else dict.fromkeys(self._motors, values)
        wanted = {name: given[key] for key in given for name in self._names(key)}
        if data_name == "Goal_Position":
            goals = {name: math.radians(value) if normalize else value for name, value in wanted.items()}
            self._go_to(goals, num_retry)
        elif data_name in {"Kp", "Kd"}:
            for name, value in wanted.items():
                self.set_drive(name, replace(self._impedance(name), **{data_name.lower(): float(value)}))
        elif data_name == "Torque_Enable":
            if off := [name for name, value in wanted.items() if not value]:
                self.disable_torque(off)
            if on := [name for name, value in wanted.items() if value]:
                self.enable_torque(on)
        else:
            raise MotorValueError(f"{data_name!r} of CAN motors cannot be written.", expected="Goal_Position, Kp, Kd")

    def set_drive(self, motor: str, drive: Drive) -> None:
        """Change how a motor goes to a position, from its next goal on; its mode changes in `configure_motors`.

        Raises:
            MotorValueError: the drive cannot be said in a frame.
        """
        (name,) = self._names(motor)
        self._require_sayable(name, drive)
        self._drives[name] = drive

    def _require_sayable(self, name: str, drive: Drive) -> None:
        try:
            self._protocol.command(self._motors[name], drive, 0.0)
        except MotorValueError as error:
            raise MotorValueError(f"'{name}': {error.what}", device=self.port, expected=error.expected) from error

    def _impedance(self, name: str) -> Impedance:
        drive = self._drives[name]
        if not isinstance(drive, Impedance):
            raise MotorValueError(f"'{name}' has no gains: it is driven by {drive}.")
        return drive

    def _go_to(self, goals: Mapping[str, float], num_retry: int = 0) -> None:
        commands = {}
        for name, goal in goals.items():
            if not math.isfinite(goal):
                raise MotorValueError(f"'{name}': {goal} is no position.", expected="a finite number")
            commands[name] = self._protocol.command(self._motors[name], self._drives[name], goal)
        with self._lock:
            self._refuse_faults(commands)
            on = [name for name in commands if name in self._last]
            states = self._ask(commands, self._state, f"Failed to move {', '.join(commands)}", num_retry)
            self._refuse_faults(commands)
            self._last |= {name: commands[name] for name in on}
            if limp := [name for name in on if states[name].enabled is False]:
                for name in limp:
                    del self._last[name]
                raise MotorError(
                    f"{', '.join(limp)} lost torque without being told to.",
                    device=self.port,
                    hint="Its supply was interrupted, or another program switched it off. Connect again.",
                )

    def _refuse_faults(self, names: Mapping[str, object]) -> None:
        if faulty := {name: self.faults[name] for name in names if name in self.faults}:
            told = "; ".join(f"'{name}' has switched itself off: {fault}" for name, fault in faulty.items())
            raise MotorError(
                f"{told}.",
                device=self.port,
                hint="Remove the cause; then `lerobot setup-can --mode=clear`, or switch the supply off and on.",
            )

    # --- torque ------------------------------------------------------------------------------------------------------

    def enable_torque(self, motors: Motors = None, num_retry: int = 0) -> None:
        """See `MotorsBus.enable_torque`: each motor is sent to where it is, as stiff as its drive says.

        Raises:
            DeviceConnectionError: motors did not answer, which are named.
            MotorError: a motor has switched itself off and stays off.
        """
        names = self._names(motors)
        with self._lock:
            here = {name: state.position for name, state in self.read_states(names, num_retry).items()}
            self._refuse_faults(here)
            questions = {name: Frame(self._motors[name].id, ENABLE) for name in names}
            states = self._ask(questions, self._state, f"Failed to switch {', '.join(names)} on", num_retry)
            self._refuse_faults(states)
            for name in names:
                self._last[name] = self._protocol.command(self._motors[name], self._drives[name], here[name])
            self._go_to(here, num_retry)

    def disable_torque(self, motors: Motors = None, num_retry: int = 0) -> None:
        """See `MotorsBus.disable_torque`; every motor is told before any is waited for, and must say that it is off."""
        names = self._names(motors)
        questions = {name: Frame(self._motors[name].id, DISABLE) for name in names}
        with self._lock:
            for name in names:
                self._last.pop(name, None)
            for name in self._unsettled.intersection(names):
                self._link.send(questions[name])
            states = self._ask(questions, self._state, f"Failed to switch {', '.join(names)} off", num_retry)
        if on := [name for name, state in states.items() if state.enabled]:
            raise MotorError(f"{', '.join(on)} still has torque after being switched off.", device=self.port)

    @contextmanager
    def torque_disabled(self, motors: Motors = None) -> Iterator[None]:
        """See `MotorsBus.torque_disabled`."""
        self.disable_torque(motors)
        try:
            yield
        finally:
            self.enable_torque(motors)

    def clear_faults(self, motors: Motors = None) -> None:
        """Have motors forget why they switched themselves off; they stay off.

        Raises:
            MotorError: the cause is still there.
        """
        names = self._names(motors)
        with self._lock:
            for name in names:
                self.faults.pop(name, None)
            questions = {name: Frame(self._motors[name].id, CLEAR_FAULT) for name in names}
            self._ask(questions, self._state, f"Failed to clear faults of {', '.join(names)}")
            for name in names:
                self.faults.pop(name, None)
            states = self.read_states(names)
        self._refuse_faults(states)

    # --- calibration -------------------------------------------------------------------------------------------------

    def set_zero(self, motors: Motors = None) -> None:
        """Make the present pose of motors, whose torque is off, their zero; they keep it without a supply.

        Raises:
            MotorError: a motor did not take it.
        """
        names = self._names(motors)
        with self._lock:
            self.disable_torque(names)
            for name in names:
                self._forget_positions(names)
                self._ask(
                    {name: Frame(self._motors[name].id, SET_ZERO)}, self._state, f"Failed to set the zero of {name}"
                )
                time.sleep(ZERO_PAUSE_S)
            self._forget_positions(names)
            states = self.read_states(names)
        if off := [name for name, state in states.items() if abs(state.position) > ZERO_ERROR_RAD]:
            raise MotorError(f"{', '.join(off)} did not take the present pose as zero.", device=self.port)

    @property
    def calibration_limits(self) -> Mapping[str, CalibrationLimits]:
        """See `MotorsBus.calibration_limits`; in degrees."""
        return {
            name: CalibrationLimits(motor.id, (-LIMITS_DEG, LIMITS_DEG), (0, 0), (0, 0))
            for name, motor in self._motors.items()
        }

    @property
    def is_calibrated(self) -> bool:
        """Whether there is a calibration of each motor; whether a motor has that zero, it does not tell."""
        return set(self.calibration) == set(self._motors)

    def read_calibration(self) -> dict[str, MotorCalibration]:
        """The calibration in use; motors do not tell theirs."""
        return dict(self.calibration)

    def write_calibration(self, calibration_dict: dict[str, MotorCalibration], cache: bool = True) -> None:
        """See `MotorsBus.write_calibration`; there is nothing to write, a zero is set by `set_zero`."""
        require_possible(calibration_dict, self.calibration_limits, source="calibration", whole=cache)
        if cache:
            self.calibration = calibration_dict
