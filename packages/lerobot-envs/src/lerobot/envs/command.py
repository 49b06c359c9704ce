"""What `lerobot eval` does."""

import json
import logging
import time
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any

from lerobot.core.commands.display import DisplayOptions
from lerobot.core.config.base import EnvConfig, RobotConfig
from lerobot.core.deprecation import moved_names
from lerobot.core.durable import replace_text
from lerobot.core.hooks import Hooks, load_hooks
from lerobot.core.protocols.robot import Robot
from lerobot.core.protocols.success import SuccessDetector
from lerobot.core.signals import Stopped, stop_signals
from lerobot.envs.benchmark import results_in
from lerobot.envs.commands.eval import EvalPipelineConfig
from lerobot.envs.comparison import success_plot, success_table
from lerobot.envs.journal import EpisodeJournal
from lerobot.envs.report import summary_line, task_lines
from lerobot.envs.shards import JOB, play_elsewhere
from lerobot.envs.sweep import journals_of, play_here, reports_of, runs_of
from lerobot.envs.trials.session import EvaluationStrategyConfig, RobotEvaluation
from lerobot.envs.trials.tally import Tally
from lerobot.envs.trials.wishes import require_judge
from lerobot.rollout.command import staged
from lerobot.rollout.commands.acting import ActingOptions
from lerobot.rollout.commands.rollout import RolloutConfig

logger = logging.getLogger(__name__)

REPORT, TABLE, PLOT = "eval_info.json", "success.md", "success.svg"
GO_ON = "to go on: the same command with --output_dir=%s --resume=true"

__getattr__ = moved_names(__name__, {"evaluate_policy": "lerobot.envs.benchmark"})


def eval_command(config: EvalPipelineConfig) -> int:
    """Run `lerobot eval`.

    Returns:
        0 at the end; 128 plus the signal's number when a signal ended an evaluation on a robot.

    Raises:
        LeRobotError: the policy cannot be loaded, policy and environment or robot do not fit each other, nobody can
            judge episodes on the robot, or what is to be resumed was played with other settings.
    """
    if config.env is not None:
        _in_environment(config, config.env, _folder(config, config.env))
    if config.robot is not None:
        return _on_robot(config, config.robot, _folder(config, config.robot))
    return 0


def _in_environment(config: EvalPipelineConfig, env: EnvConfig, folder: Path) -> None:
    if any(policy.origin is None for policy in (config.policy, *config.compare)):
        logger.warning("the policy is not trained: give one with --policy.path=FOLDER")
    for caveat in env.caveats():
        logger.warning("%s", caveat)
    hooks, runs, begun_s = load_hooks(), runs_of(config, folder), time.perf_counter()
    with hooks.run("eval", config), ExitStack() as stack:
        journals = journals_of(runs, config, resumable=(folder / JOB).exists())
        for journal in journals.values():
            stack.enter_context(journal)
        with stop_signals().graceful():
            try:
                if config.executor is None:
                    play_here(config, env, runs, journals)
                else:
                    play_elsewhere(config, env, config.executor, runs, journals, folder)
            except Stopped:
                logger.info(GO_ON, folder)
                raise
        played = {run.name: results_in(journals[run.name], env, config.eval.n_episodes) for run in runs}
        reports = reports_of(runs, played, env, time.perf_counter() - begun_s)
        for label, results in reports.items():
            _publish(results, folder / label if config.compare else folder, hooks)
        if len(runs) > 1:
            _compare(reports, folder)


def _on_robot(config: EvalPipelineConfig, robot: RobotConfig, folder: Path) -> int:
    require_judge(config)
    device: Robot = robot.build()
    detector: SuccessDetector | None = None if config.detector is None else config.detector.build(robot=device)
    shared = {name: getattr(config, name) for name in (*ActingOptions.model_fields, *DisplayOptions.model_fields)}
    driving = RolloutConfig(
        policy=config.policy,
        robot=robot,
        strategy=EvaluationStrategyConfig(),
        rename_map=config.rename_map,
        **shared,
    )
    begun_s = time.perf_counter()
    with (
        EpisodeJournal(folder, _settings(config), resume=config.resume) as journal,
        staged(driving, device) as stage,
    ):
        tally = Tally(config, journal)
        try:
            code = RobotEvaluation(config, tally, detector).run(stage)
        finally:
            if tally.missing and tally.episodes:
                logger.info("kept: %d of %d episodes", len(tally.episodes), config.eval.n_episodes)
                logger.info(GO_ON, folder)
        if not code and tally.episodes:
            _publish(tally.results(time.perf_counter() - begun_s), folder, stage.hooks)
    return code


def _compare(reports: Mapping[str, Mapping[str, Any]], folder: Path) -> None:
    table = success_table(reports)
    replace_text(folder / TABLE, table)
    replace_text(folder / PLOT, success_plot(reports))
    for line in table.splitlines():
        logger.info("%s", line)
    logger.info("table: %s, plot: %s", folder / TABLE, folder / PLOT)


def _publish(results: dict[str, Any], folder: Path, hooks: Hooks) -> None:
    replace_text(folder / REPORT, json.dumps(results, indent=2))
    hooks.call("evaluation_done", step=None, results=results)
    for line in (*task_lines(results), summary_line(results)):
        logger.info("%s", line)
    logger.info("report: %s", folder / REPORT)


def _folder(config: EvalPipelineConfig, place: EnvConfig | RobotConfig) -> Path:
    name, now = config.job_name or f"{place.type}_{config.policy.type}", datetime.now()
    return config.output_dir or Path("outputs/eval") / f"{now:%Y-%m-%d}" / f"{now:%H-%M-%S}_{name}"


def _settings(config: EvalPipelineConfig) -> dict[str, Any]:
    """What decides which episodes there are on a robot and how they go."""
    deciding = {"fps", "interpolation_multiplier", "inference", "task", "safety", "detector"}
    settings = config.model_dump(mode="json", include={"policy", "robot", "rename_map", *deciding})
    settings["episode_time_s"] = config.eval.episode_time_s
    # The same arm may have another port tomorrow.
    settings["robot"] = without_ports(settings["robot"])
    return {**settings, "pretrained_path": config.policy.origin}


def without_ports(settings: dict[str, Any]) -> dict[str, Any]:
    """Leave out what tells where a device is plugged in, at every depth."""
    return {
        name: without_ports(value) if isinstance(value, dict) else value
        for name, value in settings.items()
        if name != "port"
    }
