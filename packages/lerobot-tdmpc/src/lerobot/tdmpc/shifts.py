"""Pictures are shifted at random while learning, each by itself.

Source: Yarats et al. 2021 (DrQ-v2), arXiv:2107.09645: padded by the pixels at the edge, and cut out anywhere.
"""

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - the name everybody knows


def shifted(pictures: Tensor, ratio: float) -> Tensor:
    """Shift square pictures by whole pixels.

    Args:
        pictures: `(N, C, H, H)`.
        ratio: largest shift, in parts of `H`.

    Returns:
        `(N, C, H, H)`; shifts are drawn from torch's generator of the pictures' device.
    """
    count, _, _, size = pictures.shape
    most = round(ratio * size)
    padded = F.pad(pictures, (most,) * 4, mode="replicate")
    # Centres of pixels in the frame of a padded picture, which goes from -1 to 1: nothing lies between pixels.
    pixel = 2.0 / (size + 2 * most)
    centres = torch.linspace(-1 + pixel / 2, 1 - pixel / 2, size + 2 * most, device=pictures.device)[:size]
    grid = torch.stack((centres.expand(size, size), centres[:, None].expand(size, size)), dim=-1)
    drawn = torch.randint(0, 2 * most + 1, (count, 1, 1, 2), device=pictures.device, dtype=torch.float32)
    return F.grid_sample(padded, grid + drawn * pixel, align_corners=False)
