"""Images stored one by one, as PNG or TIFF bytes in a row or as a file."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from lerobot.core.errors import DatasetError


def decode_image(value: Any, root: Path, where: str) -> NDArray[Any]:
    """Decode the image of one row.

    Args:
        value: mapping with `bytes`, or with a `path` below the dataset's root.
        root: folder of the dataset.
        where: feature and position, for messages.

    Returns:
        `(H, W, C)` in the stored type; one channel for depth.

    Raises:
        DatasetError: the row has no image, or one that cannot be decoded.
    """
    if not isinstance(value, Mapping) or not (value.get("bytes") or value.get("path")):
        raise DatasetError(f"{where} has no image")
    source: io.BytesIO | Path = io.BytesIO(value["bytes"]) if value.get("bytes") else root / value["path"]
    try:
        with PIL.Image.open(source) as file:
            image = np.array(file.convert("RGB") if file.mode in {"P", "RGBA", "LA", "CMYK"} else file)
    except (OSError, ValueError, SyntaxError) as error:
        raise DatasetError(f"{where}: the image cannot be decoded: {error}") from error
    return image[..., None] if image.ndim == 2 else image
