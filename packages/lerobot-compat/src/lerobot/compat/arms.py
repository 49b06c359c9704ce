"""Arms of ours with the attributes that classes derived from huggingface/lerobot's arms use."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from lerobot.core.cameras import CameraSet
from lerobot.core.types import FeatureSpec
from lerobot.motors.bus import MotorsBus
from lerobot.motors.calibration_file import load_calibration, save_calibration
from lerobot.motors.motor import MotorCalibration


class ArmAttributes:
    """Stands before the class of an arm, which is an `Arm`."""

    bus: MotorsBus
    calibration_path: Path
    joint_features: Mapping[str, FeatureSpec]
    cameras: CameraSet

    @property
    def calibration(self) -> dict[str, MotorCalibration]:
        """The calibration in use, by motor; empty if there is none."""
        return self.bus.calibration

    @calibration.setter
    def calibration(self, calibration: dict[str, MotorCalibration]) -> None:
        self.bus.calibration = calibration

    @property
    def calibration_fpath(self) -> Path:
        """Where the calibration is written."""
        return self.calibration_path

    @property
    def calibration_dir(self) -> Path:
        """Folder of the calibration."""
        return self.calibration_path.parent

    def _load_calibration(self, fpath: Path | None = None) -> None:
        self.calibration = load_calibration(fpath or self.calibration_fpath, self.bus.calibration_limits)

    def _save_calibration(self, fpath: Path | None = None) -> None:
        save_calibration(fpath or self.calibration_fpath, self.calibration)

    @property
    def _motors_ft(self) -> dict[str, type]:
        return dict.fromkeys(self.joint_features, float)

    @property
    def _cameras_ft(self) -> dict[str, tuple[int, ...]]:
        return {name: feature.shape for name, feature in self.cameras.features.items()}


@cache
def arm(original: type) -> type:
    """The class of an arm with these attributes; its objects are the arm, for `isinstance` too."""
    return type(original.__name__, (ArmAttributes, original), {"__module__": original.__module__})
