"""Images stored one by one, while an episode is recorded: encoded one after another in a single file.

The file keeps memory flat over long episodes, and becomes the parquet column without a copy.
"""

import io
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import PIL.Image
import pyarrow as pa

_CHUNK_BYTES = 2**30
"""Most bytes in one piece of the column: its offsets are 32-bit numbers."""


class ImageLog:
    """Encodes images without loss: colour as PNG, depth as TIFF in its own 16-bit or float values.

    Args:
        path: file to create.
        depth: whether images are depth `(H, W, 1)`.
        compress_level: zlib level of PNG, 0 to 9.
    """

    def __init__(self, path: Path, *, depth: bool, compress_level: int) -> None:
        self.images = 0
        self._path = path
        self._depth = depth
        self._compress_level = compress_level
        self._ends = [0]
        self._file = path.open("wb")

    def add(self, image: npt.NDArray[Any]) -> None:
        """Append one image (H, W, C)."""
        buffer = io.BytesIO()
        if self._depth:
            PIL.Image.fromarray(np.ascontiguousarray(image[..., 0])).save(buffer, "TIFF", compression="raw")
        else:
            PIL.Image.fromarray(image).save(buffer, "PNG", compress_level=self._compress_level)
        self._file.write(buffer.getbuffer())
        self._ends.append(self._ends[-1] + buffer.tell())
        self.images += 1

    def close(self) -> None:
        """Write what is buffered."""
        self._file.close()

    def abort(self) -> None:
        """Close the file as it is."""
        self._file.close()

    def column(self) -> pa.ChunkedArray:
        """The images as `struct<bytes, path>`, memory-mapped; valid as long as the file exists."""
        with pa.memory_map(str(self._path)) as mapped:
            data = mapped.read_buffer()
        ends = np.array(self._ends, np.int64)
        suffix = "tiff" if self._depth else "png"
        chunks, first = [], 0
        while first < self.images:
            last = max(first + 1, int(np.searchsorted(ends, ends[first] + _CHUNK_BYTES, side="right")) - 1)
            offsets = (ends[first : last + 1] - ends[first]).astype(np.int32)
            part = data.slice(int(ends[first]), int(ends[last] - ends[first]))
            encoded = pa.Array.from_buffers(pa.binary(), last - first, [None, pa.py_buffer(offsets), part])
            names = pa.array([f"frame-{number:06d}.{suffix}" for number in range(first, last)])
            chunks.append(pa.StructArray.from_arrays([encoded, names], names=["bytes", "path"]))
            first = last
        return pa.chunked_array(chunks)
