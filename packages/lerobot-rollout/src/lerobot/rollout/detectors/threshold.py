"""A task is solved when one measured number is large or small enough for long enough."""

import difflib
import math

from lerobot.core.clock import clock_of
from lerobot.core.errors import FeatureMismatchError
from lerobot.core.protocols.robot import Robot
from lerobot.core.types import Observation, as_features
from lerobot.rollout.detector import ThresholdDetectorConfig


class ThresholdDetector:
    """Compares one number of each observation; see `SuccessDetector`.

    Args:
        config: which number, and its bounds.
        robot: need not be connected.

    Raises:
        FeatureMismatchError: the robot measures no such number.
    """

    def __init__(self, config: ThresholdDetectorConfig, *, robot: Robot) -> None:
        numbers = [key for key, feature in as_features(robot.observation_features).items() if feature.is_scalar]
        if config.feature not in numbers:
            near = difflib.get_close_matches(config.feature, numbers, n=3, cutoff=0.4) or numbers
            raise FeatureMismatchError(
                f"robot {robot} measures no number {config.feature!r}",
                keys=[config.feature],
                expected=f"--detector.feature={' or '.join(near)}",
            )
        self.config = config
        self._low = -math.inf if config.above is None else config.above
        self._high = math.inf if config.below is None else config.below
        self._clock = clock_of(robot)
        self._since_s: float | None = None

    def reset(self) -> None:
        """See `SuccessDetector.reset`."""
        self._since_s = None

    def is_success(self, observation: Observation, /) -> bool:
        """See `SuccessDetector.is_success`."""
        if not self._low <= float(observation[self.config.feature]) <= self._high:
            self._since_s = None
            return False
        now_s = self._clock.now()
        if self._since_s is None:
            self._since_s = now_s
        return now_s - self._since_s >= self.config.hold_s
