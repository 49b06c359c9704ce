"""From pictures to points: where in a picture each of a few features is.

Source: Finn et al. 2016, arXiv:1509.06113 (spatial softmax); Mandlekar et al. 2021, arXiv:2108.03298 (crops, points of
a ResNet). Parameter names are those of huggingface/lerobot.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name everybody knows

from lerobot.policies.networks.resnet import ResNet, group_norm, load_pretrained

Size = tuple[int, int]
"""Height and width of a picture, pixels."""


@dataclass(frozen=True, slots=True)
class KeypointSettings:
    """How pictures are looked at.

    Attributes:
        size: of the pictures.
        backbone: `"resnet8"` to `"resnet152"`.
        weights: what the backbone starts from, as torchvision names it; None for random weights.
        grouped: normalise over groups of channels instead of over the batch.
        keypoints: points per picture.
        resize: what pictures are scaled to first; None to leave them.
        crop: what is cut out of them then; None for all.
        random_crop: cut anywhere while training instead of from the centre.
    """

    size: Size
    backbone: str
    weights: str | None
    grouped: bool
    keypoints: int
    resize: Size | None
    crop: Size | None
    random_crop: bool


class SpatialSoftmax(nn.Module):
    """Maps of features to points: the centre of mass of each map's softmax.

    Args:
        channels: of the features.
        size: of the features' map.
        keypoints: points, each found by a map of its own.
    """

    pos_grid: Tensor

    def __init__(self, channels: int, size: Size, keypoints: int) -> None:
        super().__init__()
        self.nets = nn.Conv2d(channels, keypoints, kernel_size=1)
        rows, columns = (np.linspace(-1.0, 1.0, count) for count in size)
        grid = np.stack(np.meshgrid(columns, rows), axis=-1).reshape(-1, 2)
        self.register_buffer("pos_grid", torch.from_numpy(grid).float())

    def forward(self, features: Tensor) -> Tensor:
        """Map `(B, C, H, W)` to points `(B, K, 2)`: x and y, each from -1 (left, top) to 1."""
        attention: Tensor = self.nets(features).flatten(2).softmax(dim=-1)
        return attention @ self.pos_grid


class KeypointEncoder(nn.Module):
    """Pictures to points, and the points through one layer.

    Args:
        settings: how pictures are looked at.
        from_scratch: fetch the pretrained weights of the backbone; false if all weights will be loaded.

    Raises:
        LeRobotError: the pretrained weights cannot be had.
    """

    def __init__(self, settings: KeypointSettings, *, from_scratch: bool = True) -> None:
        super().__init__()
        self.settings = settings
        network = ResNet(settings.backbone, norm=group_norm if settings.grouped else nn.BatchNorm2d)
        if from_scratch and settings.weights is not None:
            load_pretrained(network, settings.weights)
        self.backbone = nn.Sequential(*network.children())
        height, width = settings.crop or settings.resize or settings.size
        # Sizes are halved again and again, each time rounding up.
        seen = (-(-height // network.stride), -(-width // network.stride))
        self.pool = SpatialSoftmax(network.out_channels, seen, settings.keypoints)
        self.feature_dim = 2 * settings.keypoints
        self.out = nn.Linear(self.feature_dim, self.feature_dim)

    def forward(self, pictures: Tensor) -> Tensor:
        """Map `(B, 3, H, W)` to `(B, 2 K)`."""
        resize, crop = self.settings.resize, self.settings.crop
        if resize is not None:
            pictures = F.interpolate(pictures, resize, mode="bilinear", antialias=True)
        if crop is not None:
            pictures = cut(pictures, crop, anywhere=self.training and self.settings.random_crop)
        return F.relu(self.out(self.pool(self.backbone(pictures)).flatten(1)))


def cut(pictures: Tensor, size: Size, *, anywhere: bool) -> Tensor:
    """Cut the same window out of all pictures.

    Args:
        pictures: `(B, C, H, W)`.
        size: of the window; at most that of the pictures.
        anywhere: draw its place from torch's generator instead of taking the centre.
    """
    spare = [int(have) - wanted for have, wanted in zip(pictures.shape[-2:], size, strict=True)]
    if anywhere and any(spare):
        top, left = (int(torch.randint(0, count + 1, (1,), device="cpu")) for count in spare)
    else:
        top, left = (round(count / 2) for count in spare)
    return pictures[..., top : top + size[0], left : left + size[1]]
