"""The network of Pi0, and what it shares with Pi0.5.

Images and task are the prefix that PaliGemma reads; noisy actions are the suffix that the expert reads beside it, to
say along which velocity they become clean.

Source: Black et al. 2024, arXiv:2410.24164, section IV; parameter names are those of huggingface/lerobot.
"""

from abc import abstractmethod
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name everybody knows

from lerobot.pi0.config import PiFlowConfig
from lerobot.pi0.expert import PaliGemmaWithExpert
from lerobot.policies.networks.attention import KeyValueCache
from lerobot.policies.networks.decoder import GEMMA, DecoderKind
from lerobot.policies.networks.flow_matching import time_waves
from lerobot.policies.networks.streams import Tokens


class Seen(NamedTuple):
    """An observation as the network takes it.

    Attributes:
        prefix: images and task.
        state: `(B, max_state_dim)` float32.
    """

    prefix: Tokens
    state: Tensor


class Observed(NamedTuple):
    """What was seen, kept for all steps from noise to actions.

    Attributes:
        kept: keys and values of the prefix by layer.
        present: of the prefix, `(B, P)` bool; false for padding.
        state: `(B, max_state_dim)` float32.
    """

    kept: KeyValueCache
    present: Tensor
    state: Tensor


class PiFlow(nn.Module):
    """Observation and noisy actions to a velocity; a subclass says what the expert reads.

    Args:
        config: settings.
        kind: of the expert's layers.
    """

    def __init__(self, config: PiFlowConfig, kind: DecoderKind = GEMMA) -> None:
        super().__init__()
        self.config = config
        self.paligemma_with_expert = PaliGemmaWithExpert(config, kind)
        self.action_in_proj = nn.Linear(config.max_action_dim, config.expert.width)
        self.action_out_proj = nn.Linear(config.expert.width, config.max_action_dim)

    @abstractmethod
    def suffix(self, state: Tensor, actions: Tensor, time: Tensor) -> tuple[Tokens, Tensor | None]:
        """Embed what the expert reads, the actions last, and give the condition of its layers, if they follow one."""

    def _waves(self, time: Tensor) -> Tensor:
        """Describe times `(B,)`, in the width of the expert."""
        return time_waves(time, self.config.expert.width, self.config.min_period, self.config.max_period)

    def _tokens(self, embedded: Tensor, begins: Sequence[int]) -> Tokens:
        """Tokens of the expert, all there, of which some begin a block."""
        marks = torch.zeros(embedded.shape[1], dtype=torch.bool, device=embedded.device)
        marks[list(begins)] = True
        present = marks.new_ones(embedded.shape[:2])
        return Tokens(embedded.to(self.paligemma_with_expert.paligemma.model.dtype), present, marks)

    def _out(self, read: Tensor) -> Tensor:
        found: Tensor = self.action_out_proj(read[:, -self.config.chunk_size :].to(self.action_out_proj.weight.dtype))
        return found.float()

    def forward(self, seen: Seen, actions: Tensor, time: Tensor) -> Tensor:
        """Give the velocity of noisy actions, to learn from.

        Args:
            seen: the observation.
            actions: `(B, T, max_action_dim)` float32.
            time: `(B,)` float32; 1 is noise, 0 are actions.

        Returns:
            `(B, T, max_action_dim)` float32.
        """
        return self._out(self.paligemma_with_expert(seen.prefix, *self.suffix(seen.state, actions, time)))

    def keep(self, seen: Seen) -> Observed:
        """Read an observation once for all steps from noise to actions."""
        return Observed(self.paligemma_with_expert.keep(seen.prefix), seen.prefix.present, seen.state)

    def velocity(self, observed: Observed, actions: Tensor, time: Tensor) -> Tensor:
        """Give the velocity after an observation that was kept; see `forward`."""
        suffix = self.suffix(observed.state, actions, time)
        return self._out(self.paligemma_with_expert.follow(observed.kept, observed.present, *suffix))


class PI0(PiFlow):
    """The expert reads the state, and each action joined with the time."""

    def __init__(self, config: PiFlowConfig) -> None:
        super().__init__(config)
        width = config.expert.width
        self.state_proj = nn.Linear(config.max_state_dim, width)
        self.action_time_mlp_in = nn.Linear(2 * width, width)
        self.action_time_mlp_out = nn.Linear(width, width)

    def suffix(self, state: Tensor, actions: Tensor, time: Tensor) -> tuple[Tokens, None]:
        """See `PiFlow.suffix`: the state does not see the actions."""
        x = self.action_in_proj(actions)
        x = torch.cat([x, self._waves(time)[:, None].expand_as(x)], dim=-1)
        x = self.action_time_mlp_out(F.silu(self.action_time_mlp_in(x)))
        return self._tokens(torch.cat([self.state_proj(state)[:, None], x], dim=1), [0, 1]), None
