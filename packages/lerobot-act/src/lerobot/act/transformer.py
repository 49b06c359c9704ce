"""Transformer layers that add positions to queries and keys, but not to values.

Tensors are `(N, B, D)`: tokens, batch, width. Source: Carion et al. 2020, arXiv:2005.12872 (DETR), which ACT builds on.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name everybody knows

_ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {"relu": F.relu, "gelu": F.gelu}


def sinusoids(coordinates: Tensor, width: int) -> Tensor:
    """Code positions along one axis by waves of growing length, sines at even elements and cosines at odd ones.

    Args:
        coordinates: `(N,)` float64; single precision is too coarse for the short waves of late positions.
        width: elements of a code.

    Returns:
        `(N, width)` float32.

    Source: Vaswani et al. 2017, arXiv:1706.03762, section 3.5.
    """
    angle = coordinates[:, None] / 10000 ** (2 * (torch.arange(width) // 2).double() / width)
    even = torch.arange(width) % 2 == 0
    return torch.where(even, angle.sin(), angle.cos()).float()


def sinusoids_2d(height: int, width: int, channels: int) -> Tensor:
    """Code the positions of a map; the first half of the channels is the row, the second the column.

    Coordinates count from 1 and are scaled to at most 2 pi.

    Returns:
        `(channels, height, width)` float32.

    Source: Carion et al. 2020, arXiv:2005.12872, appendix A.4.
    """
    rows, columns = (
        sinusoids(torch.arange(1, size + 1).double() / (size + 1e-6) * (2 * math.pi), channels // 2)
        for size in (height, width)
    )
    codes = torch.cat((rows[:, None].expand(-1, width, -1), columns[None].expand(height, -1, -1)), dim=-1)
    return codes.permute(2, 0, 1)


@dataclass(frozen=True, slots=True)
class LayerSettings:
    """What all layers of a transformer have in common.

    Attributes:
        width: `D`, of tokens.
        heads: attention heads.
        hidden: width inside the feed-forward block.
        dropout: share of elements dropped while training.
        activation: `"relu"` or `"gelu"`.
        pre_norm: normalise before each block instead of after it.
    """

    width: int
    heads: int
    hidden: int
    dropout: float
    activation: str
    pre_norm: bool

    @classmethod
    def of(cls, config: Any) -> Self:
        """Take them out of a configuration that names them as `ACTConfig` does."""
        return cls(
            width=config.dim_model,
            heads=config.n_heads,
            hidden=config.dim_feedforward,
            dropout=config.dropout,
            activation=config.feedforward_activation,
            pre_norm=config.pre_norm,
        )

    def attention(self) -> nn.MultiheadAttention:
        """Make an attention block."""
        return nn.MultiheadAttention(self.width, self.heads, self.dropout)

    def norm(self) -> nn.LayerNorm:
        """Make a normalisation."""
        return nn.LayerNorm(self.width)


class _Layer(nn.Module):
    """What encoder and decoder layers share: the feed-forward block and where normalisation stands."""

    def __init__(self, settings: LayerSettings, *attentions: str) -> None:
        super().__init__()
        # Attention first: saved optimizer states know parameters only by their place, which is the published one.
        for name in attentions:
            self.add_module(name, settings.attention())
        self.linear1 = nn.Linear(settings.width, settings.hidden)
        self.linear2 = nn.Linear(settings.hidden, settings.width)
        self.dropout = nn.Dropout(settings.dropout)
        self._activation = _ACTIVATIONS[settings.activation]
        self._pre_norm = settings.pre_norm

    def _block(self, tokens: Tensor, norm: nn.LayerNorm, block: Callable[[Tensor], Tensor]) -> Tensor:
        if self._pre_norm:
            tokens = tokens + self.dropout(block(norm(tokens)))
        else:
            tokens = norm(tokens + self.dropout(block(tokens)))
        return tokens

    def _feed_forward(self, tokens: Tensor) -> Tensor:
        result: Tensor = self.linear2(self.dropout(self._activation(self.linear1(tokens))))
        return result


def _look(
    attention: nn.MultiheadAttention, query: Tensor, key: Tensor, value: Tensor, padding: Tensor | None = None
) -> Tensor:
    attended: Tensor = attention(query, key, value, key_padding_mask=padding, need_weights=False)[0]
    return attended


class EncoderLayer(_Layer):
    """Self-attention and a feed-forward block."""

    self_attn: nn.MultiheadAttention

    def __init__(self, settings: LayerSettings) -> None:
        super().__init__(settings, "self_attn")
        self.norm1, self.norm2 = settings.norm(), settings.norm()

    def forward(self, tokens: Tensor, positions: Tensor, padding: Tensor | None = None) -> Tensor:
        """Transform tokens `(N, B, D)`; see `Encoder`."""

        def attend(tokens: Tensor) -> Tensor:
            placed = tokens + positions
            return _look(self.self_attn, placed, placed, tokens, padding)

        return self._block(self._block(tokens, self.norm1, attend), self.norm2, self._feed_forward)


class DecoderLayer(_Layer):
    """Self-attention, attention to the encoder's tokens, and a feed-forward block."""

    self_attn: nn.MultiheadAttention
    multihead_attn: nn.MultiheadAttention

    def __init__(self, settings: LayerSettings) -> None:
        super().__init__(settings, "self_attn", "multihead_attn")
        self.norm1, self.norm2, self.norm3 = settings.norm(), settings.norm(), settings.norm()

    def forward(self, tokens: Tensor, positions: Tensor, memory: Tensor, memory_positions: Tensor) -> Tensor:
        """Transform tokens `(T, B, D)`; see `Decoder`."""

        def attend(tokens: Tensor) -> Tensor:
            placed = tokens + positions
            return _look(self.self_attn, placed, placed, tokens)

        def attend_to_memory(tokens: Tensor) -> Tensor:
            return _look(self.multihead_attn, tokens + positions, memory + memory_positions, memory)

        tokens = self._block(tokens, self.norm1, attend)
        tokens = self._block(tokens, self.norm2, attend_to_memory)
        return self._block(tokens, self.norm3, self._feed_forward)


