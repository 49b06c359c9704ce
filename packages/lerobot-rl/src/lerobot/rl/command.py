"""What `lerobot train-rl` does."""

import logging
from contextlib import closing
from datetime import datetime
from pathlib import Path

from torch import Tensor

from lerobot.core.errors import LeRobotError
from lerobot.core.extras import require
from lerobot.core.hooks import Hooks, load_hooks
from lerobot.core.safety import check_safety, safe_end
from lerobot.core.signals import StopSignals
from lerobot.datasets.record.progress import Progress
from lerobot.policies.player import TrainedPlayer
from lerobot.rl.assembly import DRAWS, REPLAY, Experience, make_learner, newest_checkpoint, open_experience
from lerobot.rl.commands.train_rl import ReinforcementOptions, TrainRLConfig, saved
from lerobot.rl.devices import Devices, make_devices
from lerobot.rl.play.player import Player, connected_player
from lerobot.rl.run import UPDATES, LearningRun, states
from lerobot.rollout.source import PolicySource
from lerobot.training.checkpoints import random_state
from lerobot.training.checkpoints.folder import read_random
from lerobot.training.checkpoints.layout import MODEL, STATE, TRAIN_CONFIG, read_json, read_progress
from lerobot.training.refusal import require_new
from lerobot.training.torch_settings import torch_settings
from lerobot.training.trackers.console import ConsoleTracker
from lerobot.training.trackers.selection import METRICS
from lerobot.training.trackers.table import CsvTracker

logger = logging.getLogger(__name__)


def train_rl(config: TrainRLConfig) -> int:
    """Run the command; afterwards torch and all random generators are as they were.

    Returns:
        0; 128 plus the signal's number when a signal ended it.

    Raises:
        LeRobotError: the run cannot start or go on; says why. The robot is in its safe state.
    """
    folder = run_folder(config)
    devices = make_devices(config)
    check_safety(devices.robot, config.safety)
    with torch_settings(deterministic=True), random_state.aside(config.seed):
        hooks = load_hooks()
        experience = open_experience(config, devices, folder)
        with closing(experience.dataset), hooks.run("train-rl", config):
            run = begun(config, devices, folder, hooks, experience)
            source = PolicySource(TrainedPlayer(run.learner.trained), devices.features, devices.task)
            source.rehearse()
            if run.resumed is not None and (generators := read_random(run.resumed, 0)) is not None:
                random_state.restore(generators)
            return _play(config, devices, run, source)


def run_folder(config: ReinforcementOptions) -> Path:
    """The folder of the run.

    Raises:
        LeRobotError: a new run would mix with another, or there is none to go on with.
    """
    place = config.env.type if config.env is not None else config.robot.type if config.robot is not None else ""
    name = config.job_name or f"{place}_{config.policy.type}"
    now = datetime.now()
    folder = config.output_dir or Path("outputs/train") / f"{now:%Y-%m-%d}" / f"{now:%H-%M-%S}_{name}"
    if not config.resume:
        require_new(folder)
    elif not (folder / REPLAY).exists():
        raise LeRobotError(f"there is no run {folder} to go on with", expected="--output_dir=RUN, or its --config_path")
    return folder.absolute()


def begun(
    config: ReinforcementOptions, devices: Devices, folder: Path, hooks: Hooks, experience: Experience
) -> LearningRun:
    """Make a run, or bring it to where it was.

    Raises:
        LeRobotError: policy, devices and checkpoint do not fit each other.
    """
    checkpoint = newest_checkpoint(folder) if config.resume else None
    learner = make_learner(config, devices, experience, checkpoint)
    run = LearningRun(config, learner, experience, folder, hooks)
    for length, success in experience.before:
        run.count(length, success=success)
    register(hooks, config, run)
    if checkpoint is not None:
        run.saved_at, run.resumed = read_progress(checkpoint).step, checkpoint
        run.updates = read_json(checkpoint / STATE / DRAWS)[UPDATES]
    return run


def register(hooks: Hooks, config: ReinforcementOptions, run: LearningRun) -> None:
    """Register what writes down how a run goes: log lines, `metrics.csv`, and Weights & Biases if it is wished."""
    hooks.register(ConsoleTracker(), "console")
    hooks.register(CsvTracker(run.folder / METRICS, run.steps), "csv")
    if config.wandb.enable:
        require("wandb", extra="wandb", needed_by="--wandb.enable", distribution="lerobot-training")
        from lerobot.training.trackers.wandb import WandBTracker

        tags = [f"policy:{config.policy.type}", f"algorithm:{config.learning.type}", f"seed:{config.seed}"]
        settings = saved(config, config.policy, run.folder)
        name = config.job_name or run.folder.name
        hooks.register(WandBTracker(config.wandb, run.folder, name, tags, settings), "wandb")


def _play(config: TrainRLConfig, devices: Devices, run: LearningRun, source: PolicySource) -> int:
    """Play and learn in turns until all actions are taken or somebody stops it."""
    progress = Progress(speak=config.play_sounds)
    with safe_end(devices.robot, *devices.others) as session:
        session.close_later("progress line", progress.close)
        boundary = states()
        with session.signals.graceful():
            if len(run.learner.replay):
                learn(run, session.signals)
        if not session.signals.stop_requested and not run.is_over:
            player = connected_player(config, session, devices, source, run.hooks, progress.say)
            boundary = _episodes(run, player, session.signals)
    if config.save_checkpoint and (run.steps > run.saved_at or run.newest is None):
        run.save(boundary)
    conclude(run, "train-rl", stopped=session.signals.exit_code != 0)
    return session.signals.exit_code


def _episodes(run: LearningRun, player: Player, signals: StopSignals) -> dict[str, Tensor]:
    """Play; gives the random states at the end of the last episode that was learned from."""
    boundary = states()
    while not (run.is_over or player.stopped or signals.stop_requested):
        episode = player.play(run.episodes)
        if episode is None:
            continue
        run.experience.add(episode)
        run.count(len(episode), success=episode.success)
        with signals.graceful(), player.aside():
            learn(run, signals)
        boundary = states()
        if run.episodes % run.config.log_freq == 0:
            run.report(episode)
        if run.is_save_due and not signals.stop_requested:
            with player.aside():
                run.save(boundary)
    return boundary


def learn(run: LearningRun, signals: StopSignals) -> None:
    """Learn what is owed; told to stop, leave the rest for the run that goes on."""
    while run.owed and not signals.stop_requested:
        run.learn(1)


def conclude(run: LearningRun, command: str, *, stopped: bool) -> None:
    """Say where everything is, and how to go on with a run that was stopped."""
    if run.newest is None:
        logger.info("no checkpoint was saved; the episodes are in %s", run.folder / REPLAY)
        return
    settings = run.newest / MODEL / TRAIN_CONFIG
    if stopped or not run.is_over:
        going_on = f"lerobot {command} --config_path={settings} --resume=true"
        logger.info("stopped; everything is saved. Go on with:\n  %s", going_on)
    else:
        logger.info("trained: %s", run.newest / MODEL)
