"""Images of episodes as they were recorded, single or from video, and encoding them anew."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from lerobot.core.signals import check_stop
from lerobot.datasets.format.depth import depth_table
from lerobot.datasets.format.features import VIDEO, image_size
from lerobot.datasets.reader.encoded import decode_image
from lerobot.datasets.reader.images import EpisodeVideos
from lerobot.datasets.reader.source import EditSource
from lerobot.datasets.storage.objects import ObjectColumns
from lerobot.datasets.video.encode import VideoFileEncoder, frame_rate
from lerobot.datasets.video.encoder_config import RGBEncoderConfig

_BATCH = 32
"""Images decoded at a time: one pass through the file, a bounded amount of memory."""


class SourceImages:
    """Reads the images of a dataset, whatever its version and however they are stored.

    Args:
        source: the dataset.
    """

    def __init__(self, source: EditSource) -> None:
        self.source = source
        info = source.info
        images = {key: info.features[key] for key in info.image_keys}
        self._images = ObjectColumns(source.files, images, check_episodes=not info.is_legacy)
        self._videos = EpisodeVideos(source.root, info, source.episodes, tolerance_s=1e-4)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._videos.close()

    def read(self, key: str, episode: int, frames: NDArray[np.int64] | None = None) -> Iterator[NDArray[Any]]:
        """Images of one camera of one episode.

        Args:
            key: the camera.
            episode: number of the episode.
            frames: which ones, ascending; all if None.

        Yields:
            `(H, W, 3)` uint8, or depth `(H, W, 1)` in its recorded unit: uint16 millimetres or float32 metres.

        Raises:
            DatasetError: an image is missing or damaged.
        """
        if frames is None:
            frames = np.arange(int(self.source.episodes.column("length")[episode]))
        if self.source.info.features[key]["dtype"] == VIDEO:
            yield from self._from_video(key, episode, frames.tolist())
            return
        first = int(self.source.episodes.column("dataset_from_index")[episode])
        for position in (first + frames).tolist():
            check_stop()
            (value,) = self._images.rows(key, np.array([position]))
            yield decode_image(value, self.source.root, f"{key} of frame {position}")

    def _from_video(self, key: str, episode: int, frames: list[int]) -> Iterator[NDArray[Any]]:
        info = self.source.info.features[key].get("info")
        is_mm = (info or {}).get("depth_unit") == "mm"
        distances = depth_table(info, "mm" if is_mm else "m") if key in self.source.info.depth_keys else None
        for begin in range(0, len(frames), _BATCH):
            rows = [(episode, frame) for frame in frames[begin : begin + _BATCH]]
            images = self._videos.read(key, rows)
            for row in rows:
                check_stop()
                if distances is None:
                    yield images[row]
                else:
                    yield distances[images[row]][..., None].astype(np.uint16 if is_mm else np.float32)


def encode_episode(
    images: SourceImages, episode: int, key: str, config: RGBEncoderConfig, path: Path, *, threads: int
) -> float:
    """Encode one camera of one episode into a file.

    Args:
        images: the dataset's.
        episode: number of the episode.
        key: the camera.
        config: codec and quality; `DepthEncoderConfig` for depth.
        path: file to create.
        threads: threads the codec may use.

    Returns:
        Seconds the file lasts.

    Raises:
        DatasetError: an image is missing or damaged, or the encoder fails.
    """
    info = images.source.info
    height, width, _ = image_size(info.features[key])
    rate = frame_rate(info.fps)
    encoder = VideoFileEncoder(path, rate, height, width, config, threads=threads)
    try:
        for image in images.read(key, episode):
            encoder.add(image)
    except BaseException:
        encoder.abort()
        raise
    encoder.close()
    return float(encoder.images / rate)
