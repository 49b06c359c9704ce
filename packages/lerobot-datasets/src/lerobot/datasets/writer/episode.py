"""The episode in progress: its rows in memory, its images on their way to the staging folder."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from lerobot.core.errors import DatasetError, FeatureMismatchError
from lerobot.datasets.format.features import IMAGE, INDEX_DTYPES, STRING, VIDEO, image_size, is_depth
from lerobot.datasets.format.info import Info
from lerobot.datasets.format.stats_json import Stats
from lerobot.datasets.statistics.dataset import column_statistics, has_numbers
from lerobot.datasets.video.depth_codes import depth_unit
from lerobot.datasets.video.encode import VideoFileEncoder, frame_rate
from lerobot.datasets.writer.background import ImageQueue
from lerobot.datasets.writer.frames import FrameValue, check_frame, check_value
from lerobot.datasets.writer.image_log import ImageLog
from lerobot.datasets.writer.options import WritingOptions

Columns = dict[str, npt.NDArray[Any] | pa.ChunkedArray]


@dataclass(frozen=True, slots=True)
class FinishedEpisode:
    """An episode that is complete but not yet part of the dataset.

    Attributes:
        length: rows.
        tasks: task text of each row.
        columns: stored user columns, `(n, *shape)` arrays or arrow arrays.
        videos: finished file per video feature.
        stats: statistics of the user's features.
        depth_units: unit of each depth camera that the dataset does not have one of yet.
    """

    length: int
    tasks: list[str]
    columns: Columns
    videos: dict[str, Path]
    stats: Stats
    depth_units: dict[str, str]


class EpisodeInProgress:
    """Collects the frames of one episode.

    Args:
        info: the dataset's declarations.
        staging: an empty folder for its unfinished files.
        options: how images are stored.
    """

    def __init__(self, info: Info, staging: Path, options: WritingOptions) -> None:
        self.length = 0
        self._depth_units: dict[str, str] = {}
        self._info = info
        self._staging = staging
        self._options = options
        self._rows: dict[str, list[FrameValue]] = {
            key: []
            for key, feature in info.features.items()
            if key not in INDEX_DTYPES and feature["dtype"] not in (IMAGE, VIDEO)
        }
        self._tasks: list[str] = []
        self._cameras: dict[str, ImageQueue] = {}
        self._broken: BaseException | None = None
        self._finished = False
        try:
            for key in info.camera_keys:
                self._cameras[key] = self._open_camera(key)
        except BaseException:
            self.discard()
            raise

    @property
    def waited_s(self) -> float:
        """Seconds that `add` spent waiting for encoders."""
        return sum(camera.waited_s for camera in self._cameras.values())

    def add(self, frame: Mapping[str, Any], task: str) -> None:
        """Take one frame; it is either taken whole or refused whole.

        Args:
            frame: per feature its value, see `check_frame`.
            task: instruction in words.

        Raises:
            FeatureMismatchError: the frame does not fit the declarations; the episode goes on without it.
            DatasetError: an encoder failed; the episode is lost.
        """
        if self._broken is not None:
            raise DatasetError(
                f"the episode in progress broke at frame {self.length}: {self._broken}",
                hint="drop it with clear_episode_buffer() and record it again; saved episodes are unharmed",
            ) from self._broken
        if self._finished:
            raise DatasetError(
                "the episode is complete and waits to be saved",
                hint="call save_episode() again, or drop it with clear_episode_buffer()",
            )
        checked = check_frame(frame, self._info.features)
        images = {key: value for key, value in checked.items() if key not in self._rows}
        self._check_depth_units(images)
        try:
            for key, image in images.items():
                assert isinstance(image, np.ndarray)  # noqa: S101 # check_frame gives images as arrays
                self._cameras[key].add(image)
        except BaseException as error:
            # Also on Ctrl-C: some cameras may have this image and others not, so the rows no longer match.
            self._broken = error
            raise
        for key, values in self._rows.items():
            values.append(checked[key])
        self._tasks.append(task)
        self.length += 1

    def label(self, values: Mapping[str, Any]) -> None:
        """Give every frame the same value of some columns.

        Raises:
            FeatureMismatchError: a key is no column of numbers or texts, or a value does not fit it.
        """
        if unknown := sorted(values.keys() - self._rows.keys()):
            raise FeatureMismatchError(
                f"episodes cannot be labelled with {', '.join(unknown)}", keys=unknown, expected=", ".join(self._rows)
            )
        checked = {key: check_value(key, value, self._info.features[key]) for key, value in values.items()}
        for key, value in checked.items():
            self._rows[key] = [value] * self.length

    def finish(self) -> FinishedEpisode:
        """Wait for the encoders and check that every camera has one image per row; may be called again.

        Raises:
            DatasetError: there is no frame, an encoder failed, or a camera has another number of images.
        """
        if self.length == 0:
            raise DatasetError("the episode has no frame", hint="call add_frame() before save_episode()")
        if self._broken is not None:
            raise DatasetError(f"the episode broke at frame {self.length}: {self._broken}") from self._broken
        self._finished = True
        stats: Stats = {}
        columns: Columns = {}
        videos: dict[str, Path] = {}
        for key, camera in self._cameras.items():
            stats[key] = camera.finish()
            if camera.sink.images != self.length:
                raise DatasetError(
                    f"{key} has {camera.sink.images} images for {self.length} rows", expected="one per row"
                )
            if isinstance(camera.sink, ImageLog):
                columns[key] = camera.sink.column()
            else:
                videos[key] = camera.sink.path
        for key, values in self._rows.items():
            if self._info.features[key]["dtype"] == STRING:
                columns[key] = pa.chunked_array([pa.array(values, pa.string())])
            else:
                columns[key] = array = np.stack(values)
                if has_numbers(self._info.features[key]):
                    stats[key] = column_statistics(array)
        return FinishedEpisode(self.length, list(self._tasks), columns, videos, stats, dict(self._depth_units))

    def discard(self) -> None:
        """Stop the encoders and forget everything; never raises."""
        for camera in self._cameras.values():
            camera.cancel()

    def _open_camera(self, key: str) -> ImageQueue:
        feature = self._info.features[key]
        height, width, channels = image_size(feature)
        sink: VideoFileEncoder | ImageLog
        if feature["dtype"] == VIDEO:
            config = self._options.depth_encoder if is_depth(feature) else self._options.rgb_encoder
            rate = frame_rate(self._info.fps)
            sink = VideoFileEncoder(
                self._staging / f"{key}.mp4", rate, height, width, config, threads=self._options.encoder_threads
            )
        else:
            sink = ImageLog(self._staging / f"{key}.images", depth=is_depth(feature), compress_level=6)
        return ImageQueue(key, sink, channels, self._options.encoder_queue_maxsize)

    def _check_depth_units(self, images: Mapping[str, FrameValue]) -> None:
        """A camera's unit is that of its first image ever; another one later would change the meaning of the rest."""
        for key, image in images.items():
            feature = self._info.features[key]
            if not is_depth(feature) or not isinstance(image, np.ndarray):
                continue
            unit = depth_unit(image.dtype)
            known = (feature.get("info") or {}).get("depth_unit") or self._depth_units.setdefault(key, unit)
            if known != unit:
                raise FeatureMismatchError(
                    f"feature {key!r} has {image.dtype} depth, so {unit}; the dataset holds {known}",
                    keys=[key],
                    expected="uint16 millimetres" if known == "mm" else "float32 metres",
                )
