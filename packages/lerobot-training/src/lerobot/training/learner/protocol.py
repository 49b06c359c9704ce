"""What the training loop knows of learning."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

from torch import Tensor

from lerobot.policies.assembly import PolicyWithProcessors


class Learner(Protocol):
    """A policy and all that makes it better, batch by batch.

    How many networks, losses, optimizers and schedules there are, and in which phases they take turns, is the learner's
    own affair; the loop only calls what stands here. Every process of a run has one.
    """

    @property
    def trained(self) -> PolicyWithProcessors:
        """The policy that learns, with its processors."""
        ...

    @property
    def evaluated(self) -> PolicyWithProcessors:
        """What validation and evaluation look at: `trained`, or a copy such as an average of its weights."""
        ...

    @property
    def checkpointed(self) -> Mapping[str, PolicyWithProcessors]:
        """Policies that a checkpoint holds, by folder; `pretrained_model` is `trained`."""
        ...

    def whole(self, *, acting: bool = False, final: bool = False) -> AbstractContextManager[None]:
        """Bring together, for the first process, what processes hold parts of; every process enters it.

        Inside, `checkpointed`, `evaluated` and what `save_state` writes are whole there, and nothing is learned.

        Args:
            acting: the policies are to act, on the device; `save_state` is not called.
            final: the checkpoint that is made is the last of the run.
        """
        ...

    def save_parts(self, folder: Path) -> None:
        """Write what each process holds a part of, where it is not brought together; every process calls this.

        Args:
            folder: of a checkpoint, which has everything else already.
        """
        ...

    @property
    def at_rest(self) -> bool:
        """Whether nothing waits for more batches, such as half-gathered gradients, so that a checkpoint can be made."""
        ...

    @property
    def rates(self) -> dict[str, float]:
        """Learning rates of the newest step, by the name they are reported with; `lr` where there is one."""
        ...

    def step(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Learn from a batch.

        Args:
            batch: from the loader, on the device; images float32 in [0, 1], numbers not normalised.

        Returns:
            Measurements: `loss`, and whatever else says how it goes; scalars, which may still be on the device.
        """
        ...

    def validation_loss(self, batch: dict[str, Any]) -> Tensor:
        """Mean loss of the frames of a batch, as `evaluated` acts; nothing is learned.

        Args:
            batch: as for `step`, of held-out frames.
        """
        ...

    def save_state(self, folder: Path) -> None:
        """Write all that going on needs beside the policies: optimizers, schedules, averages, networks that never act.

        Args:
            folder: `training_state` of a checkpoint, where one optimizer has its files; each of several has a folder of
                its name in it. `lerobot.training.checkpoints.optimizer_state` writes and reads them.
        """
        ...

    def load_state(self, folder: Path, step: int, *, new_settings: bool) -> None:
        """Go on from what `save_state` wrote, to the bit; the policy has its weights already.

        Args:
            folder: it.
            step: batches that are done.
            new_settings: the run was given other settings of optimizers or schedules, which shall hold from here on in
                place of the saved ones.

        Raises:
            CheckpointError: a file is missing, damaged, or of another policy or optimizer; names it.
        """
        ...
