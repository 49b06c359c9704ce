"""A control loop that runs faster than the policy acts."""

from typing import Protocol

from lerobot.core.control import CommandSource
from lerobot.core.types import Action, Observation


class Forgetful(CommandSource, Protocol):
    """A source of commands with a memory of the episode."""

    def reset(self) -> None:
        """Forget the episode so far."""
        ...


class Interpolated:
    """Gives the way from one action to the next in equal steps; the last one is the action itself.

    The first action after a reset has no way to it and is given as it is. Where the source has nothing, it is asked
    again after a whole number of its own ticks.

    Args:
        source: acts once in `steps` ticks.
        steps: ticks of the control loop per action.
    """

    def __init__(self, source: Forgetful, steps: int) -> None:
        self._source = source
        self._steps = steps
        self._begin()

    def reset(self) -> None:
        """Forget the episode so far: no way leads to the next action."""
        self._source.reset()
        self._begin()

    def _begin(self) -> None:
        self._before: Action = {}
        self._action: Action = {}
        self._step = 0

    def next_action(self, observation: Observation, tick: int, /) -> Action | None:
        """See `CommandSource.next_action`."""
        if self._step == 0:
            action = self._source.next_action(observation, tick // self._steps)
            if action is None:
                return None
            self._before, self._action = self._action, action
        self._step += 1
        share = self._step / self._steps
        self._step %= self._steps
        return {key: self._between(key, value, share) for key, value in self._action.items()}

    def _between(self, key: str, value: float, share: float) -> float:
        before = self._before.get(key, value)
        # Exactly the action at the end of the way, whatever rounding does.
        return value if share == 1.0 else before + share * (value - before)
