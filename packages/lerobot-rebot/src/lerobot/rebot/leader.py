"""A reBot 102 that is moved by hand and read."""

import logging
import math
from typing import Any

from lerobot.core.device import DeviceBase, calibration_path
from lerobot.core.errors import CalibrationError
from lerobot.core.prompts import Prompter
from lerobot.core.types import Action, FeatureSpec
from lerobot.motors.calibration_file import find_calibration, load_calibration, save_calibration
from lerobot.motors.finding import Finding
from lerobot.motors.motor import MotorCalibration
from lerobot.rebot.chain import SmartServoChain
from lerobot.rebot.config import Rebot102LeaderConfig

log = logging.getLogger(__name__)

ROLE = "teleoperators"
ZERO_POSE = "its zero pose, gripper closed"


class Rebot102Leader(DeviceBase):
    """A leader arm of smart servos: it has no torque, and tells the angles of its joints.

    Its servos keep their zero, which `calibrate` sets; connecting leaves it as it is.

    Args:
        config: see `Rebot102LeaderConfig`.
        prompter: who answers questions; the terminal if None.

    Attributes:
        calibration: entry of each joint; empty if there is no file.
        calibration_path: where its calibration is written.
    """

    name = "rebot_102_leader"

    def __init__(self, config: Rebot102LeaderConfig, *, prompter: Prompter | None = None) -> None:
        super().__init__(config.id, prompter=prompter)
        self.config = config
        self.chain = SmartServoChain(config.port, config.baudrate, config.joint_ids)
        self.calibration: dict[str, MotorCalibration] = {}
        self.calibration_path = calibration_path(ROLE, self.name, config.id, config.calibration_dir)
        self._unreadable: CalibrationError | None = None
        found = find_calibration(ROLE, self.name, config.id, config.calibration_dir)
        if found.is_file():
            try:
                self.calibration = load_calibration(found)
            except CalibrationError as error:
                # A file that cannot be used must not prevent a new calibration.
                self._unreadable = error

    # --- what it is --------------------------------------------------------------------------------------------------

    @property
    def joint_features(self) -> dict[str, FeatureSpec]:
        """`<joint>.pos`, degrees of the follower's joint."""
        return {f"{joint}.pos": FeatureSpec(unit="deg", range=ends) for joint, ends in self.config.joint_ranges.items()}

    @property
    def action_features(self) -> dict[str, FeatureSpec]:
        """Joint positions, `<joint>.pos`."""
        return {f"{joint}.pos": self.joint_features[f"{joint}.pos"] for joint in self.config.joint_ids}

    @property
    def feedback_features(self) -> dict[str, FeatureSpec]:
        """There is nothing to feel."""
        return {}

    # --- life cycle --------------------------------------------------------------------------------------------------

    def connect(self, calibrate: bool = True) -> None:
        """See `Calibratable.connect`.

        Raises:
            MotorError: servos do not answer, which are named.
            CalibrationError: the calibration file cannot be used, or there is none and nobody to make it.
        """
        with self._connecting():
            if calibrate:
                self.require_usable_file()
            self.chain.open()
            self.chain.require_servos()
            if calibrate and not self.is_calibrated:
                self._calibrate_or_say_how()
            self.configure()

    def configure(self) -> None:
        """See `Calibratable.configure`: no servo has torque, and each counts its turns anew."""
        self.chain.release()
        self.chain.reset_turns()

    def _close(self) -> None:
        self.chain.close()

    def diagnose(self) -> list[Finding]:
        """What is wrong with the unconnected arm; nothing moves and nothing is written."""
        findings = self.chain.diagnose()
        if not findings and self._unreadable is not None:
            return [Finding("calibration", "", 0, self._unreadable.what, self._unreadable.hint)]
        if not findings and not self.is_calibrated:
            hint = "Run `lerobot calibrate` for it in a terminal."
            return [Finding("calibration", "", 0, f"there is no calibration file {self.calibration_path}.", hint)]
        return findings

    # --- calibration -------------------------------------------------------------------------------------------------

    @property
    def is_calibrated(self) -> bool:
        """Whether there is a calibration of each joint; where its zero is, a servo does not tell."""
        return set(self.calibration) == set(self.config.joint_ids)

    @property
    def calibration_asks(self) -> bool:
        """See `AsksToCalibrate`."""
        return True

    def require_usable_file(self) -> None:
        """Check the calibration file, if there is one.

        Raises:
            CalibrationError: it cannot be read.
        """
        if self._unreadable is not None:
            raise self._unreadable

    def calibrate(self) -> None:
        """Take the calibration of the file as it is, or have the servos keep the present pose as their zero.

        Raises:
            MotorError: a servo did not take it; nothing was saved.
        """
        if self.calibration:
            answer = self.prompter.ask(
                f"Press ENTER to use provided calibration file associated with the id {self.id}, "
                "or type 'c' and press ENTER to run calibration: "
            )
            if answer.strip().lower() != "c":
                return
        self.chain.release()
        self.prompter.ask(f"Move {self.id} {type(self).__name__} to {ZERO_POSE}, and press ENTER....")
        self.chain.set_origin()
        ranges = self.config.joint_ranges
        self.calibration = {
            joint: MotorCalibration(servo_id, 0, 0, math.floor(ranges[joint][0]), math.ceil(ranges[joint][1]))
            for joint, servo_id in self.config.joint_ids.items()
        }
        self._unreadable = None
        save_calibration(self.calibration_path, self.calibration)
        self.prompter.say(f"Calibration saved to {self.calibration_path}")

    def _calibrate_or_say_how(self) -> None:
        try:
            self.calibrate()
        except EOFError as error:
            raise CalibrationError(
                f"{self} is not calibrated, and nobody is at the terminal to do it: "
                f"there is no calibration file {self.calibration_path}.",
                device=str(self),
                hint="Run `lerobot calibrate` for it in a terminal.",
            ) from error

    # --- commands ----------------------------------------------------------------------------------------------------

    def get_action(self) -> Action:
        """See `Teleoperator.get_action`; a joint beyond its range reads as the end of it.

        Raises:
            DeviceConnectionError: servos did not answer, or the line was lost: no earlier action is repeated.
        """
        self.require_connected()
        states = self.chain.read()
        return {f"{joint}.pos": self._position(joint, states[joint].angle) for joint in self.config.joint_ids}

    def _position(self, joint: str, angle: float) -> float:
        """The position of the follower's joint that an angle of a servo means.

        A servo that was switched on in another turn tells whole turns too much; they are left out.
        """
        low, high = self.config.joint_ranges[joint]
        direction = self.config.joint_directions[joint]
        middle = (low + high) / 2 * math.copysign(1, direction)
        turns = round((angle - middle) / 360)
        return min(max((angle - turns * 360) * direction, low), high)

    def send_feedback(self, feedback: dict[str, Any]) -> None:  # noqa: ARG002 - part of the protocol
        """See `Teleoperator.send_feedback`; nothing is felt."""
        self.require_connected()
