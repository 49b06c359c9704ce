"""The fake policy: linear chunks from numpy, with an action queue like the real ones."""

from collections import deque
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from lerobot.core.config.base import PolicyConfig
from lerobot.core.errors import CheckpointError

Array = npt.NDArray[np.float32]


class FakePolicyConfig(PolicyConfig):
    """A linear policy without a deep-learning library."""

    target = "lerobot.core.testing.fake_policy:FakePolicy"

    type: str = "fake"
    state_dim: int = 4
    """Elements of `observation.state`."""
    action_dim: int = 2
    """Elements of an action."""
    horizon: int = 3
    """Actions of a chunk; all are executed before the next prediction."""
    noise: float = 0.0
    """Standard deviation of what is added to each action, from numpy's global generator."""


class FakePolicy:
    """Chunks are `state @ weight`, each following action a little smaller.

    Args:
        config: see `FakePolicyConfig`.
    """

    name = "fake"

    def __init__(self, config: FakePolicyConfig) -> None:
        self.config = config
        random = np.random.default_rng(0)
        self.weight: Array = random.normal(size=(config.state_dim, config.action_dim)).astype(np.float32)
        self._queue: deque[Array] = deque()

    def reset(self) -> None:
        """See `Policy.reset`."""
        self._queue.clear()

    def predict_action_chunk(self, batch: Mapping[str, Any]) -> Array:
        """See `Policy.predict_action_chunk`."""
        # einsum sums each row on its own, so a row does not depend on its neighbours in the batch.
        first = np.einsum("bs,sa->ba", batch["observation.state"], self.weight)
        chunk = np.stack([first * np.float32(0.9**step) for step in range(self.config.horizon)], axis=1)
        noise = np.random.normal(0.0, 1.0, chunk.shape[1:]) * self.config.noise
        return (chunk + noise).astype(np.float32)

    def select_action(self, batch: Mapping[str, Any]) -> Array:
        """See `Policy.select_action`."""
        if not self._queue:
            self._queue.extend(np.moveaxis(self.predict_action_chunk(batch), 1, 0))
        return self._queue.popleft()

    def forward(self, batch: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
        """See `Policy.forward`: mean squared error over the steps that are no padding."""
        error = (self.predict_action_chunk(batch) - batch["action"]) ** 2
        real = ~batch["action_is_pad"]
        loss = error[real].mean()
        return loss, {"mse": float(loss)}

    def state_dict(self) -> dict[str, Any]:
        """See `Policy.state_dict`."""
        return {"weight": self.weight.copy()}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """See `Policy.load_state_dict`."""
        if set(state_dict) != {"weight"}:
            raise CheckpointError(f"weights {sorted(state_dict)} do not fit", expected="exactly 'weight'")
        weight = np.asarray(state_dict["weight"], np.float32)
        if weight.shape != self.weight.shape:
            raise CheckpointError(f"'weight' has the shape {weight.shape}", expected=str(self.weight.shape))
        self.weight = weight.copy()
