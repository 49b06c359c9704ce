"""All checks of a dataset, in the order in which their findings explain each other."""

from collections.abc import Iterator
from pathlib import Path

from lerobot.core.paths import user_path
from lerobot.dataset_tools.verification.cameras import ImageCheck, check_here
from lerobot.dataset_tools.verification.motion import jumps, odd_lengths, stuck_joints
from lerobot.dataset_tools.verification.moving import column, moving_parts
from lerobot.dataset_tools.verification.statistics import statistics_findings
from lerobot.datasets.checks.findings import Finding
from lerobot.datasets.checks.structure import check_structure
from lerobot.datasets.dataset.metadata import LeRobotDatasetMetadata
from lerobot.datasets.format import layout
from lerobot.datasets.format.info import load_info
from lerobot.datasets.reader.source import EditSource, open_source
from lerobot.datasets.storage.rows import undeclared_columns

ACTION, STATE = "action", "observation.state"
_OF_HUB = frozenset({"README.md", "LICENSE"})
"""What repositories have beside a dataset."""


def verify_dataset(root: Path, *, pictures: bool = True, check: ImageCheck = check_here) -> Iterator[Finding]:
    """Check a dataset of any version.

    Args:
        root: its folder.
        pictures: decode every image.
        check: decodes and checks them, here or elsewhere.

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
    columns = {key: column(source, key) for key in (ACTION, STATE) if _is_vector(source, key)}
    bounds = list(zip(*(source.episodes[f"dataset_{side}_index"] for side in ("from", "to")), strict=True))
    for key, values in columns.items():
        yield from jumps(key, source.info.features[key], values, bounds)
    if len(columns) == 2 and columns[ACTION].shape == columns[STATE].shape:
        yield from stuck_joints(STATE, source.info.features[STATE], columns[STATE], columns[ACTION], bounds)
    yield from odd_lengths(source.episodes.column("length"))
    yield from statistics_findings(root, source.info, LeRobotDatasetMetadata(root.name, root).stats)
    if pictures:
        missing = {finding.feature for finding in findings if finding.check == "video"}
        cameras = [key for key in source.info.camera_keys if key not in missing]
        yield from check(source, cameras, moving_parts(columns))


def _of_other_tools(source: EditSource) -> Iterator[Finding]:
    for name in layout.other_files(source.root):
        if name not in _OF_HUB:
            text = f"{name} is not a file of the format; it is not read, and edits keep it as it is"
            yield Finding("note", "other_file", text)
    names = dict.fromkeys(field.name for file in source.files for field in undeclared_columns(file, source.info))
    for name in names:
        text = f"data files have the column {name}, which info.json does not declare; it is not read, and edits keep it"
        yield Finding("note", "undeclared", text, None, name)


def _is_vector(source: EditSource, key: str) -> bool:
    feature = source.info.features.get(key)
    return feature is not None and len(feature["shape"]) == 1 and str(feature["dtype"]).startswith("float")
