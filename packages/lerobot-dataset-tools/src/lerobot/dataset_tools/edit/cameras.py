"""Cameras stored in another way: images as video, and videos with other encoder settings."""

from collections.abc import Sequence
from pathlib import Path

from lerobot.core.errors import DatasetError
from lerobot.dataset_tools.edit.job import ShardedWork
from lerobot.dataset_tools.edit.outcome import EditResult, carry_out
from lerobot.dataset_tools.edit.plan import EditPlan, select
from lerobot.dataset_tools.edit.upgrade import upgraded_info
from lerobot.datasets.format import layout
from lerobot.datasets.format.features import VIDEO
from lerobot.datasets.format.info import Info
from lerobot.datasets.reader.source import open_source
from lerobot.datasets.video.encoder_config import DepthEncoderConfig, RGBEncoderConfig
from lerobot.datasets.writer.frames import check_cameras


def convert_image_to_video(
    root: Path,
    new_root: Path,
    *,
    rgb_encoder: RGBEncoderConfig | None = None,
    depth_encoder: DepthEncoderConfig | None = None,
    episodes: Sequence[int] | None = None,
    encoder_threads: int = 1,
    work: ShardedWork | None = None,
) -> EditResult:
    """Write a dataset whose cameras are all stored as video; every other column and statistic is kept.

    Args:
        root: a dataset with cameras stored as images.
        new_root: folder of the result.
        rgb_encoder: settings for colour; the recording's defaults if None.
        depth_encoder: settings for depth.
        episodes: which ones; they are numbered anew from 0. All if None.
        encoder_threads: threads of each encoder.
        work: see `carry_out`.

    Raises:
        DatasetError: no camera is stored as images, an episode does not exist, or an encoder refuses; nothing was
            written.
    """
    source = open_source(root)
    if not (keys := source.info.image_keys):
        raise DatasetError(f"{root} has no camera stored as images", expected="a feature of dtype 'image'")
    info = upgraded_info(source.info)
    check_cameras({key: info.features[key] for key in keys})
    for key in keys:
        info.features[key]["dtype"] = VIDEO
    info.video_path = layout.VIDEO_PATH
    selections, tasks = select([(source, source.check_episodes(None if episodes is None else list(episodes)))])
    plan = EditPlan(
        selections,
        info,
        tasks,
        encoders=_encoders(source.info, keys, rgb_encoder, depth_encoder),
        encoder_threads=encoder_threads,
        join_data=True,
        join_videos=True,
        fresh_statistics=source.info.is_legacy,
    )
    return carry_out(plan, root, new_root, work)


def reencode_videos(
    root: Path,
    new_root: Path | None = None,
    *,
    rgb_encoder: RGBEncoderConfig | None = None,
    depth_encoder: DepthEncoderConfig | None = None,
    encoder_threads: int = 1,
    work: ShardedWork | None = None,
) -> EditResult:
    """Encode all videos anew, such as a recording of the fast default codec with one that takes less room.

    Args:
        root: the dataset.
        new_root: see `carry_out`.
        rgb_encoder: settings for colour; the recording's defaults if None.
        depth_encoder: settings for depth.
        encoder_threads: threads of each encoder.
        work: see `carry_out`.

    Raises:
        DatasetError: no camera is stored as video, or an encoder refuses; nothing was changed.
    """
    source = open_source(root)
    if not (keys := source.info.video_keys):
        raise DatasetError(f"{root} has no camera stored as video", expected="a feature of dtype 'video'")
    selections, tasks = select([(source, source.check_episodes(None))])
    plan = EditPlan(
        selections,
        upgraded_info(source.info),
        tasks,
        encoders=_encoders(source.info, keys, rgb_encoder, depth_encoder),
        encoder_threads=encoder_threads,
        join_videos=True,
        fresh_statistics=source.info.is_legacy,
    )
    return carry_out(plan, root, new_root, work)


def _encoders(
    info: Info, keys: Sequence[str], rgb: RGBEncoderConfig | None, depth: DepthEncoderConfig | None
) -> dict[str, RGBEncoderConfig]:
    return {
        key: (depth or DepthEncoderConfig()) if key in info.depth_keys else (rgb or RGBEncoderConfig()) for key in keys
    }
