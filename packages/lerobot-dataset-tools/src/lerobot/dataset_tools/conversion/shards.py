"""An import in shards: each writes the episodes of some files as a small dataset, and the result is their merge.

What a shard holds depends on the source and on the size that was asked for, never on how many workers there are.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lerobot.core.config.base import plugin_class
from lerobot.core.errors import DatasetError, FeatureMismatchError
from lerobot.core.paths import user_path
from lerobot.dataset_tools.commands.shards import SHARD_MEGABYTES
from lerobot.dataset_tools.conversion.choices import ImportChoices
from lerobot.dataset_tools.conversion.convert import (
    ImportResult,
    chosen_episodes,
    chosen_instruction,
    chosen_rate,
    import_dataset,
)
from lerobot.dataset_tools.conversion.plan import ImportPlan
from lerobot.dataset_tools.edit.build import build
from lerobot.dataset_tools.edit.job import ShardedWork
from lerobot.dataset_tools.edit.selection import merged
from lerobot.dataset_tools.edit.swap import check_is_free, write_new
from lerobot.dataset_tools.formats.config import DatasetFormatConfig, FilesFormatConfig, SourceConfig
from lerobot.dataset_tools.formats.files import MOST_OPEN
from lerobot.dataset_tools.formats.source import EpisodeSource, GroupedSource
from lerobot.datasets.format import layout
from lerobot.datasets.format.info import load_info
from lerobot.datasets.format.layout import MEGABYTE
from lerobot.datasets.video.encode import available_encoders
from lerobot.datasets.writer.options import WritingOptions
from lerobot.jobs.config import ExecutorConfig
from lerobot.jobs.job import Progress, Results
from lerobot.jobs.plan import Plan

WORKER = "import_episodes"
_DATASET = "dataset"
_EPISODES = 32
"""Episodes of a shard where nothing tells how large they are."""


def import_in_shards(
    config: SourceConfig,
    root: Path,
    choices: ImportChoices,
    executor: ExecutorConfig,
    megabytes: float = SHARD_MEGABYTES,
    progress: Progress = lambda _done, _total: None,
) -> ImportResult:
    """Import a source on an engine; the dataset is there as a whole or not at all.

    Args:
        config: what to import.
        root: folder of the dataset.
        choices: how.
        executor: the engine.
        megabytes: source files for each shard.
        progress: is told about shards that are done.

    Raises:
        DatasetError: the source is damaged, there is no rate or instruction, or the folder is taken.
        FeatureMismatchError: the mapping does not fit; names the field or feature.
        JobError: a shard failed for good. What is done is kept, and the same command goes on.
    """
    root = user_path(root).absolute()
    plan = import_plan(config, choices, megabytes)
    work = ShardedWork(executor, {"plan": plan.name}, megabytes, progress)
    if not work.was_done(root):
        check_is_free(root, _taken(root))
        work.run(plan, root, lambda results, built: _merge(results, root, built))
    info = load_info(root)
    return ImportResult(root, info.total_episodes, info.total_frames, 0)


def _merge(results: Results, root: Path, built: Callable[[Path], None]) -> None:
    roots = [result.folder / _DATASET for result in results if result.data["episodes"]]
    if not roots:
        raise DatasetError("every episode of the source is left out", expected="at least one that stays")

    def write(folder: Path) -> None:
        build(merged(roots), folder)
        built(folder)

    write_new(root, write, _taken(root))


def _taken(root: Path) -> str:
    """What helps where the folder of the result holds something."""
    other = "choose another --repo_id or --root"
    if not (root / layout.INFO_PATH).is_file():
        return other
    return f"a dataset that an engine imported is there as a whole: if this is it, nothing is left to do; else {other}"


def import_plan(config: SourceConfig, choices: ImportChoices, megabytes: float) -> Plan:
    """The shards of an import.

    Args:
        config: what to import; paths become absolute.
        choices: how.
        megabytes: source files for each shard.

    Raises:
        DatasetError: there is nothing to import, or no rate or instruction.
        FeatureMismatchError: the mapping does not fit.
    """
    if isinstance(config, DatasetFormatConfig):
        config = config.model_copy(update={"path": config.path.absolute()})
    in_files = config if isinstance(config, FilesFormatConfig) else None
    files = in_files.chosen_files() if in_files else []
    # Only opening files of this kind says how many episodes they have, which only left out ones need.
    first = _names(config, files[:1]) if len(files) > 1 and not choices.skip_episodes else None
    with closing(_of_files(config, first).build()) as source:
        plan = ImportPlan(source.fields, choices.overrides, video=choices.video, float_type=choices.float_type)
        chosen = set(chosen_episodes(source, choices.skip_episodes))
        resolved = {
            "fps": chosen_rate(source, choices.fps),
            "task": chosen_instruction(source, plan, choices.task),
            "options": _resolved(choices.options),
        }
        rows = list(
            _file_rows(in_files, files, megabytes)
            if in_files and len(files) > 1
            else _episode_rows(config, source, megabytes)
        )
        settings = {
            "source": _dump(config),
            "choices": choices.model_copy(update={**resolved, "skip_episodes": []}).model_dump(mode="json"),
            "skipped": [name for number, name in enumerate(source.episodes) if number not in chosen],
            "features": _as_json(plan.features),
        }
    return Plan.of(WORKER, settings, rows)


def import_episodes(row: Mapping[str, Any], settings: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Worker `import_episodes`: writes the episodes of a shard as a dataset, its files joined already.

    Raises:
        DatasetError: the source is damaged, or differs in this shard from its beginning; names the episode.
    """
    config = _load(settings["source"])
    choices = ImportChoices.model_validate(settings["choices"])
    with closing(_of_files(config, row["files"]).build()) as source:
        names: Sequence[str] = source.episodes
        first, stop = row["episodes"] or (0, len(names))
        skipped = set(settings["skipped"])
        kept = [number for number in range(first, stop) if names[number] not in skipped]
        if not kept:
            return {"episodes": 0, "frames": 0}
        plan = ImportPlan(source.fields, choices.overrides, video=choices.video, float_type=choices.float_type)
        _check_features(plan, settings["features"], names[kept[0]])
        numbers = (lambda number: number) if row["files"] is None else _numbers(config, names)
        left_out = sorted(set(range(len(names))) - set(kept))
        arguments = dict(choices) | {"skip_episodes": left_out}
        result = import_dataset(source, folder / _DATASET, **arguments, numbers=numbers)
    return {"episodes": result.episodes, "frames": result.frames}


