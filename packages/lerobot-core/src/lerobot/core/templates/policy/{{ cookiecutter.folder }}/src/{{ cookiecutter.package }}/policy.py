"""{{ cookiecutter.title }}: a chunk of actions as a linear function of the state.

YOURS: replace the model. This one needs numpy alone and is fitted in closed form, so that the package works before you
choose a deep-learning library; with torch, let `forward` return a tensor that has `backward()`.
"""

from collections import deque
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from lerobot.core.errors import CheckpointError

from {{ cookiecutter.package }}.config import {{ cookiecutter.class_name }}Config

Array = npt.NDArray[np.float32]


class {{ cookiecutter.class_name }}:
    """Predicts `horizon` actions, `[state, 1] @ weight`.

    Args:
        config: see `{{ cookiecutter.class_name }}Config`.
    """

    name = "{{ cookiecutter.name }}"

    def __init__(self, config: {{ cookiecutter.class_name }}Config) -> None:
        self.config = config
        self.weight: Array = np.zeros((config.state_dim + 1, config.horizon, config.action_dim), np.float32)
        self._queue: deque[Array] = deque()

    def reset(self) -> None:
        """Forget the actions that were planned."""
        self._queue.clear()

    def fit(self, state: Array, action: Array) -> None:
        """Choose the weight with the least squared error.

        Args:
            state: `(N, Ds)` float32.
            action: chunk that followed each state, `(N, T, Da)` float32.
        """
        solution = np.linalg.lstsq(_with_one(state), action.reshape(len(action), -1), rcond=None)[0]
        self.weight = solution.reshape(self.weight.shape).astype(np.float32)

    def predict_action_chunk(self, batch: Mapping[str, Any]) -> Array:
        """Predict `(B, T, Da)` from `observation.state` `(B, Ds)`."""
        # einsum sums each row on its own: a row does not depend on its neighbours in the batch.
        chunk: Array = np.einsum("bs,sta->bta", _with_one(batch["observation.state"]), self.weight)
        return chunk

    def select_action(self, batch: Mapping[str, Any]) -> Array:
        """Give the next planned action `(B, Da)`, predicting anew when all were executed."""
        if not self._queue:
            chunk = self.predict_action_chunk(batch)[:, : self.config.n_action_steps]
            self._queue.extend(np.moveaxis(chunk, 1, 0))
        return self._queue.popleft()

    def forward(self, batch: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
        """Compute the mean squared error over the steps that are no padding."""
        error = (self.predict_action_chunk(batch) - batch["action"]) ** 2
        loss = error[~batch["action_is_pad"]].mean()
        return loss, {"mse": float(loss)}

    def state_dict(self) -> dict[str, Array]:
        """Give the weight."""
        return {"weight": self.weight.copy()}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over a weight; nothing may be missing or left over.

        Raises:
            CheckpointError: names or shapes do not fit.
        """
        if set(state_dict) != {"weight"}:
            raise CheckpointError(f"the checkpoint holds {sorted(state_dict)}", expected="exactly 'weight'")
        weight = np.asarray(state_dict["weight"], np.float32)
        if weight.shape != self.weight.shape:
            raise CheckpointError(f"'weight' has the shape {weight.shape}", expected=str(self.weight.shape))
        self.weight = weight.copy()


def _with_one(state: Array) -> Array:
    return np.concatenate([state, np.ones((len(state), 1), np.float32)], axis=1)
