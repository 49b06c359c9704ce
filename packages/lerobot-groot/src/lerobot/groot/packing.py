"""Cameras, task, state and actions of any robot in one form, and predicted actions back in the robot's units.

Values are scaled to [-1, 1] by the extremes of the dataset; where these are equal, to 0, and back to the extreme.

Source: the formulas and keys of huggingface/lerobot 0.4, so that its checkpoints act alike.
"""

import logging
from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor

from lerobot.core.config.base import ProcessorStepConfig
from lerobot.core.errors import CheckpointError, FeatureMismatchError
from lerobot.core.processors import EnvTransition, TransitionKey
from lerobot.core.processors.transition import copied
from lerobot.groot.step_configs import TASK_MISSING, PackConfig, UnpackConfig
from lerobot.policies.features import ACTION, OBSERVATION_STATE
from lerobot.policies.networks.padding import pad_last
from lerobot.policies.processing.batch import IMAGE, IMAGES
from lerobot.policies.processing.normalization import ScalingStep, Stats, as_tensor

logger = logging.getLogger(__name__)

VIDEO, LANGUAGE, STATE, STATE_MASK = "video", "language", "state", "state_mask"
ACTION_MASK, EMBODIMENT = "action_mask", "embodiment_id"
_NAMES = ("min", "max")


class ExtremesStep(ScalingStep):
    """Scales by the extremes of a dataset.

    Args:
        config: whether to.
        stats: statistics that count whatever a file says; None to load them.
    """

    state_framework: ClassVar[str] = "torch"

    def __init__(self, config: ProcessorStepConfig, *, stats: Stats | None = None) -> None:
        super().__init__(config)
        self._given = bool(stats)
        self._stats: dict[str, Tensor] = {}
        self._take({f"{key}.{name}": value for key, entry in (stats or {}).items() for name, value in entry.items()})

    @property
    def scaled(self) -> tuple[str, ...]:
        """Features that are scaled."""
        return (OBSERVATION_STATE, ACTION)

    def _take(self, flat: Mapping[str, Any]) -> None:
        self._stats = {name: as_tensor(value) for name, value in flat.items() if name.rpartition(".")[0] in self.scaled}
        self._others = sorted({name.rpartition(".")[0] for name in flat} - set(self.scaled))

    def state_dict(self) -> dict[str, Any]:
        """Give the statistics as `<feature>.<statistic>`."""
        return dict(self._stats)

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over statistics, unless the step was built with some."""
        if not self._given:
            self._take(state)

    def check(self) -> None:
        """See `ScalingStep.check`."""
        needed = [f"{key}.{name}" for key in self.scaled for name in _NAMES] if self.config.normalize_min_max else []
        self.refuse_missing([name for name in needed if name not in self._stats], self._others)

    def extremes(self, key: str, like: Tensor) -> tuple[Tensor, Tensor]:
        """Give least and greatest values of a feature `(..., D)`, and check that they are of as many numbers.

        Raises:
            CheckpointError: there are none.
            FeatureMismatchError: they are of another number.
        """
        if f"{key}.min" not in self._stats or f"{key}.max" not in self._stats:
            raise CheckpointError(f"{self.registry_name} has no statistics {key}.min and {key}.max")
        low, high = (self._stats[f"{key}.{name}"].flatten().to(like) for name in _NAMES)
        if len(low) != like.shape[-1] or len(high) != like.shape[-1]:
            raise FeatureMismatchError(
                f"{self.registry_name} got {key!r} of the shape {tuple(like.shape)}",
                keys=[key],
                expected=f"(..., {len(low)}), which it has statistics of",
            )
        return low, high

    def to_unit(self, values: Tensor, key: str) -> Tensor:
        """Scale a feature `(..., D)` to [-1, 1], if the settings say so."""
        return to_unit(values, *self.extremes(key, values)) if self.config.normalize_min_max else values

    def from_unit(self, values: Tensor, key: str) -> Tensor:
        """Undo that."""
        return from_unit(values, *self.extremes(key, values)) if self.config.normalize_min_max else values


def to_unit(values: Tensor, low: Tensor, high: Tensor) -> Tensor:
    """Scale to [-1, 1]; where both extremes are equal, to 0."""
    width = high - low
    real = width != 0
    return torch.where(real, 2 * (values - low) / torch.where(real, width, 1.0) - 1, 0.0)


def from_unit(values: Tensor, low: Tensor, high: Tensor) -> Tensor:
    """Undo that; where both extremes are equal, to them."""
    width = high - low
    return torch.where(width != 0, (values + 1.0) * 0.5 * width + low, low)


class PackStep(ExtremesStep):
    """Fills states and actions up to one width, and says which numbers are real, and of which kind the robot is.

    Cameras, in the order of their names, become bytes under `video`; `state` is `(B, 1, max_state_dim)` and the action
    `(B, action_horizon, max_action_dim)`, each with a mask; `embodiment_id` is `(B,)` int64.

    Raises:
        FeatureMismatchError: something has a wrong shape.
    """

    config: PackConfig

    def __init__(self, config: PackConfig, *, stats: Stats | None = None) -> None:
        super().__init__(config, stats=stats)
        tag, numbers = config.embodiment_tag, config.embodiment_mapping
        if tag not in numbers:
            logger.warning("embodiment_tag %s is none of %s: its number is 0, as in training", tag, ", ".join(numbers))
        self._number = numbers.get(tag, 0)

    def __call__(self, transition: EnvTransition) -> EnvTransition:
        """Pack."""
        observation = copied(transition.get(TransitionKey.OBSERVATION) or {})
        data = dict(transition.get(TransitionKey.COMPLEMENTARY_DATA) or {})
        changed = {**transition, TransitionKey.OBSERVATION: observation, TransitionKey.COMPLEMENTARY_DATA: data}
        cameras = sorted(key for key in observation if key.startswith(IMAGES)) or [
            key for key in (IMAGE,) if key in observation
        ]
        if cameras:
            observation[VIDEO] = [as_bytes(key, observation.pop(key)) for key in cameras]
        if OBSERVATION_STATE in observation:
            state = observation[OBSERVATION_STATE]
            observation[STATE], observation[STATE_MASK] = self._state(state)
        if isinstance(action := transition.get(TransitionKey.ACTION), Tensor):
            changed[TransitionKey.ACTION], data[ACTION_MASK] = self._action(action)
        batch = next((each for each in observation.values() if isinstance(each, Tensor)), None)
        rows = len(observation[VIDEO][0]) if batch is None and cameras else 1 if batch is None else len(batch)
        key = self.config.language_key
        data[LANGUAGE] = tasks_of(data.get(key), rows, key, kept="" if self.config.formalize_language else None)
        data[EMBODIMENT] = torch.full((rows,), self._number, device=None if batch is None else batch.device)
        return changed

    def _state(self, state: Tensor) -> tuple[Tensor, Tensor]:
        if state.ndim != 2:
            raise FeatureMismatchError(
                f"the state has the shape {tuple(state.shape)}", keys=[OBSERVATION_STATE], expected="(B, Ds)"
            )
        return filled(self.to_unit(state, OBSERVATION_STATE)[:, None], self.config.max_state_dim, OBSERVATION_STATE)

    def _action(self, action: Tensor) -> tuple[Tensor, Tensor]:
        if action.ndim not in {2, 3}:
            raise FeatureMismatchError(
                f"the action has the shape {tuple(action.shape)}", keys=[ACTION], expected="(B, Da) or (B, T, Da)"
            )
        scaled = self.to_unit(action, ACTION)
        scaled = scaled if scaled.ndim == 3 else scaled[:, None]
        steps = self.config.action_horizon
        more = scaled[:, -1:].expand(-1, max(0, steps - scaled.shape[1]), -1)
        return filled(torch.cat([scaled, more], dim=1)[:, :steps], self.config.max_action_dim, ACTION)


class UnpackStep(ExtremesStep):
    """Takes actions of the robot's width out of predicted ones, single ones or chunks, and undoes the scaling."""

    config: UnpackConfig

    @property
    def scaled(self) -> tuple[str, ...]:
        """See `ExtremesStep.scaled`."""
        return (ACTION,)

    def __call__(self, transition: EnvTransition) -> EnvTransition:
        """Unpack `(B, Da)` or `(B, T, Da)`."""
        action = transition.get(TransitionKey.ACTION)
        if not isinstance(action, Tensor):
            return transition
        if self.config.env_action_dim:
            action = action[..., : self.config.env_action_dim]
        return {**transition, TransitionKey.ACTION: self.from_unit(action, ACTION)}


