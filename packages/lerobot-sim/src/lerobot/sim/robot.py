"""The simulated SO-101 follower."""

import json
import math
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

from lerobot.core.cameras import CameraSet
from lerobot.core.clock import Clock, MonotonicClock
from lerobot.core.config.base import CameraConfig
from lerobot.core.device import DeviceBase, calibration_path
from lerobot.core.errors import ConfigError, ConfigProblem, DeviceError
from lerobot.core.prompts import Prompter
from lerobot.core.types import Action, FeatureSpec, Observation, Stamp
from lerobot.sim.camera import SimCamera
from lerobot.sim.config import SimCameraConfig, SimSO101Config
from lerobot.sim.joints import JOINTS, KEYS, features, to_angles, to_units
from lerobot.sim.rendering import Pictures
from lerobot.sim.running import running
from lerobot.sim.tasks import TASKS
from lerobot.sim.world import SceneClock, World


class SimSO101(DeviceBase):
    """An SO-101 in a simulated world, in real time or as fast as possible.

    Args:
        config: see `SimSO101Config`.
        prompter: who answers questions.
        clock: what real time is; the system's monotonic clock if None.
        world: the scene to act in; one is made from the configuration if None.

    Attributes:
        world: the scene; objects, episode and physics.
        cameras: the cameras by name.
    """

    name = "sim_so101"
    safe_state = "torque off"

    def __init__(
        self,
        config: SimSO101Config,
        *,
        prompter: Prompter | None = None,
        clock: Clock | None = None,
        world: World | None = None,
    ) -> None:
        super().__init__(config.id, prompter=prompter)
        self.config = config
        self.world = world or World(
            TASKS[config.task](), seed=config.seed, latency_s=config.latency_s, randomization=config.randomization
        )
        self.calibration_path = calibration_path("robots", self.name, config.id, config.calibration_dir)
        self._clock: Clock = clock or MonotonicClock()
        self._joints = features(degrees=config.use_degrees)
        self._caps = _caps(config.max_relative_target)
        self._pictures = Pictures(self.world, config.renderer)
        self.cameras = CameraSet(config.cameras, self._camera)

    def _camera(self, name: str, config: CameraConfig) -> Any:
        if not isinstance(config, SimCameraConfig):
            return config.build()
        return SimCamera(config, pictures=self._pictures, label=name)

    # --- what it is --------------------------------------------------------------------------------------------------

    @property
    def action_features(self) -> dict[str, FeatureSpec]:
        """Joint targets, `<joint>.pos`."""
        return dict(self._joints)

    @property
    def observation_features(self) -> dict[str, FeatureSpec]:
        """Joint positions, `<joint>.pos`, and one picture per camera."""
        return {**self._joints, **self.cameras.features}

    @property
    def scene_values(self) -> dict[str, float]:
        """See `HasSceneValues.scene_values`: what was drawn for the present episode, if anything is."""
        return dict(self.world.randomization.values)

    @property
    def is_success(self) -> bool:
        """See `KnowsSuccess.is_success`: as the environment of the same task has it."""
        with self.world.lock:
            return self.world.task.solved(self.world)

    @property
    def clock(self) -> Clock:
        """What time it is for whoever drives the arm: the scene's own if it does not run in real time."""
        return self._clock if self.config.realtime else SceneClock(self.world)

    # --- life cycle --------------------------------------------------------------------------------------------------

    def connect(self, calibrate: bool = True) -> None:  # noqa: ARG002 - nothing to calibrate
        """See `Calibratable.connect`; the arm stands at home and the objects where the episode starts."""
        with self._connecting():
            running.enter(self.id, self.world)
            self.world.reset(seed=self.config.seed, episode=self.config.episode)
            self.world.follow(self._clock if self.config.realtime else None)
            # One after the other, in this thread: OpenGL draws only in the thread that prepared it.
            for camera in self.cameras.values():
                camera.connect()
            self.configure()
            self.world.set_torque(True)

    @property
    def is_calibrated(self) -> bool:
        """Always: virtual servos are mounted in the middle of their range."""
        return True

    def calibrate(self) -> None:
        """Write the calibration the virtual servos have, in the field's format; nobody has to move the arm."""
        servos = {
            joint.name: {
                "id": number,
                "drive_mode": 0,
                "homing_offset": 0,
                "range_min": joint.range_min,
                "range_max": joint.range_max,
            }
            for number, joint in enumerate(JOINTS, start=1)
        }
        self.calibration_path.parent.mkdir(parents=True, exist_ok=True)
        self.calibration_path.write_text(json.dumps(servos, indent=4), encoding="utf-8")
        self.prompter.say(f"Calibration saved to {self.calibration_path}")

    def configure(self) -> None:
        """See `Calibratable.configure`; virtual servos need no settings."""

    def _close(self) -> None:
        running.leave(self.id, self.world)
        with ExitStack() as stack:
            stack.callback(self._pictures.close)
            stack.callback(self.cameras.disconnect)
            if self.config.disable_torque_on_disconnect:
                self.world.set_torque(False)
            self.world.follow(None)

    # --- measuring and moving ----------------------------------------------------------------------------------------

    def get_observation(self) -> Observation:
        """See `Robot.get_observation`."""
        self.require_connected()
        self.world.sync()
        stamp = Stamp(self.world.now_s)
        readings = to_units(self.world.joint_readings, degrees=self.config.use_degrees)
        observation = Observation(readings, dict.fromkeys(readings, stamp))
        self.cameras.read_into(observation)
        return observation

    def send_action(self, action: Action) -> Action:
        """See `Robot.send_action`; joints without a target keep theirs, and keys of other devices are left out."""
        self.require_connected()
        self.world.sync()
        sent = self._limited(action)
        goals = to_units(self.world.goal_positions, degrees=self.config.use_degrees)
        goals.update(sent)
        self.world.command(to_angles([goals[key] for key in KEYS], degrees=self.config.use_degrees))
        if not self.config.realtime:
            self.world.advance(1 / self.config.control_hz)
        return sent

    def enter_safe_state(self) -> None:
        """Switch the servos off; the gears let the arm sink slowly."""
        self.world.set_torque(False)

    def _limited(self, action: Mapping[str, Any]) -> Action:
        """Targets inside each joint's range and not farther from the present position than allowed."""
        present = to_units(self.world.joint_positions, degrees=self.config.use_degrees) if self._caps else {}
        sent: Action = {}
        for key, feature in self._joints.items():
            if key not in action:
                continue
            target = float(action[key])
            if not math.isfinite(target):
                raise DeviceError(f"{self}: target of {key} is {target}", device=str(self), expected="a finite number")
            if key in self._caps:
                target = min(max(target, present[key] - self._caps[key]), present[key] + self._caps[key])
            low, high = feature.range or (target, target)
            sent[key] = min(max(target, low), high)
        return sent


def _caps(limit: float | dict[str, float] | None) -> dict[str, float]:
    """Largest step per key.

    Raises:
        ConfigError: the joints of `limit` are not the arm's.
    """
    if limit is None:
        return {}
    if not isinstance(limit, dict):
        return dict.fromkeys(KEYS, limit)
    names = {joint.name for joint in JOINTS}
    if set(limit) != names:
        problem = ConfigProblem("--robot.max_relative_target", str(sorted(limit)), f"the joints {sorted(names)}")
        raise ConfigError([problem])
    return {f"{name}.pos": cap for name, cap in limit.items()}
