"""Videos of episodes."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from lerobot.core.errors import LeRobotError


class VideoWriter:
    """Writes an H.264 video that appears under its name when it is complete.

    Args:
        path: file to write, `.mp4`; its folder is created.
        fps: pictures per second.
    """

    def __init__(self, path: Path, fps: float) -> None:
        self.path = path
        self._aside = path.with_name(f".{path.name}")
        path.parent.mkdir(parents=True, exist_ok=True)
        self._container = av.open(str(self._aside), "w", format="mp4")
        self._stream = self._container.add_stream("libx264", rate=Fraction(fps).limit_denominator(1000))
        self._stream.pix_fmt = "yuv420p"
        self._stream.options = {"crf": "23", "preset": "veryfast"}
        self._size = (0, 0)

    def add(self, picture: Any) -> None:
        """Add a picture `(H, W, 3)` uint8; an odd last row or column is left out, as the format needs.

        Raises:
            LeRobotError: it is no such picture, or of another size than the first.
        """
        frame = np.asarray(picture)
        if frame.ndim != 3 or frame.shape[2] != 3 or frame.dtype != np.uint8 or min(frame.shape[:2]) < 2:
            raise LeRobotError(
                f"a rendered picture is {frame.dtype} of shape {frame.shape}", expected="uint8 of shape (H, W, 3)"
            )
        size = (frame.shape[0] // 2 * 2, frame.shape[1] // 2 * 2)
        if self._size == (0, 0):
            self._size = size
            self._stream.height, self._stream.width = size
        elif size != self._size:
            raise LeRobotError(f"a rendered picture is {size}, the first one of the video was {self._size}")
        even = np.ascontiguousarray(frame[: size[0], : size[1]])
        self._container.mux(self._stream.encode(av.VideoFrame.from_ndarray(even, format="rgb24")))

    def close(self) -> None:
        """Complete the file and give it its name."""
        self._container.mux(self._stream.encode(None))
        self._container.close()
        self._aside.replace(self.path)

    def abandon(self) -> None:
        """Leave no file."""
        self._container.close()
        self._aside.unlink(missing_ok=True)
