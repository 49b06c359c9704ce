"""Images of a video file by their position in it, decoded with torchcodec; the same images as with PyAV.

torchcodec takes the libraries of the system's FFmpeg and is a little faster than PyAV where a batch wants several
images of one file. It numbers images by the file's average rate, so what it gives is believed only where its
presentation time is that of the wanted position; any other file is left to PyAV.
"""

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from torchcodec.decoders import VideoDecoder

from lerobot.datasets.video.decode import Image, VideoFile
from lerobot.datasets.video.frame_table import FrameTable

logger = logging.getLogger(__name__)

_SAME_TIME_S = 1e-6


class TorchcodecFile(VideoFile):
    """One open file of colour images.

    Args:
        path: the file.
        table: its images if they are known, to save reading its index.

    Raises:
        DatasetError: the file is missing, damaged or holds no images.
    """

    def __init__(self, path: Path, table: FrameTable | None = None) -> None:
        super().__init__(path, table)
        self._decoder = self._open_decoder()

    def close(self) -> None:
        """Close the file."""
        self._decoder = None
        super().close()

    def read(self, positions: Sequence[int]) -> dict[int, Image]:
        """Decode images, in one pass forward; see `VideoFile.read`."""
        if self._decoder is not None and positions:
            self._check(positions)
            if (images := self._read_checked(self._decoder, positions)) is not None:
                return images
            self._decoder = None
        return super().read(positions)

    def _open_decoder(self) -> VideoDecoder | None:
        try:
            return VideoDecoder(self.path, dimension_order="NHWC", num_ffmpeg_threads=1, seek_mode="approximate")
        except (RuntimeError, ValueError) as error:
            logger.debug("%s is left to PyAV: %s", self.path, error)
            return None

    def _read_checked(self, decoder: VideoDecoder, positions: Sequence[int]) -> dict[int, Image] | None:
        """The images, or None if torchcodec fails or finds others."""
        try:
            batch = decoder.get_frames_at(list(positions))
        except (RuntimeError, IndexError, ValueError) as error:
            logger.debug("%s is left to PyAV: %s", self.path, error)
            return None
        wanted = np.array([self.table.time(position) for position in positions])
        if np.abs(batch.pts_seconds.numpy() - wanted).max() > _SAME_TIME_S:
            logger.debug("%s is left to PyAV: its images are not shown at a constant rate from 0", self.path)
            return None
        return dict(zip(positions, batch.data.numpy(), strict=True))
