"""Where each file of a dataset stands, in v3.0 and in the v2.x layouts that are read in place."""

import glob
import re
import string
from pathlib import Path, PurePosixPath

from lerobot.core.errors import DatasetError

CODEBASE_VERSION = "v3.0"

INFO_PATH = "meta/info.json"
STATS_PATH = "meta/stats.json"
TASKS_PATH = "meta/tasks.parquet"
EPISODES_PATH = "meta/episodes/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet"
DATA_PATH = "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet"
VIDEO_PATH = "videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4"

LEGACY_TASKS_PATH = "meta/tasks.jsonl"
LEGACY_EPISODES_PATH = "meta/episodes.jsonl"
LEGACY_EPISODES_STATS_PATH = "meta/episodes_stats.jsonl"
LEGACY_DATA_PATH = "data/chunk-{episode_chunk:03d}/episode_{episode_index:06d}.parquet"
LEGACY_VIDEO_PATH = "videos/chunk-{episode_chunk:03d}/{video_key}/episode_{episode_index:06d}.mp4"

DEFAULT_CHUNKS_SIZE = 1000
"""Most files in one chunk folder."""
DEFAULT_DATA_FILES_SIZE_IN_MB = 100
DEFAULT_VIDEO_FILES_SIZE_IN_MB = 200
MEGABYTE = 2**20
"""Bytes in the "MB" of the size limits."""

_OWN_FILES = frozenset(
    {INFO_PATH, STATS_PATH, TASKS_PATH, LEGACY_TASKS_PATH, LEGACY_EPISODES_PATH, LEGACY_EPISODES_STATS_PATH}
)
_OWN_FOLDERS = ("data/", "videos/", "images/", "meta/episodes/")

_TEMPLATE_FIELDS = frozenset({"chunk_index", "file_index", "episode_chunk", "episode_index", "video_key"})


def format_path(template: str, chunk_index: int, file_index: int, video_key: str = "") -> str:
    """Fill a path template of any version.

    Args:
        template: one of the templates above or of `info.json`, checked by `check_template`.
        chunk_index: number of the chunk folder.
        file_index: number of the file; the episode's number in v2.x, where every episode is a file.
        video_key: camera feature, for video templates.

    Returns:
        Path below the dataset's root, with `/`.
    """
    return template.format(
        chunk_index=chunk_index,
        file_index=file_index,
        episode_chunk=chunk_index,
        episode_index=file_index,
        video_key=video_key,
    )


def templates(is_legacy: bool) -> tuple[str, str]:
    """The format's own templates of data and of video files."""
    return (LEGACY_DATA_PATH, LEGACY_VIDEO_PATH) if is_legacy else (DATA_PATH, VIDEO_PATH)


def check_template(template: str, where: str) -> None:
    """Refuse a path template that names unknown fields or leaves the dataset folder.

    Args:
        template: text from `info.json`.
        where: name of the entry, for the message.

    Raises:
        DatasetError: the template cannot be used.
    """
    try:
        fields = {name for _, name, _, _ in string.Formatter().parse(template) if name is not None}
        path = PurePosixPath(format_path(template, 0, 0, "camera")) if fields <= _TEMPLATE_FIELDS else None
    except (ValueError, LookupError) as error:
        raise DatasetError(f"{where} is {template!r}, not a path template ({error})") from error
    if path is None:
        unknown = ", ".join(sorted(fields - _TEMPLATE_FIELDS))
        raise DatasetError(f"{where} is {template!r}: unknown field {unknown}", expected=str(sorted(_TEMPLATE_FIELDS)))
    if path.is_absolute() or ".." in path.parts:
        raise DatasetError(f"{where} is {template!r}, which leaves the dataset folder", expected="a path below it")


def other_files(root: Path) -> list[str]:
    """Files of a dataset's folder that are not the format's, such as `meta/modality.json`; hidden ones are left out.

    Returns:
        Paths below the root, with `/`.
    """
    names = (path.relative_to(root).as_posix() for path in sorted(root.rglob("*")) if path.is_file())
    return [
        name
        for name in names
        if name not in _OWN_FILES and not name.startswith(_OWN_FOLDERS) and not f"/{name}".count("/.")
    ]


def next_file(chunk_index: int, file_index: int, chunks_size: int) -> tuple[int, int]:
    """Chunk and file number after the given ones.

    Args:
        chunk_index: current chunk folder.
        file_index: current file in it.
        chunks_size: most files per chunk folder, as in `info.json`.
    """
    return (chunk_index + 1, 0) if file_index >= chunks_size - 1 else (chunk_index, file_index + 1)


def stamped_beside(root: Path) -> list[Path]:
    """Datasets whose folder is named as `root` and when their recording began, the oldest first."""
    stamp = "[0-9]" * 8 + "_" + "[0-9]" * 6
    return sorted(
        path for path in root.parent.glob(f"{glob.escape(root.name)}_{stamp}") if (path / INFO_PATH).is_file()
    )


def numbered_files(folder: Path, suffix: str = ".parquet") -> list[tuple[int, int, Path]]:
    """Files `chunk-C/file-F<suffix>` below a folder, ordered by number.

    Numbers, not names, give the order: `chunk-1000` follows `chunk-999`.

    Returns:
        `(chunk_index, file_index, path)` each; empty if the folder does not exist.
    """
    pattern = re.compile(rf"chunk-(\d+)/file-(\d+){re.escape(suffix)}")
    matches = ((pattern.fullmatch(path.relative_to(folder).as_posix()), path) for path in folder.glob("chunk-*/file-*"))
    return sorted((int(match[1]), int(match[2]), path) for match, path in matches if match)
