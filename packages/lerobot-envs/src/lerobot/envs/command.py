"""What `lerobot eval` does."""

import json
import logging
import time
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

from lerobot.core.commands.display import DisplayOptions
from lerobot.core.config.base import EnvConfig, RobotConfig
from lerobot.core.deprecation import moved_names
from lerobot.core.durable import replace_text
from lerobot.core.hooks import Hooks, load_hooks
from lerobot.core.protocols import ActingPolicy
from lerobot.core.protocols.robot import Robot
from lerobot.core.protocols.success import SuccessDetector
from lerobot.core.registry import registry
from lerobot.core.signals import Stopped, stop_signals
from lerobot.envs.actor import place_of
from lerobot.envs.benchmark import Evaluation
from lerobot.envs.commands.eval import EvalPipelineConfig
from lerobot.envs.journal import EpisodeJournal
from lerobot.envs.report import summary_line, task_lines
from lerobot.envs.trials.session import EvaluationStrategyConfig, RobotEvaluation
from lerobot.envs.trials.tally import Tally
from lerobot.envs.trials.wishes import require_judge
from lerobot.policies.assembly import PolicyWithProcessors, make_policy, make_pre_post_processors
from lerobot.policies.config import PreTrainedConfig
from lerobot.policies.features import PolicyFeatures
from lerobot.rollout.command import staged
from lerobot.rollout.commands.acting import ActingOptions
from lerobot.rollout.commands.rollout import RolloutConfig

logger = logging.getLogger(__name__)

REPORT = "eval_info.json"
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
    if not config.policy.is_trained:
        logger.warning("the policy is not trained: give one with --policy.path=FOLDER")
    for caveat in env.caveats():
        logger.warning("%s", caveat)
    hooks = load_hooks()
    with hooks.run("eval", config):
        evaluation = Evaluation(
            lambda features: _load(config, env, features),
            env,
            config.eval,
            seed=config.seed,
            videos=folder / "videos",
            rename_map=config.rename_map,
        )
        with (
            closing(evaluation),
            EpisodeJournal(folder, _settings(config), resume=config.resume) as journal,
            stop_signals().graceful(),
        ):
            try:
                results = evaluation.run(journal=journal, trust_remote_code=config.trust_remote_code)
            except Stopped:
                logger.info(GO_ON, folder)
                raise
        _publish(results, folder, hooks)


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
    """What decides which episodes there are and how they go; how many are played at a time does not."""
    path = config.policy.pretrained_path if isinstance(config.policy, PreTrainedConfig) else None
    if config.env is not None:
        settings = config.model_dump(mode="json", include={"policy", "env", "seed", "rename_map"})
        settings["env"].pop("max_parallel_tasks", None)
    else:
        deciding = {"fps", "interpolation_multiplier", "inference", "task", "safety", "detector"}
        settings = config.model_dump(mode="json", include={"policy", "robot", "rename_map", *deciding})
        settings["episode_time_s"] = config.eval.episode_time_s
        # The same arm may have another port tomorrow.
        settings["robot"] = without_ports(settings["robot"])
    return {**settings, "pretrained_path": None if path is None else str(path)}


def without_ports(settings: dict[str, Any]) -> dict[str, Any]:
    """Leave out what tells where a device is plugged in, at every depth."""
    return {
        name: without_ports(value) if isinstance(value, dict) else value
        for name, value in settings.items()
        if name != "port"
    }


def _load(config: EvalPipelineConfig, env: EnvConfig, features: PolicyFeatures) -> PolicyWithProcessors | ActingPolicy:
    if not isinstance(config.policy, PreTrainedConfig):
        place = place_of(features, f"environment '{env.type}'", config.rename_map)
        acting: ActingPolicy = registry.implementation(config.policy, config.policy.acts)(config.policy, place)
        return acting
    policy = make_policy(config.policy, features, rename_map=config.rename_map)
    processors = make_pre_post_processors(
        policy.config, rename_map={key: new for key, new in config.rename_map.items() if key in features}
    )
    return PolicyWithProcessors(policy, processors)
