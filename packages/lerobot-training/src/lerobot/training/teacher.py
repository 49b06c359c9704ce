"""A teacher: a trained policy whose actions another one learns in place of those of the demonstrations."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lerobot.core.errors import FeatureMismatchError, LeRobotError
from lerobot.core.processors.steps.mapping import RenameObservationsProcessorStep
from lerobot.policies.assembly import PolicyWithProcessors
from lerobot.policies.checkpoint.files import Checkpoint
from lerobot.policies.config import PreTrainedConfig
from lerobot.policies.features import ACTION, FeatureType, PolicyFeatures
from lerobot.policies.policy import PreTrainedPolicy
from lerobot.policies.windowed import WindowedPolicy
from lerobot.training.checkpoints import random_state
from lerobot.training.config import TeacherConfig

_STREAM = 2
"""Sets its random numbers apart from those of pictures and states."""
_TASK = "task"


class Teacher:
    """Puts what a teacher would do into batches, in the robot's units, so that the student needs no code for it.

    Actions before the present frame, and those beyond the end of the teacher's chunk, stay those of the dataset. What a
    teacher draws at random follows from (seed, step, process) and nothing else.

    Args:
        trained: the teacher, on the student's device, for inference.
        weight: its share in the actions.
        student: configuration of who learns, features included.
        provided: features of the dataset.
        seed: of its draws.
        rank: this process.

    Raises:
        LeRobotError: the student learns from rewards, or the teacher remembers what it saw; names the policy.
        FeatureMismatchError: they act otherwise, or the dataset lacks what the teacher looks at; names it.

    Source:
        Hinton et al. 2015, arXiv:1503.02531; that both look at the same changed pictures is of Beyer et al. 2022,
        arXiv:2106.05237.
    """

    def __init__(
        self,
        trained: PolicyWithProcessors,
        weight: float,
        student: PreTrainedConfig,
        provided: PolicyFeatures,
        *,
        seed: int,
        rank: int = 0,
    ) -> None:
        _require_actions(trained.policy, student)
        self._trained, self._weight = trained, weight
        self._inputs = _inputs(trained, provided)
        self._window = _window(trained.policy, student)
        self._has_axis = student.observation_delta_indices is not None
        self._steps = student.action_delta_indices
        self._seed, self._rank = seed, rank

    def __call__(self, batch: Mapping[str, Any], step: int) -> dict[str, Any]:
        """Change the actions of a batch.

        Args:
            batch: observations, and `action` `(B, T, Da)` or `(B, Da)`, not normalised; what else there is stays.
            step: of the run.
        """
        sequence = np.random.SeedSequence([self._seed, step, self._rank, _STREAM])
        with random_state.aside(int(sequence.generate_state(1)[0])):
            chunk = self._chunk(batch)
        action = batch[ACTION]
        if self._steps is None:
            return {**batch, ACTION: self._mixed(action, chunk[:, 0])}
        pairs = [(place, index) for place, index in enumerate(self._steps) if 0 <= index < chunk.shape[1]]
        places, indices = [place for place, _ in pairs], [index for _, index in pairs]
        changed = action.clone()
        changed[:, places] = self._mixed(action[:, places], chunk[:, indices])
        return {**batch, ACTION: changed}

    def _mixed(self, shown: Tensor, taught: Tensor) -> Tensor:
        return torch.lerp(shown, taught.to(shown), self._weight)

    @torch.no_grad()
    def _chunk(self, batch: Mapping[str, Any]) -> Tensor:
        """What the teacher would do from the present frame on, `(B, T, Da)` in the robot's units."""
        policy, processors = self._trained.policy, self._trained.processors
        policy.reset()
        processors.reset()
        seen = {key: self._seen(batch[key]) for key in self._inputs}
        if _TASK in batch:
            seen[_TASK] = batch[_TASK]
        with policy.precision():
            chunk = policy.predict_action_chunk(processors.preprocessor(seen))
        wanted = 1 if self._steps is None else max(self._steps) + 1
        return torch.stack([processors.postprocessor(action) for action in chunk[:, :wanted].unbind(1)], dim=1)

    def _seen(self, value: Tensor) -> Tensor:
        """The frames that the teacher looks at, of those there are."""
        if not self._has_axis:
            return value
        return value[:, self._window] if len(self._window) > 1 else value[:, self._window[0]]


