"""Log lines."""

import logging
from collections.abc import Mapping
from typing import Any

from lerobot.core.hooks import hookimpl

logger = logging.getLogger(__name__)


class ConsoleTracker:
    """Writes every measurement as one log line."""

    @hookimpl
    def train_step(self, step: int, metrics: Mapping[str, float]) -> None:
        """See `LearningHooks.train_step`."""
        logger.info("step %d  %s", step, "  ".join(f"{key} {value:.4g}" for key, value in metrics.items()))

    @hookimpl
    def evaluation_done(self, step: int | None, results: Mapping[str, Any]) -> None:
        """See `LearningHooks.evaluation_done`."""
        overall = results["overall"]
        low, high = overall["pc_success_interval_95"]
        logger.info(
            "step %s  success %.1f %% of %d episodes (95 %% interval %.1f to %.1f %%)",
            step, overall["pc_success"], overall["n"], low, high,
        )  # fmt: skip
