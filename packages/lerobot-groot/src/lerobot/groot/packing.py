"""Cameras, task, state and actions of any robot in one form, and predicted actions back in the robot's units.

Values are scaled to [-1, 1] by the extremes of the dataset; where these are equal, to 0, and back to the extreme.

Source: the formulas and keys of huggingface/lerobot 0.4, so that its checkpoints act alike.
"""

import logging
from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor

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
    scaled: ClassVar[tuple[str, ...]] = (OBSERVATION_STATE, ACTION)
    """Features that are scaled."""

    def __init__(self, config: PackConfig | UnpackConfig, *, stats: Stats | None = None) -> None:
        super().__init__(config)
        self._given = bool(stats)
        self._stats: dict[str, Tensor] = {}
        self._take({f"{key}.{name}": value for key, entry in (stats or {}).items() for name, value in entry.items()})

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
            observation[VIDEO] = [_bytes(key, observation.pop(key)) for key in cameras]
        if OBSERVATION_STATE in observation:
            state = observation[OBSERVATION_STATE]
            observation[STATE], observation[STATE_MASK] = self._state(state)
        if isinstance(action := transition.get(TransitionKey.ACTION), Tensor):
            changed[TransitionKey.ACTION], data[ACTION_MASK] = self._action(action)
        batch = next((each for each in observation.values() if isinstance(each, Tensor)), None)
        rows = len(observation[VIDEO][0]) if batch is None and cameras else 1 if batch is None else len(batch)
        data[LANGUAGE] = self._tasks(data.get(self.config.language_key), rows)
        data[EMBODIMENT] = torch.full((rows,), self._number, device=None if batch is None else batch.device)
        return changed

    def _state(self, state: Tensor) -> tuple[Tensor, Tensor]:
        if state.ndim != 2:
            raise FeatureMismatchError(
                f"the state has the shape {tuple(state.shape)}", keys=[OBSERVATION_STATE], expected="(B, Ds)"
            )
        return _filled(self._scaled(state, OBSERVATION_STATE)[:, None], self.config.max_state_dim, OBSERVATION_STATE)

    def _action(self, action: Tensor) -> tuple[Tensor, Tensor]:
        if action.ndim not in {2, 3}:
            raise FeatureMismatchError(
                f"the action has the shape {tuple(action.shape)}", keys=[ACTION], expected="(B, Da) or (B, T, Da)"
            )
        scaled = self._scaled(action, ACTION)
        scaled = scaled if scaled.ndim == 3 else scaled[:, None]
        steps = self.config.action_horizon
        more = scaled[:, -1:].expand(-1, max(0, steps - scaled.shape[1]), -1)
        return _filled(torch.cat([scaled, more], dim=1)[:, :steps], self.config.max_action_dim, ACTION)

    def _scaled(self, values: Tensor, key: str) -> Tensor:
        if not self.config.normalize_min_max:
            return values
        low, high = self.extremes(key, values)
        width = high - low
        real = width != 0
        scaled = 2 * (values - low) / torch.where(real, width, 1.0) - 1
        return torch.where(real, scaled, 0.0)

    def _tasks(self, told: Any, rows: int) -> list[str]:
        """A task for each row."""
        tasks = list(told) if isinstance(told, list | tuple) else [told]
        tasks = tasks * rows if len(tasks) == 1 else tasks or [None] * rows
        if len(tasks) != rows or not all(each is None or isinstance(each, str) for each in tasks):
            raise FeatureMismatchError(
                f"the task is {told!r}",
                keys=[self.config.language_key],
                expected=f"a text, or one for each of the {rows} samples",
            )
        found = [each or TASK_MISSING for each in tasks]
        if not self.config.formalize_language:
            return found
        return ["".join(sign for sign in each.lower() if sign.isalnum() or sign.isspace()) for each in found]


class UnpackStep(ExtremesStep):
    """Takes actions of the robot's width out of predicted ones, single ones or chunks, and undoes the scaling."""

    config: UnpackConfig
    scaled: ClassVar[tuple[str, ...]] = (ACTION,)

    def __call__(self, transition: EnvTransition) -> EnvTransition:
        """Unpack `(B, Da)` or `(B, T, Da)`."""
        action = transition.get(TransitionKey.ACTION)
        if not isinstance(action, Tensor):
            return transition
        if self.config.env_action_dim:
            action = action[..., : self.config.env_action_dim]
        if self.config.normalize_min_max:
            low, high = self.extremes(ACTION, action)
            width = high - low
            action = torch.where(width != 0, (action + 1.0) * 0.5 * width + low, low)
        return {**transition, TransitionKey.ACTION: action}


def _bytes(key: str, images: Tensor) -> Tensor:
    """Images `(B, 3, H, W)` as bytes."""
    if images.ndim != 4 or images.shape[1] != 3:
        raise FeatureMismatchError(
            f"{key} has the shape {tuple(images.shape)}", keys=[key], expected="colour images (B, 3, H, W)"
        )
    return (images.clamp(0, 1) * 255.0).to(torch.uint8) if images.is_floating_point() else images


def _filled(values: Tensor, width: int, key: str) -> tuple[Tensor, Tensor]:
    """Values filled up with zeros, and a mask of what is real."""
    own = values.shape[-1]
    if own > width:
        raise FeatureMismatchError(f"{key} has {own} numbers", keys=[key], expected=f"at most {width}")
    filled = pad_last(values, width)
    mask = torch.zeros(filled.shape, dtype=torch.bool, device=values.device)
    mask[..., :own] = True
    return filled, mask
