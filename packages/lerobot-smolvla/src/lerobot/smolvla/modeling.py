"""The network of SmolVLA.

Images, task and state are the prefix that SmolVLM2 reads; noisy actions are the suffix that the expert reads after it,
to say along which velocity they become clean.

Source: Shukor et al. 2025, arXiv:2506.01844, section 3; parameter names are those of huggingface/lerobot.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name everybody knows

from lerobot.policies.networks.flow_matching import time_waves
from lerobot.policies.networks.padding import pad_tokens
from lerobot.policies.networks.streams import Tokens
from lerobot.policies.vla.images import CameraImages
from lerobot.smolvla.backbone import KeysAndValues, SmolVLMWithExpert, expert_size
from lerobot.smolvla.config import SmolVLAConfig
from lerobot.smolvla.sizes import image_tokens


class Observed(NamedTuple):
    """What was seen, kept for all steps from noise to actions.

    Attributes:
        kept: keys and values of the prefix by layer.
        present: `(B, P)` bool; false for padding.
    """

    kept: KeysAndValues
    present: Tensor


class SmolVLA(nn.Module):
    """Observation and noisy actions to a velocity.

    Args:
        config: settings.

    Raises:
        CheckpointError: the vision-language model of the configuration is not there.
        LeRobotError: layers of the expert and of the language model do not fit each other.
    """

    def __init__(self, config: SmolVLAConfig) -> None:
        super().__init__()
        self.config = config
        size = config.size
        width = size.text.width
        own = expert_size(config, size.text, size.text.layers).width
        self.vlm_with_expert = SmolVLMWithExpert(config)
        self.state_proj = nn.Linear(config.max_state_dim, width).requires_grad_(config.train_state_proj)
        self.action_in_proj = nn.Linear(config.max_action_dim, own)
        self.action_out_proj = nn.Linear(own, config.max_action_dim)
        self.action_time_mlp_in = nn.Linear(2 * own, own)
        self.action_time_mlp_out = nn.Linear(own, own)
        self._around = image_tokens(config.vlm_model_name, size) if config.add_image_special_tokens else None

    def prefix(self, cameras: Sequence[CameraImages], tokens: Tensor, mask: Tensor, state: Tensor) -> Tokens:
        """Embed an observation.

        Args:
            cameras: see `CameraImages`.
            tokens: of the task, `(B, L)`.
            mask: `(B, L)` bool; false for padding.
            state: `(B, max_state_dim)`.
        """
        vlm = self.vlm_with_expert.vlm.model
        embedded, present = [], []
        for camera in cameras:
            seen = vlm.see(camera.images)
            parts = [(seen, camera.present[:, None].expand(seen.shape[:2]))]
            if self._around is not None:
                fake, whole = self._around
                parts = [self._special([fake, whole], seen.shape[0]), *parts, self._special([fake], seen.shape[0])]
            embedded += [part for part, _ in parts]
            present += [there for _, there in parts]
        shown = _through(self.state_proj, state)[:, None]
        embedded += [vlm.read(tokens), shown]
        present += [mask, torch.ones_like(mask[:, :1])]
        # Types differ, and the widest wins.
        x, there = torch.cat(embedded, dim=1), torch.cat(present, dim=1)
        begins = torch.zeros(there.shape[1], dtype=torch.bool, device=there.device)
        begins[-1] = True
        length = self.config.prefix_length
        return Tokens(pad_tokens(x, length), pad_tokens(there, length), pad_tokens(begins[None], length)[0])

    def _special(self, tokens: list[int], rows: int) -> tuple[Tensor, Tensor]:
        table = self.vlm_with_expert.vlm.model.text_model.embed_tokens
        device = table.weight.device
        embedded: Tensor = table(torch.tensor(tokens, device=device)).expand(rows, -1, -1)
        return embedded, torch.ones(rows, len(tokens), dtype=torch.bool, device=device)

    def _suffix(self, actions: Tensor, time: Tensor) -> Tokens:
        x = _through(self.action_in_proj, actions)
        waves = time_waves(time, x.shape[-1], self.config.min_period, self.config.max_period).to(x.dtype)
        x = torch.cat([x, waves[:, None].expand_as(x)], dim=-1)
        x = self.action_time_mlp_out(F.silu(self.action_time_mlp_in(x)))
        everything = torch.ones(x.shape[:2], dtype=torch.bool, device=x.device)
        # Every action begins a block: it sees those before it.
        return Tokens(x, everything, everything[0])

    def _out(self, read: Tensor) -> Tensor:
        return _through(self.action_out_proj, read).float()

    def forward(self, prefix: Tokens, actions: Tensor, time: Tensor) -> Tensor:
        """Give the velocity of noisy actions, to learn from.

        Args:
            prefix: see `prefix`.
            actions: `(B, T, max_action_dim)` float32.
            time: `(B,)` float32; 1 is noise, 0 are actions.

        Returns:
            `(B, T, max_action_dim)` float32.
        """
        return self._out(self.vlm_with_expert(prefix, self._suffix(actions, time)))

    def keep(self, prefix: Tokens) -> Observed:
        """Read an observation once for all steps from noise to actions."""
        return Observed(self.vlm_with_expert.keep(prefix), prefix.present)

    def velocity(self, observed: Observed, actions: Tensor, time: Tensor) -> Tensor:
        """Give the velocity after an observation that was kept; see `forward`."""
        return self._out(self.vlm_with_expert.follow(observed.kept, observed.present, self._suffix(actions, time)))


def _through(layer: nn.Linear, x: Tensor) -> Tensor:
    found: Tensor = layer(x.to(layer.weight.dtype))
    return found
