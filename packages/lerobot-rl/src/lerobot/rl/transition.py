"""What happened in an episode, row by row, and the batches that algorithms learn from."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lerobot.core.images import channels_first, unit_range

Frame = Mapping[str, NDArray[Any]]
"""What was seen at one instant, by the names of a dataset: vectors float32, pictures `(H, W, C)` uint8."""


@dataclass(frozen=True, slots=True)
class Transition:
    """One row: what was seen, what was done, and what came of it.

    Attributes:
        observation: what was seen before the action.
        action: what was sent to the robot, in its units, `(Da,)` float32.
        reward: for the action.
        terminal: nothing of worth can follow: the task is solved, or lost. The end of the time is not terminal.
        success: the task is solved.
        intervention: a person acted.
        extra: further numbers of the row, such as `discrete_penalty`.
    """

    observation: Frame
    action: NDArray[np.float32]
    reward: float
    terminal: bool = False
    success: bool = False
    intervention: bool = False
    extra: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Episode:
    """Transitions that follow one another.

    Attributes:
        id: tells it from every other episode, of whichever process; no episode counts twice.
        transitions: at least one.
        last: what was seen after the last action.
        task: what there was to do, in words.
    """

    id: str
    transitions: Sequence[Transition]
    last: Frame
    task: str = ""

    def __len__(self) -> int:
        return len(self.transitions)

    @property
    def success(self) -> bool:
        """Whether the task is solved at its end."""
        return self.transitions[-1].success

    @property
    def interventions(self) -> int:
        """In how many transitions a person acted."""
        return sum(row.intervention for row in self.transitions)

    @property
    def reward(self) -> float:
        """Sum of the rewards."""
        return float(sum(row.reward for row in self.transitions))

    def corrections(self) -> Iterator["Episode"]:
        """The parts in which a person acted, each as an episode of its own, its id derived from this one's."""
        rows = self.transitions
        start = 0
        while start < len(rows):
            if not rows[start].intervention:
                start += 1
                continue
            stop = start
            while stop < len(rows) and rows[stop].intervention:
                stop += 1
            after = rows[stop].observation if stop < len(rows) else self.last
            yield Episode(f"{self.id}/{start}", rows[start:stop], after, self.task)
            start = stop


@dataclass(frozen=True, slots=True)
class TransitionBatch:
    """Windows of transitions, each inside one episode; where the episode ends earlier, `valid` is false.

    Attributes:
        observation: what was seen first, `(B, ...)`; pictures `(B, C, H, W)`.
        action: `(B, T, Da)`; beyond the end the last one again.
        reward: `(B, T)`; beyond the end 0.
        terminal: `(B, T)` bool; see `Transition`.
        valid: `(B, T)` bool: which rows there are; the first always.
        next_observation: what was seen after the last valid row, `(B, ...)`.
        intervention: `(B, T)` bool.
        extra: `(B, T)` by name; names that an episode lacks are 0.
        task: words, one per window.
    """

    observation: dict[str, Tensor]
    action: Tensor
    reward: Tensor
    terminal: Tensor
    valid: Tensor
    next_observation: dict[str, Tensor]
    intervention: Tensor
    extra: dict[str, Tensor]
    task: list[str]

    def __len__(self) -> int:
        return len(self.action)

    def returns(self, discount: float) -> Tensor:
        """Discounted sum of the rewards of each window, `(B,)`."""
        steps = torch.arange(self.reward.shape[1], device=self.reward.device)
        return (self.reward * discount**steps * self.valid).sum(dim=1)

    def continuation(self, discount: float) -> Tensor:
        """What the value of `next_observation` counts today, `(B,)`: `discount` to the number of rows; 0 after an end.

        So `returns + continuation * value` is an unbiased backup over a window, also where it is shorter.
        """
        return discount ** self.valid.sum(dim=1) * ~(self.terminal & self.valid).any(dim=1)

    def to(self, device: torch.device) -> "TransitionBatch":
        """Move it, and make pictures float32 in [0, 1] there: bytes travel four times as fast."""

        def seen(parts: Mapping[str, Tensor]) -> dict[str, Tensor]:
            moved = {key: value.to(device, non_blocking=True) for key, value in parts.items()}
            return {
                key: unit_range(channels_first(value).contiguous()) if value.ndim == 4 else value
                for key, value in moved.items()
            }

        def plain(value: Tensor) -> Tensor:
            return value.to(device, non_blocking=True)

        return TransitionBatch(
            seen(self.observation), plain(self.action), plain(self.reward), plain(self.terminal), plain(self.valid),
            seen(self.next_observation), plain(self.intervention), {k: plain(v) for k, v in self.extra.items()},
            self.task,
        )  # fmt: skip

    def scaled(self, preprocessor: Any) -> "TransitionBatch":
        """Bring it to what a policy takes: observations and actions through its pre-processor.

        Args:
            preprocessor: of the policy.
        """
        first = preprocessor({**self.observation, "action": self.action, "task": self.task})
        after = preprocessor({**self.next_observation, "task": self.task})
        return replace(
            self,
            observation={key: first[key] for key in first if key.startswith("observation.")},
            action=first["action"],
            next_observation={key: after[key] for key in after if key.startswith("observation.")},
        )


def joined(batches: Sequence[TransitionBatch]) -> TransitionBatch:
    """Put batches one behind the other; all have the same keys, except that `extra` may lack some, which are 0."""
    if len(batches) == 1:
        return batches[0]

    def parts(name: str) -> dict[str, Tensor]:
        keys = getattr(batches[0], name)
        return {key: torch.cat([getattr(batch, name)[key] for batch in batches]) for key in keys}

    names = {name: None for batch in batches for name in batch.extra}
    extra = {
        name: torch.cat([batch.extra.get(name, torch.zeros_like(batch.reward)) for batch in batches]) for name in names
    }
    plain = ("action", "reward", "terminal", "valid", "intervention")
    return TransitionBatch(
        observation=parts("observation"),
        next_observation=parts("next_observation"),
        extra=extra,
        task=[task for batch in batches for task in batch.task],
        **{name: torch.cat([getattr(batch, name) for batch in batches]) for name in plain},
    )
