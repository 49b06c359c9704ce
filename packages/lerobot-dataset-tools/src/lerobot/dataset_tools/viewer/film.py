"""An episode as a film: its cameras beside each other, and below them the curves of its numbers."""

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
from numpy.typing import NDArray
from PIL import ImageDraw, ImageFont

from lerobot.core.errors import DatasetError
from lerobot.core.paths import user_path
from lerobot.core.signals import check_stop
from lerobot.dataset_tools.report.axes import Axis, axes_of
from lerobot.dataset_tools.report.curves import COLOURS
from lerobot.dataset_tools.report.thumbnails import picture_of
from lerobot.datasets.dataset.frames import FrameDataset
from lerobot.datasets.dataset.views import subset
from lerobot.datasets.format.features import NUMERIC_DTYPES, element_names
from lerobot.datasets.video.encode import VideoFileEncoder, frame_rate
from lerobot.datasets.video.encoder_config import RGBEncoderConfig

_HEIGHT = 360
"""Of every camera, pixels."""
_LEAST_WIDTH = 640
_CHART, _CAPTION, _MARGIN = 112, 24, 8
_NAMES, _NAME_WIDTH = 7, 138
"""Most names of elements beside a chart, and their room in pixels."""
_SHOWN = ("action", "observation.state")
_BATCH = 32
"""Images decoded at a time."""
_ENCODER = RGBEncoderConfig(vcodec="h264", g=30, crf=23, preset="veryfast")
_BACKGROUND, _INK, _FAINT = (250, 250, 250), (30, 30, 30), (170, 170, 170)


def visualize_episode(dataset: FrameDataset, episode_idx: int, output_path: str | Path = "episode.mp4") -> Path:
    """Write a film of an episode: every camera, the instruction, and the action and the state over time.

    Args:
        dataset: that has the episode among its chosen ones.
        episode_idx: its number.
        output_path: file to write; one that is there is replaced when the film is complete.

    Returns:
        The file.

    Raises:
        DatasetError: there is no such episode, an image is missing, or the file cannot be written.
    """
    positions = dataset.positions(subset(dataset, [episode_idx]).indices)
    path = user_path(output_path)
    aside = path.with_name(f".{path.name}.new")
    film = _Film(dataset, episode_idx, positions)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            _write(film, frame_rate(dataset.fps), aside)
            aside.replace(path)
        finally:
            aside.unlink(missing_ok=True)
    except OSError as error:
        raise DatasetError(f"{path} cannot be written: {error.strerror or error}") from error
    return path


def _write(film: "_Film", rate: Fraction, path: Path) -> None:
    height, width = film.size
    encoder = VideoFileEncoder(path, rate, height, width, _ENCODER)
    try:
        for image in film:
            check_stop()
            encoder.add(image)
    except BaseException:
        encoder.abort()
        raise
    encoder.close()


class _Film:
    """The pictures of a film, in order.

    Args:
        dataset: the dataset.
        episode: number of the episode.
        positions: its dataset positions.
    """

    def __init__(self, dataset: FrameDataset, episode: int, positions: NDArray[np.int64]) -> None:
        self._dataset = dataset
        self._positions = positions
        tasks = dataset.meta.episodes[episode]["tasks"]
        self._title = f"episode {episode}" + (f": {tasks[0]}" if tasks else "")
        self._cameras = dataset.meta.camera_keys
        first = self._images(positions[:1])
        widths = [_scaled(images[0]).width for images in first.values()]
        self._width = _even(max(sum(widths), _LEAST_WIDTH))
        self._strip = self._curves()

    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""
        return _even(_CAPTION + (_HEIGHT if self._cameras else 0) + self._strip.height), self._width

    def __iter__(self) -> Iterator[NDArray[np.uint8]]:
        count = len(self._positions)
        for begin in range(0, count, _BATCH):
            images = self._images(self._positions[begin : begin + _BATCH])
            for offset in range(min(_BATCH, count - begin)):
                yield self._picture(begin + offset, [each[offset] for each in images.values()])

    def _images(self, positions: NDArray[np.int64]) -> Mapping[str, Sequence[NDArray[Any]]]:
        return {key: self._dataset.reader.read_camera(key, positions) for key in self._cameras}

    def _picture(self, frame: int, images: Sequence[NDArray[Any]]) -> NDArray[np.uint8]:
        height, width = self.size
        picture = PIL.Image.new("RGB", (width, height), _BACKGROUND)
        draw = ImageDraw.Draw(picture)
        seconds = frame / self._dataset.fps
        text = f"{self._title}   frame {frame} of {len(self._positions)}   {seconds:.2f} s"
        draw.text((_MARGIN, 4), text, _INK, ImageFont.load_default(14))
        left = 0
        for image in images:
            shown = _scaled(image)
            picture.paste(shown, (left, _CAPTION))
            left += shown.width
        top = height - self._strip.height
        picture.paste(self._strip, (0, top))
        x = _across(frame, len(self._positions), width)
        draw.line([(x, top), (x, height)], _INK)
        return np.asarray(picture)

    def _curves(self) -> PIL.Image.Image:
        """All charts below each other, without the line that shows the time."""
        values = {}
        for key in _SHOWN:
            feature = self._dataset.features.get(key)
            if feature is not None and feature["dtype"] in NUMERIC_DTYPES and len(feature["shape"]) == 1:
                found = self._dataset.reader.numbers.fetch({key: self._positions})[key]
                values[key] = found.reshape(len(self._positions), -1).astype(np.float64)
        axes = [
            axis
            for key, column in values.items()
            for axis in axes_of(key, element_names(self._dataset.features[key]), [column])
        ]
        strip = PIL.Image.new("RGB", (self._width, _CHART * len(axes)), _BACKGROUND)
        draw = ImageDraw.Draw(strip)
        for place, axis in enumerate(axes):
            _draw_chart(draw, axis, values[axis.key], place * _CHART, self._width)
        return strip


def _draw_chart(draw: ImageDraw.ImageDraw, axis: Axis, values: NDArray[np.float64], top: int, width: int) -> None:
    low, high = axis.bounds
    font = ImageFont.load_default(12)
    draw.line([(0, top), (width, top)], _FAINT)
    draw.text((_MARGIN, top + 2), f"{axis.label}   {low:.4g} to {high:.4g}", _INK, font)
    above, below = top + 20, top + _CHART - _MARGIN
    for line, (element, name) in enumerate(zip(axis.elements, axis.names, strict=True)):
        rows = np.flatnonzero(np.isfinite(values[:, element]))
        heights = below - (values[rows, element] - low) / ((high - low) or 1.0) * (below - above)
        points = [(_across(row, len(values), width), y) for row, y in zip(rows.tolist(), heights.tolist(), strict=True)]
        colour = COLOURS[line % len(COLOURS)]
        if len(points) > 1:
            draw.line(points, colour, 2)
        if line < _NAMES:
            draw.text((width - _NAME_WIDTH + _MARGIN, above + 12 * line), name, colour, font)


def _across(frame: int, count: int, width: int) -> float:
    """Where a moment stands on the axis of time."""
    return _MARGIN + frame / max(count - 1, 1) * (width - _MARGIN - _NAME_WIDTH)


def _scaled(image: NDArray[Any]) -> PIL.Image.Image:
    picture = picture_of(image)
    return picture.resize((max(round(_HEIGHT * picture.width / picture.height), 1), _HEIGHT))


def _even(size: int) -> int:
    """What video codecs take."""
    return size + size % 2
