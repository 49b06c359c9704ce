"""Tensors and images brought to one size, the rest filled."""

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - the name everybody knows


def pad_last(values: Tensor, width: int) -> Tensor:
    """Fill the last axis with zeros on the right, up to a width; what is as wide already stays."""
    return F.pad(values, (0, width - values.shape[-1])) if values.shape[-1] < width else values


def resize_with_pad(images: Tensor, height: int, width: int, *, centred: bool) -> Tensor:
    """Bring images to a size without distorting them: bilinear, without smoothing; the rest is 0.

    Args:
        images: `(B, C, H, W)` float; of the size already, they stay as they are.
        height: wanted, pixels.
        width: wanted, pixels.
        centred: fill on both sides, the odd pixel on the right and below; otherwise on the left and above alone.

    Returns:
        `(B, C, height, width)`.
    """
    old_height, old_width = images.shape[-2:]
    if (old_height, old_width) == (height, width):
        return images
    ratio = max(old_width / width, old_height / height)
    size = int(old_height / ratio), int(old_width / ratio)
    resized = F.interpolate(images, size, mode="bilinear", align_corners=False)
    rest_y, rest_x = max(0, height - size[0]), max(0, width - size[1])
    top, left = (rest_y // 2, rest_x // 2) if centred else (rest_y, rest_x)
    return F.pad(resized, (left, rest_x - left, top, rest_y - top))


def pad_tokens(tokens: Tensor, length: int) -> Tensor:
    """Fill the second axis with zeros (false) behind, up to a length; what is as long already stays."""
    if tokens.shape[1] >= length:
        return tokens
    more = tokens.new_zeros(tokens.shape[0], length - tokens.shape[1], *tokens.shape[2:])
    return torch.cat([tokens, more], dim=1)
