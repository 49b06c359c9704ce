"""The base of policies that see several observations and act in chunks."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from lerobot.policies.chunks import ActionQueue, ObservationHistory, describe_window
from lerobot.policies.config import PreTrainedConfig
from lerobot.policies.policy import PreTrainedPolicy


class WindowedPolicy(PreTrainedPolicy):
    """Predicts a chunk from the last `n_obs_steps` observations, and executes the first actions of it.

    While it acts it looks at each observation when it comes, and not at all of them when a chunk is due: that tick is
    the one that others wait for.

    Args:
        config: the configuration, features included.
        executed: actions executed per chunk.
    """

    def __init__(self, config: PreTrainedConfig, executed: int) -> None:
        super().__init__(config)
        self._history = ObservationHistory(config.input_features, config.n_obs_steps, self.describe)
        self._actions = ActionQueue(executed)

    @abstractmethod
    def describe(self, observations: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Describe observations, one by one.

        Args:
            observations: every input `(N, ...)`.

        Returns:
            What a prediction needs to know, every entry `(N, ...)`.
        """

    def instruction(self, batch: Mapping[str, Any]) -> dict[str, Tensor]:
        """Describe what only the newest batch says, such as the task in words, every entry `(B, ...)`; nothing here."""
        del batch
        return {}

    @abstractmethod
    def predict(self, window: Mapping[str, Tensor]) -> Tensor:
        """Predict the actions `(B, T, Da)` from the newest observation on, normalised.

        Args:
            window: the last observations as `describe` gives them, every entry `(B, n_obs_steps, ...)`; and what
                `instruction` gives.
        """

    def described(self, batch: Mapping[str, Any]) -> dict[str, Tensor]:
        """Describe the windows of a batch to learn from, every input `(B, n_obs_steps, ...)`."""
        return describe_window(batch, self.config.input_features, self.describe)

    def reset(self) -> None:
        """Forget what was observed, and the actions that wait."""
        self._history.reset()
        self._actions.reset()

    @torch.no_grad()
    def select_action(self, batch: Mapping[str, Any]) -> Tensor:
        """Choose the action `(B, Da)` of this tick, normalised; see `Policy.select_action`.

        Raises:
            FeatureMismatchError: an input is missing or has the wrong shape.
        """
        self.require_inputs(batch)
        self._act()
        # As many ticks as actions wait it is to the next prediction, which may look less far back.
        self._history.add(batch, wanted=len(self._actions) < self.config.n_obs_steps)
        return self._actions.next(lambda: self.predict({**self._history.window(), **self.instruction(batch)}))

    @torch.no_grad()
    def predict_action_chunk(self, batch: Mapping[str, Any]) -> Tensor:
        """Predict the actions `(B, T, Da)` from the newest observation on, normalised.

        Args:
            batch: the newest observation `(B, ...)`, to which `select_action` has seen those before; or all of them,
                `(B, n_obs_steps, ...)`.

        Raises:
            FeatureMismatchError: an input is missing or has the wrong shape.
        """
        return self.predict(self.window_with(batch))

    def window_with(self, batch: Mapping[str, Any]) -> dict[str, Tensor]:
        """Describe the last observations, this one the newest, for a prediction; see `predict_action_chunk`."""
        self.require_inputs(batch)
        self._act()
        return {**self._history.window_with(batch), **self.instruction(batch)}

    def _act(self) -> None:
        if self.training:
            self.eval()
