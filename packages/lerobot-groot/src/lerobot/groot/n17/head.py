"""The action head of GR00T N1.7: blocks look at images and at text in turn, and learning leaves states out.

Names are those of published checkpoints.
"""

import torch
from torch import Tensor

from lerobot.groot.head import ActionHead, Observed
from lerobot.groot.n17.sizes import GrootN17HeadSize
from lerobot.policies.networks.flow_matching import beta_times


class GrootN17Head(ActionHead):
    """The head; see `ActionHead`."""

    size: GrootN17HeadSize

    def observe_parts(
        self, seen: Tensor, present: Tensor, images: Tensor, state: Tensor, embodiment: Tensor
    ) -> Observed:
        """Read once for all steps from noise to actions.

        Args:
            seen: what was seen and read, `(B, S, seen)`.
            present: `(B, S)` bool; false for padding, at which nobody looks.
            images: `(B, S)` bool, which of it are parts of images.
            state: `(B, 1, states)`.
            embodiment: `(B,)` int64.
        """
        found = self.observe(seen, present, state, embodiment)
        text = (present & ~images)[:, None, None, :]
        image = (present & images)[:, None, None, :]
        token = found.state
        if self.training and self.size.state_dropout > 0:
            left_out = torch.rand(len(token), device=token.device) < self.size.state_dropout
            token = token * (1 - left_out[:, None, None].to(token.dtype))
        return found._replace(masks=[text, *[image] * (self.size.text_every - 1)], state=token)

    def draw_times(self, actions: Tensor) -> Tensor:
        """Draw times `(B,)` to learn from, in the type of the actions; few are near 1."""
        size = self.size
        drawn = beta_times(
            len(actions), actions.device, alpha=size.beta_alpha, beta=size.beta_beta, scale=1.0, offset=0.0
        )
        return (1 - drawn.to(actions.dtype)) * size.noise_s
