"""An arm whose motors keep a zero: calibration, and all that they measure."""

import logging
import math
import time
from collections.abc import Mapping
from typing import Any

from lerobot.can.bus import CanMotorsBus
from lerobot.core.types import FeatureSpec, Observation, Stamp
from lerobot.motors.arms.arm import Arm
from lerobot.motors.calibration_file import save_calibration
from lerobot.motors.motor import MotorCalibration

log = logging.getLogger(__name__)


class CanArm(Arm):
    """An arm of CAN motors, in degrees from the zero that they keep.

    A zero is set once, in `calibrate`, and not at every start: an arm that is switched on in another pose would take
    that one for its zero.
    """

    zero_pose: str
    """Which pose the zero is, as a person is asked to take it."""

    bus: CanMotorsBus

    tells_velocity_and_torque: bool = False
    """Whether `<joint>.vel` (degrees/s) and `<joint>.torque` (Nm) are features too."""

    limits: Mapping[str, tuple[float, float]]
    """Ends of each joint's range, degrees."""

    @property
    def joint_features(self) -> dict[str, FeatureSpec]:
        """`<joint>.pos`, and `<joint>.vel` and `<joint>.torque` where they are told."""
        features = {}
        for name in self.bus.motors:
            model = self.bus.model(name)
            speed = math.degrees(model.speed)
            features[f"{name}.pos"] = FeatureSpec(unit="deg", range=self.limits[name], max_velocity=speed)
            if self.tells_velocity_and_torque:
                features[f"{name}.vel"] = FeatureSpec(unit="deg/s")
                features[f"{name}.torque"] = FeatureSpec(unit="Nm")
        return features

    def measure(self) -> Observation:
        """See `Arm.measure`."""
        self.require_connected()
        begin = time.monotonic()
        states = self.bus.read_states(num_retry=self._reads)
        stamp = Stamp((begin + time.monotonic()) / 2)
        values: dict[str, Any] = {}
        for name, state in states.items():
            values[f"{name}.pos"] = math.degrees(state.position)
            if self.tells_velocity_and_torque:
                values[f"{name}.vel"] = math.degrees(state.velocity)
                values[f"{name}.torque"] = state.torque
        return Observation(values, dict.fromkeys(values, stamp))

    def calibrate(self) -> None:
        """Take the calibration of the file as it is, or have the motors keep the present pose as their zero."""
        self.bus.disable_torque()
        if self.bus.calibration and not self._wants_new_calibration():
            return
        self.prompter.ask(
            f"Move {self.id} {type(self).__name__} to its zero pose ({self.zero_pose}) and press ENTER...."
        )
        self.bus.set_zero()
        calibration = {
            name: MotorCalibration(motor.id, 0, 0, *self._travel(name)) for name, motor in self.bus.motors.items()
        }
        save_calibration(self.calibration_path, calibration)
        self.bus.calibration = calibration
        self._found, self._unreadable = self.calibration_path, None
        self.prompter.say(f"Calibration saved to {self.calibration_path}")

    def _travel(self, name: str) -> tuple[int, int]:
        """The range that the file names, degrees; nothing is limited to it."""
        low, high = self.limits[name]
        return math.floor(low), math.ceil(high)
