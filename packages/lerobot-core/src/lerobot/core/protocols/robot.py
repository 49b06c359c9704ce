"""The Robot protocol, and what robots of a simulated or judged world know besides."""

from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from lerobot.core.protocols.device import Calibratable
from lerobot.core.types import Action, Features, Observation


@runtime_checkable
class Robot(Calibratable, Protocol):
    """Something that measures its state and follows commands.

    Both feature mappings are known before `connect`. A plain dict with peer-style values (`float`, `(H, W, C)`) is
    accepted wherever features are read; `lerobot.core.types.as_features` normalises it.
    """

    @property
    def observation_features(self) -> Features:
        """Keys, dtypes, shapes and units of what `get_observation` returns."""
        ...

    @property
    def action_features(self) -> Features:
        """Keys, units and ranges of what `send_action` takes; the safety gate derives its limits from them."""
        ...

    def get_observation(self) -> Observation | dict[str, Any]:
        """Measure.

        Returns:
            One value per key of `observation_features`; an `Observation` carries capture times too.

        Raises:
            NotConnectedError: not connected.
            DeviceError: the reading failed and no truthful value can be given.
        """
        ...

    def send_action(self, action: Action) -> Action:
        """Send a command.

        Args:
            action: targets by key of `action_features`, in the features' units.

        Returns:
            What was really sent, after every limit the robot itself applies.

        Raises:
            NotConnectedError: not connected.
        """
        ...

    @property
    def safe_state(self) -> str:
        """The state `enter_safe_state` leaves the robot in, in words: `"torque off"`, `"hold position"`, ..."""
        ...

    def enter_safe_state(self) -> None:
        """Bring the robot to its declared safe end state.

        Called on every way out of a control loop, also after errors: it must work with broken cameras, may be called
        repeatedly and raises only if the motors themselves could not be reached.
        """
        ...


@runtime_checkable
class HasSceneValues(Protocol):
    """A robot that knows what is particular to the episode: a simulation that draws its scene anew."""

    @property
    def scene_values(self) -> dict[str, float]:
        """Numbers that hold for the whole episode, by name: the same names in every one; empty if there are none."""
        ...


@dataclass(frozen=True, slots=True)
class StepResult:
    """What came of one command.

    Attributes:
        reward: of this step.
        done: the episode is over.
        success: the task is solved.
        truncated: only the time is over; the task is neither solved nor lost.
    """

    reward: float = 0.0
    done: bool = False
    success: bool = False
    truncated: bool = False


@runtime_checkable
class HasReward(Protocol):
    """A robot whose commands are judged, by a simulation or by something that watches it."""

    @property
    def step_result(self) -> StepResult:
        """What came of the newest command; nothing yet when an episode begins."""
        ...


@runtime_checkable
class HasTask(Protocol):
    """A robot in a world that knows what there is to do."""

    @property
    def task_description(self) -> str:
        """The task in words, as a person would ask for it; empty if it is not known."""
        ...


@runtime_checkable
class HasFixedRate(Protocol):
    """A robot to which every command stands for the same time: a simulation that goes on by steps."""

    @property
    def control_hz(self) -> float:
        """Commands per second."""
        ...
