"""An arm of servos: settings in registers, calibration by a sweep, setting up, and the identity of the arm."""

import logging
from collections.abc import Sequence

from lerobot.core.errors import CalibrationError
from lerobot.core.prompts import Prompter
from lerobot.core.protocols.ability import MotorHealth
from lerobot.core.types import FeatureSpec
from lerobot.motors.arms.arm import AnyArmConfig, Arm
from lerobot.motors.arms.config import TriggerLeaderConfig
from lerobot.motors.arms.follower import FollowerArm
from lerobot.motors.arms.leader import LeaderArm
from lerobot.motors.arms.table import ArmTable
from lerobot.motors.calibration_file import known_calibrations, save_calibration
from lerobot.motors.motor import MotorCalibration, MotorNormMode
from lerobot.motors.serial.bus import SerialMotorsBus
from lerobot.motors.serial.identity import identity_path, read_identity, save_identity, why_it_differs
from lerobot.motors.serial.sweep import calibrate_by_sweep

log = logging.getLogger(__name__)


class ServoArm(Arm):
    """An arm whose motors are servos on a serial line, as its table says.

    Args:
        config: its port, type, id and unit.
        prompter: who answers questions; the terminal if None.
    """

    table: ArmTable
    """Its servos; those of a subclass, unless its configuration says which."""

    bus: SerialMotorsBus

    def __init__(self, config: AnyArmConfig, *, prompter: Prompter | None = None) -> None:
        bus = self.table.bus(config.port, self.table.motors(in_degrees=config.in_degrees))
        super().__init__(config, bus, reads=config.read_retries, prompter=prompter)

    def settings(self, joint: str) -> dict[str, int]:
        """Contents of registers a joint works with; a subclass adds what its configuration says."""
        return dict(self.table.joints[joint].settings)

    def _write_settings(self) -> None:
        self.bus.configure_motors()
        for joint in self.table.joints:
            for register, value in self.settings(joint).items():
                self.bus.write_if_different(register, joint, value)

    # --- features ----------------------------------------------------------------------------------------------------

    @property
    def joint_features(self) -> dict[str, FeatureSpec]:
        """`<joint>.pos` with unit, range and speed; the range in degrees is the calibrated one, where it is known."""
        shadows = self.table.shadows
        return {f"{name}.pos": self._feature(name) for name in self.positioned if name not in shadows}

    @property
    def positioned(self) -> list[str]:
        """See `Arm.positioned`."""
        wheels = self.table.wheels
        return [name for name in self.table.joints if name not in wheels]

    def _feature(self, name: str) -> FeatureSpec:
        motor = self.bus.motors[name]
        steps = self.bus.model_resolution_table[motor.model] - 1
        entry = self.bus.calibration.get(name, MotorCalibration(motor.id, 0, 0, 0, steps))
        travel_deg = max(1, entry.range_max - entry.range_min) * 360 / steps
        speed = self.table.joints[name].speed_deg_s
        if motor.norm_mode is MotorNormMode.RANGE_0_100:
            return FeatureSpec(unit="percent", range=(0.0, 100.0), max_velocity=100 / travel_deg * speed)
        if motor.norm_mode is MotorNormMode.RANGE_M100_100:
            return FeatureSpec(unit="m100", range=(-100.0, 100.0), max_velocity=200 / travel_deg * speed)
        return FeatureSpec(unit="deg", range=(-travel_deg / 2, travel_deg / 2), max_velocity=speed)

    # --- calibration -------------------------------------------------------------------------------------------------

    @property
    def calibration_asks(self) -> bool:
        """See `AsksToCalibrate`."""
        known = self.table.known_calibration
        return known is None or self.bus.calibration not in ({}, known)

    def calibrate(self) -> None:
        """Write the calibration of the file to the motors, or find a new one by a sweep of all joints.

        An arm that is aligned is not swept: its calibration is known, and asked about only if the file holds another.

        Raises:
            CalibrationError: a joint was not swept through its travel.
        """
        self.bus.disable_torque()
        known = self.table.known_calibration
        if self.bus.calibration and self.bus.calibration != known:
            if not self.is_calibrated:
                self.prompter.say(f"{self}: {self._difference()}")
            if not self._wants_new_calibration():
                log.info("Writing calibration file associated with the id %s to the motors", self.id)
                self._write_calibration(self.bus.calibration)
                self._remember_identity()
                return
        for name, joint in self.table.joints.items():
            for register, value in joint.calibration_settings.items():
                self.bus.write_if_different(register, name, value)
        if known is None:
            calibration = self._sweep()
        else:
            calibration = known
            self._write_calibration(known)
        save_calibration(self.calibration_path, calibration)
        self._found, self._unreadable = self.calibration_path, None
        self._remember_identity()
        self.prompter.say(f"Calibration saved to {self.calibration_path}")

    def _require_calibration(self) -> None:
        super()._require_calibration()
        if self.bus.counts_turns:
            self._require_same_turn()

    def _require_same_turn(self) -> None:
        """Refuse a joint that was switched on beyond the seam of its encoder: it would go to its goal a turn away."""
        for name, position in self.bus.sync_read("Present_Position", normalize=False).items():
            entry = self.bus.calibration[name]
            turn = self.bus.model_resolution_table[self.bus.motors[name].model]
            whole = entry.range_max - entry.range_min >= turn - 1
            if not whole and abs(position - (entry.range_min + entry.range_max) / 2) > turn / 2:
                raise CalibrationError(
                    f"'{name}' reports {position}, a turn away from its range.",
                    device=str(self),
                    expected=f"{entry.range_min} to {entry.range_max}",
                    hint="Switch the motors off, move this joint to the middle of its travel and switch them on again.",
                )

    def _write_calibration(self, calibration: dict[str, MotorCalibration]) -> None:
        self.bus.require_possible(calibration)
        self.bus.write_drive_modes({name: entry.drive_mode for name, entry in calibration.items()})
        self.bus.write_calibration(calibration)

    def _sweep(self) -> dict[str, MotorCalibration]:
        self.bus.configure_motors()
        self.bus.write_drive_modes(self.table.drive_modes)
        self._ask_for_a_sweep()
        return calibrate_by_sweep(
            self.bus,
            full_turn=self.table.endless,
            wheels=self.table.wheels,
            drive_modes=self.table.drive_modes,
            prompter=self.prompter,
        )

    def _ask_for_a_sweep(self) -> None:
        arm = f"{self.id} {type(self).__name__}"
        self.prompter.ask(f"Move {arm} to the middle of its range of motion and press ENTER....")
        endless = self.table.endless
        others = f" except {endless[0]!r}" if len(endless) == 1 else f" except {endless}" if endless else ""
        self.prompter.say(
            f"Move all joints{others} sequentially through their entire ranges of motion.\n"
            "Recording positions. Press ENTER to stop..."
        )

    def _settle(self) -> None:
        """Note which arm the calibration file belongs to, the first time they agree."""
        if not identity_path(self._found).exists():
            self._remember_identity()

    def _remember_identity(self) -> None:
        save_identity(identity_path(self._found), read_identity(self.bus))

    def _difference(self) -> str:
        if not self.bus.calibration:
            return super()._difference()
        return why_it_differs(self.bus, self._found, known_calibrations(self._found))

    # --- setting up --------------------------------------------------------------------------------------------------

    def setup_order(self) -> list[str]:
        """Joints in the order their motors are set up in: the last of the chain first."""
        return list(self.table.joints)[::-1]

    def setup_motors(self) -> None:
        """Give each motor its id, in the order of `setup_order`."""
        try:
            for joint in self.setup_order():
                self.prompter.ask(f"Connect the controller board to the '{joint}' motor only and press enter.")
                self.bus.setup_motor(joint)
                self.prompter.say(f"'{joint}' motor id set to {self.bus.motors[joint].id}")
        finally:
            # One motor is connected and its torque is off: there is nothing to switch off on the others.
            if self.bus.is_connected:
                self.bus.disconnect(disable_torque=False)


