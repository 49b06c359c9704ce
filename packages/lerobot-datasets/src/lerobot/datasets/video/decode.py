"""Images of a video file by their position in it, decoded with PyAV."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import av
import av.error
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from lerobot.core.errors import DatasetError
from lerobot.datasets.video.encode import open_video
from lerobot.datasets.video.frame_table import FrameTable, read_frame_table

Image: TypeAlias = NDArray[Any]
"""`(H, W, 3)` uint8 RGB, or `(H, W)` uint16 codes of a depth video."""


class VideoFile:
    """One open file.

    Decoding goes forward: an image after the last one is reached without seeking, unless a key frame lies between.

    Args:
        path: the file.
        table: its images if they are known, to save reading its index.
        is_depth: give the codes of a depth video instead of colours.

    Raises:
        DatasetError: the file is missing, damaged or holds no images.
    """

    def __init__(self, path: Path, table: FrameTable | None = None, *, is_depth: bool = False) -> None:
        self.path = path
        if not path.exists():
            raise DatasetError(f"{path} is missing, with the images of its episodes")
        self._container = open_video(path)
        self._stream = self._container.streams.video[0]
        # One thread: waiting for others costs a random access more than they decode, and workers are processes.
        self._stream.codec_context.thread_count = 1
        self.table = table or read_frame_table(self._container, str(path))
        self._format = "gray12le" if is_depth else "rgb24"
        self._reformatter = VideoReformatter()
        self._frames: Iterator[av.VideoFrame] = iter(())
        self._next = -1

    def close(self) -> None:
        """Close the file."""
        self._frames = iter(())
        self._container.close()

    def read(self, positions: Sequence[int]) -> dict[int, Image]:
        """Decode images, in one pass forward.

        Args:
            positions: which ones, ascending, without repetition.

        Returns:
            The images by position.

        Raises:
            DatasetError: a position is outside the file, or an image cannot be decoded.
        """
        self._check(positions)
        return {position: self._convert(self._frame(position)) for position in positions}

    def _check(self, positions: Sequence[int]) -> None:
        if positions and not 0 <= positions[0] <= positions[-1] < len(self.table):
            raise DatasetError(f"{self.path} has no image {positions[-1]}", expected=f"0 to {len(self.table) - 1}")

    def _frame(self, position: int) -> av.VideoFrame:
        key = self.table.key_before(position)
        try:
            if int(self.table.key_positions[key]) <= self._next <= position:
                frame = self._advance(position)
                if frame is not None:
                    return frame
            # Containers are sought by presentation or by decoding time, depending on how they were written.
            for offset in (self.table.key_pts[key], self.table.key_dts[key], self.table.key_dts[0]):
                self._container.seek(int(offset), stream=self._stream, backward=True)
                self._frames = self._container.decode(self._stream)
                if (frame := self._advance(position)) is not None:
                    return frame
        except (av.error.FFmpegError, OSError) as error:
            self._next = -1
            raise DatasetError(f"{self.path}: image {position} cannot be decoded: {error}") from error
        self._next = -1
        raise DatasetError(f"{self.path}: image {position} cannot be decoded", expected="a complete mp4 file")

    def _advance(self, position: int) -> av.VideoFrame | None:
        """Decode forward to an image; None if decoding is already past it or ends before."""
        wanted = int(self.table.pts[position])
        for frame in self._frames:
            if frame.pts is not None and frame.pts >= wanted:
                if frame.pts > wanted:
                    break
                if frame.is_corrupt:
                    raise DatasetError(f"{self.path}: image {position} is damaged", expected="a complete mp4 file")
                self._next = position + 1
                return frame
        self._next = -1
        return None

    def _convert(self, frame: av.VideoFrame) -> Image:
        image: Image = self._reformatter.reformat(frame, format=self._format, threads=1).to_ndarray()
        return image
