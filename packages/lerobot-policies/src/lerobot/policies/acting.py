"""Between single ticks and stretches of time: the last observations, and one action a tick out of chunks."""

from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from lerobot.policies.features import PolicyFeatures

Predict = Callable[[], Tensor]
"""Predicts a chunk `(B, T, Da)`."""


class ObservationHistory:
    """The last `n_obs_steps` observations; before there are as many, the first one stands for those before it.

    Args:
        features: inputs of the policy.
        n_obs_steps: observations a prediction is made from, the newest included.
    """

    def __init__(self, features: PolicyFeatures, n_obs_steps: int) -> None:
        self._features = features
        self._frames: deque[dict[str, Tensor]] = deque(maxlen=n_obs_steps)

    def reset(self) -> None:
        """Forget the observations."""
        self._frames.clear()

    def add(self, batch: Mapping[str, Any]) -> None:
        """Take note of the newest observation, every input `(B, ...)`."""
        self._frames.append({key: batch[key] for key in self._features})

    def window(self) -> dict[str, Tensor]:
        """Give the last observations, every input `(B, n_obs_steps, ...)`, the oldest first."""
        return self._stacked(list(self._frames))

    def window_with(self, batch: Mapping[str, Any]) -> dict[str, Tensor]:
        """Give the last observations if the newest one were added, without taking note of it.

        Args:
            batch: the newest observation, every input `(B, ...)`; or a whole window, every input
                `(B, n_obs_steps, ...)`, which is given as it is.
        """
        newest = {key: batch[key] for key in self._features}
        if all(newest[key].ndim == len(feature.shape) + 2 for key, feature in self._features.items()):
            return newest
        return self._stacked([*self._frames, newest])

    def _stacked(self, frames: list[dict[str, Tensor]]) -> dict[str, Tensor]:
        size = self._frames.maxlen or 1
        padded = [frames[0]] * (size - len(frames)) + frames[-size:]
        return {key: torch.stack([frame[key] for frame in padded], dim=1) for key in self._features}


class ActionQueue:
    """Executes the first `n_action_steps` actions of a chunk, then predicts anew.

    Args:
        n_action_steps: actions executed per chunk.
    """

    def __init__(self, n_action_steps: int) -> None:
        self.n_action_steps = n_action_steps
        self._actions: deque[Tensor] = deque()

    def __len__(self) -> int:
        """Number of actions that wait."""
        return len(self._actions)

    def reset(self) -> None:
        """Forget the actions that wait."""
        self._actions.clear()

    def next(self, predict: Predict) -> Tensor:
        """Give the next action `(B, Da)`; `predict` is called only when none waits."""
        if not self._actions:
            self._actions.extend(predict()[:, : self.n_action_steps].unbind(dim=1))
        return self._actions.popleft()


class TemporalEnsembler:
    """Predicts at every tick and averages all predictions made for it, weighted by `exp(-coefficient * age)`.

    The oldest prediction has the weight 1, so a positive coefficient favours older ones. The average is kept online:
    one running mean and one count per future tick.

    Args:
        coefficient: 0 for equal weights; negative favours new predictions.
        chunk_size: actions of a chunk.

    Source:
        Zhao et al. 2023, arXiv:2304.13705, algorithm 2.
    """

    def __init__(self, coefficient: float, chunk_size: int) -> None:
        self._weights = torch.exp(-coefficient * torch.arange(chunk_size))
        self._sums = torch.cumsum(self._weights, dim=0)
        self._mean: Tensor | None = None
        self._count = torch.zeros(0, 1, dtype=torch.long)

    def reset(self) -> None:
        """Forget all predictions."""
        self._mean = None

    def next(self, predict: Predict) -> Tensor:
        """Give the average action `(B, Da)` for this tick; `predict` is called every time."""
        chunk = predict()
        if self._mean is None:
            mean, self._count = chunk.clone(), torch.ones(chunk.shape[1], 1, dtype=torch.long, device=chunk.device)
            self._weights, self._sums = self._weights.to(chunk), self._sums.to(chunk)
        else:
            known = self._mean * self._sums[self._count - 1] + chunk[:, :-1] * self._weights[self._count]
            mean = torch.cat([known / self._sums[self._count], chunk[:, -1:]], dim=1)
            self._count = torch.cat([self._count + 1, self._count.new_ones(1, 1)])
        action, self._mean, self._count = mean[:, 0], mean[:, 1:], self._count[1:]
        return action
