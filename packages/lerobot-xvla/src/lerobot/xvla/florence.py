"""Florence-2 without its decoder: images and text to tokens that know of each other.

Names are those of published checkpoints.

Source: Xiao et al. 2023, arXiv:2311.06242.
"""

import math

import torch
from torch import Tensor, nn

from lerobot.core.errors import LeRobotError
from lerobot.xvla.bart import LanguageModel
from lerobot.xvla.davit import DaViT
from lerobot.xvla.sizes import FlorenceSize, VisionSize


class ImagePositions(nn.Module):
    """Learned places of a map: columns, then rows."""

    def __init__(self, size: VisionSize) -> None:
        super().__init__()
        width = size.embed_dim[-1]
        self.row_embeddings = nn.Embedding(size.positions, width // 2)
        self.column_embeddings = nn.Embedding(size.positions, width - width // 2)

    def forward(self, height: int, width: int) -> Tensor:
        """Give `(height * width, width of a token)`."""
        rows, columns = self.row_embeddings.weight, self.column_embeddings.weight
        if max(height, width) > len(rows):
            raise LeRobotError(
                f"images make a map of {height} x {width} tokens, and Florence-2 knows {len(rows)} along a side",
                expected="smaller images: --policy.resize_imgs_with_padding='[224, 224]'",
            )
        across = columns[:width].expand(height, -1, -1)
        down = rows[:height, None].expand(-1, width, -1)
        return torch.cat([across, down], dim=-1).flatten(0, 1)


class TimePositions(nn.Module):
    """Waves that describe which image of a film it is; here always the first."""

    pos_idx_to_embed: Tensor

    def __init__(self, size: VisionSize) -> None:
        super().__init__()
        width = size.embed_dim[-1]
        waves = torch.exp(torch.arange(width // 2).float() * -(math.log(10_000) / (width // 2)))
        angles = torch.arange(size.times).float()[:, None] * waves
        self.register_buffer("pos_idx_to_embed", torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1))


class Projector(nn.Module):
    """A map to tokens of the encoder, the mean of all before them."""

    def __init__(self, size: VisionSize) -> None:
        super().__init__()
        self.image_projection = nn.Linear(size.embed_dim[-1], size.projection_dim, bias=False)
        self.image_proj_norm = nn.LayerNorm(size.projection_dim)
        self.image_position_embed = ImagePositions(size)
        self.visual_temporal_embed = TimePositions(size)

    def forward(self, x: Tensor) -> Tensor:
        """Map `(B, h, w, width)` to `(B, 1 + h * w, projection_dim)`."""
        tokens = x.flatten(1, 2) + self.image_position_embed(*x.shape[1:3])
        tokens = tokens + self.visual_temporal_embed.pos_idx_to_embed[0]
        tokens = torch.cat([tokens.mean(dim=1, keepdim=True), tokens], dim=1)
        found: Tensor = self.image_proj_norm(self.image_projection(tokens))
        return found


class Florence(nn.Module):
    """The network.

    Args:
        size: of its parts.
    """

    def __init__(self, size: FlorenceSize) -> None:
        super().__init__()
        self.vision_tower = DaViT(size.vision_config)
        self.multi_modal_projector = Projector(size.vision_config)
        self.language_model = LanguageModel(size.text_config)
        for module in self.modules():
            if isinstance(module, nn.Linear | nn.Conv2d | nn.Embedding):
                nn.init.normal_(module.weight, std=0.02)
            if isinstance(module, nn.Linear | nn.Conv2d) and module.bias is not None:
                nn.init.zeros_(module.bias)

    def look(self, images: Tensor) -> Tensor:
        """Map images `(B, 3, H, W)`, in the type of the weights, to tokens `(B, N, width)`."""
        found: Tensor = self.multi_modal_projector(self.vision_tower(images))
        return found

    def read(self, seen: Tensor, tokens: Tensor) -> Tensor:
        """Read a text after what was seen: all see all, what fills the text included.

        Args:
            seen: from `look`.
            tokens: of the text, `(B, L)`.

        Returns:
            `(B, N + L, width)`.
        """
        embedded = self.language_model.shared(tokens)
        found: Tensor = self.language_model.encoder(torch.cat([seen, embedded], dim=1))
        return found
