"""Transformer layers that add positions to queries and keys, but not to values.

Tensors are `(N, B, D)`: tokens, batch, width. Source: Carion et al. 2020, arXiv:2005.12872 (DETR), which ACT builds on.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name everybody knows

_ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {"relu": F.relu, "gelu": F.gelu}


def sinusoids(positions: int, width: int) -> Tensor:
    """Position codes along one axis, `(positions, width)` float32: sines at even, cosines at odd elements.

    Source: Vaswani et al. 2017, arXiv:1706.03762, section 3.5.
    """
    exponent = 2 * (torch.arange(width) // 2).double() / width
    angle = torch.arange(positions).double()[:, None] / 10000**exponent
    angle[:, 0::2], angle[:, 1::2] = angle[:, 0::2].sin(), angle[:, 1::2].cos()
    return angle.float()


def sinusoids_2d(height: int, width: int, channels: int, device: torch.device) -> Tensor:
    """Position codes of a map, `(1, channels, height, width)` float32: the first half codes rows, the second columns.

    Coordinates count from 1 and are scaled to at most 2 pi. Source: as the class docstring's, appendix A.4.
    """
    half = channels // 2
    exponent = 2 * (torch.arange(half, dtype=torch.float32, device=device) // 2) / half
    codes = []
    for size in (height, width):
        coordinate = torch.arange(1, size + 1, dtype=torch.float32, device=device) / (size + 1e-6) * (2 * math.pi)
        angle = coordinate[:, None] / 10000**exponent
        codes.append(torch.stack((angle[:, 0::2].sin(), angle[:, 1::2].cos()), dim=-1).flatten(1))
    rows = codes[0][:, None].expand(-1, width, -1)
    columns = codes[1][None].expand(height, -1, -1)
    return torch.cat((rows, columns), dim=-1).permute(2, 0, 1)[None]


class _Layer(nn.Module):
    """What encoder and decoder layers share: the feed-forward block and where normalisation stands."""

    def __init__(self, width: int, hidden: int, dropout: float, activation: str, *, pre_norm: bool) -> None:
        super().__init__()
        self.linear1 = nn.Linear(width, hidden)
        self.linear2 = nn.Linear(hidden, width)
        self.dropout = nn.Dropout(dropout)
        self._activation = _ACTIVATIONS[activation]
        self._pre_norm = pre_norm

    def _block(self, tokens: Tensor, norm: nn.LayerNorm, block: Callable[[Tensor], Tensor]) -> Tensor:
        if self._pre_norm:
            return tokens + self.dropout(block(norm(tokens)))
        normalised: Tensor = norm(tokens + self.dropout(block(tokens)))
        return normalised

    def _feed_forward(self, tokens: Tensor) -> Tensor:
        result: Tensor = self.linear2(self.dropout(self._activation(self.linear1(tokens))))
        return result


def _attend(
    attention: nn.MultiheadAttention, query: Tensor, key: Tensor, value: Tensor, padding: Tensor | None
) -> Tensor:
    # Asking for no weights lets torch use its fused kernels.
    attended: Tensor = attention(query, key, value, key_padding_mask=padding, need_weights=False)[0]
    return attended


class EncoderLayer(_Layer):
    """Self-attention and a feed-forward block."""

    def __init__(self, width: int, heads: int, hidden: int, dropout: float, activation: str, *, pre_norm: bool) -> None:
        super().__init__(width, hidden, dropout, activation, pre_norm=pre_norm)
        self.self_attn = nn.MultiheadAttention(width, heads, dropout=dropout)
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)

    def forward(self, tokens: Tensor, positions: Tensor, padding: Tensor | None = None) -> Tensor:
        """Transform tokens `(N, B, D)`; see `Encoder`."""

        def attend(tokens: Tensor) -> Tensor:
            placed = tokens + positions
            return _attend(self.self_attn, placed, placed, tokens, padding)

        return self._block(self._block(tokens, self.norm1, attend), self.norm2, self._feed_forward)


class DecoderLayer(_Layer):
    """Self-attention, attention to the encoder's tokens, and a feed-forward block."""

    def __init__(self, width: int, heads: int, hidden: int, dropout: float, activation: str, *, pre_norm: bool) -> None:
        super().__init__(width, hidden, dropout, activation, pre_norm=pre_norm)
        self.self_attn = nn.MultiheadAttention(width, heads, dropout=dropout)
        self.multihead_attn = nn.MultiheadAttention(width, heads, dropout=dropout)
        self.norm1, self.norm2, self.norm3 = nn.LayerNorm(width), nn.LayerNorm(width), nn.LayerNorm(width)

    def forward(self, tokens: Tensor, positions: Tensor, memory: Tensor, memory_positions: Tensor) -> Tensor:
        """Transform tokens `(T, B, D)`; see `Decoder`."""

        def attend(tokens: Tensor) -> Tensor:
            placed = tokens + positions
            return _attend(self.self_attn, placed, placed, tokens, None)

        def attend_to_memory(tokens: Tensor) -> Tensor:
            return _attend(self.multihead_attn, tokens + positions, memory + memory_positions, memory, None)

        tokens = self._block(tokens, self.norm1, attend)
        tokens = self._block(tokens, self.norm2, attend_to_memory)
        return self._block(tokens, self.norm3, self._feed_forward)


class Encoder(nn.Module):
    """Encoder layers, normalised at the end if they normalise before their blocks.

    Args:
        depth: number of layers.
        width: `D`.
        heads: attention heads.
        hidden: width of the feed-forward blocks.
        dropout: share of elements dropped while training.
        activation: `"relu"` or `"gelu"`.
        pre_norm: normalise before each block instead of after it.
    """

    def __init__(
        self, depth: int, width: int, heads: int, hidden: int, dropout: float, activation: str, *, pre_norm: bool
    ) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            EncoderLayer(width, heads, hidden, dropout, activation, pre_norm=pre_norm) for _ in range(depth)
        )
        self.norm = nn.LayerNorm(width) if pre_norm else nn.Identity()

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
        width: `D`.
        heads: attention heads.
        hidden: width of the feed-forward blocks.
        dropout: share of elements dropped while training.
        activation: `"relu"` or `"gelu"`.
        pre_norm: normalise before each block instead of after it.
    """

    def __init__(
        self, depth: int, width: int, heads: int, hidden: int, dropout: float, activation: str, *, pre_norm: bool
    ) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            DecoderLayer(width, heads, hidden, dropout, activation, pre_norm=pre_norm) for _ in range(depth)
        )
        self.norm = nn.LayerNorm(width)

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
