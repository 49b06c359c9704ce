"""What becomes of images before Qwen3-VL sees them: their size, and patches of them.

Source: the geometry of huggingface/lerobot 0.6, which is that of NVIDIA's program; Qwen team 2024, arXiv:2409.12191,
section 2.1, for patches.
"""

import math
from dataclasses import dataclass
from typing import Any, Self

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - the name everybody knows

from lerobot.core.errors import CheckpointError
from lerobot.core.extras import require
from lerobot.core.json_file import read_json
from lerobot.groot.n17.step_configs import EncodeConfig
from lerobot.policies.checkpoint.files import Checkpoint

IMAGES = "preprocessor_config.json"
_BICUBIC = 3
_CENTRE = (0.5, 0.5)


def resized(images: Tensor, height: int, width: int) -> Tensor:
    """Resize bytes `(N, 3, H, W)`, bicubic and with smoothing; they stay bytes, which only a CPU does so."""
    if images.shape[-2:] == (height, width):
        return images
    return F.interpolate(images.cpu(), (height, width), mode="bicubic", antialias=True).to(images.device)


def _share(config: EncodeConfig) -> float | None:
    """Share of height and width that is cut out; None for all."""
    share = config.crop_fraction
    if share is None and config.image_crop_size is not None and config.image_target_size is not None:
        share = config.image_crop_size[0] / float(config.image_target_size[0])
    return share if share is not None and 0.0 < share < 1.0 else None


