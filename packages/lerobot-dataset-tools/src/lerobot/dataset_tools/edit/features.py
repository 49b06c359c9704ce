"""Columns and cameras taken out, put in and named anew."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lerobot.core.errors import DatasetError, FeatureMismatchError
from lerobot.dataset_tools.edit.added import AddedColumn, read_array
from lerobot.dataset_tools.edit.job import ShardedWork
from lerobot.dataset_tools.edit.outcome import EditResult, carry_out
from lerobot.dataset_tools.edit.plan import EditPlan, Selection, numbered_tasks
from lerobot.dataset_tools.edit.upgrade import upgraded_info
from lerobot.datasets.format.features import INDEX_DTYPES, NUMERIC_DTYPES, STRING, normalize_features
from lerobot.datasets.format.info import Info
from lerobot.datasets.reader.source import EditSource, open_source
from lerobot.datasets.storage.rows import undeclared_columns


def remove_feature(
    root: Path, feature_names: Sequence[str], new_root: Path | None = None, *, work: ShardedWork | None = None
) -> EditResult:
    """Leave columns or cameras out; no video is touched.

    Args:
        root: the dataset.
        feature_names: names of those to remove.
        new_root: see `carry_out`.
        work: see `carry_out`.

    Raises:
        FeatureMismatchError: a name is unknown, or every dataset has the feature; nothing was changed.
    """
    source = open_source(root)
    if not feature_names:
        raise DatasetError(
            "no feature was named", expected="such as --operation.feature_names=\"['observation.effort']\""
        )
    _check_changeable(source, feature_names, "removed")
    info = upgraded_info(source.info)
    info.features = {key: feature for key, feature in info.features.items() if key not in feature_names}
    if not info.video_keys:
        info.video_path = None
    return carry_out(every_episode(source, info), root, new_root, work)


def add_features(
    root: Path,
    features: Mapping[str, tuple[ArrayLike | Path, Mapping[str, Any]]],
    new_root: Path | None = None,
    *,
    work: ShardedWork | None = None,
) -> EditResult:
    """Add columns with a value for every frame, and their statistics.

    Args:
        root: the dataset.
        features: per new name its values `(frames, *shape)`, in order of the frames, or the .npy file that holds them,
            and its declaration (`dtype`, `shape`, `names`): a number type or `"string"`.
        new_root: see `carry_out`.
        work: see `carry_out`; values that differ from frame to frame must be in a file then.

    Raises:
        FeatureMismatchError: a name is taken, a declaration wrong, or the values do not fit it; nothing was changed.
    """
    source = open_source(root)
    if taken := [key for key in features if key in source.info.features]:
        raise FeatureMismatchError(f"{root} has {', '.join(taken)} already", keys=taken, expected="new names")
    declared = normalize_features({key: declaration for key, (_, declaration) in features.items()})
    info = upgraded_info(source.info)
    frames = int(source.episodes.column("length").sum())
    added: dict[str, AddedColumn] = {}
    for key, (values, _) in features.items():
        file = values if isinstance(values, Path) else None
        array = np.asarray(values) if file is None else read_array(file)
        added[key] = AddedColumn(_checked(key, array, declared[key], frames), file)
    user = {key: feature for key, feature in info.features.items() if key not in INDEX_DTYPES}
    info.features = {**user, **declared, **{key: info.features[key] for key in INDEX_DTYPES}}
    return carry_out(every_episode(source, info, added), root, new_root, work)


def add_feature(
    root: Path,
    name: str,
    new_root: Path | None = None,
    *,
    dtype: str = "float32",
    shape: Sequence[int] = (1,),
    values: ArrayLike | Path | None = None,
    names: Sequence[str] | None = None,
    work: ShardedWork | None = None,
) -> EditResult:
    """Add one column, with its statistics.

    Args:
        root: the dataset.
        name: of the feature.
        new_root: see `carry_out`.
        dtype: a number type or `"string"`.
        shape: of the value of a frame.
        values: `(frames, *shape)`, in order of the frames; or one value of `shape` for all of them; or the .npy file
            that holds them. Zeros, or empty texts, if None.
        names: of the elements.
        work: see `add_features`.

    Raises:
        FeatureMismatchError: the name is taken, the declaration wrong, or the values do not fit it; nothing was
            changed.
    """
    declaration = {"dtype": dtype, "shape": tuple(shape), "names": None if names is None else list(names)}
    # Before its shape is used, so that a wrong one is named.
    (declared,) = normalize_features({name: declaration}).values()
    frames = int(open_source(root).episodes.column("length").sum())
    if isinstance(values, Path):
        array = read_array(values)
        if array.shape[:1] == (frames,):
            return add_features(root, {name: (values, declaration)}, new_root, work=work)
        values = array
    one = np.asarray(("" if dtype == STRING else 0) if values is None else values)
    if values is None or one.shape == declared["shape"] or (declared["shape"] == (1,) and one.ndim == 0):
        one = np.broadcast_to(one, (frames, *declared["shape"]))
    return add_features(root, {name: (one, declaration)}, new_root, work=work)


def rename_feature(
    root: Path, names: Mapping[str, str], new_root: Path | None = None, *, work: ShardedWork | None = None
) -> EditResult:
    """Give columns or cameras other names; values, images and statistics stay as they are, and no video is touched.

    Args:
        root: the dataset.
        names: per name the new one; two may be swapped.
        new_root: see `carry_out`.
        work: see `carry_out`.

    Raises:
        FeatureMismatchError: a name is unknown, every dataset has the feature by this name, or a new name is taken or
            cannot be used; nothing was changed.
    """
    source = open_source(root)
    if not names:
        raise DatasetError("no feature was named", expected='such as --operation.names="{observation.image: front}"')
    _check_changeable(source, list(names), "renamed")
    features = {names.get(key, key): feature for key, feature in source.info.features.items()}
    undeclared = {field.name for file in source.files for field in undeclared_columns(file, source.info)}
    staying = [key for key in source.info.features if key not in names]
    taken = [new for new in names.values() if new in {*staying, *undeclared} or list(names.values()).count(new) > 1]
    if taken:
        raise FeatureMismatchError(f"{root} would have {taken[0]} twice", keys=taken, expected="new names")
    info = upgraded_info(source.info)
    info.features = {names.get(key, key): feature for key, feature in info.features.items()}
    normalize_features(features)
    plan = every_episode(source, info)
    return carry_out(replace(plan, renamed={new: old for old, new in names.items()}), root, new_root, work)


def _check_changeable(source: EditSource, names: Sequence[str], what: str) -> None:
    changeable = [key for key in source.info.features if key not in INDEX_DTYPES]
    if unknown := [name for name in names if name not in changeable]:
        raise FeatureMismatchError(
            f"{source.root} has no feature {', '.join(unknown)} that can be {what}",
            keys=unknown,
            expected=", ".join(changeable),
        )


def every_episode(source: EditSource, info: Info, added: Mapping[str, AddedColumn] | None = None) -> EditPlan:
    """A plan of all episodes under their own numbers and tasks.

    Args:
        source: the dataset.
        info: declarations of the result.
        added: columns whose values are new, see `EditPlan`.
    """
    episodes = np.arange(len(source.episodes))
    selection = Selection(source, episodes, numbered_tasks(source, episodes))
    new = added or {}
    # A v2.x dataset becomes v3.0 by this, with statistics that it may never have had.
    only = None if source.info.is_legacy else frozenset(new)
    return EditPlan(
        [selection],
        info,
        source.tasks,
        added=new,
        fresh_statistics=source.info.is_legacy,
        only_statistics=only,
    )


def _checked(key: str, values: NDArray[Any], feature: Mapping[str, Any], frames: int) -> NDArray[Any]:
    dtype, shape = feature["dtype"], feature["shape"]
    if dtype not in NUMERIC_DTYPES | {STRING}:
        raise FeatureMismatchError(
            f"feature {key!r} has dtype {dtype!r}", keys=[key], expected="a number type or 'string'"
        )
    wanted = (frames,) if shape == (1,) else (frames, *shape)
    if values.shape not in (wanted, (frames, *shape)):
        raise FeatureMismatchError(f"feature {key!r} has values {values.shape}", keys=[key], expected=f"{wanted}")
    if dtype == STRING:
        return values.reshape(frames).astype(object)
    if values.dtype.kind not in "fiub" or not np.can_cast(values.dtype, dtype, "same_kind"):
        raise FeatureMismatchError(f"feature {key!r} has {values.dtype} values", keys=[key], expected=dtype)
    if not np.isfinite(values).all():
        row = int(np.argwhere(~np.isfinite(values))[0][0])
        raise FeatureMismatchError(f"feature {key!r} is not finite in frame {row}", keys=[key])
    return values.reshape(wanted).astype(dtype, copy=False)