def tasks_of(told: Any, rows: int, key: str, *, kept: str | None) -> list[str]:
    """Give a task for each row.

    Args:
        told: a text, or one for each.
        rows: how many.
        key: of it, for messages.
        kept: signs to keep besides letters, digits and spaces, in lower case; None to keep all as it is.

    Raises:
        FeatureMismatchError: it is neither.
    """
    tasks = list(told) if isinstance(told, list | tuple) else [told]
    tasks = tasks * rows if len(tasks) == 1 else tasks or [None] * rows
    if len(tasks) != rows or not all(each is None or isinstance(each, str) for each in tasks):
        raise FeatureMismatchError(
            f"the task is {told!r}", keys=[key], expected=f"a text, or one for each of the {rows} samples"
        )
    found = [each or TASK_MISSING for each in tasks]
    if kept is None:
        return found
    return [
        "".join(sign for sign in each.lower() if sign.isalnum() or sign.isspace() or sign in kept) for each in found
    ]


def as_bytes(key: str, images: Tensor) -> Tensor:
    """Give images `(B, 3, H, W)` as bytes.

    Raises:
        FeatureMismatchError: they have another shape.
    """
    if images.ndim != 4 or images.shape[1] != 3:
        raise FeatureMismatchError(
            f"{key} has the shape {tuple(images.shape)}", keys=[key], expected="colour images (B, 3, H, W)"
        )
    return (images.clamp(0, 1) * 255.0).to(torch.uint8) if images.is_floating_point() else images


def filled(values: Tensor, width: int, key: str) -> tuple[Tensor, Tensor]:
    """Give values `(..., D)` filled up with zeros to a width, and a mask of what is real.

    Raises:
        FeatureMismatchError: they are wider.
    """
    own = values.shape[-1]
    if own > width:
        raise FeatureMismatchError(f"{key} has {own} numbers", keys=[key], expected=f"at most {width}")
    filled = pad_last(values, width)
    mask = torch.zeros(filled.shape, dtype=torch.bool, device=values.device)
    mask[..., :own] = True
    return filled, mask
