"""Weights & Biases."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import wandb

from lerobot.core.hooks import hookimpl
from lerobot.training.config import WandBConfig


class WandBTracker:
    """Sends every measurement, or keeps it for `wandb sync` with `mode=offline`.

    Args:
        config: project, mode, ...
        folder: folder of the run.
        name: name of the run.
        tags: words to find it by.
        settings: configuration of the run, shown beside it.
    """

    def __init__(
        self, config: WandBConfig, folder: Path, name: str, tags: list[str], settings: Mapping[str, Any]
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._run = wandb.init(
            project=config.project,
            entity=config.entity,
            notes=config.notes,
            id=config.run_id,
            resume="must" if config.run_id else None,
            mode=config.mode,
            name=name,
            dir=str(folder),
            tags=tags if config.add_tags else None,
            config=dict(settings),
        )

    @hookimpl
    def train_step(self, step: int, metrics: Mapping[str, float]) -> None:
        """See `LearningHooks.train_step`."""
        self._run.log({f"train/{key}": value for key, value in metrics.items()}, step=step)

    @hookimpl
    def evaluation_done(self, step: int | None, results: Mapping[str, Any]) -> None:
        """See `LearningHooks.evaluation_done`."""
        keys = ("pc_success", "avg_sum_reward", "avg_max_reward")
        self._run.log({f"eval/{key}": results["overall"][key] for key in keys}, step=step)

    @hookimpl
    def run_end(self, command: str, error: BaseException | None) -> None:  # noqa: ARG002 - the hook's arguments
        """See `RunHooks.run_end`."""
        self._run.finish(exit_code=0 if error is None else 1)
