"""Whether the files hold what the metadata promises; no image is decoded.

`check_episode` costs what one episode costs and runs whenever one is saved, before it becomes part of the dataset.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lerobot.core.errors import DatasetError
from lerobot.core.paths import user_path
from lerobot.core.signals import check_stop
from lerobot.datasets.checks.derived import derived_findings
from lerobot.datasets.checks.findings import Finding
from lerobot.datasets.format.episodes import Episodes, load_episodes
from lerobot.datasets.format.features import NUMERIC_DTYPES, VIDEO
from lerobot.datasets.format.info import Info, load_info
from lerobot.datasets.format.tasks import Tasks, load_tasks
from lerobot.datasets.reader.images import EpisodeVideos
from lerobot.datasets.storage.numbers import column_to_numpy
from lerobot.datasets.storage.rows import DataFile, data_files, read_rows
from lerobot.datasets.video.encode import open_video
from lerobot.datasets.video.frame_table import read_frame_table

TIME_TOLERANCE_S = 1e-4
"""Largest distance of a row's time from its frame number, beyond what single precision costs."""


def check_structure(root: Path, episodes: Sequence[int] | None = None) -> list[Finding]:
    """Check metadata, rows, indices, times, tasks, and the number of images of every camera.

    Args:
        root: a dataset of any version.
        episodes: numbers of the committed episodes to look at; all if None.

    Returns:
        What is wrong; empty if every frame can be addressed as the format promises.
    """
    root = user_path(root)
    try:
        info = load_info(root)
        table, tasks = load_episodes(root, info), load_tasks(root, info)
        files = data_files(root, info, table)
    except DatasetError as error:
        return [_error("metadata", str(error.what))]
    chosen = set(range(len(table)) if episodes is None else episodes)
    findings = list(derived_findings(root, info, table, tasks)) if len(table) else []
    if len(set(tasks)) != len(tasks):
        findings.append(Finding("warning", "tasks", "the task table has the same text twice"))
    for file in files:
        check_stop()
        numbers = range(file.first_episode, file.first_episode + len(file.lengths))
        if chosen.intersection(numbers):
            findings += _rows(info, tasks, file, chosen)
    findings += _videos(root, info, table, sorted(chosen & set(range(len(table)))))
    return findings


def check_episode(info: Info, tasks: Tasks, file: DataFile, videos: Mapping[str, Path]) -> list[Finding]:
    """Check the files of one new episode: rows, indices, times, tasks, and that every row has its image.

    Args:
        info: the dataset's declarations.
        tasks: its tasks, with those of the episode.
        file: the data file, which holds nothing else.
        videos: file per camera, likewise.

    Returns:
        What is wrong.
    """
    findings = list(_rows(info, tasks, file, {file.first_episode}))
    for key, path in videos.items():
        try:
            with open_video(path) as container:
                table = read_frame_table(container, str(path))
        except DatasetError as error:
            findings.append(_error("video", str(error.what), file.first_episode, key))
            continue
        if len(table) != file.rows:
            text = f"{key} has {len(table)} images for {file.rows} rows"
            findings.append(_error("picture_count", text, file.first_episode, key))
            continue
        times = np.array([table.time(position) for position in range(len(table))])
        wanted = np.arange(file.rows) / info.fps
        if (late := _late(times, wanted)).size:
            frame = int(late[0])
            text = f"image {frame} of {key} is shown at {times[frame]:.6f} s, not {wanted[frame]:.6f}"
            findings.append(_error("picture_times", text, file.first_episode, key, frame))
    return findings


def _late(times: NDArray[np.float64], wanted: NDArray[np.float64]) -> NDArray[np.int64]:
    """Rows whose time is not theirs."""
    return np.flatnonzero(np.abs(times - wanted) > TIME_TOLERANCE_S + 1e-6 * wanted)


def _rows(info: Info, tasks: Tasks, file: DataFile, chosen: set[int]) -> Iterator[Finding]:
    names = [key for key, feature in info.features.items() if feature["dtype"] in NUMERIC_DTYPES]
    try:
        stored = [key for key, feature in info.features.items() if feature["dtype"] != VIDEO]
        table = read_rows(file, stored, check_episodes=not info.is_legacy)
        columns = {}
        for key in names:
            shape = info.features[key]["shape"]
            columns[key] = column_to_numpy(table.column(key), () if shape == (1,) else shape, f"{file.path}: {key}")
    except DatasetError as error:
        yield _error("data", str(error.what))
        return
    stops = np.cumsum(file.lengths)
    for offset, (start, stop) in enumerate(zip(stops - file.lengths, stops, strict=True)):
        episode = file.first_episode + offset
        if episode in chosen:
            rows = {key: values[start:stop] for key, values in columns.items()}
            yield from _episode_rows(info, tasks, episode, file.start + int(start), rows)


def _episode_rows(
    info: Info, tasks: Tasks, episode: int, first: int, rows: dict[str, NDArray[np.generic]]
) -> Iterator[Finding]:
    length = len(rows["index"])
    frames = np.arange(length)
    for key, expected in (
        ("frame_index", frames),
        ("index", first + frames),
        ("episode_index", np.full(length, episode)),
    ):
        wrong = np.flatnonzero(rows[key] != expected)
        if wrong.size:
            row = int(wrong[0])
            yield _error(key, f"{key} of frame {row} is {rows[key][row]}, not {expected[row]}", episode, key, row)
    task = rows["task_index"].astype(np.int64)
    outside = np.flatnonzero((task < 0) | (task >= len(tasks)))
    if outside.size:
        frame = int(outside[0])
        yield _error(
            "tasks", f"frame {frame} has task_index {task[frame]}, of {len(tasks)} tasks", episode, "task_index", frame
        )
    times, wanted = rows["timestamp"].astype(np.float64), frames / info.fps
    if (late := _late(times, wanted)).size:
        frame = int(late[0])
        text = f"timestamp of frame {frame} is {times[frame]:.6f} s, not {wanted[frame]:.6f}; {late.size} such frames"
        yield _error("timestamps", text, episode, "timestamp", frame)
    for key, values in rows.items():
        if values.dtype.kind == "f" and not (finite := np.isfinite(values.astype(np.float64))).all():
            frame = int(np.argwhere(~finite)[0][0])
            yield _error("not_finite", f"{key} of frame {frame} is not a finite number", episode, key, frame)


def _videos(root: Path, info: Info, table: Episodes, episodes: Sequence[int]) -> Iterator[Finding]:
    videos = EpisodeVideos(root, info, table, tolerance_s=TIME_TOLERANCE_S)
    lengths = table.column("length")
    broken: set[Path] = set()
    try:
        for key in info.video_keys:
            for episode in episodes:
                check_stop()
                path = videos.path(key, episode)
                if path in broken:
                    continue
                try:
                    first, stop = videos.span(key, episode)
                except DatasetError as error:
                    broken.add(path)
                    yield _error("video", str(error.what), episode, key)
                    continue
                if stop - first < lengths[episode]:
                    text = f"{key} has {stop - first} images for {lengths[episode]} rows"
                    yield _error("picture_count", text, episode, key)
                elif stop != (declared := videos.declared_stop(key, episode)):
                    text = f"to_timestamp of {key} ends it after {declared - first} images; the file has {stop - first}"
                    yield Finding("warning", "to_timestamp", text, episode, key)
    finally:
        videos.close()


def _error(
    check: str, text: str, episode: int | None = None, feature: str | None = None, frame: int | None = None
) -> Finding:
    return Finding("error", check, text, episode, feature, frame)
