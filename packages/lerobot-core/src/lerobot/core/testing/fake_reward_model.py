"""A reward model without weights: how far the state has come from where the episode began."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from lerobot.core.config.judges import RewardModelConfig
from lerobot.core.errors import FeatureMismatchError


class FakeRewardModelConfig(RewardModelConfig):
    """Progress from the first state of an episode."""

    target: ClassVar[str] = "lerobot.core.testing.fake_reward_model:FakeRewardModel"

    type: str = "fake"
    input: str = "observation.state"
    """What it looks at."""


class FakeRewardModel:
    """See `RewardModel`: remembers the first frame of an episode.

    Args:
        config: what it looks at.
    """

    def __init__(self, config: FakeRewardModelConfig) -> None:
        self.config = config
        self._first: NDArray[Any] | None = None

    @property
    def inputs(self) -> Sequence[str]:
        """See `RewardModel.inputs`."""
        return (self.config.input,)

    def reset(self) -> None:
        """See `RewardModel.reset`."""
        self._first = None

    def rewards(self, frames: Mapping[str, NDArray[Any]], task: str) -> NDArray[np.float32]:
        """See `RewardModel.rewards`."""
        del task
        if self.config.input not in frames:
            raise FeatureMismatchError("there is no state", keys=[self.config.input], expected=self.config.input)
        states = frames[self.config.input]
        if self._first is None:
            self._first = states[0].copy()
        distances: NDArray[np.float32] = np.linalg.norm(states - self._first, axis=-1).astype(np.float32)
        return distances
