"""{{ cookiecutter.title }}: the Teleoperator protocol on top of the bus."""

from typing import Any

from lerobot.core.device import DeviceBase
from lerobot.core.prompts import Prompter
from lerobot.core.types import Action, FeatureSpec

from {{ cookiecutter.package }}.bus import Bus
from {{ cookiecutter.package }}.config import {{ cookiecutter.class_name }}Config

# YOURS: what your device commands; keys and units must be those of the robot.
JOINTS = {
    "shoulder_pan.pos": FeatureSpec(unit="deg", range=(-30.0, 30.0)),
    "shoulder_lift.pos": FeatureSpec(unit="deg", range=(-30.0, 30.0)),
    "elbow_flex.pos": FeatureSpec(unit="deg", range=(-30.0, 30.0)),
    "wrist_flex.pos": FeatureSpec(unit="deg", range=(-30.0, 30.0)),
    "wrist_roll.pos": FeatureSpec(unit="deg", range=(-30.0, 30.0)),
    "gripper.pos": FeatureSpec(unit="percent", range=(0.0, 100.0)),
}


class {{ cookiecutter.class_name }}(DeviceBase):
    """The leader.

    Args:
        config: see `{{ cookiecutter.class_name }}Config`.
        prompter: who answers questions while calibrating.
    """

    name = "{{ cookiecutter.name }}"

    def __init__(self, config: {{ cookiecutter.class_name }}Config, *, prompter: Prompter | None = None) -> None:
        super().__init__(config.id, prompter=prompter)
        self.config = config
        self.bus = Bus(config.port)

    @property
    def action_features(self) -> dict[str, FeatureSpec]:
        """Joint targets."""
        return dict(JOINTS)

    @property
    def feedback_features(self) -> dict[str, FeatureSpec]:
        """None: the operator feels nothing. YOURS: name what your device can show or push back."""
        return {}

    def connect(self, calibrate: bool = True) -> None:
        """Open the bus and configure the device."""
        with self._connecting():
            self.bus.open()
            if calibrate and not self.is_calibrated:
                self.calibrate()
            self.configure()

    @property
    def is_calibrated(self) -> bool:
        """Always: the simulated device measures angles directly."""
        return True

    def calibrate(self) -> None:
        """Nothing to do. YOURS: ask through `self.prompter`, store under `lerobot.core.device.calibration_path`."""

    def configure(self) -> None:
        """Nothing to do. YOURS: write settings here; nothing may move."""

    def get_action(self) -> Action:
        """Read the device and turn its position into joint targets."""
        self.require_connected()
        turn = self.bus.read()
        targets: Action = {}
        for key, feature in JOINTS.items():
            low, high = feature.range or (-1.0, 1.0)
            targets[key] = (low + high) / 2 + turn * (high - low) / 2
        return targets

    def send_feedback(self, feedback: dict[str, Any]) -> None:
        """Accept no feedback, as declared."""
        self.require_connected()

    def _close(self) -> None:
        self.bus.close()
