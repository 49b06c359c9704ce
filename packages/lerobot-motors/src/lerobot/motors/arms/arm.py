"""What a follower and a leader share: six servos on one line, and their calibration."""

import logging
import time
from abc import ABC, abstractmethod
from typing import ClassVar, TypeAlias

from lerobot.core.device import DeviceBase, calibration_path
from lerobot.core.errors import CalibrationError, DeviceError
from lerobot.core.prompts import Prompter
from lerobot.core.types import FeatureSpec, Observation, Stamp
from lerobot.motors import (
    FeetechMotorsBus,
    Motor,
    MotorCalibration,
    MotorNormMode,
    find_calibration,
    load_calibration,
    save_calibration,
)
from lerobot.motors.calibrate import calibrate_by_sweep
from lerobot.motors.calibration_file import known_calibrations
from lerobot.motors.diagnosis import Finding
from lerobot.motors.feetech import OperatingMode
from lerobot.motors.identity import identity_path, read_identity, save_identity, why_it_differs
from lerobot.so100.config import SO100FollowerConfig, SO100LeaderConfig, SO101FollowerConfig, SO101LeaderConfig

log = logging.getLogger(__name__)

AnyArmConfig: TypeAlias = SO100FollowerConfig | SO101FollowerConfig | SO100LeaderConfig | SO101LeaderConfig

JOINTS = ("shoulder_pan", "shoulder_lift", "elbow_flex", "wrist_flex", "wrist_roll", "gripper")
FULL_TURN = "wrist_roll"
STEPS_PER_TURN = 4095
SPEED_DEG_S = 270.0
"""No-load speed of an STS3215 at 7.4 V: 0.222 s for 60 degrees (Feetech data sheet)."""


