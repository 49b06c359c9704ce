"""Between single ticks and stretches of time: the last observations, and one action a tick out of chunks."""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from lerobot.policies.features import PolicyFeatures

Predict = Callable[[], Tensor]
"""Predicts a chunk `(B, T, Da)`."""

Describe = Callable[[Mapping[str, Tensor]], dict[str, Tensor]]
"""From observations, every input `(N, ...)`, to what a prediction needs to know of each, `(N, ...)`."""


@dataclass(slots=True)
class _Observation:
    """One observation, and its description once that was needed."""

    inputs: dict[str, Tensor]
    description: dict[str, Tensor] | None = None


class ObservationHistory:
    """The last `n_obs_steps` observations; before there are as many, the first one stands for those before it.

    Each is described once, however many windows it is part of: looking at its images takes most of the time.

    Args:
        features: inputs of the policy.
        n_obs_steps: observations a prediction is made from, the newest included.
        describe: what a prediction needs to know of observations.
    """

    def __init__(self, features: PolicyFeatures, n_obs_steps: int, describe: Describe) -> None:
        self._features = features
        self._describe = describe
        self._observations: deque[_Observation] = deque(maxlen=n_obs_steps)

    def reset(self) -> None:
        """Forget the observations."""
        self._observations.clear()

    def add(self, batch: Mapping[str, Any], *, wanted: bool = True) -> None:
        """Take note of the newest observation, every input `(B, ...)`.

        Args:
            batch: the observation.
            wanted: describe it now, since the next window will have it; otherwise that waits until one does.
        """
        observation = self._taken(batch)
        self._observations.append(observation)
        if wanted:
            self._description(observation)

    def window(self) -> dict[str, Tensor]:
        """Give the descriptions of the last observations, each entry `(B, n_obs_steps, ...)`, the oldest first."""
        return self._stacked(list(self._observations))

    def window_with(self, batch: Mapping[str, Any]) -> dict[str, Tensor]:
        """Give what `window` would if the newest observation were added, without taking note of it.

        Args:
            batch: the newest observation, every input `(B, ...)`; or a whole window, every input
                `(B, n_obs_steps, ...)`, whose description is given.
        """
        newest = self._taken(batch)
        if all(newest.inputs[key].ndim == len(feature.shape) + 2 for key, feature in self._features.items()):
            return describe_window(newest.inputs, self._features, self._describe)
        return self._stacked([*self._observations, newest])

    def _taken(self, batch: Mapping[str, Any]) -> _Observation:
        return _Observation({key: batch[key] for key in self._features})

    def _description(self, observation: _Observation) -> dict[str, Tensor]:
        if observation.description is None:
            observation.description = self._describe(observation.inputs)
        return observation.description

    def _stacked(self, observations: list[_Observation]) -> dict[str, Tensor]:
        size = self._observations.maxlen or 1
        padded = [observations[0]] * (size - len(observations)) + observations[-size:]
        described = [self._description(observation) for observation in padded]
        return {key: torch.stack([each[key] for each in described], dim=1) for key in described[0]}


def describe_window(window: Mapping[str, Any], features: PolicyFeatures, describe: Describe) -> dict[str, Tensor]:
    """Describe all observations of a window at once.

    Args:
        window: every input `(B, n_obs_steps, ...)`; what else there is, is left aside.
        features: inputs of the policy.
        describe: of single observations.

    Returns:
        Each entry `(B, n_obs_steps, ...)`.
    """
    rows = window[next(iter(features))].shape[:2]
    described = describe({key: window[key].flatten(0, 1) for key in features})
    return {key: values.view(*rows, *values.shape[1:]) for key, values in described.items()}


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
