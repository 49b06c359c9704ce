"""The network of X-VLA: Florence-2 sees and reads, a soft-prompted transformer finds actions.

Source: Zheng et al. 2025, arXiv:2510.10274; parameter names are those of huggingface/lerobot.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from lerobot.policies.networks.blocks import recompute
from lerobot.xvla import transformer
from lerobot.xvla.config import XVLAConfig
from lerobot.xvla.florence import Florence


class Observed(NamedTuple):
    """What was seen, for all steps from noise to actions.

    Attributes:
        context: see `SoftPromptedTransformer.context`.
        state: `(B, P)`, as the network is shown it.
        domain: `(B,)` int64.
    """

    context: Tensor
    state: Tensor
    domain: Tensor


class XVLA(nn.Module):
    """Observation and noisy actions to actions.

    Args:
        config: settings.

    Raises:
        LeRobotError: it has no backbone, or no space of actions of this name.
    """

    def __init__(self, config: XVLAConfig) -> None:
        super().__init__()
        self.space = config.action_space
        self.vlm = Florence(config.florence)
        self.transformer = transformer.SoftPromptedTransformer(config, self.space.width)
        self._freeze(config)
        if config.gradient_checkpointing:
            recompute(self)
        self.to(getattr(torch, config.dtype))

    def _freeze(self, config: XVLAConfig) -> None:
        """Leave as it is what the configuration says."""
        if config.freeze_vision_encoder:
            self.vlm.vision_tower.requires_grad_(False)
        if config.freeze_language_encoder:
            self.vlm.language_model.requires_grad_(False)
        for name, parameter in self.transformer.named_parameters():
            learns = config.train_soft_prompts if "soft_prompt" in name else config.train_policy_transformer
            parameter.requires_grad_(learns)

    @property
    def dtype(self) -> torch.dtype:
        """Type of the weights."""
        return self.transformer.pos_emb.dtype

    def observe(self, images: Tensor, missing: int, tokens: Tensor, state: Tensor, domain: Tensor) -> Observed:
        """Look and read.

        Args:
            images: `(B, V, 3, H, W)`, the first of which is read with the task.
            missing: images that are not there; the network is shown zeros for what they would be.
            tokens: of the task, `(B, L)`.
            state: `(B, P)`.
            domain: `(B,)` int64.
        """
        rows, views = images.shape[:2]
        seen = self.vlm.look(images.to(self.dtype).flatten(0, 1))
        seen = seen.view(rows, views, *seen.shape[1:])
        read = self.vlm.read(seen[:, 0], tokens)
        others = seen[:, 1:].flatten(1, 2)
        none = others.new_zeros(rows, missing * seen.shape[2], others.shape[-1])
        context = self.transformer.context(read, torch.cat([others, none], dim=1), domain)
        return Observed(context, self.space.shown(state.to(self.dtype)), domain)

    def forward(self, observed: Observed, actions: Tensor, time: Tensor) -> Tensor:
        """Find actions.

        Args:
            observed: see `observe`.
            actions: noisy ones, `(B, T, A)`.
            time: `(B,)`; 1 is noise, 0 are actions.

        Returns:
            `(B, T, A)`; grippers that are not shown are logits.
        """
        found: Tensor = self.transformer(
            self.space.shown(actions), observed.state, time, observed.domain, observed.context
        )
        return found
