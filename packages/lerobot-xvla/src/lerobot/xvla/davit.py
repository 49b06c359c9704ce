"""DaViT, Florence-2's transformer for images: attention of neighbours, then of channels, stage by stage.

Names are those of published checkpoints.

Source: Ding et al. 2022, arXiv:2204.03645; Xiao et al. 2023, arXiv:2311.06242.
"""

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name everybody knows

from lerobot.policies.networks.vision_transformer import MLP
from lerobot.xvla.sizes import VisionSize


def convolved(conv: nn.Conv2d, x: Tensor) -> Tensor:
    """Apply a convolution to maps `(B, H, W, C)`."""
    found: Tensor = conv(x.permute(0, 3, 1, 2))
    return found.permute(0, 2, 3, 1)


class ConvEmbed(nn.Module):
    """Makes a smaller map of wider vectors, normalised before or after."""

    def __init__(self, size: VisionSize, stage: int) -> None:
        super().__init__()
        width, inputs = size.embed_dim[stage], size.embed_dim[stage - 1] if stage else size.in_channels
        self.first = size.patch_prenorm[stage]
        self.conv = nn.Conv2d(
            inputs, width, size.patch_size[stage], size.patch_stride[stage], size.patch_padding[stage]
        )
        self.norm = nn.LayerNorm(inputs if self.first else width)

    def forward(self, x: Tensor) -> Tensor:
        """Map `(B, H, W, C)` to `(B, h, w, width)`."""
        if self.first:
            return convolved(self.conv, self.norm(x))
        found: Tensor = self.norm(convolved(self.conv, x))
        return found


class WindowAttention(nn.Module):
    """Attention of all tokens in a window to each other; zeros that fill the last windows take part."""

    def __init__(self, width: int, heads: int, window: int, *, bias: bool) -> None:
        super().__init__()
        self.heads, self.window = heads, window
        self.qkv, self.proj = nn.Linear(width, 3 * width, bias=bias), nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """Map `(B, H, W, width)` to the same shape."""
        rows, height, width, channels = x.shape
        side = self.window
        x = F.pad(x, (0, 0, 0, -width % side, 0, -height % side))
        down, across = x.shape[1] // side, x.shape[2] // side
        x = x.view(rows, down, side, across, side, channels).transpose(2, 3).reshape(-1, side * side, channels)
        heads = self.qkv(x).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        x = self.proj(F.scaled_dot_product_attention(*heads.unbind(0)).transpose(1, 2).flatten(2))
        x = x.view(rows, down, across, side, side, channels).transpose(2, 3)
        return x.reshape(rows, down * side, across * side, channels)[:, :height, :width]


class ChannelAttention(nn.Module):
    """Attention of all channels of a group to each other, each described by all tokens."""

    def __init__(self, width: int, groups: int, *, bias: bool) -> None:
        super().__init__()
        self.groups = groups
        self.qkv, self.proj = nn.Linear(width, 3 * width, bias=bias), nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """Map `(B, H, W, width)` to the same shape."""
        tokens = x.flatten(1, 2)
        query, key, value = self.qkv(tokens).unflatten(-1, (3, self.groups, -1)).permute(2, 0, 3, 4, 1).unbind(0)
        attended = F.scaled_dot_product_attention(query, key, value, scale=tokens.shape[1] ** -0.5)
        found: Tensor = self.proj(attended.permute(0, 3, 1, 2).flatten(2))
        return found.view(x.shape)


class Block(nn.Module):
    """Attention and a feed-forward block, each behind a small convolution that says where a token is.

    Args:
        size: of the network.
        stage: where the block stands.
        name: of the attention.
        rate: how often a sample goes past attention or feed-forward block while learning.
    """

    def __init__(self, size: VisionSize, stage: int, name: str, rate: float) -> None:
        super().__init__()
        width = size.embed_dim[stage]
        self._name, self._rate = name, rate
        self.conv1, self.conv2 = (nn.Conv2d(width, width, 3, padding=1, groups=width) for _ in range(2))
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        attention = (
            WindowAttention(width, size.num_heads[stage], size.window_size, bias=size.qkv_bias)
            if name == "window_attn"
            else ChannelAttention(width, size.num_groups[stage], bias=size.qkv_bias)
        )
        self.add_module(name, attention)
        self.ffn = MLP(width, int(width * size.mlp_ratio), F.gelu)

    def forward(self, x: Tensor) -> Tensor:
        """Map `(B, H, W, width)` to the same shape."""
        x = convolved(self.conv1, x) + x
        x = x + self._some(self.get_submodule(self._name)(self.norm1(x)))
        x = convolved(self.conv2, x) + x
        return x + self._some(self.ffn(self.norm2(x)))

    def _some(self, x: Tensor) -> Tensor:
        """Leave some samples out while learning, and scale the others."""
        if not self.training or not self._rate:
            return x
        kept = torch.rand((len(x), 1, 1, 1), dtype=x.dtype, device=x.device) + (1 - self._rate)
        return x / (1 - self._rate) * kept.floor()


class Stage(nn.Module):
    """A block for neighbours, and one for channels."""

    def __init__(self, size: VisionSize, stage: int, rates: tuple[float, float]) -> None:
        super().__init__()
        self.spatial_block = Block(size, stage, "window_attn", rates[0])
        self.channel_block = Block(size, stage, "channel_attn", rates[1])

    def forward(self, x: Tensor) -> Tensor:
        """Map `(B, H, W, width)` to the same shape."""
        found: Tensor = self.channel_block(self.spatial_block(x))
        return found


class DaViT(nn.Module):
    """The network.

    Args:
        size: widths and depths.
    """

    def __init__(self, size: VisionSize) -> None:
        super().__init__()
        stages = range(len(size.depths))
        rates = iter(torch.linspace(0, size.drop_path_rate, 2 * sum(size.depths), device="cpu").tolist())
        self.convs = nn.ModuleList(ConvEmbed(size, stage) for stage in stages)
        self.blocks = nn.ModuleList(
            nn.ModuleList(Stage(size, stage, (next(rates), next(rates))) for _ in range(size.depths[stage]))
            for stage in stages
        )

    def forward(self, images: Tensor) -> Tensor:
        """Map images `(B, 3, H, W)`, in the type of the weights, to a map `(B, h, w, width)`."""
        x = images.permute(0, 2, 3, 1)
        for conv, blocks in zip(self.convs, self.blocks, strict=True):
            x = conv(x)
            for block in cast("nn.ModuleList", blocks):
                x = block(x)
        return x
