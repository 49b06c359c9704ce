"""Everything about a dataset but its frames."""

from pathlib import Path
from typing import Any

import numpy as np

from lerobot.core.errors import DatasetError
from lerobot.core.paths import lerobot_home, user_path
from lerobot.datasets.format.depth import MM_PER_METRE, DepthUnit
from lerobot.datasets.format.episodes import Episodes, each_episode_stats, load_episodes
from lerobot.datasets.format.features import FeatureMap
from lerobot.datasets.format.info import Info, load_info
from lerobot.datasets.format.layout import INFO_PATH
from lerobot.datasets.format.stats_json import Stats, load_stats
from lerobot.datasets.format.tasks import Tasks, load_tasks
from lerobot.datasets.statistics.dataset import DatasetStatistics

_READ = ("info", "tasks", "episodes", "_stats")
"""Attributes that come from files, and are read again after `forget`."""


class LeRobotDatasetMetadata:
    """What `meta/` says: version, features, episodes, tasks and statistics.

    Attributes:
        repo_id: name of the dataset, `owner/name`.
        root: its folder.
        revision: version of it that was asked for, on the Hub.
        info: contents of `info.json`.
        tasks: instruction texts by number.
        episodes: where each episode's rows and images are.

    Args:
        repo_id: name of the dataset.
        root: its folder; `$HF_LEROBOT_HOME/<repo_id>` if None. A dataset that is not there comes from the Hub, see
            `lerobot.datasets.hub.pull`.
        revision: tag, branch or commit on the Hub; the newest version that can be read if None.
        force_cache_sync: ask the Hub whether a copy of it is the newest version.

    Raises:
        DatasetError: there is no dataset, it is damaged, or of an unknown version.
    """

    def __init__(
        self,
        repo_id: str,
        root: str | Path | None = None,
        revision: str | None = None,
        force_cache_sync: bool = False,
    ) -> None:
        self.repo_id = repo_id
        self.root = _locate(repo_id, None if root is None else user_path(root), revision, force_cache_sync)
        self.revision = revision
        self.reload()

    def reload(self) -> None:
        """Read the metadata again."""
        self.info: Info = load_info(self.root)
        self.tasks: Tasks = load_tasks(self.root, self.info)
        self.episodes: Episodes = load_episodes(self.root, self.info)
        self._stats: Stats | None = None

    def forget(self) -> None:
        """Read the metadata again when it is next used, as after an episode was saved."""
        for name in _READ:
            self.__dict__.pop(name, None)

    def __getattr__(self, name: str) -> Any:
        """Read the metadata that was forgotten."""
        if name not in _READ:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        self.reload()
        return self.__dict__[name]

    @property
    def stats(self) -> Stats:
        """Statistics by feature; those of a v2.1 dataset are joined from its episodes'."""
        if self._stats is None:
            stats = load_stats(self.root)
            if stats is None and self.info.version == (2, 1):
                stats = DatasetStatistics(each_episode_stats(self.root, self.info)).summary()
            self._stats = stats or {}
        return self._stats

    def stats_in(self, depth_unit: DepthUnit) -> Stats:
        """The statistics with those of depth in the unit that frames are read in."""
        stats = dict(self.stats)
        for key in self.depth_keys:
            stored = (self.features[key].get("info") or {}).get("depth_unit")
            if key in stats and stored is not None and stored != depth_unit:
                factor = MM_PER_METRE if stored == "m" else 1 / MM_PER_METRE
                stats[key] = {
                    name: value if name == "count" else np.asarray(value * factor) for name, value in stats[key].items()
                }
        return stats

    @property
    def features(self) -> FeatureMap:
        """Declarations by feature, `shape` as tuple."""
        return self.info.features

    @property
    def fps(self) -> int | float:
        """Frames per second."""
        return self.info.fps

    @property
    def robot_type(self) -> str | None:
        """Name of the robot."""
        return self.info.robot_type

    @property
    def total_episodes(self) -> int:
        """Committed episodes."""
        return len(self.episodes)

    @property
    def total_frames(self) -> int:
        """Rows of the committed episodes."""
        return int(self.episodes.column("length").sum())

    @property
    def total_tasks(self) -> int:
        """Different instructions."""
        return len(self.tasks)

    @property
    def chunks_size(self) -> int:
        """Most files per chunk folder."""
        return self.info.chunks_size

    @property
    def data_path(self) -> str:
        """Template of data files."""
        return self.info.data_path

    @property
    def video_path(self) -> str | None:
        """Template of video files."""
        return self.info.video_path

    @property
    def names(self) -> dict[str, Any]:
        """Names of each feature's elements."""
        return {key: feature["names"] for key, feature in self.features.items()}

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of each feature."""
        return {key: feature["shape"] for key, feature in self.features.items()}

    @property
    def camera_keys(self) -> list[str]:
        """Features that are images."""
        return self.info.camera_keys

    @property
    def video_keys(self) -> list[str]:
        """Features stored as video."""
        return self.info.video_keys

    @property
    def image_keys(self) -> list[str]:
        """Features stored as one encoded image per row."""
        return self.info.image_keys

    @property
    def depth_keys(self) -> list[str]:
        """Camera features that hold distances."""
        return self.info.depth_keys

    def get_task_index(self, task: str) -> int | None:
        """Number of an instruction, None if the dataset does not have it."""
        return self.tasks.index(task)

    def get_data_file_path(self, ep_index: int) -> Path:
        """Path of an episode's data file, below the root."""
        row = self.episodes[ep_index]
        return Path(self.info.data_file(row["data/chunk_index"], row["data/file_index"]))

    def get_video_file_path(self, ep_index: int, vid_key: str) -> Path:
        """Path of the file with an episode's images of one camera, below the root."""
        if vid_key not in self.video_keys:
            raise DatasetError(f"{vid_key!r} is not stored as video", expected=", ".join(self.video_keys) or "none is")
        row = self.episodes[ep_index]
        return Path(
            self.info.video_file(vid_key, row[f"videos/{vid_key}/chunk_index"], row[f"videos/{vid_key}/file_index"])
        )

    def __repr__(self) -> str:
        return (
            f"LeRobotDatasetMetadata({self.repo_id!r}, episodes={self.total_episodes}, frames={self.total_frames}, "
            f"features={list(self.features)})"
        )


def _locate(repo_id: str, root: Path | None, revision: str | None, sync: bool) -> Path:
    own = lerobot_home() / repo_id if root is None else root
    if (own / INFO_PATH).exists() and not sync and (revision is None or root is not None):
        return own
    # Only here: opening what is on this computer needs no network library.
    from lerobot.datasets.hub.pull import fetch_metadata

    return fetch_metadata(repo_id, root, revision, sync=sync)


class MetadataFacts:
    """What every kind of dataset hands on from its metadata, `meta`."""

    meta: LeRobotDatasetMetadata

    @property
    def fps(self) -> int | float:
        """Frames per second."""
        return self.meta.fps

    @property
    def features(self) -> FeatureMap:
        """Declarations by feature."""
        return self.meta.features

    @property
    def root(self) -> Path:
        """Folder of the dataset; of its metadata where the frames are streamed."""
        return self.meta.root

    @property
    def repo_id(self) -> str:
        """Name of the dataset."""
        return self.meta.repo_id
