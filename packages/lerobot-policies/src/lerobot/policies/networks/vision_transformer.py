"""Transformers for images: SigLIP, and the layers that CLIP has too, for texts as well.

Names are those of published checkpoints.

Source: Dosovitskiy et al. 2020, arXiv:2010.11929; Zhai et al. 2023, arXiv:2303.15343.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name everybody knows

from lerobot.policies.networks.sizes import EncoderSize, VisionSize

Activation = Callable[[Tensor], Tensor]


def gelu_tanh(x: Tensor) -> Tensor:
    """SigLIP's activation."""
    return F.gelu(x, approximate="tanh")


def quick_gelu(x: Tensor) -> Tensor:
    """CLIP's activation."""
    return x * torch.sigmoid(1.702 * x)


class Attention(nn.Module):
    """Attention of every token to every other, or to those a mask says."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.q_proj, self.k_proj = nn.Linear(width, width), nn.Linear(width, width)
        self.v_proj, self.out_proj = nn.Linear(width, width), nn.Linear(width, width)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Map `(B, N, width)` to the same shape."""
        query, key, value = (
            projection(x).unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for projection in (self.q_proj, self.k_proj, self.v_proj)
        )
        found: Tensor = self.out_proj(
            F.scaled_dot_product_attention(query, key, value, mask).transpose(1, 2).flatten(2)
        )
        return found


class MLP(nn.Module):
    """The feed-forward block."""

    def __init__(self, width: int, hidden: int, activation: Activation) -> None:
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(width, hidden), nn.Linear(hidden, width)
        self._activation = activation

    def forward(self, x: Tensor) -> Tensor:
        """Map `(..., width)` to the same shape."""
        found: Tensor = self.fc2(self._activation(self.fc1(x)))
        return found


class EncoderLayer(nn.Module):
    """Attention, then a feed-forward block, each normalised before."""

    def __init__(self, size: EncoderSize, activation: Activation, eps: float) -> None:
        super().__init__()
        self.layer_norm1, self.layer_norm2 = nn.LayerNorm(size.width, eps), nn.LayerNorm(size.width, eps)
        self.self_attn = Attention(size.width, size.heads)
        self.mlp = MLP(size.width, size.hidden, activation)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Map `(B, N, width)` to the same shape."""
        x = x + self.self_attn(self.layer_norm1(x), mask)
        found: Tensor = x + self.mlp(self.layer_norm2(x))
        return found


class Encoder(nn.Module):
    """A stack of layers.

    Args:
        size: widths and depth.
        activation: of the feed-forward blocks.
        eps: of the normalisations.
    """

    def __init__(self, size: EncoderSize, activation: Activation = gelu_tanh, eps: float = 1e-6) -> None:
        super().__init__()
        self.layers = nn.ModuleList(EncoderLayer(size, activation, eps) for _ in range(size.layers))

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Map `(B, N, width)` to the same shape.

        Args:
            x: tokens.
            mask: `(B, 1, N, N)` or `(N, N)` bool; what each token sees; None for everything.
        """
        for layer in self.layers:
            x = layer(x, mask)
        return x


class Embeddings(nn.Module):
    """Patches of an image, with their places."""

    def __init__(self, size: VisionSize) -> None:
        super().__init__()
        self.patch_embedding = nn.Conv2d(3, size.width, kernel_size=size.patch, stride=size.patch)
        self.position_embedding = nn.Embedding(size.patches_per_side**2, size.width)

    def forward(self, images: Tensor, position: Tensor | None) -> Tensor:
        """Map `(B, 3, H, W)` to `(B, N, width)`."""
        patches: Tensor = self.patch_embedding(images).flatten(2).transpose(1, 2)
        weight = self.position_embedding.weight
        return patches + (weight if position is None else weight[position])


class VisionTransformer(nn.Module):
    """SigLIP without its head: square images to a token per patch, row by row.

    Args:
        size: widths, depth, and the size of images.
    """

    def __init__(self, size: VisionSize) -> None:
        super().__init__()
        self.size = size
        self.embeddings = Embeddings(size)
        self.encoder = Encoder(size)
        self.post_layernorm = nn.LayerNorm(size.width, 1e-6)
        for module in self.modules():
            if isinstance(module, nn.Linear | nn.Embedding | nn.Conv2d):
                nn.init.normal_(module.weight, std=0.02)
            if isinstance(module, nn.Linear | nn.Conv2d) and module.bias is not None:
                nn.init.zeros_(module.bias)

    def forward(self, images: Tensor, position: Tensor | None = None) -> Tensor:
        """Look at images.

        Args:
            images: `(B, 3, H, W)` in [-1, 1]; in the type of the weights.
            position: place of each patch `(N,)`, for images of another size; None for those of `size.image`.

        Returns:
            `(B, N, width)`.
        """
        found: Tensor = self.post_layernorm(self.encoder(self.embeddings(images, position)))
        return found
