"""What an edit does to some episodes, apart from the rest of it: shards, if an engine does them.

A part is all there is to do for one camera in some files of a source, so that one worker opens each file; or it is a
data file of the result, see `row_parts`. What comes out depends on nothing but the part and the sources.
"""

import functools
import itertools
import json
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from lerobot.core.errors import DatasetError
from lerobot.core.json_file import read_json
from lerobot.core.signals import check_stop
from lerobot.dataset_tools.edit.groups import files_of, joined, state_of
from lerobot.dataset_tools.edit.images import SourceImages, encode_episode
from lerobot.dataset_tools.edit.plan import EditPlan, Selection
from lerobot.dataset_tools.edit.row_parts import RowsPart, Sources, data_files_of, make_rows
from lerobot.datasets.format.features import image_size
from lerobot.datasets.format.stats_json import FeatureStats, Stats, stats_from_json, stats_to_json
from lerobot.datasets.reader.images import EpisodeVideos
from lerobot.datasets.reader.source import EditSource, open_source
from lerobot.datasets.statistics.dataset import column_statistics
from lerobot.datasets.statistics.images import ImageStatistics
from lerobot.datasets.statistics.recompute import numeric_columns
from lerobot.datasets.video.cut import copy_ranges, copyable, encode_range
from lerobot.datasets.video.encode import available_encoders
from lerobot.datasets.video.encoder_config import DepthEncoderConfig, RGBEncoderConfig

logger = logging.getLogger(__name__)

WORKER = "edit_episodes"
_STATISTICS = "statistics.json"

Work = Literal["encode", "cut", "measure", "count"]
"""`encode` every image anew, `cut` the episodes out of one video file, `measure` statistics of a sample of the images;
or `count` numbers: statistics of all values."""

Clips = list[tuple[int, float, float]]
"""Of each episode in a file its number in the source, and when its images begin and end, in seconds."""


@dataclass(frozen=True, slots=True)
class Part:
    """Work on images, or on numbers.

    Attributes:
        work: see `Work`.
        root: folder of the source.
        features: names of the camera, or of the numbers, there.
        episodes: numbers of the episodes there.
        frames: of each episode the first frame that stays and the one after the last.
        state: size and time of the files, by which a source that changed since is another one.
        encoder: settings to encode with.
        is_depth: whether they are of depth.
        threads: of the encoder.
    """

    work: Work
    root: str
    features: list[str]
    episodes: list[int]
    frames: list[list[int]]
    state: list[list[int]]
    encoder: dict[str, Any] | None = None
    is_depth: bool = False
    threads: int = 1

    def to_row(self) -> dict[str, Any]:
        """The part as a row of a plan."""
        return asdict(self)


def parts_of(plan: EditPlan, megabytes: float) -> Iterator[Part | RowsPart]:
    """Every part of an edit.

    Args:
        plan: the edit.
        megabytes: source files for each part.

    Raises:
        DatasetError: a source is damaged.
    """
    yield from (part for _, part in data_files_of(plan) if part is not None)
    for key in plan.info.video_keys:
        for selection in plan.selections:
            if key in plan.encoders:
                yield from encoding_parts(plan, selection, key, megabytes)
            else:
                yield from (part for _, part in stored_files(plan, selection, key) if part is not None)
    if plan.source_statistics:
        yield from counting_parts(plan, megabytes)
    for key in sorted(plan.decoded_statistics):
        for selection in plan.selections:
            yield from measuring_parts(plan, selection, key, megabytes)


def encoding_parts(plan: EditPlan, selection: Selection, key: str, megabytes: float) -> Iterator[Part]:
    """Parts that encode a camera of a source anew; see `parts_of`."""
    # On this machine, so that `auto` is the same codec for every worker.
    config = plan.encoders[key].resolved(available_encoders())
    settings = {
        "encoder": config.model_dump(mode="json"),
        "is_depth": isinstance(config, DepthEncoderConfig),
        "threads": plan.encoder_threads,
    }
    for files in _groups(plan, selection, key, megabytes):
        yield _part("encode", selection, [plan.stored(key)], files, **settings)


