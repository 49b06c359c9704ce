"""What `lerobot finetune` does."""

import logging
from datetime import datetime
from pathlib import Path
from typing import Any

from lerobot.core.words import counted
from lerobot.envs.command import without_ports
from lerobot.policies.commands.check import CheckConfig, DatasetSource
from lerobot.policies.config import PreTrainedConfig
from lerobot.policies.preflight.command import check
from lerobot.rl.commands.finetune import FinetuneConfig
from lerobot.rl.finetune.collection import collect
from lerobot.rl.finetune.imitation import imitate
from lerobot.rl.finetune.judgement import judged
from lerobot.rl.finetune.reinforcement import learns_from_reward, reinforce
from lerobot.rl.finetune.rounds import NAME, Round, Rounds
from lerobot.training.checkpoints.folder import point
from lerobot.training.checkpoints.layout import BEST, LAST, MODEL
from lerobot.training.refusal import require_new

logger = logging.getLogger(__name__)

LEARNED = "training"
"""Folder of what a round learned, in that of the round."""


def finetune(config: FinetuneConfig) -> int:
    """Run the command.

    Returns:
        0; of a dry run 1 if something does not fit; another number if a signal or a person ended it before.

    Raises:
        LeRobotError: policy, robot and datasets do not fit each other, a device failed, or the run cannot go on.
    """
    if config.dry_run:
        return _rehearse(config)
    folder = _folder(config)
    with Rounds(folder, _settings(config), resume=config.resume and (folder / NAME).exists()) as rounds:
        while len(rounds) <= config.rounds:
            if code := _round(config, rounds, folder):
                logger.info("stopped; what was done is kept. Go on: --output_dir=%s --resume=true", folder)
                return code
        _conclude(rounds, folder)
    return 0


def _round(config: FinetuneConfig, rounds: Rounds, folder: Path) -> int:
    """Do what is left of the present round; 0 when it is done."""
    number = len(rounds)
    place = folder / "rounds" / f"{number:03d}"
    policy = config.policy
    if number:
        learned = _learn(config, _policy(config, rounds.best, folder), folder, number)
        if learned is None:
            best = rounds.judge(rounds.best.policy, rounds.best.successes, rounds.best.episodes)
            logger.info("round %d: no new episode succeeded, so there is nothing to learn from; still %s", number, best)
            return 0
        if learned:
            return learned
        policy = _at(config, (place / LEARNED / "checkpoints" / LAST).resolve() / MODEL)
    found = judged(config, policy, place / "judged")
    if isinstance(found, int):
        return found
    where = Path(policy.pretrained_path or "")
    if not number:
        logger.info("before: success in %s", rounds.judge(str(where), *found))
        return 0
    before = rounds.best
    told = rounds.judge(str(where.relative_to(folder)), *found)
    verdict = "kept" if told.kept else f"dropped; the best stays {before.policy}"
    logger.info("round %d: success in %s, before %s: %s", number, told, before, verdict)
    if told.kept:
        point(folder / BEST, where)
    return 0


def _learn(config: FinetuneConfig, policy: PreTrainedConfig, folder: Path, number: int) -> int | None:
    """Play, if that is wished, and learn; the exit code, or None where there is nothing to learn from."""
    if config.online_learning and (code := collect(config, policy, folder, number * config.episodes_per_round)):
        return code
    learn = reinforce if learns_from_reward(config) else imitate
    return learn(config, policy, folder, folder / "rounds" / f"{number:03d}" / LEARNED)


def _policy(config: FinetuneConfig, best: Round, folder: Path) -> PreTrainedConfig:
    """The configuration of a policy that was judged, with its weights."""
    return _at(config, folder / best.policy) if (folder / best.policy).exists() else config.policy


def _at(config: FinetuneConfig, place: Path) -> PreTrainedConfig:
    return config.policy.model_copy(update={"pretrained_path": str(place), "pretrained_revision": None})


def _settings(config: FinetuneConfig) -> dict[str, Any]:
    """What decides how rounds go: all but how many there are, and where."""
    aside = {"rounds", "output_dir", "job_name", "resume", "dry_run", "control_file", "play_sounds"}
    settings = config.model_dump(mode="json", exclude=aside)
    # The same arm may have another port tomorrow.
    return {**without_ports(settings), "pretrained_path": str(config.policy.pretrained_path)}


def _folder(config: FinetuneConfig) -> Path:
    """The folder of the run.

    Raises:
        LeRobotError: a new run would mix with another.
    """
    place, now = config.env or config.robot, datetime.now()
    name = config.job_name or f"{'' if place is None else place.type}_{config.policy.type}"
    folder = config.output_dir or Path("outputs/finetune") / f"{now:%Y-%m-%d}" / f"{now:%H-%M-%S}_{name}"
    if not config.resume:
        require_new(folder)
    return folder.absolute()


def _conclude(rounds: Rounds, folder: Path) -> None:
    logger.info("before: success in %s", rounds.first)
    logger.info("after:  success in %s", rounds.best)
    if rounds.best.policy == rounds.first.policy:
        logger.info("nothing that was learned is better; the policy stays %s", rounds.first.policy)
    else:
        logger.info("the best policy: %s", folder / BEST)


def _rehearse(config: FinetuneConfig) -> int:
    """Say what would be done, and whether all fits; nothing is written and nothing moves."""
    given = [each for each in (config.dataset, config.new_episodes) if each is not None]
    fits = 0
    sources = [
        DatasetSource(repo_id=each.repo_id, root=None if each.root is None else Path(each.root)) for each in given
    ]
    for source in sources or (None,):
        places = {"robot": config.robot, "env": config.env, "rename_map": config.rename_map}
        fits |= check(CheckConfig.model_validate({"policy": config.policy, "dataset": source, **places}))
    way = "its algorithm, from all episodes" if learns_from_reward(config) else "its own loss, from what succeeded"
    judge = counted(config.eval_episodes, "episode")
    logger.info("it would be judged by %s; then, %s:", judge, counted(config.rounds, "time"))
    if config.online_learning:
        helped = "nobody" if config.teleop is None else config.teleop.type
        logger.info("  play %s, which %s may correct", counted(config.episodes_per_round, "episode"), helped)
    logger.info("  learn %s times, of batches of %d, by %s", f"{config.steps:,}", config.batch_size, way)
    logger.info("  judge it by %s, and drop it if fewer succeed", judge)
    return fits
