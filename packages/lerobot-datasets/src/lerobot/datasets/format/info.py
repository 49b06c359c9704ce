"""`meta/info.json`: the one file that says which version, features and how many episodes a dataset has."""

import json
import re
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError, field_validator

from lerobot.core.errors import DatasetError
from lerobot.core.json_file import read_json
from lerobot.datasets.format import layout
from lerobot.datasets.format.features import (
    INDEX_DTYPES,
    ROW_NUMBERS,
    FeatureMap,
    camera_keys,
    default_features,
    depth_keys,
    image_keys,
    normalize_features,
    video_keys,
)
from lerobot.datasets.format.real_places import real_template


class Info(BaseModel):
    """Contents of `info.json`; entries this version does not know are kept and written back.

    Attributes:
        codebase_version: `"v3.0"`, or `"v2.1"` and `"v2.0"` for datasets read in place.
        fps: frames per second of every feature; a float for rates such as 29.97.
        features: declarations, in file order, default features included.
        total_episodes: committed episodes; the commit point of recording.
        total_frames: committed rows.
        total_tasks: rows of the task table.
        chunks_size: most files per chunk folder.
        data_files_size_in_mb: size above which a new data file is begun, 2**20 bytes each.
        video_files_size_in_mb: same for video files.
        data_path: template of data files.
        video_path: template of video files; None for a dataset without videos.
        robot_type: name of the robot that was recorded.
        splits: ranges of episodes, such as `{"train": "0:N"}`; never used for reading.
        tools: function schemas of language annotations.
    """

    model_config = ConfigDict(extra="allow", validate_assignment=False)

    codebase_version: str = layout.CODEBASE_VERSION
    fps: int | float = Field(gt=0, allow_inf_nan=False)
    features: FeatureMap
    total_episodes: int = Field(default=0, ge=0)
    total_frames: int = Field(default=0, ge=0)
    total_tasks: int = Field(default=0, ge=0)
    chunks_size: int = Field(default=layout.DEFAULT_CHUNKS_SIZE, gt=0)
    data_files_size_in_mb: int = Field(default=layout.DEFAULT_DATA_FILES_SIZE_IN_MB, gt=0)
    video_files_size_in_mb: int = Field(default=layout.DEFAULT_VIDEO_FILES_SIZE_IN_MB, gt=0)
    data_path: str = layout.DATA_PATH
    video_path: str | None = layout.VIDEO_PATH
    robot_type: str | None = None
    splits: Any = Field(default_factory=dict)
    tools: list[Any] | None = None
    _version: tuple[int, int] = PrivateAttr(default=(3, 0))

    @field_validator("features", mode="before")
    @classmethod
    def _check_features(cls, declared: Any) -> FeatureMap:
        if not isinstance(declared, dict):
            raise ValueError("features is not a mapping")
        return normalize_features(declared)

    def model_post_init(self, _context: Any) -> None:
        """Parse the version and refuse what cannot be read."""
        self._version = parse_version(self.codebase_version)
        layout.check_template(self.data_path, "data_path")
        if self.video_path is not None:
            layout.check_template(self.video_path, "video_path")
            if len(self.video_keys) > 1 and "{video_key" not in self.video_path:
                raise DatasetError(f"video_path is {self.video_path!r}, one file for {len(self.video_keys)} cameras")
        elif keys := self.video_keys:
            raise DatasetError(f"info.json has video features ({', '.join(keys)}) but no video_path")

    @property
    def version(self) -> tuple[int, int]:
        """Format version as (major, minor)."""
        return self._version

    @property
    def is_legacy(self) -> bool:
        """Whether this is a v2.x dataset: one data file and one video per episode, jsonl metadata."""
        return self._version[0] == 2

    @property
    def camera_keys(self) -> list[str]:
        """Features that are images, however stored."""
        return camera_keys(self.features)

    @property
    def video_keys(self) -> list[str]:
        """Features stored as video."""
        return video_keys(self.features)

    @property
    def image_keys(self) -> list[str]:
        """Features stored as one encoded image per row."""
        return image_keys(self.features)

    @property
    def depth_keys(self) -> list[str]:
        """Camera features that hold distances."""
        return depth_keys(self.features)

    def data_file(self, chunk_index: int, file_index: int) -> str:
        """Path of a data file below the root; for v2.x `file_index` is the episode."""
        return layout.format_path(self.data_path, chunk_index, file_index)

    def video_file(self, video_key: str, chunk_index: int, file_index: int) -> str:
        """Path of a video file below the root; for v2.x `file_index` is the episode."""
        if self.video_path is None:
            raise DatasetError(f"{video_key} is not stored as video: the dataset has no video_path")
        return layout.format_path(self.video_path, chunk_index, file_index, video_key)

    def to_json(self) -> str:
        """Text of the file as the peer writes it: indent 4, shapes as lists, `tools` only when set."""
        document = self.model_dump(mode="json")
        if document["tools"] is None:
            del document["tools"]
        return json.dumps(document, indent=4, ensure_ascii=False)


