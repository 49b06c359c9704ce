"""A run in one process: an episode, what can be learned from it, and the next."""

import logging
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from lerobot.core.errors import LeRobotError
from lerobot.core.hooks import Hooks
from lerobot.rl.assembly import DRAWS, Experience
from lerobot.rl.commands.train_rl import ReinforcementOptions, saved
from lerobot.rl.learner import ReinforcementLearner
from lerobot.rl.transition import Episode
from lerobot.training.checkpoints import folder as checkpoints
from lerobot.training.checkpoints import random_state
from lerobot.training.checkpoints.layout import Progress, write_json

logger = logging.getLogger(__name__)

UPDATES, SUCCESSES = "updates", 20
"""Key of the number of updates in a checkpoint; episodes that the rate of success is told of."""


@dataclass(slots=True)
class LearningRun:
    """How far a run is, and how it goes on.

    Attributes:
        config: of the run.
        learner: what learns.
        experience: what it learns from.
        folder: of the run.
        hooks: who is told.
        updates: how often it learned.
        steps: actions, over all episodes.
        episodes: how many there are.
        saved_at: actions there were at the newest checkpoint.
        newest: the newest checkpoint that it made.
        resumed: the checkpoint that it goes on from.
    """

    config: ReinforcementOptions
    learner: ReinforcementLearner
    experience: Experience
    folder: Path
    hooks: Hooks
    updates: int = 0
    steps: int = 0
    episodes: int = 0
    saved_at: int = 0
    newest: Path | None = None
    resumed: Path | None = None
    _successes: deque[bool] = field(default_factory=lambda: deque(maxlen=SUCCESSES))
    _measured: dict[str, list[float]] = field(default_factory=dict)

    def count(self, length: int, *, success: bool) -> None:
        """Take note of an episode: of this run, or of before it was resumed."""
        self.steps += length
        self.episodes += 1
        self._successes.append(success)

    @property
    def owed(self) -> int:
        """Updates that the actions so far allow and that are not done yet."""
        online = self.config.online
        allowed = int(max(0, self.steps - online.warmup_steps) * online.updates_per_step)
        return max(0, online.offline_updates + allowed - self.updates)

    def learn(self, times: int) -> None:
        """Learn a number of times.

        Raises:
            LeRobotError: a loss is no number.
        """
        for _ in range(times):
            self._measure(self.learner.step())
            self.updates += 1

    def _measure(self, values: Mapping[str, Tensor | float]) -> None:
        for key, value in values.items():
            number = float(value)
            if number != number:
                raise LeRobotError(
                    f"{key} is no number after {self.updates} updates",
                    hint="Lower the learning rates of --algorithm, and check the rewards of the dataset.",
                )
            self._measured.setdefault(key, []).append(number)

    def report(self, episode: Episode) -> None:
        """Tell how an episode went, and what was learned since the report before."""
        means = {key: sum(values) / len(values) for key, values in self._measured.items()}
        self._measured = {}
        told = {
            "episode": float(self.episodes),
            "reward": episode.reward,
            "success": float(episode.success),
            "success_rate": sum(self._successes) / len(self._successes),
            "length": float(len(episode)),
            "intervention_rate": episode.interventions / len(episode),
            "updates": float(self.updates),
            **self.learner.rates,
        }
        self.hooks.call("train_step", step=self.steps, metrics={**told, **means})

    def save(self, generators: Mapping[str, Tensor]) -> None:
        """Write a checkpoint.

        Args:
            generators: random states that the run goes on with.
        """
        target = self.folder / "checkpoints" / checkpoints.checkpoint_name(self.steps, self.config.online.steps)
        target.parent.mkdir(parents=True, exist_ok=True)
        settings: Mapping[str, Any] = saved(self.config, self.learner.trained.policy.config, self.folder)

        def write(state: Path) -> None:
            self.learner.save_state(state)
            draws = {
                UPDATES: self.updates,
                "online": self.experience.online.state_dict(),
                "offline": self.experience.offline.state_dict(),
            }
            write_json(state / DRAWS, draws)

        progress = Progress(self.steps, 1, self.config.batch_size)
        checkpoints.save(target, self.learner.checkpointed, write, progress, [generators], settings)
        self.hooks.call("checkpoint_saved", step=self.steps, path=target)
        self.newest, self.saved_at = target, self.steps

    @property
    def is_save_due(self) -> bool:
        """Whether a checkpoint is due after this episode."""
        return self.config.save_checkpoint and self.steps - self.saved_at >= self.config.save_freq

    @property
    def is_over(self) -> bool:
        """Whether all actions are taken."""
        return self.steps >= self.config.online.steps


def states() -> dict[str, Tensor]:
    """The random states of now; see `random_state.capture`."""
    with torch.no_grad():
        return random_state.capture()
