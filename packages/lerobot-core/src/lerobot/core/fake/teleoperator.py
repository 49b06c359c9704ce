"""The fake teleoperator: a leader arm whose motion is known in advance."""

import math
import time
from collections import deque
from typing import Any

from lerobot.core.clock import Clock, MonotonicClock
from lerobot.core.device import DeviceBase, calibration_path
from lerobot.core.errors import DeviceError, FeatureMismatchError
from lerobot.core.events import TeleopEvents
from lerobot.core.fake.calibration import measured_calibration, read_calibration, write_calibration
from lerobot.core.fake.config import FakeTeleoperatorConfig
from lerobot.core.fake.joints import joint_features, middle
from lerobot.core.prompts import Prompter
from lerobot.core.types import Action, FeatureSpec


class FakeTeleoperator(DeviceBase):
    """A leader arm that swings each joint about the middle of its range, or plays a sequence.

    The sine of joint `j` (from 0) has the period `period_s * (1 + j / 10)`; all start in the middle, moving upward.

    Args:
        config: see `FakeTeleoperatorConfig`.
        prompter: who answers questions.
        clock: what time it is; the system's monotonic clock if None.

    Attributes:
        feedback: what `send_feedback` was given, newest last; the newest 1000 are kept.

    Raises:
        FeatureMismatchError: the sequence names a joint the arm does not have.
    """

    name = "fake"

    def __init__(
        self, config: FakeTeleoperatorConfig, *, prompter: Prompter | None = None, clock: Clock | None = None
    ) -> None:
        super().__init__(config.id, prompter=prompter)
        self.config = config
        self.clock: Clock = clock or MonotonicClock()
        self.feedback: deque[dict[str, Any]] = deque(maxlen=1000)
        self.calibration_path = calibration_path("teleoperators", self.name, config.id, config.calibration_dir)
        self._started = self.clock.now()
        self._actions = 0
        unknown = sorted({key for action in config.sequence or () for key in action} - set(self.action_features))
        if unknown:
            raise FeatureMismatchError(
                f"{self}: the sequence names {', '.join(unknown)}",
                keys=unknown,
                expected=f"only {', '.join(self.action_features)}",
            )

    @property
    def action_features(self) -> dict[str, FeatureSpec]:
        """Joint targets, `<joint>.pos`."""
        return joint_features()

    @property
    def feedback_features(self) -> dict[str, FeatureSpec]:
        """Joint positions of the robot, `<joint>.pos`."""
        return joint_features()

    def connect(self, calibrate: bool = True) -> None:
        """See `Calibratable.connect`; time and the sequence start here."""
        with self._connecting():
            if calibrate and not self.is_calibrated:
                self.calibrate()
            self.configure()
            self._started = self.clock.now()
            self._actions = 0

    @property
    def is_calibrated(self) -> bool:
        """Whether its calibration file can be used; it needs none."""
        return read_calibration(self.calibration_path) in (None, measured_calibration())

    def calibrate(self) -> None:
        """Write the calibration file; nobody is asked to move the arm."""
        write_calibration(self.calibration_path, measured_calibration())
        self.prompter.say(f"Calibration saved to {self.calibration_path}")

    def configure(self) -> None:
        """There is nothing to configure."""

    def get_action(self) -> Action:
        """See `Teleoperator.get_action`."""
        self.require_connected()
        if self.config.read_delay_s:
            time.sleep(self.config.read_delay_s)
        index = self._actions
        if self.config.fails_after is not None and index >= self.config.fails_after:
            raise DeviceError(f"{self}: action {index} failed, as configured.", device=str(self))
        self._actions += 1
        if self.config.sequence:
            return dict(self.config.sequence[min(index, len(self.config.sequence) - 1)])
        elapsed = self.clock.now() - self._started
        return {key: self._swing(number, key, elapsed) for number, key in enumerate(self.action_features)}

    def _swing(self, number: int, key: str, elapsed: float) -> float:
        low, high = self.action_features[key].range or (0.0, 0.0)
        phase = 2 * math.pi * elapsed / (self.config.period_s * (1 + number / 10))
        return middle(key) + self.config.amplitude * (high - low) / 2 * math.sin(phase)

    def send_feedback(self, feedback: dict[str, Any]) -> None:
        """See `Teleoperator.send_feedback`; it is kept in `feedback`."""
        self.require_connected()
        self.feedback.append(dict(feedback))

    def get_teleop_events(self) -> dict[str, bool]:
        """See `HasTeleopEvents.get_teleop_events`; the buttons of the latest action."""
        self.require_connected()
        down = self.config.events.get(max(0, self._actions - 1), [])
        return {event.value: event in down for event in TeleopEvents}
