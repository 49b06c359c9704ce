"""Which files of a dataset one worker takes."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from lerobot.datasets.format.features import VIDEO
from lerobot.datasets.format.layout import MEGABYTE
from lerobot.datasets.reader.images import EpisodeVideos
from lerobot.datasets.reader.source import EditSource


def files_of(source: EditSource, camera: str | None, episodes: Sequence[int]) -> dict[Path, list[int]]:
    """The files that hold a camera's images of some episodes, with these; nothing is opened.

    Args:
        source: the dataset.
        camera: name of the camera; the data files are meant if None.
        episodes: their numbers.
    """
    files: dict[Path, list[int]] = {}
    if camera is not None and source.info.features[camera]["dtype"] == VIDEO:
        videos = EpisodeVideos(source.root, source.info, source.episodes, tolerance_s=1e-4)
        for episode in episodes:
            files.setdefault(videos.path(camera, episode), []).append(episode)
        return files
    owner = {file.first_episode + i: file.path for file in source.files for i in range(len(file.lengths))}
    for episode in episodes:
        files.setdefault(owner[episode], []).append(episode)
    return files


def joined(files: Mapping[Path, list[int]], megabytes: float) -> Iterator[dict[Path, list[int]]]:
    """Neighbouring files up to a size, so that how they are cut depends on nothing else.

    Args:
        files: with their episodes.
        megabytes: of a group, unless one file is larger.
    """
    group: dict[Path, list[int]] = {}
    total = 0
    for path, episodes in files.items():
        size = path.stat().st_size if path.exists() else 0
        if group and total + size > megabytes * MEGABYTE:
            yield group
            group, total = {}, 0
        group[path] = episodes
        total += size
    if group:
        yield group


def state_of(files: Iterable[Path]) -> list[list[int]]:
    """Size and time of files: a source that changed since is another one."""
    states = [path.stat() for path in files if path.exists()]
    return [[state.st_size, state.st_mtime_ns] for state in states]
