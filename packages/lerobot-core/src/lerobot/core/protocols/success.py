"""Who can tell whether a task is solved, where no person has to."""

from typing import Protocol, runtime_checkable

from lerobot.core.types import Observation


@runtime_checkable
class KnowsSuccess(Protocol):
    """A robot that knows whether its task is solved: a simulation."""

    @property
    def is_success(self) -> bool:
        """Whether the task is solved now."""
        ...


class SuccessDetector(Protocol):
    """Tells from what a robot measures whether its task is solved; built for one robot."""

    def reset(self) -> None:
        """Forget the episode before."""
        ...

    def is_success(self, observation: Observation, /) -> bool:
        """Whether the task is solved now.

        Args:
            observation: of this tick of the control loop; every tick of an episode is given, in order.

        Raises:
            DeviceError: what it measures with has failed.
        """
        ...
