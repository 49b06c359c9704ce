"""What `lerobot train` does."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from accelerate import Accelerator
from accelerate.utils import broadcast_object_list
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from lerobot.core.hooks import Hooks, load_hooks
from lerobot.core.signals import StopSignals, stop_signals
from lerobot.core.words import counted
from lerobot.policies.devices import choose_device
from lerobot.training import saved_config
from lerobot.training.assembly import Built, build
from lerobot.training.checkpoints import random_state
from lerobot.training.checkpoints.layout import MODEL, TRAIN_CONFIG
from lerobot.training.commands.train import TrainPipelineConfig
from lerobot.training.freed_memory import keep_freed_memory
from lerobot.training.launch import is_launched, launch
from lerobot.training.observer import RunObserver
from lerobot.training.processes import joined
from lerobot.training.publication import publish
from lerobot.training.refusal import is_taken, taken
from lerobot.training.resume import Resumption, resumption
from lerobot.training.torch_settings import torch_settings
from lerobot.training.trackers.selection import register_trackers

logger = logging.getLogger(__name__)

_PATIENCE_S = 3600.0
"""How long a checkpoint may take once a launcher has told its processes to stop; it kills them itself if it must."""


def train_command(config: TrainPipelineConfig) -> int:
    """Run `lerobot train`, which has its process to itself, or let an engine start it; see `train`."""
    if is_launched(config):
        return launch(config)
    if choose_device(config.policy.device).type == "cpu":
        keep_freed_memory()
    return train(config)


def train(config: TrainPipelineConfig) -> int:
    """Train, in a process that may do other things before and after; every process of a run calls this.

    Nothing of the process is another afterwards: no setting of torch, and no state of a random generator. Signals are
    the caller's: inside `with StopSignals():`, as in the command, Ctrl-C ends the run with a checkpoint.

    Returns:
        The exit code: 0, or that of the signal that ended the run.

    Raises:
        LeRobotError: the run cannot start or go on; says why.
    """
    resumed = resumption(config) if config.resume else None
    with (
        torch_settings(deterministic=config.cudnn_deterministic),
        joined(config.accelerator, config.policy.device, use_amp=config.policy.use_amp) as accelerator,
        random_state.aside(config.seed),
    ):
        return _train(config, accelerator, resumed)


def _train(config: TrainPipelineConfig, accelerator: Accelerator, resumed: Resumption | None) -> int:
    folder = _folder(config, resumed)
    hooks = load_hooks() if accelerator.is_main_process else Hooks()
    signals = stop_signals()
    with hooks.run("train", config):
        built = build(config, accelerator, resumed)
        observer = _run(config, built, folder, hooks, signals)
    _conclude(config, accelerator, observer)
    return signals.exit_code if observer.stopped else 0


def _folder(config: TrainPipelineConfig, resumed: Resumption | None) -> Path:
    """The folder of the run, the same in every process."""
    if resumed is not None:
        return resumed.run
    now = datetime.now()
    name = config.job_name or (f"{config.env.type}_" if config.env else "") + config.policy.type
    folder = config.output_dir or Path("outputs/train") / f"{now:%Y-%m-%d}" / f"{now:%H-%M-%S}_{name}"
    agreed: list[Any] = [folder.absolute(), is_taken(folder)]
    broadcast_object_list(agreed)
    if agreed[1]:
        raise taken(agreed[0])
    return Path(agreed[0])


def _run(config: TrainPipelineConfig, built: Built, folder: Path, hooks: Hooks, signals: StopSignals) -> RunObserver:
    training = built.training
    policy = training.learner.trained.policy
    settings = saved_config.to_json(config, policy.config, built.optimizer, built.scheduler, folder)
    if training.accelerator.is_main_process:
        folder.mkdir(parents=True, exist_ok=True)
        register_trackers(hooks, config, folder, training.step, settings)
        logger.info("%s", _description(config, built))
    several = training.accelerator.num_processes > 1
    with _progress(config, training.step, shown=training.accelerator.is_main_process) as tick:
        observer = RunObserver(config, built, folder, hooks, signals, settings, tick)
        # A launcher passes a signal on and then sends its own: the second must not cut the checkpoint short.
        with signals.shielded(_PATIENCE_S) if several else signals.graceful():
            training.run(config.steps, observer)
    return observer


def _description(config: TrainPipelineConfig, built: Built) -> str:
    policy = built.training.learner.trained.policy
    learned = sum(parameter.numel() for parameter in policy.parameters() if parameter.requires_grad)
    data, processes = built.demonstrations, built.training.accelerator.num_processes
    return (
        f"{config.policy.type}: {learned / 1e6:.2f} million parameters to learn, on {built.training.accelerator.device}"
        f"{f' with {processes} processes' if processes > 1 else ''}; {counted(data.num_episodes, 'episode')}, "
        f"{counted(data.num_frames, 'frame')}; "
        f"{counted(config.steps - built.training.step, 'step')} of {counted(config.batch_size * processes, 'frame')}"
    )


def _conclude(config: TrainPipelineConfig, accelerator: Accelerator, observer: RunObserver) -> None:
    if not accelerator.is_main_process:
        return
    if observer.newest is None:
        logger.info("no checkpoint was saved")
        return
    if observer.stopped:
        settings = observer.newest / MODEL / TRAIN_CONFIG
        logger.info(
            "stopped; everything is saved. Go on with:\n  lerobot train --config_path=%s --resume=true", settings
        )
        return
    logger.info("trained: %s", observer.newest / MODEL)
    if config.policy.push_to_hub and config.policy.repo_id:
        publish(observer.newest / MODEL, config.policy, config.dataset.repo_id)


@contextmanager
def _progress(
    config: TrainPipelineConfig, start: int, *, shown: bool
) -> Iterator[Callable[[int, dict[str, float]], None]]:
    console = Console(stderr=True)
    columns = (
        TextColumn("training"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[facts]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True, disable=not (shown and console.is_terminal)) as progress:
        bar = progress.add_task("training", total=config.steps, completed=start, facts="")

        def tick(step: int, metrics: dict[str, float]) -> None:
            loss = f"loss {metrics['loss']:.4g}  " if "loss" in metrics else ""
            facts = f"{loss}waiting for data {100 * metrics['data_wait_share']:.0f} %"
            progress.update(bar, completed=step, facts=facts)

        yield tick
