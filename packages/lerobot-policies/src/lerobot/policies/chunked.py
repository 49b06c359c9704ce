"""The base of policies that see one observation, and act out a chunk before they look again."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from lerobot.policies.chunks import ActionQueue
from lerobot.policies.config import PreTrainedConfig
from lerobot.policies.policy import PreTrainedPolicy


class ChunkedPolicy(PreTrainedPolicy):
    """A policy whose action of a tick is the next one of a chunk, of which `executed_steps` are executed.

    A subclass predicts the chunk (`predict_action_chunk`), and says how it learns (`forward`).

    Args:
        config: the configuration, features included.

    Raises:
        FeatureMismatchError: the features are not what such a policy needs.
    """

    def __init__(self, config: PreTrainedConfig) -> None:
        super().__init__(config)
        config.validate_features()
        self._actions = ActionQueue(config.executed_steps)

    def reset(self) -> None:
        """Forget the actions that wait."""
        self._actions.reset()

    @torch.no_grad()
    def select_action(self, batch: Mapping[str, Any]) -> Tensor:
        """Choose the action `(B, Da)` of this tick, normalised; see `Policy.select_action`.

        Raises:
            FeatureMismatchError: an input is missing or has the wrong shape.
            LeRobotError: see `predict_action_chunk` of the policy.
        """
        return self._actions.next(lambda: self.predict_action_chunk(batch))
