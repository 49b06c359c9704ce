"""Attention of transformer decoders: who sees whom, rotary positions, and keys and values that are kept."""

import torch
from torch import Tensor


def block_mask(present: Tensor, begins: Tensor) -> Tensor:
    """Say which token sees which: all of its own block and of those before it.

    Args:
        present: `(B, L)` bool; false for padding, which neither sees nor is seen.
        begins: `(B, L)` or `(L,)` bool; whether a new block begins here. All false: everybody sees everybody. All true:
            each token sees those before it.

    Returns:
        `(B, L, L)` bool: whether the token of the row sees that of the column.
    """
    block = begins.expand_as(present).cumsum(dim=1)
    return (block[:, None, :] <= block[:, :, None]) & present[:, None, :] & present[:, :, None]


def places(present: Tensor) -> Tensor:
    """Number tokens `(B, L)` from 0 on; padding does not count."""
    return present.cumsum(dim=1) - 1


Rotary = tuple[Tensor, Tensor]
"""Cosines and sines of the angles that queries and keys are turned by, each `(B, 1, L, D / 2)`."""


def frequencies(head_width: int, wavelength: float, device: torch.device) -> Tensor:
    """Angles per place `(head_width / 2,)` float32, falling from 1 in a geometric series.

    Args:
        head_width: width of a head; even.
        wavelength: of the slowest, divided by a full turn.
        device: where they are needed.

    Source:
        Su et al. 2021, arXiv:2104.09864.
    """
    exponents = torch.arange(0, head_width, 2, dtype=torch.float32, device=device) / head_width
    found: Tensor = 1.0 / wavelength**exponents
    return found


def rotary(position: Tensor, frequency: Tensor) -> Rotary:
    """Cosines and sines of places `(B, L)`, float32."""
    angles = position[:, None, :, None].float() * frequency.float()
    return angles.cos(), angles.sin()


def turned(heads: Tensor, by: Rotary) -> Tensor:
    """Turn queries or keys `(B, H, L, D)`, the first half of each head against the second, and keep their type."""
    cos, sin = by
    first, second = heads.chunk(2, dim=-1)
    return torch.cat([first * cos - second * sin, second * cos + first * sin], dim=-1).to(heads.dtype)


def attend(query: Tensor, key: Tensor, value: Tensor, mask: Tensor, *, exact: bool = True) -> Tensor:
    """Average values by how well keys answer queries; several heads of queries may share keys and values.

    Where a token sees nothing, as padding does, it takes the average of all: what it then is nobody sees, but it is a
    number.

    Args:
        query: `(B, H, L, D)`.
        key: `(B, K, S, D)`; `H` is a multiple of `K`, and neighbours share.
        value: `(B, K, S, D)`.
        mask: `(B, L, S)` bool; whether a query sees a key.
        exact: multiply queries and keys in float32 even if they have fewer bits.

    Returns:
        `(B, L, H * D)` in the type of `value`.
    """
    rows, heads, length, width = query.shape
    shared = key.shape[1]
    if exact:
        query, key = query.float(), key.float()
    query = query.reshape(rows, shared, heads // shared * length, width)
    scores = (query @ key.transpose(2, 3)).float() * width**-0.5
    scores = scores.view(rows, shared, heads // shared, length, -1)
    scores = scores.masked_fill(~mask[:, None, None], torch.finfo(scores.dtype).min)
    weights = scores.softmax(dim=-1).to(value.dtype).view(rows, shared, -1, key.shape[2])
    found: Tensor = weights @ value
    return found.view(rows, heads, length, width).transpose(1, 2).reshape(rows, length, heads * width)


class KeyValueCache:
    """Keys and values of what was read, one pair per layer, each `(B, K, S, D)`; later tokens see them."""

    def __init__(self) -> None:
        self._layers: list[tuple[Tensor, Tensor]] = []

    def __len__(self) -> int:
        """Number of layers that have some."""
        return len(self._layers)

    def __getitem__(self, layer: int) -> tuple[Tensor, Tensor]:
        """Keys and values of a layer."""
        return self._layers[layer]

    def append(self, key: Tensor, value: Tensor) -> None:
        """Keep those of the next layer."""
        self._layers.append((key, value))

    def followed_by(self, layer: int, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """Give those of a layer with new ones behind them, which are not kept."""
        known_key, known_value = self._layers[layer]
        return torch.cat([known_key, key], dim=2), torch.cat([known_value, value], dim=2)

    def extend(self, layer: int, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """Keep new ones behind those of a layer, and give all."""
        self._layers[layer] = self.followed_by(layer, key, value)
        return self._layers[layer]
