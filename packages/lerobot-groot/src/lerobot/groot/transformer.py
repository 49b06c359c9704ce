"""Blocks of the action head: attention and a feed-forward block, plain or following a time.

Names are those of published checkpoints.

Source: Peebles and Xie 2022, arXiv:2212.09748 (DiT); NVIDIA 2025, arXiv:2503.14734, section 2.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name everybody knows

from lerobot.groot.sizes import TransformerSize

_TIME_WAVES = 256
_EPS, _LAST_EPS = 1e-5, 1e-6


class Attention(nn.Module):
    """Looks at other tokens, or at its own.

    Args:
        size: widths.
        seen: width of what is looked at.
    """

    def __init__(self, size: TransformerSize, seen: int) -> None:
        super().__init__()
        self.heads = size.heads
        self.to_q = nn.Linear(size.width, size.width)
        self.to_k, self.to_v = nn.Linear(seen, size.width), nn.Linear(seen, size.width)
        self.to_out = nn.ModuleList([nn.Linear(size.width, size.width), nn.Dropout(size.dropout)])

    def forward(self, x: Tensor, seen: Tensor, mask: Tensor | None) -> Tensor:
        """Map `(B, L, width)`, looking at `(B, S, seen)`; `mask` as `Block` takes it."""
        query, key, value = (
            projection(each).unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for projection, each in ((self.to_q, x), (self.to_k, seen), (self.to_v, seen))
        )
        found: Tensor = F.scaled_dot_product_attention(query, key, value, mask).transpose(1, 2).flatten(2)
        for layer in self.to_out:
            found = layer(found)
        return found


class _Gelu(nn.Module):
    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.proj = nn.Linear(width, hidden)

    def forward(self, x: Tensor) -> Tensor:
        return F.gelu(self.proj(x), approximate="tanh")


class FeedForward(nn.Module):
    """Two layers, four times as wide between them."""

    def __init__(self, size: TransformerSize) -> None:
        super().__init__()
        hidden = 4 * size.width
        self.net = nn.ModuleList(
            [
                _Gelu(size.width, hidden),
                nn.Dropout(size.dropout),
                nn.Linear(hidden, size.width),
                nn.Dropout(size.dropout),
            ]
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map `(..., width)` to the same shape."""
        for layer in self.net:
            x = layer(x)
        return x


class TimedNorm(nn.Module):
    """Normalises, then scales and moves as a time says."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.linear = nn.Linear(width, 2 * width)
        self.norm = nn.LayerNorm(width, _EPS, elementwise_affine=False)

    def forward(self, x: Tensor, time: Tensor) -> Tensor:
        """Normalise `(B, L, width)`; `time` is `(B, width)`."""
        scale, shift = self.linear(F.silu(time)).chunk(2, dim=1)
        found: Tensor = self.norm(x) * (1 + scale[:, None]) + shift[:, None]
        return found


class Block(nn.Module):
    """Attention, then a feed-forward block, each normalised before and added after.

    Args:
        size: widths.
        seen: width of what attention looks at.
        timed: the first normalisation follows a time, and neither has weights of its own.
    """

    def __init__(self, size: TransformerSize, seen: int, *, timed: bool) -> None:
        super().__init__()
        self.norm1 = TimedNorm(size.width) if timed else nn.LayerNorm(size.width, _EPS)
        self.attn1 = Attention(size, seen)
        self.norm3 = nn.LayerNorm(size.width, _EPS, elementwise_affine=not timed)
        self.ff = FeedForward(size)
        self.final_dropout = nn.Dropout(size.dropout)

    def forward(
        self, x: Tensor, seen: Tensor | None = None, time: Tensor | None = None, mask: Tensor | None = None
    ) -> Tensor:
        """Map `(B, L, width)` to the same shape.

        Args:
            x: tokens.
            seen: what attention looks at, `(B, S, seen)`; None for the tokens themselves, normalised.
            time: `(B, width)`, if the block is timed.
            mask: `(B, 1, 1, S)` bool, what may be looked at; None for everything.
        """
        normed = self.norm1(x) if time is None else self.norm1(x, time)
        x = self.final_dropout(self.attn1(normed, normed if seen is None else seen, mask)) + x
        found: Tensor = self.ff(self.norm3(x)) + x
        return found


class Reader(nn.Module):
    """Blocks in which the tokens of what was seen and read look at each other."""

    def __init__(self, size: TransformerSize) -> None:
        super().__init__()
        self.transformer_blocks = nn.ModuleList(Block(size, size.width, timed=False) for _ in range(size.layers))

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """Map `(B, L, width)` to the same shape; `mask` as `Block` takes it."""
        for block in self.transformer_blocks:
            x = block(x, mask=mask)
        return x


class _TimeLayers(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.linear_1, self.linear_2 = nn.Linear(_TIME_WAVES, width), nn.Linear(width, width)


class TimeEncoder(nn.Module):
    """Describes numbers of times by waves, cosines first, and two layers."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.timestep_embedder = _TimeLayers(width)

    def forward(self, time: Tensor) -> Tensor:
        """Map `(B,)` int64 to `(B, width)`."""
        half = _TIME_WAVES // 2
        exponents = -math.log(10_000) * torch.arange(half, dtype=torch.float32, device=time.device) / (half - 1)
        angles = time[:, None].float() * exponents.exp()
        layers = self.timestep_embedder
        waves = torch.cat([angles.cos(), angles.sin()], dim=-1).to(layers.linear_1.weight.dtype)
        found: Tensor = layers.linear_2(F.silu(layers.linear_1(waves)))
        return found


class DiT(nn.Module):
    """Blocks that look at what was seen and read, and at each other, in turn; all follow the time.

    Args:
        size: widths and depth.
        seen: width of what is looked at.
        outputs: width of what comes out.
    """

    def __init__(self, size: TransformerSize, seen: int, outputs: int) -> None:
        super().__init__()
        self.timestep_encoder = TimeEncoder(size.width)
        self.transformer_blocks = nn.ModuleList(
            Block(size, size.width if index % 2 else seen, timed=True) for index in range(size.layers)
        )
        self.norm_out = nn.LayerNorm(size.width, _LAST_EPS, elementwise_affine=False)
        self.proj_out_1, self.proj_out_2 = nn.Linear(size.width, 2 * size.width), nn.Linear(size.width, outputs)

    def forward(self, x: Tensor, seen: Tensor, time: Tensor, masks: Sequence[Tensor | None]) -> Tensor:
        """Map tokens `(B, L, width)` to `(B, L, outputs)`.

        Args:
            x: tokens.
            seen: `(B, S, seen)`.
            time: `(B,)` int64.
            masks: of `seen`, as `Block` takes them; the blocks that look there have one after the other, over and over.
        """
        told = self.timestep_encoder(time)
        for index, block in enumerate(self.transformer_blocks):
            mask = masks[index // 2 % len(masks)]
            x = block(x, None, told) if index % 2 else block(x, seen, told, mask)
        shift, scale = self.proj_out_1(F.silu(told)).chunk(2, dim=1)
        found: Tensor = self.proj_out_2(self.norm_out(x) * (1 + scale[:, None]) + shift[:, None])
        return found
