"""What came of each action: its reward, and whether the episode ends with it."""

from collections.abc import Callable
from dataclasses import dataclass

from lerobot.core.events import TeleopEvents
from lerobot.core.protocols.robot import HasReward, Robot, StepResult
from lerobot.core.protocols.success import SuccessDetector
from lerobot.core.types import Observation


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of one action.

    Attributes:
        reward: for it.
        terminal: see `lerobot.rl.transition.Transition`.
        success: the task is solved.
        end: the episode ends with it.
    """

    reward: float = 0.0
    terminal: bool = False
    success: bool = False
    end: bool = False


SUCCEEDED = Verdict(1.0, terminal=True, success=True, end=True)
FAILED = Verdict(0.0, terminal=True, end=True)
CUT = Verdict(end=True)


class Judge:
    """Judges actions of a robot.

    What a person says counts most, then the robot's own world if it has rewards, then a detector of success, which
    pays 1 for the task solved. The end of the time is no failure.

    Args:
        robot: connected when it is asked.
        detector: tells that the task is solved, of a robot without rewards; None for nobody.
        said: what a person said since the last action: an event, or None.
        most: actions of an episode.
    """

    def __init__(
        self,
        robot: Robot,
        detector: SuccessDetector | None,
        said: Callable[[], TeleopEvents | None],
        most: int,
    ) -> None:
        self._world = robot if isinstance(robot, HasReward) else None
        self._detector = detector
        self._said = said
        self._most = most
        self._result = StepResult()

    def reset(self) -> None:
        """Forget the episode before."""
        self._result = StepResult()
        if self._detector is not None:
            self._detector.reset()

    def acted(self) -> None:
        """Take note of what came of the action that was just sent, as far as the robot itself knows."""
        if self._world is not None:
            self._result = self._world.step_result

    def verdict(self, after: Observation, number: int) -> Verdict:
        """Judge the action that was sent last.

        Args:
            after: what was observed after it.
            number: of the action in its episode, from 1.
        """
        said = self._said()
        if said is TeleopEvents.SUCCESS:
            return SUCCEEDED
        if said is TeleopEvents.FAILURE:
            return FAILED
        result, late = self._result, number >= self._most or said is TeleopEvents.TERMINATE_EPISODE
        if self._world is not None:
            terminal = result.success or (result.done and not result.truncated)
            return Verdict(result.reward, terminal, result.success, result.done or terminal or late)
        if self._detector is not None and self._detector.is_success(after):
            return SUCCEEDED
        return CUT if late else Verdict()
