"""The episodes table of the result: rows of the kept episodes with new numbers, places and index statistics."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from lerobot.dataset_tools.edit.done import DoneParts
from lerobot.dataset_tools.edit.parts import counted_statistics, counting_parts, measuring_parts, statistics_of
from lerobot.dataset_tools.edit.places import numbering
from lerobot.dataset_tools.edit.plan import EditPlan
from lerobot.dataset_tools.edit.videos import Clip
from lerobot.datasets.format import layout
from lerobot.datasets.format.episodes import META_POSITION_COLUMNS, episodes_schema
from lerobot.datasets.format.features import CAMERA_DTYPES
from lerobot.datasets.format.stats_json import FeatureStats, flatten_stats
from lerobot.datasets.statistics.dataset import column_statistics
from lerobot.datasets.statistics.recompute import read_columns
from lerobot.datasets.writer.compaction import FilePosition


def write_episodes(
    plan: EditPlan, folder: Path, data: list[FilePosition], videos: Mapping[str, list[Clip]], done: DoneParts
) -> None:
    """Write `meta/episodes`.

    Args:
        plan: the result.
        folder: its folder, where the data files are.
        data: data file of each episode.
        videos: per camera, where each episode's images are.
        done: statistics of images.

    Raises:
        DatasetError: a data file cannot be read.
        OSError: the disk is full.
    """
    table = _source_rows(plan)
    columns = _base_columns(plan, data, videos)
    schema = episodes_schema(plan.info.video_keys)
    other = [name for name in table.column_names if name not in schema.names and _stays(name, plan)]
    fields = [*schema, *(table.schema.field(name) for name in other)]
    arrays = [pa.array(columns[name], schema.field(name).type) for name in schema.names]
    table = pa.table([*arrays, *(table.column(name) for name in other)], schema=pa.schema(fields))
    for name, values in _new_statistics(plan, folder, data, table, done).items():
        array = pa.array(values)
        position = table.schema.get_field_index(name)
        table = table.append_column(name, array) if position < 0 else table.set_column(position, name, array)
    _write(plan, folder, table)


def _source_rows(plan: EditPlan) -> pa.Table:
    parts = [selection.source.rows.take(pa.array(selection.episodes)) for selection in plan.selections]
    table = pa.concat_tables(parts, promote_options="permissive").combine_chunks()
    new = {old: name for name, old in plan.renamed.items()}
    return table.rename_columns([_renamed(name, new) for name in table.column_names])


def _renamed(column: str, new: Mapping[str, str]) -> str:
    """A column of statistics under the name that its feature has now."""
    kind, _, rest = column.partition("/")
    key, _, statistic = rest.rpartition("/")
    return f"stats/{new[key]}/{statistic}" if kind == "stats" and key in new else column


def _base_columns(plan: EditPlan, data: list[FilePosition], videos: Mapping[str, list[Clip]]) -> dict[str, Any]:
    lengths, starts, tasks = plan.lengths, plan.starts, plan.task_numbers
    columns: dict[str, Any] = {
        "episode_index": np.arange(len(lengths)),
        "tasks": [
            [plan.tasks.name(number) for number in dict.fromkeys(tasks[start : start + length].tolist())]
            for start, length in zip(starts.tolist(), lengths.tolist(), strict=True)
        ],
        "length": lengths,
        "data/chunk_index": [place[0] for place in data],
        "data/file_index": [place[1] for place in data],
        "dataset_from_index": starts,
        "dataset_to_index": starts + lengths,
    }
    for key, clips in videos.items():
        columns[f"videos/{key}/chunk_index"] = [clip.place[0] for clip in clips]
        columns[f"videos/{key}/file_index"] = [clip.place[1] for clip in clips]
        columns[f"videos/{key}/from_timestamp"] = [clip.begin for clip in clips]
        columns[f"videos/{key}/to_timestamp"] = [clip.end for clip in clips]
    return columns


def _stays(name: str, plan: EditPlan) -> bool:
    """Whether a column of the sources describes the result: not that of a feature it does not have or computes anew."""
    kind, _, rest = name.partition("/")
    if kind != "stats":
        return kind not in ("videos", "data", "meta")
    feature = plan.info.features.get(rest.rpartition("/")[0])
    return feature is not None and (not plan.fresh_statistics or feature["dtype"] in CAMERA_DTYPES)


def _new_statistics(
    plan: EditPlan, folder: Path, data: list[FilePosition], table: pa.Table, done: DoneParts
) -> dict[str, list[Any]]:
    """Columns of statistics that differ from the sources'."""
    changed = plan.changed_numbers
    images = plan.decoded_statistics
    numbers = [key for key in changed if key not in images]
    columns = _counted(plan, done) if plan.source_statistics else _column_statistics(plan, folder, data, numbers)
    result: dict[str, list[Any]] = {}
    for key in dict.fromkeys([*changed, *sorted(images)]):
        known = {name for name in table.column_names if name.startswith(f"stats/{key}/")}
        for episode, stats in enumerate(_image_statistics(plan, key, done) if key in images else columns[key]):
            # A table from before quantiles stays without them, for its rows must be alike.
            flat = {name: value for name, value in flatten_stats({key: stats}).items() if not known or name in known}
            for name, value in flat.items():
                result.setdefault(name, [None] * episode).append(value)
    return result


