"""From images as cameras give them to images as networks take them; the only place that says how.

Torch is imported where tensors are made: nobody else here needs it.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor


def channels_first(images: "Tensor") -> "Tensor":
    """View images `(..., H, W, C)` as `(..., C, H, W)`."""
    return images.movedim(-1, -3)


def unit_range(images: "Tensor", *, out: "Tensor | None" = None) -> "Tensor":
    """Make float32 of images: colours of one byte become 0 to 1, other numbers, such as millimetres, stay.

    Args:
        images: of any shape.
        out: float32 of that shape to write to.
    """
    import torch

    if images.dtype == torch.uint8:
        return torch.div(images, 255, out=out)
    return images.to(torch.float32) if out is None else out.copy_(images)


def image_tensor(images: Any) -> "Tensor":
    """Make a float32 tensor `(..., C, H, W)` of images, as datasets give them.

    Args:
        images: array of numpy or tensor, `(..., H, W, C)`: colours uint8, or distances in millimetres of any type.

    Returns:
        Colours in [0, 1]; distances in millimetres.
    """
    import torch

    # numpy converts every type torch does not have, such as uint16.
    if not isinstance(images, torch.Tensor):
        images = torch.from_numpy(images if images.dtype == "uint8" else images.astype("float32"))
    return unit_range(channels_first(images).contiguous())
