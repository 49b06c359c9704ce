"""TensorBoard."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch.utils.tensorboard import SummaryWriter

from lerobot.core.hooks import hookimpl


class TensorBoardTracker:
    """Writes every measurement as a scalar.

    Args:
        folder: folder of its event files.
        step: step the run goes on from; what an earlier run wrote beyond it is hidden.
    """

    def __init__(self, folder: Path, step: int = 0) -> None:
        self._writer = SummaryWriter(str(folder), purge_step=step + 1 if step else None)

    @hookimpl
    def train_step(self, step: int, metrics: Mapping[str, float]) -> None:
        """See `LearningHooks.train_step`."""
        for key, value in metrics.items():
            self._writer.add_scalar(f"train/{key}", value, step)

    @hookimpl
    def evaluation_done(self, step: int | None, results: Mapping[str, Any]) -> None:
        """See `LearningHooks.evaluation_done`."""
        for key in ("pc_success", "avg_sum_reward", "avg_max_reward"):
            self._writer.add_scalar(f"eval/{key}", results["overall"][key], step)

    @hookimpl
    def run_end(self, command: str, error: BaseException | None) -> None:  # noqa: ARG002 - the hook's arguments
        """See `RunHooks.run_end`."""
        self._writer.close()