def _counted(plan: EditPlan, done: DoneParts) -> dict[str, list[FeatureStats]]:
    """As `_column_statistics`, of the numbers of the source, which are those of the result."""
    result: dict[str, list[FeatureStats]] = {}
    for part in counting_parts(plan, done.megabytes):
        folder, _ = done.get(part, plan.selections[0].source)
        for stats in counted_statistics(folder):
            for key, values in stats.items():
                result.setdefault(key, []).append(values)
    return result


def _column_statistics(
    plan: EditPlan, folder: Path, data: list[FilePosition], keys: Sequence[str]
) -> dict[str, list[FeatureStats]]:
    """Statistics of numeric features, per feature a list by episode; each data file is read once."""
    features = {key: plan.info.features[key] for key in keys}
    result: dict[str, list[FeatureStats]] = {key: [] for key in keys}
    columns: dict[str, NDArray[Any]] = {}
    opened, first = None, 0
    for place, start, length in zip(data, plan.starts.tolist(), plan.lengths.tolist(), strict=True):
        if place != opened and keys:
            opened, first = place, start
            columns = read_columns(folder / plan.info.data_file(*place), features)
        for key, values in columns.items():
            result[key].append(column_statistics(values[start - first : start - first + length]))
    return result


def _image_statistics(plan: EditPlan, key: str, done: DoneParts) -> Iterable[FeatureStats]:
    """Statistics of one camera, from as many decoded images of each episode as the format's rule samples."""
    for selection in plan.selections:
        measured: dict[int, FeatureStats] = {}
        for part in measuring_parts(plan, selection, key, done.megabytes):
            _, data = done.get(part, selection.source)
            measured.update(zip(part.episodes, statistics_of(data), strict=True))
        yield from (measured[episode] for episode in selection.episodes.tolist())


def _write(plan: EditPlan, folder: Path, table: pa.Table) -> None:
    limit = plan.info.data_files_size_in_mb * layout.MEGABYTE
    rows = max(1, int(limit * table.num_rows / max(table.nbytes, 1)))
    for place, first in zip(numbering(plan.info.chunks_size), range(0, table.num_rows, rows), strict=False):
        part = table.slice(first, rows)
        for name, number in zip(META_POSITION_COLUMNS, place, strict=True):
            part = part.append_column(name, pa.array([number] * part.num_rows, pa.int64()))
        path = folder / layout.format_path(layout.EPISODES_PATH, *place)
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(part, path)
