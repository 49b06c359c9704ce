"""Changes of pictures by a given amount, one amount per picture.

Pictures are `(B, 3, H, W)` or `(B, T, 3, H, W)` float32 in [0, 1], and stay so; amounts are `(B,)`. The definitions are
those of the Python Imaging Library, which torchvision shares.
"""

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - the name everybody knows

_LUMA = (0.2989, 0.587, 0.114)


def brightness(pictures: Tensor, factor: Tensor) -> Tensor:
    """Multiply."""
    return (pictures * _spread(factor, pictures)).clamp(0, 1)


def contrast(pictures: Tensor, factor: Tensor) -> Tensor:
    """Scale the distance from the picture's mean grey; 1 changes nothing."""
    return _blend(pictures, _grey(pictures).mean(dim=(-3, -2, -1), keepdim=True), factor)


def saturation(pictures: Tensor, factor: Tensor) -> Tensor:
    """Scale the distance from the grey picture; 1 changes nothing."""
    return _blend(pictures, _grey(pictures), factor)


def sharpness(pictures: Tensor, factor: Tensor) -> Tensor:
    """Scale the distance from the smoothed picture; 1 changes nothing, and the outermost pixels stay."""
    kernel = torch.ones(3, 3, dtype=pictures.dtype, device=pictures.device)
    kernel[1, 1] = 5
    channels = pictures.reshape(-1, 1, *pictures.shape[-2:])
    smooth = pictures.clone()
    inner = F.conv2d(channels, kernel[None, None] / kernel.sum())
    smooth[..., 1:-1, 1:-1] = inner.reshape(*pictures.shape[:-2], *inner.shape[-2:])
    return _blend(pictures, smooth, factor)


def hue(pictures: Tensor, turns: Tensor) -> Tensor:
    """Turn the hue, by -0.5 to 0.5 turns; lightness and saturation stay.

    Source: Smith 1978, "Color gamut transform pairs": the hexcone model, HSV.
    """
    red, green, blue = pictures.unbind(-3)
    value, low = pictures.amax(-3), pictures.amin(-3)
    chroma = value - low
    safe = torch.where(chroma == 0, torch.ones_like(chroma), chroma)
    sector = torch.where(
        value == red,
        (green - blue) / safe,
        torch.where(value == green, 2 + (blue - red) / safe, 4 + (red - green) / safe),
    )
    turned = sector / 6 + _spread(turns, sector)
    # Each channel is the value, less a trapezium of the chroma that depends on the hue.
    place = (torch.tensor([5.0, 3.0, 1.0], device=pictures.device)[:, None, None] + 6 * turned.unsqueeze(-3)) % 6
    shape = torch.minimum(place, 4 - place).clamp(0, 1)
    return (value.unsqueeze(-3) - chroma.unsqueeze(-3) * shape).clamp(0, 1)


def affine(pictures: Tensor, degrees: Tensor, right: Tensor, down: Tensor) -> Tensor:
    """Rotate about the centre and shift; the nearest pixel is taken, black where there is none.

    Args:
        pictures: see above.
        degrees: clockwise.
        right: share of the width.
        down: share of the height.
    """
    height, width = pictures.shape[-2:]
    angle = torch.deg2rad(degrees)
    cos, sin, ratio = angle.cos(), angle.sin(), height / width
    # From a place in the result to one in the picture, both from -1 to 1 along each side.
    across, along = 2 * right, 2 * down
    rows = [
        torch.stack([cos, sin * ratio, -cos * across - sin * ratio * along], dim=-1),
        torch.stack([-sin / ratio, cos, sin / ratio * across - cos * along], dim=-1),
    ]
    stacked = pictures.reshape(len(pictures), -1, height, width)
    grid = F.affine_grid(torch.stack(rows, dim=1), list(stacked.shape), align_corners=False)
    moved = F.grid_sample(stacked, grid, mode="nearest", padding_mode="zeros", align_corners=False)
    return moved.reshape(pictures.shape)


def _spread(amount: Tensor, pictures: Tensor) -> Tensor:
    return amount.reshape(-1, *[1] * (pictures.ndim - 1))


def _grey(pictures: Tensor) -> Tensor:
    weights = torch.tensor(_LUMA, dtype=pictures.dtype, device=pictures.device)
    return (pictures * weights[:, None, None]).sum(dim=-3, keepdim=True)


def _blend(pictures: Tensor, other: Tensor, factor: Tensor) -> Tensor:
    share = _spread(factor, pictures)
    return (pictures * share + other * (1 - share)).clamp(0, 1)
