"""The action head: flow matching from noise to a chunk of actions, told what was seen and read.

Names are those of published checkpoints.

Source: NVIDIA 2025, arXiv:2503.14734, section 2.1; the release notes of GR00T N1.5.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from lerobot.groot.embodiments import ActionEncoder, EmbodimentMLP
from lerobot.groot.sizes import HeadSize
from lerobot.groot.transformer import DiT, Reader
from lerobot.policies.networks.flow_matching import beta_times


class Observed(NamedTuple):
    """What does not change on the way from noise to actions.

    Attributes:
        seen: what was seen and read, `(B, S, seen)`.
        masks: what may be looked at of it, each `(B, 1, 1, S)` bool or None for everything; see `DiT`.
        state: a token of it, `(B, 1, width)`.
        embodiment: which kind of robot, `(B,)` int64.
    """

    seen: Tensor
    masks: Sequence[Tensor | None]
    state: Tensor
    embodiment: Tensor


class ActionHead(nn.Module):
    """The head of N1.5, and what others change a little.

    Args:
        size: widths and depths.
        seen: width of what was seen and read.
        states: width of states.
        actions: width of actions.
    """

    def __init__(self, size: HeadSize, seen: int, states: int, actions: int) -> None:
        super().__init__()
        self.size, self.actions = size, actions
        width, robots = size.dit.width, size.embodiments
        self.model = DiT(size.dit, seen, size.hidden)
        self.state_encoder = EmbodimentMLP(robots, states, size.hidden, width)
        self.action_encoder = ActionEncoder(robots, actions, width)
        self.action_decoder = EmbodimentMLP(robots, size.hidden, size.hidden, actions)
        self.future_tokens = _table(size.future_tokens, width) if size.future_tokens else None
        self.vlln = nn.LayerNorm(seen)
        self.vl_self_attention = Reader(size.reader)
        self.position_embedding = _table(size.positions, width)

    def observe(self, seen: Tensor, present: Tensor, state: Tensor, embodiment: Tensor) -> Observed:
        """Read once for all steps from noise to actions.

        Args:
            seen: what was seen and read, `(B, S, seen)`.
            present: `(B, S)` bool; false for padding, at which nobody looks.
            state: `(B, 1, states)`.
            embodiment: `(B,)` int64.
        """
        mask = None if bool(present.all()) else present[:, None, None, :]
        read = self.vl_self_attention(self.vlln(seen), mask)
        return Observed(read, [mask], self.state_encoder(state, embodiment), embodiment)

    def velocity(self, observed: Observed, actions: Tensor, time: Tensor) -> Tensor:
        """Give the velocity of noisy actions.

        Args:
            observed: from `observe`.
            actions: `(B, T, actions)`.
            time: `(B,)`; 0 is noise, 1 are actions.

        Returns:
            `(B, T, actions)`.
        """
        number = (time * self.size.buckets).long()
        length, robot = actions.shape[1], observed.embodiment
        moving = self.action_encoder(actions, number, robot) + self.position_embedding.weight[:length]
        future = [] if self.future_tokens is None else [self.future_tokens.weight.expand(len(actions), -1, -1)]
        tokens = torch.cat([observed.state, *future, moving], dim=1)
        found: Tensor = self.action_decoder(self.model(tokens, observed.seen, number, observed.masks), robot)
        return found[:, -length:]

    def draw_times(self, actions: Tensor) -> Tensor:
        """Draw times `(B,)` to learn from, in the type of the actions; few are near 1."""
        size = self.size
        drawn = beta_times(
            len(actions), actions.device, alpha=size.beta_alpha, beta=size.beta_beta, scale=1.0, offset=0.0
        ).to(actions.dtype)
        return (size.noise_s - drawn) / size.noise_s


def _table(rows: int, width: int) -> nn.Embedding:
    table = nn.Embedding(rows, width)
    nn.init.normal_(table.weight, std=0.02)
    return table
