"""`lerobot edit-dataset`: from flags to the functions of this room."""

from functools import singledispatch
from pathlib import Path

import typer

from lerobot.core.errors import DatasetError, JobError
from lerobot.core.paths import lerobot_home
from lerobot.core.signals import stop_signals
from lerobot.dataset_tools.commands import edit_dataset as commands
from lerobot.dataset_tools.commands.folder import dataset_folder
from lerobot.dataset_tools.edit.cameras import convert_image_to_video, reencode_videos
from lerobot.dataset_tools.edit.derived import repair
from lerobot.dataset_tools.edit.features import add_feature, remove_feature, rename_feature
from lerobot.dataset_tools.edit.interruption import whole_or_nothing
from lerobot.dataset_tools.edit.job import ShardedWork
from lerobot.dataset_tools.edit.labels import label_success
from lerobot.dataset_tools.edit.outcome import EditResult
from lerobot.dataset_tools.edit.report import describe_dataset
from lerobot.dataset_tools.edit.selection import delete_episodes, merge, split
from lerobot.dataset_tools.edit.statistics import recompute_stats
from lerobot.dataset_tools.edit.success import set_outcome
from lerobot.dataset_tools.edit.swap import backups, undo
from lerobot.dataset_tools.edit.tasks import modify_tasks
from lerobot.dataset_tools.edit.trim import trim
from lerobot.jobs.config import ExecutorConfig
from lerobot.jobs.progress import progress_bar


def edit_dataset(config: commands.EditDatasetConfig) -> None:
    """Carry out one operation and say what it made.

    Raises:
        LeRobotError: the operation cannot be done; nothing was changed.
    """
    if config.push_to_hub and not (config.new_repo_id or config.repo_id):
        raise DatasetError("the result has no name on the Hub", expected="--repo_id or --new_repo_id")
    if isinstance(config.operation, commands.InfoConfig):
        results, root = [EditResult(_root(config))], _root(config)
        name = config.repo_id or root.name
        typer.echo(describe_dataset(name, root, show_features=config.operation.show_features))
    else:
        results = _run_here(config) if config.executor is None else [_run_on(config.executor, config)]
        for result in results:
            typer.echo(result.summary())
    for result in results:
        if config.push_to_hub:
            typer.echo(_push(result, config))


def _run_here(config: commands.EditDatasetConfig) -> list[EditResult]:
    with whole_or_nothing():
        return _run(config.operation, config, None)


def _run_on(executor: ExecutorConfig, config: commands.EditDatasetConfig) -> EditResult:
    """In shards; what was done before a cut is not done again."""
    operation = config.operation
    assert operation is not None  # noqa: S101 # the configuration has one
    target = _target(config)
    place = _root(config) if target is None else target
    request = {
        "operation": operation.model_dump(mode="json"),
        "roots": [str(root.absolute()) for root in _sources(config)],
    }
    with stop_signals().graceful(), progress_bar(operation.type) as progress:
        work = ShardedWork(executor, request, config.shard_size_in_mb, progress)
        if work.was_done(place):
            return EditResult(place, backups(place.resolve())[-1] if target is None else None)
        try:
            (result,) = _run(operation, config, work)
        except (KeyboardInterrupt, JobError):
            typer.echo(f"{place}: nothing was changed, and what is done is kept; the same command goes on", err=True)
            raise
    return result


_ENDINGS = {
    "convert_image_to_video": "_video",
    "reencode_videos": "_reencoded",
    "recompute_stats": "_recomputed_stats",
}
"""Operations that make a new dataset beside the old one unless told otherwise."""


def _target(config: commands.EditDatasetConfig) -> Path | None:
    """Folder of the result; None where it replaces the dataset."""
    operation = config.operation
    if isinstance(operation, commands.MergeConfig) and config.new_root is None and config.new_repo_id is None:
        raise DatasetError("the merged dataset has no name", expected="--new_repo_id or --new_root")
    if isinstance(operation, commands.ReencodeVideosConfig | commands.RecomputeStatsConfig) and operation.overwrite:
        return None
    if isinstance(operation, commands.ConvertImageToVideoConfig) and operation.output_dir is not None:
        return operation.output_dir
    return _new_root(config, _ENDINGS.get(operation.type, "") if operation else "")


def _new_root(config: commands.EditDatasetConfig, ending: str = "") -> Path | None:
    """Folder of the result; with an ending, a new dataset beside the old one unless named otherwise."""
    if config.new_root is not None:
        return config.new_root
    if config.new_repo_id is not None:
        return lerobot_home() / config.new_repo_id
    root = _root(config)
    return root.with_name(root.name + ending) if ending else None


def _root(config: commands.EditDatasetConfig) -> Path:
    return dataset_folder(config.repo_id, config.root)


def _sources(config: commands.EditDatasetConfig) -> list[Path]:
    """Folders of what is read."""
    operation = config.operation
    if not isinstance(operation, commands.MergeConfig):
        return [_root(config)]
    names, roots = operation.repo_ids or [], operation.roots
    if roots is not None and names and len(roots) != len(names):
        raise DatasetError(f"{len(names)} repo_ids and {len(roots)} roots were given", expected="as many of both")
    return roots if roots is not None else [lerobot_home() / name for name in names]


def _push(result: EditResult, config: commands.EditDatasetConfig) -> str:
    """Upload a result under the name its folder stands for, or else the one that was given."""
    # Only here: editing needs no network library.
    from lerobot.datasets.hub.push import push

    folder, home = result.root.resolve(), lerobot_home().resolve()
    given = config.new_repo_id or config.repo_id or ""
    is_result = not isinstance(config.operation, commands.InfoConfig)
    name = folder.relative_to(home).as_posix() if is_result and folder.is_relative_to(home) else given
    if isinstance(config.operation, commands.SplitConfig) and name == given:
        name = f"{given}_{folder.name}"
    return f"uploaded to {push(result.root, name)}"


