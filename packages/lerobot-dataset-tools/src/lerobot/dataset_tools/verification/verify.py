"""All checks of a dataset, in the order in which their findings explain each other."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lerobot.core.paths import user_path
from lerobot.dataset_tools.edit.images import SourceImages
from lerobot.dataset_tools.verification.images import camera_findings
from lerobot.dataset_tools.verification.motion import jumps, odd_lengths, stuck_joints
from lerobot.dataset_tools.verification.statistics import statistics_findings
from lerobot.datasets.checks.findings import Finding
from lerobot.datasets.checks.structure import check_structure
from lerobot.datasets.dataset.metadata import LeRobotDatasetMetadata
from lerobot.datasets.format import layout
from lerobot.datasets.format.info import load_info
from lerobot.datasets.reader.source import EditSource, open_source
from lerobot.datasets.statistics.recompute import read_columns
from lerobot.datasets.storage.rows import undeclared_columns

ACTION, STATE = "action", "observation.state"
_OF_HUB = frozenset({"README.md", "LICENSE"})
"""What repositories have beside a dataset."""
_MOVING = 0.05
"""Part of its range that a joint has to move for the images to show it."""


def verify_dataset(root: Path, *, pictures: bool = True) -> Iterator[Finding]:
    """Check a dataset of any version.

    Args:
        root: its folder.
        pictures: decode every image.

    Yields:
        What is wrong or looks wrong; where rows cannot be read, what depends on them is not checked.

    Raises:
        DatasetError: there is no dataset at all.
    """
    root = user_path(root)
    if load_info(root).total_episodes == 0:
        return
    findings = check_structure(root)
    yield from findings
    if any(finding.severity == "error" and finding.check not in ("video", "picture_count") for finding in findings):
        return
    source = open_source(root)
    yield from _of_other_tools(source)
    columns = {key: _column(source, key) for key in (ACTION, STATE) if _is_vector(source, key)}
    bounds = list(zip(*(source.episodes[f"dataset_{side}_index"] for side in ("from", "to")), strict=True))
    for key, values in columns.items():
        yield from jumps(key, source.info.features[key], values, bounds)
    if len(columns) == 2 and columns[ACTION].shape == columns[STATE].shape:
        yield from stuck_joints(STATE, source.info.features[STATE], columns[STATE], columns[ACTION], bounds)
    yield from odd_lengths(source.episodes.column("length"))
    yield from statistics_findings(root, source.info, LeRobotDatasetMetadata(root.name, root).stats)
    if pictures:
        motion = columns.get(STATE, columns.get(ACTION))
        with SourceImages(source) as reader:
            missing = {finding.feature for finding in findings if finding.check == "video"}
            for key in (key for key in source.info.camera_keys if key not in missing):
                yield from camera_findings(reader, key, _Motion(motion, bounds))


def _of_other_tools(source: EditSource) -> Iterator[Finding]:
    for name in layout.other_files(source.root):
        if name not in _OF_HUB:
            text = f"{name} is not a file of the format; it is not read, and edits keep it as it is"
            yield Finding("note", "other_file", text)
    names = dict.fromkeys(field.name for file in source.files for field in undeclared_columns(file, source.info))
    for name in names:
        text = f"data files have the column {name}, which info.json does not declare; it is not read, and edits keep it"
        yield Finding("note", "undeclared", text, None, name)


class _Motion:
    """Whether the robot moves between two frames of an episode; never, where nothing tells."""

    def __init__(self, values: NDArray[np.float64] | None, bounds: list[tuple[int, int]]) -> None:
        self._values = values
        self._bounds = bounds
        self._least = None if values is None else _MOVING * np.ptp(values, axis=0)

    def __call__(self, episode: int, first: int, last: int) -> bool:
        if self._values is None or self._least is None:
            return False
        begin = self._bounds[episode][0]
        part = self._values[begin + first : begin + last + 1]
        return bool((np.ptp(part, axis=0) > self._least).any())


def _is_vector(source: EditSource, key: str) -> bool:
    feature = source.info.features.get(key)
    return feature is not None and len(feature["shape"]) == 1 and str(feature["dtype"]).startswith("float")


def _column(source: EditSource, key: str) -> NDArray[np.float64]:
    feature = source.info.features[key]
    parts = [read_columns(file.path, {key: feature})[key][: file.rows] for file in source.files]
    return np.concatenate(parts).astype(np.float64).reshape(-1, feature["shape"][0])