def parse_version(text: str) -> tuple[int, int]:
    """Read a codebase version.

    Args:
        text: `"v3.0"`, `"3.0"`, `"v2.1"`, ...

    Returns:
        (major, minor).

    Raises:
        DatasetError: not a version, or one that this package does not read.
    """
    match = re.fullmatch(r"v?(\d+)\.(\d+)(?:\.\d+)?", text.strip())
    if not match:
        raise DatasetError(f"codebase_version is {text!r}", expected="a version such as 'v3.0'")
    version = int(match[1]), int(match[2])
    if version > (3, 99):
        raise DatasetError(
            f"dataset has format {text}, newer than this package reads",
            expected="v2.0, v2.1 or v3.x",
            hint="A newer lerobot-datasets may read it.",
        )
    if version < (2, 0):
        raise DatasetError(
            f"dataset has format {text}, which had no folder layout of its own", expected="v2.0, v2.1 or v3.x"
        )
    return version


def load_info(root: Path) -> Info:
    """Read `meta/info.json` of a dataset folder.

    Raises:
        DatasetError: the folder or file is missing, damaged, of an unknown version, or not a LeRobotDataset.
    """
    path = root / layout.INFO_PATH
    if not root.is_dir():
        raise DatasetError(f"no dataset at {root}: the folder does not exist")
    try:
        document = read_json(path)
    except FileNotFoundError as error:
        raise DatasetError(
            f"no dataset at {root}: {layout.INFO_PATH} is missing", expected="the root folder of a LeRobotDataset"
        ) from error
    except (OSError, ValueError) as error:
        raise DatasetError(f"{path} cannot be read: {error}") from error
    info = parse_info(document, path)
    data, video = layout.templates(info.is_legacy)
    info.data_path = real_template(root, info.data_path, data, "data_path")
    if info.video_keys and info.video_path is not None:
        info.video_path = real_template(root, info.video_path, video, "video_path")
    return info


def parse_info(document: Any, source: Path) -> Info:
    """Check the contents of an `info.json`.

    Args:
        document: the parsed file.
        source: where it came from, for messages.

    Raises:
        DatasetError: an entry is missing or wrong; names it.
    """
    if not isinstance(document, dict) or "codebase_version" not in document:
        raise DatasetError(
            f"{source} is not the info.json of a LeRobotDataset: it has no codebase_version",
            expected="a folder written by LeRobot",
        )
    if isinstance(document["codebase_version"], str):
        # The version first: a format this package cannot read must not be reported as a wrong entry.
        parse_version(document["codebase_version"])
    known = {key: value for key, value in document.items() if not (value is None and key in _OPTIONAL_NUMBERS)}
    try:
        info = Info.model_validate(known)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        entry = ".".join(str(part) for part in first["loc"])
        raise DatasetError(f"{source}: {entry}: {first['msg'].removeprefix('Value error, ')}") from error
    defaults = default_features()
    info.features |= {key: defaults[key] for key in ROW_NUMBERS if key not in info.features}
    missing = [key for key in INDEX_DTYPES if key not in info.features]
    if missing:
        raise DatasetError(f"{source}: features lack {', '.join(missing)}", expected=", ".join(INDEX_DTYPES))
    return info


# Written as null by some converters; their defaults are certain.
_OPTIONAL_NUMBERS = frozenset(
    {"chunks_size", "data_files_size_in_mb", "video_files_size_in_mb", "total_frames", "total_tasks", "splits"}
)