class SOArm(DeviceBase, ABC):
    """An arm that can be connected, calibrated and set up.

    Args:
        config: port, units and identity.
        prompter: who answers questions; the terminal if None.

    Attributes:
        bus: the servos.
        calibration_path: where its calibration is written.
    """

    role: ClassVar[str]
    """`"robots"` or `"teleoperators"`."""

    former_names: ClassVar[tuple[str, ...]]
    """Names of the class in releases up to 0.4: folders where its calibration may still be."""

    def __init__(self, config: AnyArmConfig, *, prompter: Prompter | None = None) -> None:
        super().__init__(config.id, prompter=prompter)
        self._reads = config.num_read_retries
        self._unit = "deg" if config.use_degrees else "m100"
        body = MotorNormMode.DEGREES if config.use_degrees else MotorNormMode.RANGE_M100_100
        modes = {name: MotorNormMode.RANGE_0_100 if name == "gripper" else body for name in JOINTS}
        motors = {name: Motor(i, "sts3215", modes[name]) for i, name in enumerate(JOINTS, start=1)}
        self.bus = FeetechMotorsBus(config.port, motors)
        self.calibration_path = calibration_path(self.role, self.name, config.id, config.calibration_dir)
        # The former name equal to the type in use is the likelier one.
        former = sorted(self.former_names, key=lambda name: name != config.type)
        self._found = find_calibration(self.role, self.name, config.id, config.calibration_dir, former)
        self._unreadable: CalibrationError | None = None
        self._load_calibration()

    def _load_calibration(self) -> None:
        """Take the calibration from its file; a file that cannot be used must not prevent a new calibration."""
        self._unreadable = None
        if self._found.is_file():
            try:
                self.bus.calibration = load_calibration(self._found)
            except CalibrationError as error:
                self._unreadable = error

    # --- features ----------------------------------------------------------------------------------------------------

    @property
    def joint_features(self) -> dict[str, FeatureSpec]:
        """`<joint>.pos` with unit, range and speed; the range in degrees is the calibrated one, where it is known."""
        return {f"{name}.pos": self._feature(name) for name in JOINTS}

    def _feature(self, name: str) -> FeatureSpec:
        entry = self.bus.calibration.get(name, MotorCalibration(0, 0, 0, 0, STEPS_PER_TURN))
        travel_deg = max(1, entry.range_max - entry.range_min) * 360 / STEPS_PER_TURN
        if name == "gripper":
            return FeatureSpec(unit="percent", range=(0.0, 100.0), max_velocity=100 / travel_deg * SPEED_DEG_S)
        if self._unit == "m100":
            return FeatureSpec(unit="m100", range=(-100.0, 100.0), max_velocity=200 / travel_deg * SPEED_DEG_S)
        return FeatureSpec(unit="deg", range=(-travel_deg / 2, travel_deg / 2), max_velocity=SPEED_DEG_S)

    # --- connection and calibration ----------------------------------------------------------------------------------

    def connect(self, calibrate: bool = True) -> None:
        """See `Calibratable.connect`."""
        with self._connecting():
            self.bus.connect()
            if calibrate:
                self._require_calibration()
            self._start()

    @abstractmethod
    def _start(self) -> None:
        """Make the connected arm ready, with torque as its kind of arm needs it."""

    def _require_calibration(self) -> None:
        if self._unreadable is not None:
            raise self._unreadable
        if self.is_calibrated:
            self._remember_identity(anew=False)
            return
        if not self.bus.calibration:
            log.info("%s: %s", self, self._difference())
        try:
            self.calibrate()
        except EOFError as error:
            raise CalibrationError(
                f"{self} is not calibrated, and nobody is at the terminal to do it: {self._difference()}",
                device=str(self),
                hint=self._way_out(),
            ) from error

    @property
    def is_calibrated(self) -> bool:
        """Whether the motors hold the calibration in use; never without one, or unconnected."""
        return self.bus.is_connected and bool(self.bus.calibration) and self.bus.is_calibrated

    def _difference(self) -> str:
        """Why the motors do not hold the calibration in use."""
        if not self.bus.calibration:
            return f"there is no calibration file {self.calibration_path}."
        return why_it_differs(self.bus, self._found, known_calibrations(self._found))

    def _way_out(self) -> str:
        """What to do about the difference."""
        calibrate = "Run `lerobot calibrate` for it in a terminal"
        return (
            f"Check which arm is on which port. {calibrate} if it is the right one."
            if self.bus.calibration
            else f"{calibrate}."
        )

    def _remember_identity(self, *, anew: bool) -> None:
        """Note which arm the calibration file belongs to, once they agree."""
        path = identity_path(self._found)
        if anew or not path.exists():
            save_identity(path, read_identity(self.bus))

    def calibrate(self) -> None:
        """Write the calibration of the file to the motors, or find a new one by a sweep of all joints.

        Raises:
            CalibrationError: a joint was not swept through its travel.
        """
        self.bus.disable_torque()
        if self.bus.calibration:
            if not self.is_calibrated:
                self.prompter.say(f"{self}: {self._difference()}")
            if not self._wants_new_calibration():
                log.info("Writing calibration file associated with the id %s to the motors", self.id)
                self.bus.write_calibration(self.bus.calibration)
                self._remember_identity(anew=True)
                return
        self.bus.configure_motors()
        for joint in JOINTS:
            self.bus.write_if_different("Operating_Mode", joint, OperatingMode.POSITION.value)
        arm = f"{self.id} {type(self).__name__}"
        self.prompter.ask(f"Move {arm} to the middle of its range of motion and press ENTER....")
        self.prompter.say(
            f"Move all joints except '{FULL_TURN}' sequentially through their entire ranges of motion.\n"
            "Recording positions. Press ENTER to stop..."
        )
        calibration = calibrate_by_sweep(self.bus, full_turn=[FULL_TURN], prompter=self.prompter)
        save_calibration(self.calibration_path, calibration)
        self._found, self._unreadable = self.calibration_path, None
        self._remember_identity(anew=True)
        self.prompter.say(f"Calibration saved to {self.calibration_path}")

    def _wants_new_calibration(self) -> bool:
        answer = self.prompter.ask(
            f"Press ENTER to use provided calibration file associated with the id {self.id}, "
            "or type 'c' and press ENTER to run calibration: "
        )
        return answer.strip().lower() == "c"

    def setup_motors(self) -> None:
        """Give each motor its id, the last of the chain first."""
        try:
            for joint in reversed(JOINTS):
                self.prompter.ask(f"Connect the controller board to the '{joint}' motor only and press enter.")
                self.bus.setup_motor(joint)
                self.prompter.say(f"'{joint}' motor id set to {self.bus.motors[joint].id}")
        finally:
            # One motor is connected and its torque is off: there is nothing to switch off on the others.
            if self.bus.is_connected:
                self.bus.disconnect(disable_torque=False)

    def diagnose(self) -> list[Finding]:
        """What is wrong with the unconnected arm, motor by motor; nothing moves and nothing is written."""
        return self.bus.diagnose() or self._calibration_findings()

    def _calibration_findings(self) -> list[Finding]:
        """Whether sound motors hold the calibration of the file."""
        if self._unreadable is not None:
            return [Finding("calibration", "", 0, self._unreadable.what, self._unreadable.hint)]
        self.bus.connect()
        try:
            if self.is_calibrated:
                return []
            return [Finding("calibration", "", 0, self._difference(), self._way_out())]
        finally:
            if self.bus.is_connected:
                self.bus.disconnect(disable_torque=False)

    def measure(self) -> Observation:
        """Positions of all joints with the time they were measured at."""
        self.require_connected()
        begin = time.monotonic()
        positions = self.bus.sync_read("Present_Position", num_retry=self._reads)
        stamp = Stamp((begin + time.monotonic()) / 2)
        values = {f"{joint}.pos": float(position) for joint, position in positions.items()}
        return Observation(values, dict.fromkeys(values, stamp))

    def _close_bus(self, *, disable_torque: bool) -> None:
        """Close the port; what is gone already is no reason to fail, but torque that stays on is told."""
        if not self.bus.is_connected:
            return
        try:
            self.bus.disconnect(disable_torque)
        except DeviceError as error:
            log.error("%s: %s", self, error)