class Encoder(nn.Module):
    """Encoder layers, normalised at the end if they normalise before their blocks.

    Args:
        depth: number of layers.
        settings: of each layer.
    """

    def __init__(self, depth: int, settings: LayerSettings) -> None:
        super().__init__()
        self.layers = nn.ModuleList(EncoderLayer(settings) for _ in range(depth))
        self.norm = settings.norm() if settings.pre_norm else nn.Identity()

    def forward(self, tokens: Tensor, positions: Tensor, padding: Tensor | None = None) -> Tensor:
        """Transform tokens.

        Args:
            tokens: `(N, B, D)`.
            positions: `(N, 1, D)` or `(N, B, D)`.
            padding: `(B, N)` bool, true where a token is not to be looked at.
        """
        for layer in self.layers:
            tokens = layer(tokens, positions, padding)
        result: Tensor = self.norm(tokens)
        return result


class Decoder(nn.Module):
    """Decoder layers, normalised at the end.

    Args:
        depth: number of layers.
        settings: of each layer.
    """

    def __init__(self, depth: int, settings: LayerSettings) -> None:
        super().__init__()
        self.layers = nn.ModuleList(DecoderLayer(settings) for _ in range(depth))
        self.norm = settings.norm()

    def forward(self, tokens: Tensor, positions: Tensor, memory: Tensor, memory_positions: Tensor) -> Tensor:
        """Transform tokens.

        Args:
            tokens: `(T, B, D)`.
            positions: `(T, 1, D)`.
            memory: tokens of the encoder, `(N, B, D)`.
            memory_positions: `(N, 1, D)`.
        """
        for layer in self.layers:
            tokens = layer(tokens, positions, memory, memory_positions)
        result: Tensor = self.norm(tokens)
        return result