def load_teacher(
    config: TeacherConfig, student: PreTrainedConfig, provided: PolicyFeatures, *, seed: int, rank: int = 0
) -> Teacher:
    """Load a teacher for a policy that is about to learn; nothing is drawn from the run's random numbers.

    Args:
        config: which, and how much it counts.
        student: configuration of who learns, features included; the device and the type are for both.
        provided: features of the dataset.
        seed: of its draws.
        rank: this process.

    Raises:
        LeRobotError: there is no such policy, it is damaged, or it cannot teach this one; see `Teacher`.
    """
    own = Checkpoint.at(config.path, config.revision).config()
    placed = own.model_copy(update={"device": student.device, "dtype": student.dtype or own.dtype})
    with random_state.aside(seed):
        trained = PolicyWithProcessors.from_pretrained(config.path, config=placed, revision=config.revision)
    return Teacher(trained, config.weight, student, provided, seed=seed, rank=rank)


def _require_actions(teacher: PreTrainedPolicy, student: PreTrainedConfig) -> None:
    """Refuse who learns from more than actions, and actions of other names or numbers."""
    if student.reward_delta_indices is not None or student.return_discount is not None:
        raise LeRobotError(
            f"policy {student.type!r} learns from rewards, which are for the dataset's actions, not a teacher's",
            expected="--teacher.path with a policy that learns from actions alone",
        )
    taught, learned = (
        {key: each.shape for key, each in config.output_features.items()} for config in (teacher.config, student)
    )
    if taught != learned:
        raise FeatureMismatchError(
            f"the teacher {teacher.name!r} acts by {_named(taught)}",
            keys=list(taught),
            expected=f"{_named(learned)}, as the policy that learns",
        )


def _named(shapes: Mapping[str, tuple[int, ...]]) -> str:
    return ", ".join(f"{key} {shape}" for key, shape in shapes.items())


def _inputs(teacher: PolicyWithProcessors, provided: PolicyFeatures) -> list[str]:
    """Names in the dataset of what the teacher looks at, which its own processors may rename."""
    names: dict[str, str] = {}
    for step in teacher.processors.preprocessor.steps:
        if isinstance(step, RenameObservationsProcessorStep):
            names |= step.config.rename_map
    there = {names.get(key, key): (key, feature) for key, feature in provided.items()}
    config = teacher.policy.config
    needed = config.needed_of({name: feature for name, (_, feature) in there.items()})
    missing = [
        f"{name} {feature.shape}"
        for name, feature in needed.items()
        if feature.type is not FeatureType.ACTION
        and (
            name not in there
            or (
                there[name][1].shape != feature.shape
                and not (feature.type is FeatureType.VISUAL and config.resizes_images)
            )
        )
    ]
    if missing:
        raise FeatureMismatchError(
            f"the teacher {config.type!r} looks at {', '.join(missing)}, which the dataset does not have",
            keys=missing,
            expected=f"a teacher of {', '.join(f'{key} {each.shape}' for key, each in provided.items())}",
        )
    return [there[name][0] for name in config.input_features if name in there]


def _window(teacher: PreTrainedPolicy, student: PreTrainedConfig) -> list[int]:
    """Places, in the windows of the batches, of the frames that the teacher looks at."""
    steps = teacher.config.n_obs_steps
    if steps > 1 and not isinstance(teacher, WindowedPolicy):
        raise LeRobotError(
            f"policy {teacher.name!r} remembers what it saw, and batches are no episodes",
            expected="a teacher that acts on what it sees, such as act, bc_mlp or diffusion",
        )
    there: Sequence[int] = student.observation_delta_indices or [0]
    needed = range(1 - steps, 1)
    if missing := [index for index in needed if index not in there]:
        raise LeRobotError(
            f"the teacher {teacher.name!r} looks back to frame {missing[0]}, and policy {student.type!r} learns from "
            f"{there[0]} to {there[-1]}",
            expected=f"a policy that looks back as far, such as --policy.n_obs_steps={steps}, or another teacher",
        )
    return [list(there).index(index) for index in needed]
