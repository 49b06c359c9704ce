"""{{ cookiecutter.title }}: the Robot protocol on top of the bus."""

import time
from contextlib import ExitStack
from typing import Any

from lerobot.core.device import DeviceBase
from lerobot.core.prompts import Prompter
from lerobot.core.types import Action, FeatureSpec, Observation, Stamp

from {{ cookiecutter.package }}.bus import SPEED, Bus
from {{ cookiecutter.package }}.config import {{ cookiecutter.class_name }}Config

# YOURS: names, units and ranges of your joints; the safety gate takes its limits from here.
JOINTS = {
    "shoulder_pan.pos": FeatureSpec(unit="deg", range=(-110.0, 110.0), max_velocity=SPEED),
    "shoulder_lift.pos": FeatureSpec(unit="deg", range=(-100.0, 100.0), max_velocity=SPEED),
    "elbow_flex.pos": FeatureSpec(unit="deg", range=(-97.0, 97.0), max_velocity=SPEED),
    "wrist_flex.pos": FeatureSpec(unit="deg", range=(-95.0, 95.0), max_velocity=SPEED),
    "wrist_roll.pos": FeatureSpec(unit="deg", range=(-160.0, 160.0), max_velocity=SPEED),
    "gripper.pos": FeatureSpec(unit="percent", range=(0.0, 100.0), max_velocity=SPEED),
}


class {{ cookiecutter.class_name }}(DeviceBase):
    """The arm.

    Args:
        config: see `{{ cookiecutter.class_name }}Config`.
        prompter: who answers questions while calibrating.
    """

    name = "{{ cookiecutter.name }}"
    # YOURS: what `enter_safe_state` does, in words. An arm that would fall may say "hold position".
    safe_state = "torque off"

    def __init__(self, config: {{ cookiecutter.class_name }}Config, *, prompter: Prompter | None = None) -> None:
        super().__init__(config.id, prompter=prompter)
        self.config = config
        self.bus = Bus(config.port, dict.fromkeys(JOINTS, 0.0))
        self.cameras: dict[str, Any] = {name: camera.build() for name, camera in config.cameras.items()}

    @property
    def action_features(self) -> dict[str, FeatureSpec]:
        """Joint targets."""
        return dict(JOINTS)

    @property
    def observation_features(self) -> dict[str, FeatureSpec]:
        """Joint positions and one picture per camera."""
        pictures = {
            name: FeatureSpec("uint8", (camera.height or 0, camera.width or 0, 3), ("height", "width", "channels"))
            for name, camera in self.config.cameras.items()
        }
        return {**JOINTS, **pictures}

    def connect(self, calibrate: bool = True) -> None:
        """Open the bus and the cameras, configure, then power the motors."""
        with self._connecting():
            self.bus.open()
            if calibrate and not self.is_calibrated:
                self.calibrate()
            for camera in self.cameras.values():
                camera.connect()
            self.configure()
            self.bus.set_torque(True)

    @property
    def is_calibrated(self) -> bool:
        """Always: the simulated motors measure angles directly."""
        return True

    def calibrate(self) -> None:
        """Nothing to do. YOURS: ask through `self.prompter`, store under `lerobot.core.device.calibration_path`."""

    def configure(self) -> None:
        """Nothing to do. YOURS: write gains and limits here; nothing may move."""

    def get_observation(self) -> Observation:
        """Measure the joints and take the newest picture of each camera."""
        self.require_connected()
        positions = self.bus.read()
        observation = Observation(positions, dict.fromkeys(positions, Stamp(time.monotonic())))
        for name, camera in self.cameras.items():
            frame = camera.latest_frame()
            observation[name] = frame.image
            observation.stamps[name] = Stamp(frame.time_s, frame.sequence)
        return observation

    def send_action(self, action: Action) -> Action:
        """Hold targets inside the joints' ranges and send them; returns what was sent."""
        self.require_connected()
        sent: Action = {}
        for key, feature in JOINTS.items():
            if key in action:
                low, high = feature.range or (-360.0, 360.0)
                sent[key] = max(low, min(high, float(action[key])))
        self.bus.write(sent)
        return sent

    def enter_safe_state(self) -> None:
        """Let the motors go."""
        self.bus.set_torque(False)

    def _close(self) -> None:
        # The stack closes everything, also when closing one part fails.
        with ExitStack() as stack:
            stack.callback(self.bus.close)
            for camera in self.cameras.values():
                stack.callback(camera.disconnect)
            self.bus.set_torque(False)