class ServoFollower(ServoArm, FollowerArm):
    """A follower arm of servos, which report their health; see `ReportsHealth`."""

    @property
    def monitored_motors(self) -> Sequence[str]:
        """See `ReportsHealth.monitored_motors`."""
        return list(self.bus.motors)

    def motor_health(self, motor: str, /) -> MotorHealth:
        """See `ReportsHealth.motor_health`."""
        return self.bus.health_of(motor)


class ServoLeader(ServoArm, LeaderArm):
    """A leader arm of servos."""


class TriggerLeader(ServoLeader):
    """A leader whose gripper is a trigger: its motor keeps it open and gives way to a finger.

    Args:
        config: its port, type, id and where the trigger rests.
        prompter: who answers questions; the terminal if None.
    """

    def __init__(self, config: TriggerLeaderConfig, *, prompter: Prompter | None = None) -> None:
        super().__init__(config, prompter=prompter)
        self._open_at = config.gripper_open_pos

    def configure(self) -> None:
        """See `LeaderArm.configure`; only the trigger has torque afterwards."""
        super().configure()
        self._hold_trigger()

    def disable_torque(self) -> None:
        """Let the arm be moved by hand, with the trigger at its rest."""
        super().disable_torque()
        self._hold_trigger()

    def _hold_trigger(self) -> None:
        """Torque comes on where the trigger is; where open is, only a calibrated arm knows."""
        triggers = self.table.grippers
        self.bus.enable_torque(triggers)
        if self.is_calibrated:
            for trigger in triggers:
                self.bus.write("Goal_Position", trigger, self._open_at)
