"""What gives a robot its coming actions, chunk after chunk: a policy here, or one on another computer."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from lerobot.core.types import Action, Observation


@dataclass(frozen=True, slots=True)
class ChunkRequest:
    """What a chunk is asked for with.

    Attributes:
        observations: the newest one and those before it, a tick of the policy apart, the oldest first: as many as
            `ChunkSource.observation_steps`, or as there were since the reset. In the robot's keys and units.
        timestep: actions executed since the reset: the first action of the chunk is for this one.
        coming: actions that are planned already, the first one for `timestep`; for sources that let a chunk continue
            the one before.
        delay: how many of those are likely to be executed until the new ones are there.
        task: what to do, in words.
    """

    observations: tuple[Observation, ...]
    timestep: int
    coming: tuple[Action, ...] = ()
    delay: int = 0
    task: str = ""


@dataclass(frozen=True, slots=True)
class ActionChunk:
    """Coming actions.

    Attributes:
        timestep: of the first one, that of the request.
        actions: one per timestep, in the robot's keys and units.
    """

    timestep: int
    actions: tuple[Action, ...]


@runtime_checkable
class ChunkSource(Protocol):
    """Something that predicts chunks of actions.

    It is called from one thread at a time, and may take its time: whoever drives the robot does not wait for it.
    """

    observation_steps: int
    """How many observations a prediction is made from, the newest included."""

    def reset(self) -> None:
        """Forget the episode so far; timesteps count from 0 again."""
        ...

    def predict(self, request: ChunkRequest, /) -> ActionChunk:
        """Predict the coming actions, and wait for them.

        Raises:
            LeRobotError: there are none, and asking again does not help.
        """
        ...

    def close(self) -> None:
        """Release what it holds, such as a connection; nothing is asked of it afterwards."""
        ...
