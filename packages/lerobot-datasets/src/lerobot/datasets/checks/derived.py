"""Entries of the metadata that only repeat what the files say: where they are wrong, the files are believed.

No image and no value belongs to another row because of them, so they are warnings, and every edit writes them anew:
`lerobot edit-dataset --operation.type=repair` does nothing else.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from lerobot.core.errors import DatasetError
from lerobot.core.json_file import read_json
from lerobot.datasets.checks.findings import Finding
from lerobot.datasets.format import layout
from lerobot.datasets.format.episodes import Episodes
from lerobot.datasets.format.features import ROW_NUMBERS
from lerobot.datasets.format.info import Info
from lerobot.datasets.format.tasks import Tasks
from lerobot.datasets.storage.rows import absent_numbers, data_files
from lerobot.datasets.video.encode import stream_info

DERIVED = frozenset({"totals", "splits", "places", "video_info", "to_timestamp", "row_numbers"})
"""Checks whose findings a repair ends."""


def derived_findings(root: Path, info: Info, table: Episodes, tasks: Tasks) -> Iterator[Finding]:
    """Check totals, splits, places of files, numbers of rows and what `info.json` says about videos.

    Args:
        root: the dataset's folder.
        info: its declarations.
        table: its committed episodes.
        tasks: its instructions.
    """
    frames = int(table.column("length").sum())
    for name, said, counted in (
        ("total_frames", info.total_frames, frames),
        ("total_tasks", info.total_tasks, len(tasks)),
    ):
        if said != counted:
            yield _warning("totals", f"info.json has {name} {said}, the dataset {counted}")
    if not splits_fit(info):
        yield _warning("splits", f"info.json has splits {info.splits}, of {info.total_episodes} episodes")
    yield from _places(root, info, table)
    yield from _row_numbers(root, info, table)
    for key in info.video_keys:
        described = info.features[key].get("info") or {}
        for name, found in wrong_video_info(described, _first_video(root, info, table, key)).items():
            text = f"info.json has {name} {described[name]} of {key}, its file {found}"
            yield _warning("video_info", text, key)


def splits_fit(info: Info) -> bool:
    """Whether every split of `info.json` is a range of episodes that exist."""
    if not isinstance(info.splits, dict):
        return False
    for part in info.splits.values():
        match = re.fullmatch(r"(\d+):(\d+)", str(part))
        if match is None or not int(match[1]) <= int(match[2]) <= info.total_episodes:
            return False
    return True


def wrong_video_info(said: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """Entries of a camera's `info` that its file contradicts, with what the file has; none if it cannot be read."""
    try:
        found = stream_info(path)
    except DatasetError:
        return {}
    return {name: value for name, value in found.items() if name in said and said[name] != value}


def _first_video(root: Path, info: Info, table: Episodes, key: str) -> Path:
    places = (int(table.column(f"videos/{key}/{name}")[0]) for name in ("chunk_index", "file_index"))
    return root / info.video_file(key, *places)


def _places(root: Path, info: Info, table: Episodes) -> Iterator[Finding]:
    declared = read_json(root / layout.INFO_PATH)
    for name, used in (("data_path", info.data_path), ("video_path", info.video_path)):
        if used is not None and declared.get(name, used) != used:
            yield _warning("places", f"info.json has {name} {declared[name]!r}, the files stand as {used!r}")
    if info.is_legacy:
        usual = np.arange(len(table)) // info.chunks_size
        for name in ("data", *(f"videos/{key}" for key in info.video_keys)):
            if (wrong := np.flatnonzero(table.column(f"{name}/chunk_index") != usual)).size:
                text = f"{name}: the file is in another chunk folder than chunks_size {info.chunks_size} says"
                yield Finding("warning", "places", text, int(wrong[0]))


def _row_numbers(root: Path, info: Info, table: Episodes) -> Iterator[Finding]:
    declared = read_json(root / layout.INFO_PATH)["features"]
    if undeclared := [name for name in ROW_NUMBERS if name not in declared]:
        yield _warning("row_numbers", f"info.json does not declare {', '.join(undeclared)}")
    for file in data_files(root, info, table):
        try:
            absent = absent_numbers(file)
        except DatasetError:
            continue  # said where its rows are checked
        if absent:
            text = f"{file.path} lacks {', '.join(absent)}, which follow from the lengths of the episodes"
            yield Finding("warning", "row_numbers", text, file.first_episode)


def _warning(check: str, text: str, feature: str | None = None) -> Finding:
    return Finding("warning", check, text, None, feature)
