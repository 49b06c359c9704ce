"""Edits of datasets that give datasets; what they do is in `lerobot.dataset_tools.edit`."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lerobot.core.paths import lerobot_home
from lerobot.dataset_tools import edit
from lerobot.datasets.lerobot_dataset import LeRobotDataset

Added = Mapping[str, tuple[Any, Mapping[str, Any]]]


def _target(repo_id: str, output_dir: str | Path | None) -> Path:
    return lerobot_home() / repo_id if output_dir is None else Path(output_dir)


def _new(dataset: LeRobotDataset, repo_id: str | None, output_dir: str | Path | None) -> tuple[str, Path]:
    name = repo_id or f"{dataset.repo_id}_modified"
    return name, _target(name, output_dir)


def delete_episodes(
    dataset: LeRobotDataset,
    episode_indices: Sequence[int],
    output_dir: str | Path | None = None,
    repo_id: str | None = None,
) -> LeRobotDataset:
    """Write a dataset without some episodes.

    Args:
        dataset: what is read; it stays as it is.
        episode_indices: numbers of the episodes to leave out.
        output_dir: folder of the new dataset; `$HF_LEROBOT_HOME/<repo_id>` if None.
        repo_id: its name; that of `dataset` with `_modified` if None.

    Raises:
        DatasetError: an episode does not exist, or the folder is taken.
    """
    name, folder = _new(dataset, repo_id, output_dir)
    edit.delete_episodes(dataset.root, episode_indices, folder)
    return LeRobotDataset(name, folder)


def split_dataset(
    dataset: LeRobotDataset,
    splits: Mapping[str, float | Sequence[int]],
    output_dir: str | Path | None = None,
) -> dict[str, LeRobotDataset]:
    """Write parts of a dataset as datasets of their own.

    Args:
        dataset: what is read.
        splits: by name of the part either a share of the episodes or their numbers.
        output_dir: the parts' folders are in it; beside the dataset if None.
    """
    folders = edit.split(dataset.root, splits, None if output_dir is None else Path(output_dir))
    return {name: LeRobotDataset(f"{dataset.repo_id}_{name}", folder) for name, folder in folders.items()}


def merge_datasets(
    datasets: Sequence[LeRobotDataset],
    output_repo_id: str,
    output_dir: str | Path | None = None,
    concatenate_videos: bool = True,
    concatenate_data: bool = True,
) -> LeRobotDataset:
    """Write the episodes of several datasets into one.

    Args:
        datasets: what is read.
        output_repo_id: name of the new dataset.
        output_dir: its folder; `$HF_LEROBOT_HOME/<output_repo_id>` if None.
        concatenate_videos: join small video files.
        concatenate_data: join small data files.
    """
    folder = _target(output_repo_id, output_dir)
    roots = [dataset.root for dataset in datasets]
    edit.merge(roots, folder, join_data=concatenate_data, join_videos=concatenate_videos)
    return LeRobotDataset(output_repo_id, folder)


def aggregate_datasets(
    repo_ids: Sequence[str],
    aggr_repo_id: str,
    roots: Sequence[Path] | None = None,
    aggr_root: Path | None = None,
    concatenate_videos: bool = True,
    concatenate_data: bool = True,
) -> None:
    """Write the episodes of several datasets into one; see `merge_datasets`.

    Args:
        repo_ids: names of the datasets.
        aggr_repo_id: name of the new one.
        roots: folders of the datasets; under `$HF_LEROBOT_HOME` if None.
        aggr_root: folder of the new one.
        concatenate_videos: join small video files.
        concatenate_data: join small data files.
    """
    folders = roots or [lerobot_home() / name for name in repo_ids]
    target = _target(aggr_repo_id, aggr_root)
    edit.merge(folders, target, join_data=concatenate_data, join_videos=concatenate_videos)


def modify_features(
    dataset: LeRobotDataset,
    add_features: Added | None = None,
    remove_features: str | Sequence[str] | None = None,
    output_dir: str | Path | None = None,
    repo_id: str | None = None,
) -> LeRobotDataset:
    """Write a dataset with other features.

    Args:
        dataset: what is read.
        add_features: by name the values, `(frames, ...)` or a function of a frame's row, its episode and its number in
            it, and the declaration.
        remove_features: names of features to leave out.
        output_dir: see `delete_episodes`.
        repo_id: see `delete_episodes`.

    Raises:
        ValueError: nothing is added and nothing removed.
    """
    if not add_features and not remove_features:
        raise ValueError("modify_features takes add_features, remove_features, or both")
    name, folder = _new(dataset, repo_id, output_dir)
    source, target = dataset.root, folder
    if remove_features:
        names = [remove_features] if isinstance(remove_features, str) else list(remove_features)
        edit.remove_feature(source, names, target)
        source, target = target, None  # type: ignore[assignment] # what follows is done in place
    if add_features:
        added = {key: (_values(values, dataset), declared) for key, (values, declared) in add_features.items()}
        edit.add_features(source, added, target)
    return LeRobotDataset(name, folder)


def _values(values: Any, dataset: LeRobotDataset) -> Any:
    """Values as an array; those of a function are asked for frame by frame."""
    if not isinstance(values, Callable):  # type: ignore[arg-type]
        return np.asarray(values)
    rows = dataset.hf_dataset.with_format("numpy")
    return np.asarray([values(row, int(row["episode_index"]), int(row["frame_index"])) for row in rows])


def add_features(
    dataset: LeRobotDataset, features: Added, output_dir: str | Path | None = None, repo_id: str | None = None
) -> LeRobotDataset:
    """Write a dataset with more features; see `modify_features`."""
    return modify_features(dataset, add_features=features, output_dir=output_dir, repo_id=repo_id)


def remove_feature(
    dataset: LeRobotDataset,
    feature_names: str | Sequence[str],
    output_dir: str | Path | None = None,
    repo_id: str | None = None,
) -> LeRobotDataset:
    """Write a dataset with fewer features; see `modify_features`."""
    return modify_features(dataset, remove_features=feature_names, output_dir=output_dir, repo_id=repo_id)


def modify_tasks(
    dataset: LeRobotDataset,
    new_task: str | None = None,
    episode_tasks: Mapping[int, str] | None = None,
    task_replacements: Mapping[str, str] | None = None,
) -> LeRobotDataset:
    """Change instructions in place; the state before stays beside the dataset.

    Args:
        dataset: what is changed.
        new_task: instruction of every episode that nothing else is said of.
        episode_tasks: instruction by number of the episode.
        task_replacements: new instruction by old one.
    """
    edit.modify_tasks(dataset.root, new_task=new_task, episode_tasks=episode_tasks, task_replacements=task_replacements)
    return LeRobotDataset(dataset.repo_id, dataset.root)


def recompute_stats(
    dataset: LeRobotDataset,
    skip_image_video: bool = True,
    relative_action: bool = False,
    relative_exclude_joints: Sequence[str] | None = None,
    chunk_size: int = 50,
    num_workers: int = 0,
) -> LeRobotDataset:
    """Compute statistics anew, in place.

    Args:
        dataset: what is changed.
        skip_image_video: keep those of images.
        relative_action: of actions relative to the state at the begin of their chunk.
        relative_exclude_joints: joints whose actions stay absolute.
        chunk_size: actions per chunk.
        num_workers: accepted, and not needed.
    """
    del num_workers
    edit.recompute_stats(
        dataset.root,
        skip_image_video=skip_image_video,
        relative_action=relative_action,
        relative_exclude_joints=relative_exclude_joints,
        chunk_size=chunk_size,
    )
    return LeRobotDataset(dataset.repo_id, dataset.root)


def convert_image_to_video_dataset(
    dataset: LeRobotDataset,
    output_dir: Path | None = None,
    repo_id: str | None = None,
    rgb_encoder: Any = None,
    depth_encoder: Any = None,
    episode_indices: Sequence[int] | None = None,
    num_workers: int = 4,
) -> LeRobotDataset:
    """Write a dataset of single images as one of videos.

    Args:
        dataset: what is read.
        output_dir: folder of the new one; `$HF_LEROBOT_HOME/<repo_id>` if None.
        repo_id: its name; that of `dataset` with `_video` if None.
        rgb_encoder: encoder of colour cameras.
        depth_encoder: encoder of depth cameras.
        episode_indices: episodes to write, all if None.
        num_workers: threads of the encoder.
    """
    name = repo_id or f"{dataset.repo_id}_video"
    folder = _target(name, output_dir)
    edit.convert_image_to_video(
        dataset.root,
        folder,
        rgb_encoder=rgb_encoder,
        depth_encoder=depth_encoder,
        episodes=episode_indices,
        encoder_threads=max(1, num_workers),
    )
    return LeRobotDataset(name, folder)


def reencode_dataset(
    dataset: LeRobotDataset,
    rgb_encoder: Any = None,
    depth_encoder: Any = None,
    encoder_threads: int | None = None,
    num_workers: int | None = None,
) -> LeRobotDataset:
    """Encode videos anew, in place; the state before stays beside the dataset.

    Args:
        dataset: what is changed.
        rgb_encoder: encoder of colour cameras.
        depth_encoder: encoder of depth cameras.
        encoder_threads: threads per encoder; one if None.
        num_workers: accepted, and not needed.
    """
    del num_workers
    edit.reencode_videos(
        dataset.root, rgb_encoder=rgb_encoder, depth_encoder=depth_encoder, encoder_threads=encoder_threads or 1
    )
    return LeRobotDataset(dataset.repo_id, dataset.root)
