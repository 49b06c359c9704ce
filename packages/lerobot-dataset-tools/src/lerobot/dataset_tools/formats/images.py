"""Compressed images of a source."""

import io

import numpy as np
import numpy.typing as npt
import PIL.Image

from lerobot.core.errors import DatasetError


def decode_image(encoded: bytes, where: str) -> npt.NDArray[np.generic]:
    """Decode a PNG or JPEG file; zeros that pad it are ignored.

    Args:
        encoded: the file's bytes.
        where: which image, for messages.

    Returns:
        (H, W, 3) uint8 RGB for colour, (H, W, 1) uint8 for grey, (H, W, 1) uint16 for 16-bit grey.

    Raises:
        DatasetError: it is damaged, or of another format.
    """
    try:
        with PIL.Image.open(io.BytesIO(encoded), formats=("PNG", "JPEG")) as image:
            depth = image.mode.startswith("I")
            grey = image.mode == "L"
            array = np.asarray(image if depth or grey else image.convert("RGB"))
    except (OSError, SyntaxError, ValueError, PIL.Image.DecompressionBombError) as error:
        raise DatasetError(f"{where} is no readable PNG or JPEG image: {error}") from error
    array = array.astype(np.uint16) if depth else array
    return array[..., None] if array.ndim == 2 else array
