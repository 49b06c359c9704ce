"""The learner: an algorithm, and where its batches come from."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor

from lerobot.core.errors import CheckpointError
from lerobot.core.json_file import read_json
from lerobot.policies.assembly import PolicyWithProcessors
from lerobot.rl.algorithm import Algorithm
from lerobot.rl.replay.buffer import Replay
from lerobot.rl.replay.shifts import with_shifts
from lerobot.rl.transition import TransitionBatch
from lerobot.training.checkpoints.layout import MODEL, write_json
from lerobot.training.checkpoints.optimizer_state import load_optimizer, read_tensors, save_optimizer

ALGORITHM, WEIGHTS, CONFIG = "algorithm", "model.safetensors", "config.json"


class ReinforcementLearner:
    """Draws batches and lets an algorithm learn from them.

    Args:
        algorithm: what learns, with its policy.
        replay: what it learns from.
        batch_size: windows per batch.
        shift_pixels: largest random shift of pictures.
    """

    def __init__(self, algorithm: Algorithm, replay: Replay, batch_size: int, *, shift_pixels: int = 0) -> None:
        self.algorithm = algorithm
        self.replay = replay
        self.batch_size = batch_size
        self.shift_pixels = shift_pixels
        self._device = next(iter(algorithm.trained.policy.parameters())).device

    @property
    def trained(self) -> PolicyWithProcessors:
        """The policy that learns, with its processors."""
        return self.algorithm.trained

    @property
    def checkpointed(self) -> Mapping[str, PolicyWithProcessors]:
        """Policies that a checkpoint holds, by folder."""
        return {MODEL: self.trained}

    @property
    def rates(self) -> dict[str, float]:
        """Learning rate of each optimizer."""
        found = {name: float(each.param_groups[0]["lr"]) for name, each in self.algorithm.optimizers.items()}
        return {"lr": next(iter(found.values()))} if len(set(found.values())) == 1 else found

    def step(self) -> dict[str, Tensor | float]:
        """Learn once; the policy is in the mode for learning afterwards."""
        self.trained.policy.train()
        measured = self.algorithm.update(self._sample)
        return {key: value.detach() if isinstance(value, Tensor) else value for key, value in measured.items()}

    def _sample(self) -> TransitionBatch:
        steps = self.algorithm.config.steps_per_window
        with torch.no_grad():
            batch = with_shifts(self.replay.sample(self.batch_size, steps).to(self._device), self.shift_pixels)
            return batch.scaled(self.trained.processors.preprocessor)

    def save_state(self, folder: Path) -> None:
        """Write what going on needs beside the policy: `algorithm/` beside `folder`, and each optimizer in it.

        Args:
            folder: `training_state` of a checkpoint.
        """
        aside = folder.parent / ALGORITHM
        aside.mkdir(parents=True, exist_ok=True)
        weights = {key: value.detach().cpu().contiguous() for key, value in self.algorithm.state_dict().items()}
        save_file(weights, aside / WEIGHTS)
        write_json(aside / CONFIG, self.algorithm.config.model_dump(mode="json"))
        for name, optimizer in self.algorithm.optimizers.items():
            save_optimizer(optimizer, folder / name)

    def load_state(self, folder: Path) -> None:
        """Go on from what `save_state` wrote; the policy has its weights already.

        Raises:
            CheckpointError: a file is missing, damaged, or of another algorithm; names it.
        """
        aside = folder.parent / ALGORITHM
        saved = _type_of(aside / CONFIG)
        if saved != self.algorithm.config.type:
            raise CheckpointError(f"{aside} is of the algorithm {saved!r}", expected=self.algorithm.config.type)
        self.algorithm.load_state_dict(read_tensors(aside / WEIGHTS))
        for name, optimizer in self.algorithm.optimizers.items():
            load_optimizer(optimizer, folder / name)


def _type_of(path: Path) -> Any:
    try:
        return read_json(path).get("type")
    except (OSError, ValueError, AttributeError) as error:
        raise CheckpointError(f"{path} cannot be read: {error}", hint="Resume from another checkpoint.") from error
