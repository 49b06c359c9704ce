"""A simulated robot knows whether its task is solved."""

from lerobot.core.errors import FeatureMismatchError
from lerobot.core.protocols.robot import Robot
from lerobot.core.protocols.success import KnowsSuccess
from lerobot.core.types import Observation
from lerobot.rollout.detector import SceneDetectorConfig


class SceneDetector:
    """Asks the robot; see `SuccessDetector`.

    Args:
        config: its configuration.
        robot: need not be connected.

    Raises:
        FeatureMismatchError: the robot is a real one.
    """

    def __init__(self, config: SceneDetectorConfig, *, robot: Robot) -> None:
        if not isinstance(robot, KnowsSuccess):
            raise FeatureMismatchError(
                f"robot {robot} does not know whether its task is solved",
                expected="a simulated robot that does; for another --detector.type=threshold, or a person",
            )
        self.config = config
        self._robot = robot

    def reset(self) -> None:
        """See `SuccessDetector.reset`: it remembers nothing."""

    def is_success(self, _observation: Observation, /) -> bool:
        """See `SuccessDetector.is_success`."""
        return self._robot.is_success
