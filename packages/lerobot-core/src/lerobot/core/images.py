"""From images as cameras give them to images as networks take them: the only place that says how.

Everything here is a tensor of torch, of which only methods are used: core needs no torch.
"""

from typing import Any


def channels_first(images: Any) -> Any:
    """View a tensor of images `(..., H, W, C)` as `(..., C, H, W)`."""
    return images.movedim(-1, -3)


def unit_range(images: Any, *, out: Any = None) -> Any:
    """Make float32 of images: colours of one byte become 0 to 1, other numbers, such as millimetres, stay.

    Args:
        images: tensor of any shape.
        out: float32 tensor of that shape to write to; None for new memory.
    """
    floats = images.float() if out is None else out.copy_(images)
    return floats.div_(255) if images.dtype.itemsize == 1 else floats


def network_images(images: Any) -> Any:
    """Make float32 tensors `(..., C, H, W)` of images, as datasets give them.

    Args:
        images: tensor `(..., H, W, C)`: colours uint8, or distances in millimetres of any wider type.

    Returns:
        Colours in [0, 1]; distances in millimetres. Contiguous.
    """
    return unit_range(channels_first(images).contiguous())
