"""What `lerobot eval` does."""

import json
import logging
from datetime import datetime
from pathlib import Path
from typing import Any

from lerobot.core.deprecation import moved_names
from lerobot.core.durable import replace_text
from lerobot.core.hooks import load_hooks
from lerobot.core.signals import Stopped, stop_signals
from lerobot.envs.benchmark import Evaluation
from lerobot.envs.commands.eval import EvalPipelineConfig
from lerobot.envs.journal import EpisodeJournal
from lerobot.envs.report import summary_line, task_lines
from lerobot.policies.assembly import PolicyWithProcessors, make_policy, make_pre_post_processors
from lerobot.policies.features import PolicyFeatures

logger = logging.getLogger(__name__)

REPORT = "eval_info.json"

__getattr__ = moved_names(__name__, {"evaluate_policy": "lerobot.envs.benchmark"})


def eval_command(config: EvalPipelineConfig) -> None:
    """Run `lerobot eval`.

    Raises:
        LeRobotError: the policy cannot be loaded, policy and environment do not fit each other, or what is to be
            resumed was played with other settings.
    """
    started = datetime.now()
    name = config.job_name or f"{config.env.type}_{config.policy.type}"
    folder = config.output_dir or Path("outputs/eval") / f"{started:%Y-%m-%d}" / f"{started:%H-%M-%S}_{name}"
    if config.policy.pretrained_path is None:
        logger.warning("the policy is not trained: give one with --policy.path=FOLDER")
    for caveat in config.env.caveats():
        logger.warning("%s", caveat)
    hooks = load_hooks()
    with hooks.run("eval", config):
        evaluation = Evaluation(
            lambda features: _load(config, features),
            config.env,
            config.eval,
            seed=config.seed,
            videos=folder / "videos",
            rename_map=config.rename_map,
        )
        with (
            EpisodeJournal(folder, _settings(config), resume=config.resume) as journal,
            stop_signals().graceful(),
        ):
            try:
                results = evaluation.run(journal=journal, trust_remote_code=config.trust_remote_code)
            except Stopped:
                logger.info("to go on: the same command with --output_dir=%s --resume=true", folder)
                raise
        replace_text(folder / REPORT, json.dumps(results, indent=2))
        hooks.call("evaluation_done", step=None, results=results)
    for line in (*task_lines(results), summary_line(results)):
        logger.info("%s", line)
    logger.info("report: %s", folder / REPORT)


def _settings(config: EvalPipelineConfig) -> dict[str, Any]:
    """What decides which episodes there are and how they go; how many are played at a time does not."""
    settings = config.model_dump(mode="json", include={"policy", "env", "seed", "rename_map"})
    settings["env"].pop("max_parallel_tasks", None)
    path = config.policy.pretrained_path
    return {**settings, "pretrained_path": None if path is None else str(path)}


def _load(config: EvalPipelineConfig, features: PolicyFeatures) -> PolicyWithProcessors:
    policy = make_policy(config.policy, features, rename_map=config.rename_map)
    processors = make_pre_post_processors(
        policy.config, rename_map={key: new for key, new in config.rename_map.items() if key in features}
    )
    return PolicyWithProcessors(policy, processors)
