"""What a killed writer left beyond the commit point, and where the next files go."""

import logging
import shutil
from pathlib import Path

import pyarrow.compute as pc

from lerobot.datasets.format import layout
from lerobot.datasets.format.arrow import UNREADABLE, read_table
from lerobot.datasets.format.episodes import Episodes
from lerobot.datasets.format.info import Info
from lerobot.datasets.writer.compaction import FilePosition, copy_folder

logger = logging.getLogger(__name__)


def remove_leftovers(root: Path, info: Info, episodes: Episodes) -> dict[str, FilePosition]:
    """Remove files of episodes that were never committed.

    A file goes only if it provably belongs to no committed episode: a parquet file whose rows all name later episodes,
    a video numbered above every one that an episode names. Anything else stays, and new files are numbered above it.

    Args:
        root: the dataset's folder, locked.
        info: its declarations and committed totals.
        episodes: its committed episodes.

    Returns:
        Position of the next file under `"data"`, `"meta"` and each video feature.
    """
    shutil.rmtree(copy_folder(root.resolve()), ignore_errors=True)
    following = {
        "data": _next_after(_clean_tables(root / "data", info), info),
        "meta": _next_after(_clean_tables(root / "meta/episodes", info), info),
    }
    for key in info.video_keys:
        folder = root / "videos" / key
        used = list(zip(episodes[f"videos/{key}/chunk_index"], episodes[f"videos/{key}/file_index"], strict=True))
        kept = []
        for chunk, file, path in layout.numbered_files(folder, ".mp4"):
            if (chunk, file) > max(used, default=(-1, -1)):
                _remove(path)
            else:
                kept.append((chunk, file))
        following[key] = _next_after(kept, info)
    return following


def _clean_tables(folder: Path, info: Info) -> list[FilePosition]:
    kept: list[FilePosition] = []
    for chunk, file, path in reversed(layout.numbered_files(folder)):
        if not kept and _is_beyond(path, info.total_episodes):
            _remove(path)
        else:
            kept.append((chunk, file))
    return kept


def _is_beyond(path: Path, total_episodes: int) -> bool:
    """Whether all rows belong to episodes that were not committed; False also where that cannot be told."""
    try:
        numbers = read_table(path, ["episode_index"]).column("episode_index")
    except (*UNREADABLE, KeyError):
        return False
    return len(numbers) > 0 and pc.min(numbers).as_py() >= total_episodes


def _next_after(kept: list[FilePosition], info: Info) -> FilePosition:
    return layout.next_file(*max(kept), info.chunks_size) if kept else (0, 0)


def _remove(path: Path) -> None:
    logger.info("removing %s, left by a recording that was cut off", path)
    path.unlink()