def framed(images: Tensor, config: EncodeConfig, places: list[tuple[float, float]] | None = None) -> Tensor:
    """Bring images to the size that the network was trained with.

    Args:
        images: bytes `(N, 3, H, W)`.
        config: how.
        places: with `use_albumentations`: where to cut each, down and right, 0 to 1; None for the middle.

    Raises:
        LeRobotError: with `use_albumentations`: OpenCV is not installed.
    """
    if config.image_target_size is None:
        return images
    if config.letter_box_transform:
        images = _boxed(images)
    if config.use_albumentations:
        where = places or [_CENTRE] * len(images)
        edge = config.shortest_image_edge or config.image_target_size[0]
        found = [
            _cut_by_area(each, edge, _share(config), at if places else None)
            for each, at in zip(images, where, strict=True)
        ]
        return torch.stack(found)
    edge = config.shortest_image_edge or config.image_target_size[0]
    images = resized(images, edge, edge)
    if (share := _share(config)) is not None:
        size = max(1, round(edge * share))
        start = max(0, (edge - size) // 2)
        images = images[..., start : start + size, start : start + size]
    return resized(images, *config.image_target_size)


def _boxed(images: Tensor) -> Tensor:
    """Images filled up to squares, in black."""
    height, width = images.shape[-2:]
    edge = max(height, width)
    left, top = (edge - width) // 2, (edge - height) // 2
    return F.pad(images, (left, edge - width - left, top, edge - height - top))


def _cut_by_area(image: Tensor, edge: int, share: float | None, place: tuple[float, float] | None) -> Tensor:
    """An image whose shorter side is `edge` long, of which a share is cut out and brought to that size again."""
    cv2: Any = require("cv2", extra="n17", needed_by="use_albumentations", distribution="lerobot-groot")

    def scaled(frame: Any) -> Any:
        height, width = frame.shape[:2]
        if min(height, width) == edge:
            return frame
        scale = edge / float(min(height, width))
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        return cv2.resize(frame, size, interpolation=cv2.INTER_AREA)

    frame = scaled(image.permute(1, 2, 0).contiguous().cpu().numpy())
    if share is not None:
        height, width = frame.shape[:2]
        high, wide = max(1, int(height * share)), max(1, int(width * share))
        if place is None:
            top, left = (height - high) // 2, (width - wide) // 2
        else:
            top, left = round((height - high) * place[0]), round((width - wide) * place[1])
        frame = scaled(frame[top : top + high, left : left + wide])
    return torch.from_numpy(frame).permute(2, 0, 1).to(image.device)


@dataclass(frozen=True, slots=True)
class Patches:
    """What Qwen3-VL takes of an image.

    Attributes:
        patch: height and width of a patch, pixels.
        times: images that a patch consists of; the one there is stands for all.
        merged: patches along each side of the square that becomes a token.
        least: pixels that an image has, at least.
        most: and at most.
        factor: pixels times this are what mean and deviation are of.
        mean: of each colour, taken away.
        deviation: of each colour, divided by.
    """

    patch: int
    times: int
    merged: int
    least: int
    most: int
    factor: float
    mean: tuple[float, ...]
    deviation: tuple[float, ...]

    @classmethod
    def of(cls, source: str) -> Self:
        """Read them.

        Args:
            source: folder or Hub repository with `preprocessor_config.json`.

        Raises:
            CheckpointError: there is none, or it says what is not done here.
        """
        path = Checkpoint.at(source).file(IMAGES)
        try:
            return cls._read(read_json(path))
        except (ValueError, KeyError, TypeError) as error:
            raise CheckpointError(f"{path} is not understood: {error}", expected="that of a Qwen3-VL") from error

    @classmethod
    def _read(cls, fields: dict[str, Any]) -> Self:
        for name in ("do_resize", "do_rescale", "do_normalize"):
            if not fields.get(name, True):
                raise ValueError(f"{name} is false, which is not supported")
        if fields.get("resample", _BICUBIC) != _BICUBIC:
            raise ValueError("only bicubic interpolation is supported")
        size = fields.get("size") or {}
        least, most = fields.get("min_pixels"), fields.get("max_pixels")
        return cls(
            patch=int(fields["patch_size"]),
            times=int(fields["temporal_patch_size"]),
            merged=int(fields["merge_size"]),
            least=int(size["shortest_edge"] if least is None else least),
            most=int(size["longest_edge"] if most is None else most),
            factor=float(fields.get("rescale_factor", 1 / 255)),
            mean=tuple(fields["image_mean"]),
            deviation=tuple(fields["image_std"]),
        )

    @property
    def tokens_per(self) -> int:
        """Patches that become one token."""
        return self.merged**2

    def __call__(self, images: Tensor) -> tuple[Tensor, tuple[int, int, int]]:
        """Make patches.

        Args:
            images: bytes `(N, 3, H, W)`.

        Returns:
            `(N, rows * columns, 3 * times * patch * patch)` float32, squares that become a token one after the other;
            and the grid of each image: 1, rows, columns.
        """
        images = resized(images, *self._size(*images.shape[-2:]))
        mean, deviation = (
            (torch.tensor(each) * (1.0 / self.factor)).to(images.device)[:, None, None]
            for each in (self.mean, self.deviation)
        )
        pixels = (images.float() - mean) / deviation
        rows, columns = (each // self.patch for each in images.shape[-2:])
        blocks = pixels.view(
            *(len(images), 3),
            *(rows // self.merged, self.merged, self.patch),
            *(columns // self.merged, self.merged, self.patch),
        )
        # To image, square, patch within the square, colour, pixel; every time of a patch is the same.
        ordered = blocks.permute(0, 2, 5, 3, 6, 1, 4, 7).unsqueeze(6).expand(-1, -1, -1, -1, -1, -1, self.times, -1, -1)
        return ordered.reshape(len(images), rows * columns, -1), (1, rows, columns)

    def _size(self, height: int, width: int) -> tuple[int, int]:
        """Height and width that squares of patches fill, with about the shape and not too few or too many pixels."""
        step = self.patch * self.merged
        high, wide = round(height / step) * step, round(width / step) * step
        if high * wide > self.most:
            by = math.sqrt(height * width / self.most)
            return tuple(max(step, math.floor(each / by / step) * step) for each in (height, width))  # type: ignore[return-value]
        if high * wide < self.least:
            by = math.sqrt(self.least / (height * width))
            return tuple(math.ceil(each * by / step) * step for each in (height, width))  # type: ignore[return-value]
        return high, wide
