"""The step that converts positions of old recordings."""

from collections.abc import Iterable
from typing import Any, Literal

from lerobot.core.errors import CalibrationError, FeatureMismatchError
from lerobot.core.processors import PipelineFeatures, RobotActionProcessorStep
from lerobot.core.types import FeatureSpec
from lerobot.motors.calibration_file import load_calibration
from lerobot.motors.calibration_limits import CalibrationLimits
from lerobot.motors.legacy.calibration import LegacyMotorCalibration, load_legacy_calibration
from lerobot.motors.legacy.config import LegacyPositionsConfig
from lerobot.motors.motor import MotorCalibration, MotorNormMode
from lerobot.motors.normalization import normalize


def convert_position(
    value: float,
    legacy: LegacyMotorCalibration,
    calibration: MotorCalibration,
    mode: MotorNormMode,
    *,
    motors: Literal["feetech", "dynamixel"],
    resolution: int = 4096,
) -> float:
    """Convert a position of an old recording: through the encoder, which both calibrations speak of.

    Args:
        value: degrees or percent, as the old recording has it.
        legacy: calibration the recording was made with.
        calibration: calibration of the same motor today.
        mode: unit to convert to.
        motors: make of the motor: a Feetech servo reports its position less the homing offset and follows the drive
            mode, a Dynamixel one adds the offset and does not.
        resolution: encoder steps of a full turn.

    Returns:
        The position in `mode`'s unit.
    """
    feetech = motors == "feetech"
    raw = round(legacy.unnormalize(value, resolution))
    reported = (raw - calibration.homing_offset if feetech else raw + calibration.homing_offset) % resolution
    return normalize(reported, calibration, mode, resolution, honours_drive_mode=feetech)


class LegacyPositionsProcessorStep(RobotActionProcessorStep):
    """Converts every motor of an action; `main_shoulder_pan` and `shoulder_pan.pos` name the same motor.

    Args:
        config: the two calibrations and the units.

    Raises:
        CalibrationError: a file cannot be read or holds what is impossible, or the two are of different arms.
    """

    def __init__(self, config: LegacyPositionsConfig) -> None:
        super().__init__(config)
        self._legacy = load_legacy_calibration(config.legacy_calibration)
        limits = dict.fromkeys(self._legacy, _limits(config))
        self._calibration = load_calibration(config.calibration, limits)
        if still := [name for name, entry in self._legacy.items() if not entry.has_travel]:
            raise CalibrationError(
                f"{config.legacy_calibration}: the travel of {', '.join(still)} is empty.",
                expected="start_pos and end_pos that differ",
                hint="What was recorded with this file holds no positions of these motors.",
            )

    def action(self, action: dict[str, Any]) -> dict[str, Any]:
        """Convert."""
        return {f"{name}.pos": self._convert(name, action[key]) for key, name in self._names(action).items()}

    def transform_features(self, features: PipelineFeatures) -> PipelineFeatures:
        """One scalar per motor, named as robots name them today."""
        names = self._names(features["action"])
        return {**features, "action": {f"{name}.pos": FeatureSpec() for name in names.values()}}

    def _convert(self, name: str, value: float) -> float:
        joint = MotorNormMode.DEGREES if self.config.use_degrees else MotorNormMode.RANGE_M100_100
        return convert_position(
            value,
            self._legacy[name],
            self._calibration[name],
            MotorNormMode.RANGE_0_100 if name.endswith("gripper") else joint,
            motors=self.config.motors,
            resolution=self.config.resolution,
        )

    def _names(self, keys: Iterable[str]) -> dict[str, str]:
        """Motor by key."""
        names = {key: key.removeprefix("main_").removesuffix(".pos") for key in keys}
        if set(names.values()) != self._legacy.keys():
            raise FeatureMismatchError(
                f"the action has the keys {', '.join(names) or '(none)'}",
                keys=sorted(names),
                expected=f"one per motor of the calibration: {', '.join(self._legacy)}",
            )
        return names


def _limits(config: LegacyPositionsConfig) -> CalibrationLimits:
    """What the motors of the arm can hold; a Feetech servo keeps offsets of less than half a turn."""
    largest = config.resolution // 2 - 1
    offsets = (-largest, largest) if config.motors == "feetech" else None
    return CalibrationLimits(None, (0, config.resolution - 1), offsets)
