"""Where a dataset's files really stand, for metadata that says it wrongly."""

import logging
import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lerobot.datasets.format import layout

logger = logging.getLogger(__name__)


def real_template(root: Path, declared: str, usual: str, where: str) -> str:
    """The template that files follow: the format's own, where there are files of it and none of the declared one.

    Args:
        root: the dataset's folder.
        declared: template in `info.json`.
        usual: the format's own.
        where: name of the entry, for the message.
    """
    if declared == usual or _has_files(root, declared) or not _has_files(root, usual):
        return declared
    logger.warning("%s: info.json has %s %r, the files stand as %r", root, where, declared, usual)
    return usual


def real_chunks(root: Path, template: str, episodes: int, chunks_size: int, video_key: str = "") -> NDArray[np.int64]:
    """Chunk folder of each episode's file of a v2.x dataset, where every episode is a file.

    The format computes it from `chunks_size`; where that does not lead to the files, the folders are looked at.

    Args:
        root: the dataset's folder.
        template: of data or video files.
        episodes: how many there are.
        chunks_size: most files per chunk folder, as declared.
        video_key: camera feature, for video templates.
    """
    numbers = np.arange(episodes, dtype=np.int64)
    chunks: NDArray[np.int64] = numbers // chunks_size
    # At the first and the last file of each folder every other size would show.
    edges = np.flatnonzero(np.diff(chunks, prepend=-1, append=chunks[-1:] + 1)[:-1] > 0)
    looked_at = {0, episodes - 1, *edges.tolist(), *(edges[1:] - 1).tolist()}
    if all((root / layout.format_path(template, int(chunks[i]), i, video_key)).exists() for i in looked_at):
        return chunks
    found = _chunks_by_episode(root, template, video_key)
    return np.array([found.get(number, chunk) for number, chunk in enumerate(chunks.tolist())], np.int64)


def _chunks_by_episode(root: Path, template: str, video_key: str) -> dict[int, int]:
    """Chunk of every episode that has a file; one with files in two chunks is left out, for nobody knows its own."""
    pattern = re.escape(template.replace("{video_key}", video_key))
    pattern = re.sub(r"\\\{episode_chunk[^}]*\\\}", r"(?P<chunk>\\d+)", pattern)
    pattern = re.sub(r"\\\{episode_index[^}]*\\\}", r"(?P<episode>\\d+)", pattern)
    found: dict[int, set[int]] = {}
    for path in root.glob(_as_glob(template, video_key)):
        match = re.fullmatch(pattern, path.relative_to(root).as_posix())
        if match and match.groupdict().keys() == {"chunk", "episode"}:
            found.setdefault(int(match["episode"]), set()).add(int(match["chunk"]))
    return {episode: chunks.pop() for episode, chunks in found.items() if len(chunks) == 1}


def _has_files(root: Path, template: str) -> bool:
    return next(root.glob(_as_glob(template, "*")), None) is not None


def _as_glob(template: str, video_key: str) -> str:
    return re.sub(r"\{[^}]*\}", "*", template.replace("{video_key}", video_key))
