"""What `lerobot eval` does, and what training does when it evaluates."""

import json
import logging
import time
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from lerobot.core.config.base import EnvConfig
from lerobot.core.durable import replace_text
from lerobot.core.hooks import load_hooks
from lerobot.core.signals import stop_signals
from lerobot.envs.actor import PolicyActor, provided_features
from lerobot.envs.assembly import env_maker
from lerobot.envs.commands.eval import EvalPipelineConfig
from lerobot.envs.config import EvalConfig
from lerobot.envs.evaluation import evaluate, rows_for
from lerobot.envs.report import Episode, report, summary_line
from lerobot.envs.rows import EnvRows
from lerobot.policies.assembly import PolicyWithProcessors, make_policy, make_pre_post_processors
from lerobot.policies.features import check_provided

logger = logging.getLogger(__name__)

REPORT = "eval_info.json"


def eval_command(config: EvalPipelineConfig) -> None:
    """Run `lerobot eval`.

    Raises:
        LeRobotError: the policy cannot be loaded, or policy and environment do not fit each other.
    """
    started = datetime.now()
    name = config.job_name or f"{config.env.type}_{config.policy.type}"
    folder = config.output_dir or Path("outputs/eval") / f"{started:%Y-%m-%d}" / f"{started:%H-%M-%S}_{name}"
    if config.policy.pretrained_path is None:
        logger.warning("the policy is not trained: give one with --policy.path=FOLDER")
    hooks = load_hooks()
    with hooks.run("eval", config):
        make = env_maker(config.env, trust_remote_code=config.trust_remote_code)
        count = rows_for(config.eval.batch_size, config.eval.n_episodes)
        with EnvRows(make, count, use_async=config.eval.use_async_envs) as rows, stop_signals().graceful():
            trained = _load(config, rows)
            results = evaluate_policy(
                trained,
                rows,
                config.env,
                config.eval,
                seed=config.seed,
                videos=folder / "videos",
                rename_map=config.rename_map,
            )
        folder.mkdir(parents=True, exist_ok=True)
        replace_text(folder / REPORT, json.dumps(results, indent=2))
        hooks.call("evaluation_done", step=None, results=results)
    logger.info("%s", summary_line(results))
    logger.info("report: %s", folder / REPORT)


def _load(config: EvalPipelineConfig, rows: EnvRows) -> PolicyWithProcessors:
    features = provided_features(rows.observation_space, rows.action_space, config.env.features_map)
    policy = make_policy(config.policy, features, rename_map=config.rename_map)
    processors = make_pre_post_processors(
        policy.config, rename_map={key: new for key, new in config.rename_map.items() if key in features}
    )
    return PolicyWithProcessors(policy, processors)


def evaluate_policy(
    trained: PolicyWithProcessors,
    rows: EnvRows,
    env: EnvConfig,
    config: EvalConfig,
    *,
    seed: int,
    videos: Path | None = None,
    rename_map: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Evaluate a policy.

    Args:
        trained: the policy with its processors.
        rows: environments to evaluate in.
        env: configuration they were built from.
        config: how many episodes and videos.
        seed: episode `k` starts from `seed + k`.
        videos: folder for a folder of films; None for none.
        rename_map: names in the environment: names in the policy; the processors already know it.

    Returns:
        See `report`.

    Raises:
        FeatureMismatchError: policy and environment do not fit.
    """
    started = time.perf_counter()
    provided = provided_features(rows.observation_space, rows.action_space, env.features_map)
    renamed = {(rename_map or {}).get(key, key): feature for key, feature in provided.items()}
    needed = trained.policy.config
    check_provided(needed.needed_of(renamed), renamed, f"environment '{env.type}'", resized=needed.resizes_images)
    actors = [PolicyActor(trained, rows.action_space, env.features_map) for _ in range(rows.count)]
    with _progress() as progress:
        bar = progress.add_task("episodes", total=config.n_episodes, rate="")
        solved = []

        def tell(episode: Episode) -> None:
            solved.append(episode.success)
            progress.update(bar, advance=1, rate=f"{100 * sum(solved) / len(solved):.0f} % solved")

        episodes = evaluate(
            rows,
            actors,
            config.n_episodes,
            seed=seed,
            videos=None if videos is None else videos / f"{env.type}_0",
            n_videos=config.n_videos,
            on_episode=tell,
        )
    return report(episodes, group=env.type, task_id=0, seconds=time.perf_counter() - started)


def _progress() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rate]}"))
    console = Console(stderr=True)
    return Progress(*columns, TimeRemainingColumn(), console=console, transient=True, disable=not console.is_terminal)
