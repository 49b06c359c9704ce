"""A moving average of the weights, which often acts better than the last of them."""

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from lerobot.core.errors import CheckpointError
from lerobot.training.config import EMAConfig


class WeightAverage:
    """An exponential moving average of a module's parameters.

    Args:
        config: how fast it follows.
        module: whose parameters; the average begins with them.

    Source:
        The warm-up of the decay is that of @crowsonkb, as diffusers has it: `1 - (1 + t / inv_gamma) ** -power`.
    """

    def __init__(self, config: EMAConfig, module: nn.Module) -> None:
        self.config = config
        self._parameters = list(module.parameters())
        self._average = [parameter.detach().clone() for parameter in self._parameters]
        self._updates = 0

    @property
    def decay(self) -> float:
        """Share of the average that the newest update keeps."""
        age = self._updates - self.config.update_after_step - 1
        if age <= 0:
            return 0.0
        if self.config.decay is not None:
            return self.config.decay
        grown = 1 - math.pow(1 + age / self.config.inv_gamma, -self.config.power)
        return max(self.config.min_decay, min(grown, self.config.max_decay))

    @torch.no_grad()
    def update(self) -> None:
        """Follow the parameters; called after every optimizer step."""
        self._updates += 1
        torch._foreach_lerp_(self._average, [each.detach() for each in self._parameters], 1 - self.decay)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Let the module have the average inside the block."""
        self._exchange()
        try:
            yield
        finally:
            self._exchange()

    @torch.no_grad()
    def _exchange(self) -> None:
        for parameter, average in zip(self._parameters, self._average, strict=True):
            kept = parameter.detach().clone()
            parameter.copy_(average)
            average.copy_(kept)

    def state_dict(self) -> dict[str, Any]:
        """The state under the field's names."""
        constant = self.config.decay
        return {
            "decay": self.config.max_decay if constant is None else constant,
            "min_decay": self.config.min_decay if constant is None else constant,
            "optimization_step": self._updates,
            "update_after_step": self.config.update_after_step,
            "use_ema_warmup": True,
            "inv_gamma": self.config.inv_gamma,
            "power": self.config.power,
            "shadow_params": [average.cpu().contiguous() for average in self._average],
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from a state; how fast the average follows is the configuration's.

        Raises:
            CheckpointError: it is the average of other parameters.
        """
        averages = state.get("shadow_params", [])
        shapes = [tuple(average.shape) for average in averages]
        if shapes != [tuple(parameter.shape) for parameter in self._parameters] or "optimization_step" not in state:
            raise CheckpointError(
                f"the saved average has {len(averages)} weights of other parameters",
                expected=f"the {len(self._parameters)} of this policy",
                hint="Resume with the policy the checkpoint was made with.",
            )
        for own, saved in zip(self._average, averages, strict=True):
            own.copy_(saved)
        self._updates = int(state["optimization_step"])