def measuring_parts(plan: EditPlan, selection: Selection, key: str, megabytes: float) -> Iterator[Part]:
    """Parts that compute statistics of a camera of a source; see `parts_of`."""
    for files in _groups(plan, selection, key, megabytes):
        yield _part("measure", selection, [plan.stored(key)], files)


def counting_parts(plan: EditPlan, megabytes: float) -> Iterator[Part]:
    """Parts that compute statistics of the numbers of the one source; see `parts_of`."""
    (selection,) = plan.selections
    keys = [key for key in plan.changed_numbers if key not in plan.decoded_statistics]
    files = {
        file.path: list(range(file.first_episode, file.first_episode + len(file.lengths)))
        for file in selection.source.files
    }
    for group in joined(files, megabytes):
        yield _part("count", selection, keys, group)


def stored_files(
    plan: EditPlan, selection: Selection, key: str
) -> Iterator[tuple[tuple[Path, list[int]], Part | None]]:
    """Video files of a camera of a source that is not encoded anew, with their kept episodes.

    Yields:
        A file with its episodes, and the part that cuts them out; None where all of the file stays.

    Raises:
        DatasetError: a file is missing.
    """
    source, frames = selection.source, selection.kept
    whole = frames.ends - frames.begins == source.episodes.column("length")
    chosen = set(selection.episodes.tolist())
    for path, episodes in files_of(source, plan.stored(key), range(len(source.episodes))).items():
        kept = [episode for episode in episodes if episode in chosen]
        if kept and not path.exists():
            raise DatasetError(f"{path} is missing, with the images of its episodes")
        if whole[episodes].all():
            yield (path, kept), None
        elif kept:
            yield (path, kept), _part("cut", selection, [plan.stored(key)], {path: kept})


def do_part(part: Part | RowsPart, sources: Sources, folder: Path) -> dict[str, Any]:
    """Do a part.

    Args:
        part: what to do.
        sources: opens a dataset.
        folder: an empty folder for the files.

    Returns:
        JSON: the files with their `Clips`, or the statistics of each episode.

    Raises:
        DatasetError: an image is missing or damaged, or the encoder fails.
    """
    if isinstance(part, RowsPart):
        return make_rows(part, sources, folder)
    doing: dict[str, Callable[[Part, EditSource, Path], dict[str, Any]]] = {
        "encode": _encode,
        "cut": _cut,
        "measure": _measure,
        "count": _count,
    }
    return doing[part.work](part, sources(part.root), folder)


def edit_episodes(
    row: Mapping[str, Any],
    settings: Mapping[str, Any],  # noqa: ARG001 # a part says everything
    folder: Path,
) -> dict[str, Any]:
    """Worker `edit_episodes`: see `do_part`."""
    part = RowsPart.of_row(row) if row["work"] == "rows" else Part(**row)
    return do_part(part, functools.cache(lambda root: open_source(Path(root))), folder)


def statistics_of(data: Mapping[str, Any]) -> list[FeatureStats]:
    """What a part that measures came to, per episode."""
    return [stats_from_json({"image": each}, WORKER)["image"] for each in data["statistics"]]


def counted_statistics(folder: Path) -> list[Stats]:
    """What a part that counts came to, per episode."""
    path = folder / _STATISTICS
    return [stats_from_json(each, str(path)) for each in read_json(path)]


def sampled_frames(length: int) -> "np.ndarray[tuple[int, ...], np.dtype[np.int64]]":
    """Frames of an episode that stand for its images: the 0.75th power of their number, 100 to 10,000, evenly spread.

    Args:
        length: frames of the episode.
    """
    wanted = max(min(100, length), min(int(length**0.75), 10_000))
    return np.round(np.linspace(0, length - 1, wanted)).astype(np.int64)


def _groups(plan: EditPlan, selection: Selection, key: str, megabytes: float) -> Iterator[dict[Path, list[int]]]:
    return joined(files_of(selection.source, plan.stored(key), selection.episodes.tolist()), megabytes)