@singledispatch
def _run(operation: object, _config: commands.EditDatasetConfig, _work: ShardedWork | None) -> list[EditResult]:
    raise TypeError(f"{type(operation).__name__} is not an operation")


@_run.register
def _(
    operation: commands.DeleteEpisodesConfig, config: commands.EditDatasetConfig, work: ShardedWork | None
) -> list[EditResult]:
    root, episodes = _root(config), operation.episode_indices
    return [delete_episodes(root, episodes, _target(config), where=operation.where, work=work)]


@_run.register
def _(
    operation: commands.SplitConfig, config: commands.EditDatasetConfig, _work: ShardedWork | None
) -> list[EditResult]:
    targets = split(_root(config), operation.splits, config.new_root)
    return [EditResult(target) for target in targets.values()]


@_run.register
def _(
    operation: commands.MergeConfig, config: commands.EditDatasetConfig, work: ShardedWork | None
) -> list[EditResult]:
    folders, target = _sources(config), _target(config)
    assert target is not None  # noqa: S101 # a merge without one is refused
    result = merge(
        folders,
        target,
        join_data=operation.concatenate_data,
        join_videos=operation.concatenate_videos,
        work=work,
    )
    return [result]


@_run.register
def _(
    operation: commands.RemoveFeatureConfig, config: commands.EditDatasetConfig, work: ShardedWork | None
) -> list[EditResult]:
    return [remove_feature(_root(config), operation.feature_names, _target(config), work=work)]


@_run.register
def _(
    operation: commands.AddFeatureConfig, config: commands.EditDatasetConfig, work: ShardedWork | None
) -> list[EditResult]:
    result = add_feature(
        _root(config),
        operation.name,
        _target(config),
        dtype=operation.dtype,
        shape=operation.shape,
        values=operation.value if operation.values is None else operation.values,
        names=operation.names,
        work=work,
    )
    return [result]


@_run.register
def _(
    operation: commands.LabelSuccessConfig, config: commands.EditDatasetConfig, _work: ShardedWork | None
) -> list[EditResult]:
    judge = operation.reward_model or operation.detector
    assert judge is not None  # noqa: S101 # the configuration has one of them
    return [label_success(_root(config), judge, _new_root(config))]


@_run.register
def _(
    operation: commands.RenameFeatureConfig, config: commands.EditDatasetConfig, work: ShardedWork | None
) -> list[EditResult]:
    return [rename_feature(_root(config), operation.names, _target(config), work=work)]


@_run.register
def _(operation: commands.TrimConfig, config: commands.EditDatasetConfig, work: ShardedWork | None) -> list[EditResult]:
    result = trim(
        _root(config),
        _target(config),
        start_s=operation.start_s,
        end_s=operation.end_s,
        episodes=operation.episode_indices,
        work=work,
    )
    return [result]


@_run.register
def _(
    operation: commands.ModifyTasksConfig, config: commands.EditDatasetConfig, _work: ShardedWork | None
) -> list[EditResult]:
    result = modify_tasks(
        _root(config),
        new_task=operation.new_task,
        episode_tasks=operation.episode_tasks,
        task_replacements=operation.task_replacements,
        new_root=_new_root(config),
    )
    return [result]


@_run.register
def _(
    operation: commands.SetOutcomeConfig, config: commands.EditDatasetConfig, _work: ShardedWork | None
) -> list[EditResult]:
    return [set_outcome(_root(config), operation.outcome, operation.episode_indices, _new_root(config))]


@_run.register
def _(
    operation: commands.ConvertImageToVideoConfig, config: commands.EditDatasetConfig, work: ShardedWork | None
) -> list[EditResult]:
    target = _target(config)
    assert target is not None  # noqa: S101 # an ending always gives one
    result = convert_image_to_video(
        _root(config),
        target,
        rgb_encoder=operation.rgb_encoder,
        depth_encoder=operation.depth_encoder,
        episodes=operation.episode_indices,
        encoder_threads=operation.encoder_threads or 1,
        work=work,
    )
    return [result]


@_run.register
def _(
    operation: commands.ReencodeVideosConfig, config: commands.EditDatasetConfig, work: ShardedWork | None
) -> list[EditResult]:
    result = reencode_videos(
        _root(config),
        _target(config),
        rgb_encoder=operation.rgb_encoder,
        depth_encoder=operation.depth_encoder,
        encoder_threads=operation.encoder_threads or 1,
        work=work,
    )
    return [result]


@_run.register
def _(
    operation: commands.RecomputeStatsConfig, config: commands.EditDatasetConfig, work: ShardedWork | None
) -> list[EditResult]:
    result = recompute_stats(
        _root(config),
        _target(config),
        skip_image_video=operation.skip_image_video,
        relative_action=operation.relative_action,
        relative_exclude_joints=operation.relative_exclude_joints,
        chunk_size=operation.chunk_size,
        work=work,
    )
    return [result]


@_run.register
def _(
    _operation: commands.RepairConfig, config: commands.EditDatasetConfig, _work: ShardedWork | None
) -> list[EditResult]:
    return [repair(_root(config), _new_root(config))]


@_run.register
def _(
    _operation: commands.UndoConfig, config: commands.EditDatasetConfig, _work: ShardedWork | None
) -> list[EditResult]:
    root = _root(config)
    return [EditResult(root, undo(root))]
