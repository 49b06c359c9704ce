"""Camera pictures on the wire: raw, PNG or JPEG."""

import io
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from lerobot.remote.wire.errors import WireError

PictureFormat = Literal["jpeg", "png", "raw"]
"""jpeg: small and fast, changes pixels a little; png: exact and slow; raw: exact, fast and large."""

MODES = {("uint8", 3): "RGB", ("uint8", 1): "L", ("uint16", 1): "I;16"}
"""Pillow's mode by type and channels."""
MAX_PIXELS = 50_000_000
UNREADABLE = (OSError, UnidentifiedImageError, SyntaxError, ValueError, Image.DecompressionBombError)
"""What Pillow raises for a file that is damaged, or another than expected."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A compressed picture.

    Attributes:
        format: `"jpeg"` or `"png"`.
        data: the file's bytes.
        dtype: of the array, as numpy names it.
        shape: of the array, `(H, W, C)`.
    """

    format: str
    data: Any
    dtype: str
    shape: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PictureEncoder:
    """How camera pictures are sent.

    Attributes:
        format: see `PictureFormat`. Depth is never sent as JPEG, which would change distances, but as PNG.
        quality: of JPEG, 1 to 95.
    """

    format: PictureFormat = "jpeg"
    quality: int = 90

    def __call__(self, value: Any) -> Any:
        """Compress a picture `(H, W, C)`; everything else stays as it is."""
        if self.format == "raw" or not isinstance(value, np.ndarray) or value.ndim != 3:
            return value
        mode = MODES.get((str(value.dtype), value.shape[2]))
        if mode is None or not value.size:
            return value
        chosen = self.format if value.dtype == np.uint8 else "png"
        file = io.BytesIO()
        pixels = np.ascontiguousarray(value if mode == "RGB" else value[:, :, 0])
        image = Image.frombytes(mode, (value.shape[1], value.shape[0]), pixels.tobytes())
        if chosen == "jpeg":
            image.save(file, "jpeg", quality=self.quality)
        else:
            image.save(file, "png", compress_level=1)
        return Picture(chosen, file.getvalue(), str(value.dtype), value.shape)


def colour_jpeg(data: bytes) -> Picture:
    """A colour picture whose size nobody says but its file.

    Raises:
        WireError: it is no JPEG.
    """
    try:
        with Image.open(io.BytesIO(data), formats=["jpeg"]) as image:
            return Picture("jpeg", data, "uint8", (image.height, image.width, 3))
    except UNREADABLE as error:
        raise WireError(f"a picture cannot be read: {error}") from error


def decoded(picture: Picture) -> NDArray[Any]:
    """Uncompress a picture; its size is checked before memory is taken for it.

    Raises:
        WireError: it is none, or another than it says.
    """
    shape = picture.shape
    mode = MODES.get((picture.dtype, shape[2])) if len(shape) == 3 else None
    if mode is None or picture.format not in ("jpeg", "png") or not isinstance(picture.data, bytes):
        raise WireError(f"a picture is a {str(picture.format)[:10]!r} of {picture.dtype[:10]}{shape}")
    if not 0 < shape[0] * shape[1] <= MAX_PIXELS:
        raise WireError(f"a picture has the shape {shape}", expected=f"at most {MAX_PIXELS} pixels")
    try:
        with Image.open(io.BytesIO(picture.data), formats=[picture.format]) as image:
            if image.size != (shape[1], shape[0]) or image.mode != mode:
                raise WireError(
                    f"a picture is {image.mode} of {image.size[1]}x{image.size[0]}", expected=f"{mode} of {shape}"
                )
            image.load()
            array: NDArray[Any] = np.array(image)
    except UNREADABLE as error:
        if isinstance(error, WireError):
            raise
        raise WireError(f"a picture cannot be read: {error}") from error
    return array.reshape(shape).astype(picture.dtype, copy=False)
