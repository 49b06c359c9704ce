"""A whole dataset from a plan, in an empty folder."""

import filecmp
import json
import logging
import shutil
from pathlib import Path

import pyarrow.parquet as pq

from lerobot.core.durable import flush_tree
from lerobot.core.signals import check_stop
from lerobot.dataset_tools.edit.done import DoneHere, DoneParts
from lerobot.dataset_tools.edit.episode_table import write_episodes
from lerobot.dataset_tools.edit.plan import EditPlan
from lerobot.dataset_tools.edit.rows import write_rows
from lerobot.dataset_tools.edit.videos import write_videos
from lerobot.datasets.checks.derived import splits_fit, wrong_video_info
from lerobot.datasets.format import layout
from lerobot.datasets.format.features import is_depth
from lerobot.datasets.format.info import Info
from lerobot.datasets.format.stats_json import load_stats, stats_to_json
from lerobot.datasets.statistics.recompute import dataset_statistics
from lerobot.datasets.video.encode import available_encoders, video_info

logger = logging.getLogger(__name__)

_DRAFTS = ".drafts"


def build(plan: EditPlan, folder: Path, done: DoneParts | None = None) -> Info:
    """Write the dataset a plan describes; everything is on the disk when this returns.

    Args:
        plan: the result.
        folder: an empty folder.
        done: what an engine did of it; it is done here if None.

    Returns:
        Its `info.json`.

    Raises:
        DatasetError: a source is damaged, or an encoder failed.
        OSError: the disk is full.
    """
    drafts = folder / _DRAFTS
    drafts.mkdir()
    done = done or DoneHere(drafts, plan)
    data = write_rows(plan, folder, done)
    videos = {key: write_videos(plan, folder, key, done) for key in plan.info.video_keys}
    write_episodes(plan, folder, data, videos, done)
    shutil.rmtree(drafts)
    pq.write_table(plan.tasks.to_arrow(), folder / layout.TASKS_PATH)
    info = _final_info(plan, folder)
    (folder / layout.INFO_PATH).write_text(info.to_json(), encoding="utf-8")
    _keep_other_files(plan, folder)
    check_stop()
    stats = dataset_statistics(folder, info, plan.only_statistics)
    if plan.only_statistics is not None:
        known = load_stats(plan.selections[0].source.root) or {}
        stats = {**{key: known[plan.stored(key)] for key in info.features if plan.stored(key) in known}, **stats}
    stats |= plan.final_statistics
    stats = {key: stats[key] for key in info.features if key in stats}
    (folder / layout.STATS_PATH).write_text(json.dumps(stats_to_json(stats), indent=4), encoding="utf-8")
    check_stop()
    flush_tree(folder)
    return info


def _keep_other_files(plan: EditPlan, folder: Path) -> None:
    """What other tools put into the folders, such as `meta/modality.json`; a card names its own dataset and stays."""
    for root in dict.fromkeys(selection.source.root for selection in plan.selections):
        for name in layout.other_files(root):
            source, target = root / name, folder / name
            if name == "README.md":
                continue
            if target.exists():
                if not filecmp.cmp(source, target, shallow=False):
                    logger.warning("%s is left out: another of the datasets has a different %s", source, name)
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)


def _final_info(plan: EditPlan, folder: Path) -> Info:
    info = plan.info.model_copy(deep=True)
    info.total_episodes, info.total_frames = len(plan.lengths), int(plan.lengths.sum())
    info.total_tasks = len(plan.tasks)
    if not (splits_fit(info) and info.splits and _has_all_episodes(plan)):
        info.splits = {"train": f"0:{info.total_episodes}"}
    for key in info.video_keys:
        if described := info.features[key].get("info"):
            described.update(wrong_video_info(described, folder / info.video_file(key, 0, 0)))
    for key, config in plan.encoders.items():
        feature = info.features[key]
        described = video_info(folder / info.video_file(key, 0, 0), config.resolved(available_encoders()))
        described["is_depth_map"] = is_depth(feature)
        kept = {name: value for name, value in (feature.get("info") or {}).items() if name != "video.is_depth_map"}
        feature["info"] = {**kept, **described}
    return info


def _has_all_episodes(plan: EditPlan) -> bool:
    """Whether the result has the episodes of its only source under their own numbers."""
    first, *others = plan.selections
    return not others and len(first.episodes) == len(first.source.episodes)
