"""What happens between batches: reports, validation, evaluation, checkpoints, and the end."""

import logging
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from accelerate.utils import gather_object

from lerobot.core.hooks import Hooks
from lerobot.core.signals import Stopped, StopSignals
from lerobot.envs.benchmark import Evaluation
from lerobot.training.assembly import Built
from lerobot.training.batches import validation_batches
from lerobot.training.checkpoints import folder as checkpoints
from lerobot.training.checkpoints import random_state
from lerobot.training.checkpoints.layout import BEST, Progress
from lerobot.training.commands.train import TrainPipelineConfig
from lerobot.training.sharding.units import degrees

logger = logging.getLogger(__name__)

_STOP_CHECK_STEPS = 10
"""Batches after which processes agree on whether one was told to stop; asking costs them a rendezvous."""


class RunObserver:
    """Acts after every batch, in every process; nothing it does draws from the run's random numbers.

    Args:
        config: the run.
        built: what is trained.
        folder: folder of the run.
        hooks: who is told; only the first process's has listeners.
        signals: whether to stop.
        settings: contents of `train_config.json`.
        tick: called after every batch with what a progress bar shows.
    """

    def __init__(
        self,
        config: TrainPipelineConfig,
        built: Built,
        folder: Path,
        hooks: Hooks,
        signals: StopSignals,
        settings: dict[str, Any],
        tick: Callable[[int, dict[str, float]], None],
    ) -> None:
        self.config = config
        self.folder = folder
        self.stopped = False
        self.newest: Path | None = None
        self._training = built.training
        self._accelerator = built.training.accelerator
        self._demonstrations = built.demonstrations
        self._hooks = hooks
        self._signals = signals
        self._settings = settings
        self._tick = tick
        self._best = built.progress.best_validation_loss if built.progress else None
        self._best_step: int | None = None
        self._shown: dict[str, float] = {}

    def step_done(self, step: int) -> bool:
        """See `Observer.step_done`."""
        last = step == self.config.steps
        if last or step % self.config.log_freq == 0:
            self._report(step)
        self._tick(step, {**self._shown, "data_wait_share": self._training.meter.wait_share})
        if not self._training.learner.at_rest:
            return False
        improved = _due(step, self.config.eval_steps) and self._validate(step)
        self.stopped = not last and self._asked_to_stop(step)
        if self.config.save_checkpoint and (
            last or self.stopped or improved or _due(step, max(self.config.save_freq, 0))
        ):
            self._save(step, best=improved)
        if self.config.env is not None and _due(step, self.config.env_eval_freq) and not self.stopped:
            self._evaluate(step)
        return self.stopped

    def _report(self, step: int) -> None:
        metrics = self._training.report()
        self._training.require_finite(metrics["loss"])
        self._shown = metrics
        self._hooks.call("train_step", step=step, metrics=metrics)

    def _validate(self, step: int) -> bool:
        dataset = self._demonstrations.validation
        if dataset is None:
            return False
        batches = validation_batches(
            dataset,
            self.config,
            self.config.max_eval_samples,
            self._accelerator.process_index,
            self._accelerator.num_processes,
        )
        with random_state.aside(self.config.seed):
            loss = self._training.validate(batches)
        self._hooks.call("train_step", step=step, metrics={"validation_loss": loss})
        if self._best is not None and loss >= self._best:
            return False
        self._best = loss
        return True

    def _save(self, step: int, *, best: bool) -> None:
        states = gather_object([random_state.capture()])
        target = self.folder / "checkpoints" / checkpoints.checkpoint_name(step, self.config.steps)
        learner = self._training.learner
        with learner.whole(final=step == self.config.steps):
            if self._accelerator.is_main_process:
                settings = {**self._settings, "checkpoint_path": str(target)}
                target.parent.mkdir(parents=True, exist_ok=True)
                progress = self._progress(step)
                checkpoints.write(target, learner.checkpointed, learner.save_state, progress, states, settings)
            self._accelerator.wait_for_everyone()
            learner.save_parts(checkpoints.aside_of(target))
            if self._accelerator.is_main_process:
                checkpoints.finish(target)
                if best:
                    self._point_best(target, step)
                self._hooks.call("checkpoint_saved", step=step, path=target)
            self.newest = target
            self._accelerator.wait_for_everyone()

    def _progress(self, step: int) -> Progress:
        return Progress(
            step,
            self._accelerator.num_processes,
            self.config.batch_size,
            self.config.accelerator.gradient_accumulation.steps,
            self._best,
            self.config.workers if self.config.dataset.streaming else None,
            degrees(self.config.parallelism, self._accelerator.num_processes)[1],
        )

    def _point_best(self, target: Path, step: int) -> None:
        """Remember the best checkpoint; the one before goes, unless it would have been made anyway."""
        checkpoints.point(target.parent / BEST, target)
        before, self._best_step = self._best_step, step
        if before is not None and not _due(before, max(self.config.save_freq, 0)):
            shutil.rmtree(target.parent / checkpoints.checkpoint_name(before, self.config.steps), ignore_errors=True)

    def _evaluate(self, step: int) -> None:
        with self._training.learner.whole(acting=True):
            if self._accelerator.is_main_process and self.config.env is not None:
                videos = self.folder / "eval" / f"videos_step_{checkpoints.checkpoint_name(step, self.config.steps)}"
                evaluation = Evaluation(
                    lambda _: self._training.learner.evaluated,
                    self.config.env,
                    self.config.eval,
                    seed=self.config.seed,
                    videos=videos,
                    rename_map=self.config.rename_map,
                )
                # The next step sees the stop as well, and saves.
                with suppress(Stopped), random_state.aside(self.config.seed):
                    results = evaluation.run()
                    self._hooks.call("evaluation_done", step=step, results=results)
            self._accelerator.wait_for_everyone()

    def _asked_to_stop(self, step: int) -> bool:
        mine = self._signals.received is not None
        if self._accelerator.num_processes == 1:
            return mine
        if step % _STOP_CHECK_STEPS:
            return False
        votes = torch.tensor(float(mine), device=self._accelerator.device)
        return bool(self._accelerator.reduce(votes, reduction="sum") > 0)


def _due(step: int, every: int) -> bool:
    return every > 0 and step % every == 0
