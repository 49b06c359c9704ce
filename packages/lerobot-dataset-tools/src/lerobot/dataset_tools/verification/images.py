"""Cameras that were covered, unplugged or stood still; every image is decoded."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lerobot.core.errors import DatasetError
from lerobot.dataset_tools.edit.images import SourceImages
from lerobot.datasets.checks.findings import Finding
from lerobot.datasets.statistics.images import decimate

_BLACK_LEVEL = 12.0
_BLACK_SPREAD = 4.0
_SAME = 0.3
"""Mean difference, in levels of 255, that coding alone makes between images of the same scene."""
_FROZEN_S = 1.0


def camera_findings(
    images: SourceImages, key: str, episodes: Sequence[int], moves: Callable[[int, int, int], bool]
) -> Iterator[Finding]:
    """Check one camera in some episodes.

    Args:
        images: the dataset's.
        key: the camera.
        episodes: their numbers.
        moves: whether the robot moves in an episode between two frames.

    Yields:
        Per episode at most one finding of each kind: `undecodable`, `black_camera`, `frozen_camera`.
    """
    is_depth = key in images.source.info.depth_keys
    for episode in episodes:
        try:
            yield from _episode_findings(images, key, episode, moves, is_depth)
        except DatasetError as error:
            yield Finding("error", "undecodable", str(error.what), episode, key)


def _episode_findings(
    images: SourceImages, key: str, episode: int, moves: Callable[[int, int, int], bool], is_depth: bool
) -> Iterator[Finding]:
    shortest = max(3, round(_FROZEN_S * images.source.info.fps))
    # Not which number is which: there are declarations of either order, with and without names.
    declared = images.source.info.features[key]["shape"]
    dark: list[bool] = []
    reference: NDArray[Any] | None = None
    since, frozen = 0, False
    for frame, image in enumerate(images.read(key, episode)):
        if frame == 0 and sorted(image.shape) != sorted(declared):
            text = f"{key} is declared with shape {declared}, its images have {image.shape}"
            yield Finding("error", "image_shape", text, episode, key)
        # Depth of one single value is a dead sensor as well; its unit is not a level.
        small: NDArray[Any] = decimate(image).astype(np.float64 if is_depth else np.int16)
        spread = float(small.std())
        dark.append(spread == 0 if is_depth else small.mean() < _BLACK_LEVEL and spread < _BLACK_SPREAD)
        if reference is None or np.abs(small - reference).mean() > (0 if is_depth else _SAME):
            reference, since = small, frame
        elif not frozen and frame - since >= shortest and moves(episode, since, frame):
            frozen = True
            text = f"{key} shows one image from frame {since} to {frame} while the robot moves"
            yield Finding("warning", "frozen_camera", text, episode, key, since)
    if any(dark):
        first = dark.index(True)
        text = f"{key} is {'empty' if is_depth else 'black'} in {sum(dark)} of {len(dark)} frames, first in {first}"
        yield Finding("warning", "black_camera", text, episode, key, first)
