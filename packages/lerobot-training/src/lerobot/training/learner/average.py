"""A moving average of the weights, which often acts better than the last of them."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from lerobot.core.errors import CheckpointError
from lerobot.policies.checkpoint.shards import load_shards
from lerobot.policies.policy import PreTrainedPolicy
from lerobot.training.config import EMAConfig
from lerobot.training.sharding.tensors import part


class WeightAverage:
    """An exponential moving average of a policy's parameters, as a policy of its own.

    Buffers, such as running statistics, are those of the newest weights.

    Args:
        config: how fast it follows.
        policy: whose parameters; the average begins with them.

    Source:
        The warm-up of the decay is that of @crowsonkb, as diffusers has it: `1 - (1 + t / inv_gamma) ** -power`.
    """

    def __init__(self, config: EMAConfig, policy: PreTrainedPolicy) -> None:
        self.config = config
        self._averaged = AveragedModel(policy, multi_avg_fn=self._follow)

    @property
    def policy(self) -> PreTrainedPolicy:
        """The policy with the averaged weights."""
        return cast("PreTrainedPolicy", self._averaged.module)

    def update(self, policy: PreTrainedPolicy) -> None:
        """Follow the parameters; called after every optimizer step."""
        self._averaged.update_parameters(policy)

    def _follow(self, averages: Any, parameters: Any, count: Any) -> None:
        get_ema_multi_avg_fn(self._decay())(averages, parameters, count)  # type: ignore[no-untyped-call]

    def _decay(self) -> float:
        """Share of the average that the update which is under way keeps; torch makes the first one a copy."""
        age = int(self._averaged.n_averaged) - self.config.update_after_step
        if age <= 0:
            return 0.0
        if self.config.decay is not None:
            return self.config.decay
        grown = 1 - math.pow(1 + age / self.config.inv_gamma, -self.config.power)
        return max(self.config.min_decay, min(grown, self.config.max_decay))

    def state_dict(self, averaged: PreTrainedPolicy | None) -> dict[str, Any]:
        """The state under the field's names.

        Args:
            averaged: `policy`, or the whole of it where processes share it; None: its weights are saved elsewhere.
        """
        constant = self.config.decay
        return {
            "decay": self.config.max_decay if constant is None else constant,
            "min_decay": self.config.min_decay if constant is None else constant,
            "optimization_step": int(self._averaged.n_averaged),
            "update_after_step": self.config.update_after_step,
            "use_ema_warmup": True,
            "inv_gamma": self.config.inv_gamma,
            "power": self.config.power,
            "shadow_params": [
                average.detach().cpu().contiguous() for average in ([] if averaged is None else averaged.parameters())
            ],
        }

    def load_state_dict(self, state: Mapping[str, Any], parts: Path | None = None) -> None:
        """Continue from a state; how fast the average follows is the configuration's.

        Args:
            state: of an average of these parameters.
            parts: folder of its weights, if they are not in the state; see `lerobot.policies.checkpoint.shards`.

        Raises:
            CheckpointError: it is the average of other parameters.
        """
        if parts is not None and "optimization_step" in state and not state.get("shadow_params"):
            load_shards({name: each.detach() for name, each in self.policy.named_parameters()}, parts)
            self._averaged.n_averaged.fill_(int(state["optimization_step"]))
            return
        own = [parameter.detach() for parameter in self.policy.parameters()]
        averages = state.get("shadow_params", [])
        if [average.shape for average in averages] != [each.shape for each in own] or "optimization_step" not in state:
            raise CheckpointError(
                f"the saved average has {len(averages)} weights of other parameters",
                expected=f"the {len(own)} of this policy",
                hint="Resume with the policy the checkpoint was made with.",
            )
        for mine, saved in zip(own, averages, strict=True):
            mine.copy_(part(saved, mine))
        self._averaged.n_averaged.fill_(int(state["optimization_step"]))
