"""The network that tells actions and noise apart: a transformer over time, modulated by what is observed.

Source: Peebles and Xie 2022, arXiv:2212.09748 (modulation that begins as the identity); Su et al. 2021,
arXiv:2104.09864 (rotary positions). Parameter names are those of huggingface/lerobot.
"""

from collections.abc import Callable, Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name everybody knows

from lerobot.multi_task_dit.config import MultiTaskDiTConfig
from lerobot.policies.denoising.noise import Denoise, LevelCode
from lerobot.policies.networks.attention import Rotary, frequencies, rotary, turned


class RotaryAttention(nn.Module):
    """Attention of every action to every other, which knows how far apart they are.

    Args:
        width: of a token.
        heads: that the width is divided into.
        dropout: of attention while learning.
    """

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.qkv_proj = nn.Linear(width, 3 * width)
        self.out_proj = nn.Linear(width, width)
        self._heads, self._dropout = heads, dropout

    def forward(self, x: Tensor, by: Rotary) -> Tensor:
        """Map `(B, T, width)` to the same shape."""
        query, key, value = self.qkv_proj(x).unflatten(-1, (3, self._heads, -1)).permute(2, 0, 3, 1, 4)
        dropout = self._dropout if self.training else 0.0
        seen = F.scaled_dot_product_attention(turned(query, by), turned(key, by), value, dropout_p=dropout)
        found: Tensor = self.out_proj(seen.transpose(1, 2).flatten(2))
        return found


class Block(nn.Module):
    """Attention, then a feed-forward block; each is shifted and scaled before, and weighted behind, by a modulation.

    Args:
        config: sizes.
        described: width of what the modulation is made of.
    """

    def __init__(self, config: MultiTaskDiTConfig, described: int) -> None:
        super().__init__()
        width = config.hidden_dim
        if config.use_rope:
            self.attn = RotaryAttention(width, config.num_heads, config.dropout)
        else:
            self.multihead_attn = nn.MultiheadAttention(width, config.num_heads, config.dropout, batch_first=True)
        self.norm1 = nn.LayerNorm(width, 1e-6, elementwise_affine=False)
        self.norm2 = nn.LayerNorm(width, 1e-6, elementwise_affine=False)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(approximate="tanh"), nn.Linear(4 * width, width))
        self.adaLN_modulation = nn.Sequential(nn.SiLU(), nn.Linear(described, 6 * width))
        # Every block begins as the identity.
        for parameter in self.adaLN_modulation.parameters():
            nn.init.zeros_(parameter)
        self._is_rotary = config.use_rope

    def forward(self, x: Tensor, modulation: Tensor, by: Rotary) -> Tensor:
        """Map `(B, T, width)` to the same shape.

        Args:
            x: tokens.
            modulation: `(B, 6 width)`: shift, scale and weight of attention, then of the feed-forward block.
            by: rotary positions.
        """
        shift, scale, weight, mlp_shift, mlp_scale, mlp_weight = modulation.unsqueeze(1).chunk(6, dim=-1)
        changed = self.norm1(x) * (1 + scale) + shift
        x = x + weight * (self.attn(changed, by) if self._is_rotary else self.multihead_attn(*[changed] * 3)[0])
        found: Tensor = x + mlp_weight * self.mlp(self.norm2(x) * (1 + mlp_scale) + mlp_shift)
        return found

    def modulations(self, condition: Tensor) -> Callable[[Tensor], Tensor]:
        """Give the modulation `(B, 6 width)` under a condition that stays, by codes of time `(B, Dt)` that do not.

        The condition is most of what the modulation is made of, and its weights most of the network's: its share is
        computed once.
        """
        _, layer = self.adaLN_modulation
        if not isinstance(layer, nn.Linear):
            # An adapter, which is more than the weight.
            return lambda code: self.adaLN_modulation(torch.cat([code, condition], dim=-1))
        own = layer.weight.shape[1] - condition.shape[1]
        share = F.linear(F.silu(condition), layer.weight[:, own:], layer.bias)
        return lambda code: share + F.linear(F.silu(code), layer.weight[:, :own])


class DiffusionTransformer(nn.Module):
    """Noisy actions to what there is in them: the noise, the actions, or the velocity between both.

    Args:
        config: sizes.
        actions: numbers of an action.
        observed: numbers observed, of all steps together.
    """

    cosines: Tensor
    sines: Tensor

    def __init__(self, config: MultiTaskDiTConfig, actions: int, observed: int) -> None:
        super().__init__()
        width, code = config.hidden_dim, config.timestep_embed_dim
        self.time_mlp = nn.Sequential(
            LevelCode(code), nn.Linear(code, 2 * code), nn.GELU(), nn.Linear(2 * code, code), nn.GELU()
        )
        self.input_proj = nn.Linear(actions, width)
        self.pos_embedding = None
        if config.use_positional_encoding:
            self.pos_embedding = nn.Parameter(torch.empty(1, config.horizon, width).normal_(std=0.02))
        self.transformer_blocks = nn.ModuleList(Block(config, code + observed) for _ in range(config.num_layers))
        self.output_proj = nn.Linear(width, actions)
        cpu = torch.device("cpu")
        places = torch.arange(config.horizon, device=cpu)[None]
        cosines, sines = rotary(places, frequencies(width // config.num_heads, config.rope_base, cpu))
        # In no checkpoint: they follow from the configuration.
        self.register_buffer("cosines", cosines, persistent=False)
        self.register_buffer("sines", sines, persistent=False)

    def forward(self, noisy: Tensor, time: Tensor, observed: Tensor) -> Tensor:
        """Look at noisy actions, to learn from.

        Args:
            noisy: `(B, T, Da)`.
            time: level of noise `(B,)` int64, or time of a flow `(B,)` float32.
            observed: `(B, Do)`.

        Returns:
            `(B, T, Da)`.
        """
        described = torch.cat([self.time_mlp(time), observed], dim=-1)
        return self._through(noisy, [block.adaLN_modulation(described) for block in self._blocks])

    def under(self, observed: Tensor) -> Denoise:
        """Give the network under what was observed `(B, Do)`, to act: it looks at noisy actions again and again."""
        modulations = [block.modulations(observed) for block in self._blocks]

        def denoise(noisy: Tensor, time: Tensor) -> Tensor:
            code = self.time_mlp(time)
            return self._through(noisy, [modulation(code) for modulation in modulations])

        return denoise

    @property
    def _blocks(self) -> Sequence[Block]:
        return cast("Sequence[Block]", self.transformer_blocks)

    def _through(self, noisy: Tensor, modulations: Sequence[Tensor]) -> Tensor:
        x = self.input_proj(noisy)
        if self.pos_embedding is not None:
            x = x + self.pos_embedding
        for block, modulation in zip(self._blocks, modulations, strict=True):
            x = block(x, modulation, (self.cosines, self.sines))
        found: Tensor = self.output_proj(x)
        return found
