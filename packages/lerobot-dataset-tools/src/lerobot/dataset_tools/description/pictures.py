"""Pictures of a dataset for a browser: one of them, and films of what it cannot play itself."""

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lerobot.core.errors import DatasetError
from lerobot.core.signals import check_stop
from lerobot.dataset_tools.description.recording import Json, Recording
from lerobot.dataset_tools.report.thumbnails import jpeg, picture_of
from lerobot.datasets.video.encode import VideoFileEncoder, frame_rate
from lerobot.datasets.video.encoder_config import RGBEncoderConfig

_ENCODER = RGBEncoderConfig(vcodec="h264", g=15, crf=20, preset="veryfast")
_BATCH = 32
"""Images decoded at a time."""
_MOST_FILMS = 16


def picture(recording: Recording, episode: int, frame: int, camera: str | None) -> Json:
    """A small picture.

    Args:
        recording: the dataset.
        episode: its number.
        frame: of the episode.
        camera: its feature; the first one if None.

    Returns:
        `jpeg`, in base64; null for a dataset without cameras.

    Raises:
        DatasetError: there is no such image, or it cannot be decoded.
    """
    if camera is None and not recording.meta.camera_keys:
        return {"jpeg": None}
    key, positions = _known(recording, camera or recording.meta.camera_keys[0]), recording.positions(episode)
    if not 0 <= frame < len(positions):
        raise DatasetError(f"episode {episode} has no frame {frame}", expected=f"0 to {len(positions) - 1}")
    (image,) = recording.frames.reader.read_camera(key, positions[frame : frame + 1])
    return {"jpeg": base64.b64encode(jpeg(image)).decode()}


def film(recording: Recording, episode: int, camera: str, path: Path) -> Json:
    """A film of one camera that every browser plays: H.264, picture k at k / fps; depth as brightness.

    It is made from images that are stored one by one, and from videos in a codec that the browser does not know. A
    whole film is what a browser can seek in; single pictures would have to be asked for one by one.

    Args:
        recording: the dataset.
        episode: its number.
        camera: its feature.
        path: the film, which is made unless it is there; of those beside it the newest stay.

    Returns:
        `film`, its path, `from_s`, `to_s` and `codec`.

    Raises:
        DatasetError: an image is missing, or cannot be decoded.
    """
    key, count = _known(recording, camera), len(recording.positions(episode))
    if not path.exists():
        aside = path.with_name(f".{path.name}")
        _write(recording, episode, key, aside)
        aside.rename(path)
        for old in sorted(path.parent.glob("*.mp4"), key=lambda each: each.stat().st_mtime_ns)[:-_MOST_FILMS]:
            old.unlink()
    return {"film": str(path), "from_s": 0.0, "to_s": count / recording.meta.fps, "codec": "h264"}


def _write(recording: Recording, episode: int, key: str, path: Path) -> None:
    encoder: VideoFileEncoder | None = None
    try:
        for image in _images(recording, episode, key):
            check_stop()
            height, width, _ = image.shape
            encoder = encoder or VideoFileEncoder(path, frame_rate(recording.meta.fps), height, width, _ENCODER)
            encoder.add(image)
    except BaseException:
        if encoder is not None:
            encoder.abort()
        raise
    if encoder is not None:
        encoder.close()


def _images(recording: Recording, episode: int, key: str) -> Iterator[NDArray[np.uint8]]:
    """In colour, of an even size: browsers play no H.264 that stores others."""
    positions = recording.positions(episode)
    for begin in range(0, len(positions), _BATCH):
        for image in recording.frames.reader.read_camera(key, positions[begin : begin + _BATCH]):
            shown: NDArray[Any] = np.asarray(picture_of(image))
            yield np.pad(shown, [(0, shown.shape[0] % 2), (0, shown.shape[1] % 2), (0, 0)], mode="edge")


def _known(recording: Recording, camera: str) -> str:
    if camera not in recording.meta.camera_keys:
        cameras = ", ".join(recording.meta.camera_keys) or "none"
        raise DatasetError(f"{recording.root} has no camera {camera!r}", expected=cameras)
    return camera