def _part(
    work: Work,
    selection: Selection,
    features: list[str],
    files: Mapping[Path, list[int]],
    **settings: Any,
) -> Part:
    kept = selection.kept
    # In the order of the episodes, which is that of the result.
    episodes = sorted(itertools.chain.from_iterable(files.values()))
    return Part(
        work=work,
        root=str(selection.source.root.absolute()),
        features=features,
        episodes=episodes,
        frames=[[int(kept.begins[episode]), int(kept.ends[episode])] for episode in episodes],
        state=state_of(files),
        **settings,
    )


def _encode(part: Part, source: EditSource, folder: Path) -> dict[str, Any]:
    model = DepthEncoderConfig if part.is_depth else RGBEncoderConfig
    config = model.model_validate(part.encoder)
    files = []
    with SourceImages(source) as images:
        for episode in part.episodes:
            path = folder / f"{episode}.mp4"
            seconds = encode_episode(images, episode, part.features[0], config, path, threads=part.threads)
            files.append([path.name, [(episode, 0.0, seconds)]])
    return {"files": files}


def _measure(part: Part, source: EditSource, folder: Path) -> dict[str, Any]:  # noqa: ARG001 # it makes no file
    channels = image_size(source.info.features[part.features[0]])[2]
    measured: list[FeatureStats] = []
    with SourceImages(source) as images:
        for episode, (begin, end) in zip(part.episodes, part.frames, strict=True):
            statistics = ImageStatistics(channels)
            for image in images.read(part.features[0], episode, begin + sampled_frames(end - begin)):
                statistics.add(image)
            measured.append(statistics.summary())
    return {"statistics": [stats_to_json({"image": each})["image"] for each in measured]}


def _count(part: Part, source: EditSource, folder: Path) -> dict[str, Any]:
    features = {key: source.info.features[key] for key in part.features}
    wanted = set(part.episodes)
    counted: list[Stats] = []
    for file in (file for file in source.files if file.first_episode in wanted):
        columns = numeric_columns(source.read(file, part.features), features, file.path)
        first = 0
        for length in file.lengths.tolist():
            counted.append({key: column_statistics(each[first : first + length]) for key, each in columns.items()})
            first += length
    text = json.dumps([stats_to_json(stats) for stats in counted])
    (folder / _STATISTICS).write_text(text, encoding="utf-8")
    return {}


def _cut(part: Part, source: EditSource, folder: Path) -> dict[str, Any]:
    videos = EpisodeVideos(source.root, source.info, source.episodes, tolerance_s=1e-4)
    try:
        return {"files": list(_cut_out(part, source, videos, folder))}
    finally:
        videos.close()


def _cut_out(part: Part, source: EditSource, videos: EpisodeVideos, folder: Path) -> Iterator[tuple[str, Clips]]:
    path, table = videos.path(part.features[0], part.episodes[0]), videos.table(part.features[0], part.episodes[0])
    spans = {episode: videos.span(part.features[0], episode) for episode in part.episodes}
    for episode, (begin, end) in zip(part.episodes, part.frames, strict=True):
        if end - begin != source.episodes.column("length")[episode]:
            first, stop = spans[episode]
            spans[episode] = first + begin, min(first + end, stop)
    kept = sorted(part.episodes, key=spans.__getitem__)
    if empty := [episode for episode in kept if spans[episode][0] >= spans[episode][1]]:
        raise DatasetError(f"{path} has no image of episode {empty[0]}", hint="delete this episode as well")
    flags = dict(zip(kept, copyable(path, table, [spans[e] for e in kept]), strict=True))
    for can_copy, run in itertools.groupby(kept, flags.__getitem__):
        members = list(run)
        if can_copy:
            draft = folder / f"{members[0]}.mp4"
            begins = copy_ranges(path, table, [spans[e] for e in members], draft)
            times = itertools.pairwise(begins)
            yield draft.name, [(e, begin, end) for e, (begin, end) in zip(members, times, strict=True)]
            continue
        for episode in members:
            check_stop()
            draft = folder / f"{episode}.mp4"
            logger.warning(
                "%s: episode %d cannot be cut at key frames, so it is encoded anew, without loss", path, episode
            )
            yield draft.name, [(episode, 0.0, encode_range(path, table, spans[episode], draft))]