def _numbers(config: SourceConfig, names: Sequence[str]) -> Callable[[int], int]:
    """From episodes of some files to their numbers in the whole source, which is only opened if one is asked for."""

    def number(episode: int) -> int:
        with closing(config.build()) as whole:
            return list(whole.episodes).index(names[episode])

    return number


def _check_features(plan: ImportPlan, expected: Mapping[str, Any], where: str) -> None:
    found = _as_json(plan.features)
    keys = [key for key in {**expected, **found} if expected.get(key) != found.get(key)]
    if keys:
        raise FeatureMismatchError(
            f"{where}: {keys[0]} is {found.get(keys[0])}", keys=keys, expected=f"{expected.get(keys[0])}, as before"
        )


@dataclass(frozen=True, slots=True)
class _Group:
    """What cannot be divided: a file, or episodes in the same files."""

    files: list[str]
    episodes: tuple[int, int] | None
    bytes: float
    state: list[list[int]]


def _file_rows(config: FilesFormatConfig, files: Sequence[Path], megabytes: float) -> Iterator[dict[str, Any]]:
    names = _names(config, files)
    groups = [_Group([name], None, _bytes(file), _state([file])) for name, file in zip(names, files, strict=True)]
    for members in _joined(groups, megabytes):
        files_of_shard = [name for group in members for name in group.files]
        yield {"files": files_of_shard, "episodes": None, "state": [each for group in members for each in group.state]}


def _episode_rows(config: SourceConfig, source: EpisodeSource, megabytes: float) -> Iterator[dict[str, Any]]:
    for members in _joined(list(_episode_groups(config, source, megabytes)), megabytes):
        files = [name for group in members for name in group.files]
        spans = [group.episodes for group in members if group.episodes is not None]
        state = [each for group in members for each in group.state]
        episodes = None if files else [spans[0][0], spans[-1][1]]
        yield {"files": files or None, "episodes": episodes, "state": state}


def _episode_groups(config: SourceConfig, source: EpisodeSource, megabytes: float) -> Iterator[_Group]:
    """Groups of a source that is opened as a whole: by its files if it knows them, else of equal numbers."""
    if isinstance(source, GroupedSource):
        for group in source.groups:
            paths = [path for path in map(Path, group.files) if path.exists()]
            # What is on a server is a shard of its own.
            size = sum(map(_bytes, paths)) if len(paths) == len(group.files) else megabytes * MEGABYTE
            if group.episodes:
                span = None if group.choice else (group.episodes.start, group.episodes.stop)
                yield _Group(list(group.choice), span, size, _state(paths))
        return
    total, each, state = len(source.episodes), _EPISODES, []
    if isinstance(config, DatasetFormatConfig):
        shards = max(1, round(_bytes(config.path) / (megabytes * MEGABYTE)))
        each, state = -(-total // min(shards, total)), _state([config.path])
    for first in range(0, total, each):
        yield _Group([], (first, min(first + each, total)), megabytes * MEGABYTE, state)


def _joined(groups: Sequence[_Group], megabytes: float) -> Iterator[list[_Group]]:
    """Neighbours up to a size, and no more than a source keeps open."""
    members: list[_Group] = []
    for group in groups:
        size = sum(each.bytes for each in members) + group.bytes
        if members and (size > megabytes * MEGABYTE or len(members) == MOST_OPEN):
            yield members
            members = []
        members.append(group)
    if members:
        yield members


def _bytes(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())


def _state(paths: Sequence[Path]) -> list[list[int]]:
    """Size and time of files: a source that changed since is another one."""
    return [[_bytes(path), path.stat().st_mtime_ns] for path in paths]


def _names(config: SourceConfig, files: Sequence[Path]) -> list[str]:
    root = config.path if isinstance(config, DatasetFormatConfig) else Path()
    return [file.relative_to(root).as_posix() for file in files]


def _of_files(config: SourceConfig, files: list[str] | None) -> SourceConfig:
    return config if files is None else config.model_copy(update={"files": files})


def _dump(config: SourceConfig) -> Any:
    return {**config.model_dump(mode="json"), "type": config.type}


def _load(fields: Mapping[str, Any]) -> SourceConfig:
    return plugin_class(SourceConfig, fields["type"]).model_validate(fields)


def _resolved(options: WritingOptions) -> WritingOptions:
    """With the codecs of this machine, so that `auto` is the same one for every worker."""
    encoders = {"rgb_encoder": options.rgb_encoder, "depth_encoder": options.depth_encoder}
    codecs = {name: config.resolved(available_encoders()).vcodec for name, config in encoders.items()}
    return options.model_copy(
        update={name: config.model_copy(update={"vcodec": codecs[name]}) for name, config in encoders.items()}
    )


def _as_json(value: object) -> Any:
    return json.loads(json.dumps(value))
