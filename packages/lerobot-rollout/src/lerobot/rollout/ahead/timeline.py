"""The actions that are planned, by the timestep they are for."""

from collections.abc import Callable, Mapping
from typing import Literal

from lerobot.core.protocols.chunks import ActionChunk
from lerobot.core.types import Action

AggregateName = Literal["weighted_average", "latest_only", "average", "conservative"]
"""What is done where two chunks plan an action for the same timestep; named as in huggingface/lerobot."""

SHARE_OF_NEW: Mapping[AggregateName, float] = {
    "weighted_average": 0.7,
    "latest_only": 1.0,
    "average": 0.5,
    "conservative": 0.3,
}
"""How much the newer action counts; the older one has the rest."""

Aggregate = Callable[[Action, Action], Action]
"""From the older and the newer action of a timestep to the one that is executed."""


def aggregate(name: AggregateName) -> Aggregate:
    """Give the function that joins an older and a newer action."""
    share = SHARE_OF_NEW[name]
    if share == 1.0:
        return lambda _, new: new
    return lambda old, new: {key: (1 - share) * old[key] + share * value for key, value in new.items()}


class Timeline:
    """Planned actions from the present timestep on.

    Args:
        aggregate: joins actions of two chunks for one timestep.
    """

    def __init__(self, aggregate: Aggregate) -> None:
        self._aggregate = aggregate
        self.reset()

    def __len__(self) -> int:
        """Number of planned actions."""
        return len(self._actions)

    def reset(self) -> None:
        """Plan nothing."""
        self._actions: dict[int, Action] = {}
        self.timestep = 0
        """The timestep whose action is taken next: as many actions were executed."""

    @property
    def coming(self) -> tuple[Action, ...]:
        """The planned actions, the next one first."""
        return tuple(self._actions.values())

    def merge(self, chunk: ActionChunk) -> int:
        """Replace the plan by a chunk, joined with what was planned for the same timesteps.

        Args:
            chunk: actions of its first timesteps may have been executed meanwhile; those are dropped.

        Returns:
            How many were.
        """
        planned, executed = self._actions, self.timestep - chunk.timestep
        self._actions = {
            timestep: self._aggregate(planned[timestep], action) if timestep in planned else action
            for timestep, action in enumerate(chunk.actions, chunk.timestep)
            if timestep >= self.timestep
        }
        return executed

    def take(self) -> Action | None:
        """Take the action of the present timestep, which is over then; None if none is planned."""
        action = self._actions.pop(self.timestep, None)
        if action is not None:
            self.timestep += 1
        return action
