"""Whether a recording may go on in an existing dataset."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lerobot.core.errors import DatasetError, FeatureMismatchError
from lerobot.datasets.format import layout
from lerobot.datasets.format.episodes import load_episodes
from lerobot.datasets.format.features import INDEX_DTYPES, LANGUAGE, FeatureMap, normalize_features
from lerobot.datasets.format.info import Info
from lerobot.datasets.storage.rows import absent_numbers, data_files, undeclared_columns
from lerobot.datasets.writer.frames import check_cameras

_LAYOUT = {"data_path": layout.DATA_PATH, "video_path": layout.VIDEO_PATH}


def check_can_continue(info: Info, root: Path, features: Mapping[str, Any] | None) -> None:
    """Refuse to record into a dataset that new episodes would not fit.

    Args:
        info: the dataset's declarations.
        root: its folder, for messages.
        features: what will be recorded, without the default features; not compared if None.

    Raises:
        DatasetError: the dataset has an older format, a layout of its own, or columns that no recording fills, or its
            data files lack some.
        FeatureMismatchError: names every feature that is missing, new, or of another dtype, shape or names.
    """
    if info.is_legacy:
        raise DatasetError(
            f"{root} has format {info.codebase_version}, which is only read",
            expected="v3.0",
            hint="convert it: lerobot convert-dataset --help",
        )
    for entry, usual in _LAYOUT.items():
        if (given := getattr(info, entry)) not in (usual, None):
            raise DatasetError(f"{root} keeps its files as {entry} {given!r}", expected=usual)
    if language := [key for key, feature in info.features.items() if feature["dtype"] == LANGUAGE]:
        raise DatasetError(f"{root} is annotated ({', '.join(language)}), and no recording fills these columns")
    files = data_files(root, info, load_episodes(root, info))
    if absent := [name for file in files for name in absent_numbers(file)]:
        raise DatasetError(
            f"data files of {root} lack {', '.join(dict.fromkeys(absent))}",
            hint="write them: lerobot edit-dataset --operation.type=repair",
        )
    if undeclared := ", ".join(field.name for field in undeclared_columns(files[0], info)) if files else "":
        raise DatasetError(
            f"{root} has columns that info.json does not declare ({undeclared}), and no recording fills them"
        )
    check_cameras(info.features)
    if features is None:
        return
    wanted = normalize_features(features)
    user_features = {key: feature for key, feature in info.features.items() if key not in INDEX_DTYPES}
    different = sorted(key for key in user_features.keys() | wanted.keys() if not _same(user_features, wanted, key))
    if different:
        raise FeatureMismatchError(
            f"what is to be recorded differs from {root} in {', '.join(different)}",
            keys=different,
            expected="the same features, dtypes, shapes and names as the dataset has",
            hint="record into a new folder; what is saved stays as it is",
        )


def _same(one: FeatureMap, other: FeatureMap, key: str) -> bool:
    if key not in one or key not in other:
        return False
    return all(_plain(one[key][part]) == _plain(other[key][part]) for part in ("dtype", "shape", "names"))


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
