"""An evaluation as a plan: shards of some episodes of one task, played anywhere, kept as if they were played here."""

import contextlib
import functools
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from pydantic import TypeAdapter

from lerobot.core.config.base import EnvConfig, PolicyConfig
from lerobot.core.durable import link, make_folder
from lerobot.envs.benchmark import Evaluation, tasks_of
from lerobot.envs.commands.eval import EvalPipelineConfig
from lerobot.envs.config import EvalConfig
from lerobot.envs.journal import EpisodeJournal, require_same
from lerobot.envs.report import Episode
from lerobot.envs.sweep import PolicyLoader, Run, settings_of
from lerobot.jobs.config import ExecutorConfig
from lerobot.jobs.folder import JobFolder
from lerobot.jobs.job import Results, ShardResult, discard, run_job
from lerobot.jobs.plan import Plan, load_plan
from lerobot.jobs.progress import progress_bar

WORKER = "play_episodes"
JOB = ".job"
"""Folder of the job, in that of the evaluation."""

Journals = Mapping[str, EpisodeJournal]
"""By name of the run what it keeps."""


def play_elsewhere(
    config: EvalPipelineConfig,
    env: EnvConfig,
    executor: ExecutorConfig,
    runs: Sequence[Run],
    journals: Journals,
    folder: Path,
) -> None:
    """Play the episodes that are missing on an engine, and keep them.

    What was played of a job that was cut off is taken over, also if more or fewer episodes are asked for now.

    Args:
        config: of the command.
        env: of the command.
        executor: the engine.
        runs: which policies and seeds.
        journals: of the runs.
        folder: of the evaluation; every node of a cluster sees it under the same path.

    Raises:
        JobError: a shard failed.
        LeRobotError: the job that was cut off is one with other settings.
    """
    keep = functools.partial(_keep, {run.name: run for run in runs}, journals)
    job = folder.absolute() / JOB
    if job.exists() and not config.resume:
        discard(job)
    plan = _plan(config, env, runs, journals)
    if (job / "plan.json").exists() and (before := load_plan(job / "plan.json")).name != plan.name:
        of_before, of_now = _runs(before), _runs(plan)
        for name in of_before.keys() & of_now.keys():
            require_same(of_before[name], of_now[name], job)
        for result in _results(before, JobFolder(job)):
            keep(result)
        discard(job)
        plan = _plan(config, env, runs, journals)
    if plan.shards:
        with progress_bar("episodes") as progress:
            run_job(plan, job, executor, lambda results: _keep_all(results, keep), progress)


def play_episodes(row: Mapping[str, Any], settings: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Play some episodes of one task; the worker of this name, see `lerobot.jobs.worker.Worker`.

    Args:
        row: `run`, `group` and `task` say what is played, `episodes` are their numbers.
        settings: of the plan.
        folder: for videos.

    Returns:
        `task` in words, and `episodes`; the path of a video is relative to `folder`.
    """
    run = settings["runs"][row["run"]]
    env = TypeAdapter(EnvConfig).validate_python(run["env"]).tasks()[row["group"]][row["task"]]
    evaluation = Evaluation(
        _loader(json.dumps(run, sort_keys=True)),
        env,
        EvalConfig.model_validate(settings["eval"]),
        seed=run["seed"],
        videos=folder,
        rename_map=run["rename_map"],
        shows_progress=False,
    )
    with _as_in_the_driver(settings):
        (played,) = evaluation.played(episodes=row["episodes"], trust_remote_code=settings["trust_remote_code"])
    return {
        "task": played.description,
        "episodes": [
            {**episode.to_json(), "video": episode.video and episode.video.relative_to(folder).as_posix()}
            for episode in played.episodes
        ],
    }


@functools.lru_cache(maxsize=1)
def _loader(run: str) -> PolicyLoader:
    """What loads the policy of a run; a process does not load it anew for each of its shards."""
    settings = json.loads(run)
    return PolicyLoader(TypeAdapter(PolicyConfig).validate_python(settings["policy"]), settings["rename_map"])


@contextlib.contextmanager
def _as_in_the_driver(settings: Mapping[str, Any]) -> Iterator[None]:
    """Relative paths mean what they do there, and sums have as many parts: other threads may round otherwise."""
    before = torch.get_num_threads()
    torch.set_num_threads(settings["threads"])
    try:
        with contextlib.chdir(settings["folder"] if Path(settings["folder"]).is_dir() else os.curdir):
            yield
    finally:
        torch.set_num_threads(before)


def _plan(config: EvalPipelineConfig, env: EnvConfig, runs: Sequence[Run], journals: Journals) -> Plan:
    """Shards of what is missing."""
    rows = []
    for run in runs:
        for task in tasks_of(env):
            there = journals[run.name].episodes(task.group, task.number)
            missing = [index for index in range(config.eval.n_episodes) if index not in there]
            for begin in range(0, len(missing), config.eval.shard_episodes):
                some = missing[begin : begin + config.eval.shard_episodes]
                rows.append({"run": run.name, "group": task.group, "task": task.number, "episodes": some})
    playing = EvalConfig(
        batch_size=config.eval.batch_size or 1,
        use_async_envs=config.eval.use_async_envs,
        n_videos=config.eval.n_videos,
    )
    settings = {
        "runs": {run.name: settings_of(run, config) for run in runs},
        "eval": playing.model_dump(mode="json"),
        "trust_remote_code": config.trust_remote_code,
        "threads": torch.get_num_threads(),
        "folder": str(Path.cwd()),
    }
    return Plan.of(WORKER, settings, rows)


def _runs(plan: Plan) -> dict[str, dict[str, Any]]:
    """What decides how the episodes of its runs go, by name of the run."""
    return TypeAdapter(dict[str, dict[str, Any]]).validate_python(plan.settings["runs"])


def _results(plan: Plan, job: JobFolder) -> Iterator[ShardResult]:
    """What there is of a job that was cut off."""
    for shard in plan.shards:
        if (receipt := job.receipt(shard, contents=True)) is not None:
            yield ShardResult(shard.row, job.result(shard), receipt.data)


def _keep_all(results: Results, keep: Callable[[ShardResult], None]) -> None:
    for result in results:
        keep(result)


def _keep(runs: Mapping[str, Run], journals: Journals, result: ShardResult) -> None:
    """Take the episodes of a shard over, unless they are there."""
    group, number = result.row["group"], result.row["task"]
    if (run := runs.get(result.row["run"])) is None:
        return
    journal = journals[run.name]
    there = journal.episodes(group, number)
    for each in result.data["episodes"]:
        if each["index"] in there:
            continue
        video = None
        if each["video"] is not None:
            source = result.folder / each["video"]
            video = run.folder / "videos" / f"{group}_{number}" / source.name
            make_folder(video.parent)
            link(source, video)
        journal.add(group, number, result.data["task"], Episode.from_json(each, video))
