"""Cameras, task, state and actions of any robot in the form that GR00T N1.7 takes.

Source: the formulas and keys of huggingface/lerobot 0.6, so that its checkpoints act alike.
"""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from lerobot.core.errors import FeatureMismatchError
from lerobot.core.processors import EnvTransition, TransitionKey
from lerobot.core.processors.transition import copied
from lerobot.groot.n17.groups import Part, action_parts, state_parts
from lerobot.groot.n17.step_configs import PackConfig
from lerobot.groot.packing import (
    ACTION_MASK,
    EMBODIMENT,
    LANGUAGE,
    STATE,
    VIDEO,
    ExtremesStep,
    as_bytes,
    filled,
    tasks_of,
    to_unit,
)
from lerobot.policies.features import ACTION, OBSERVATION_STATE
from lerobot.policies.processing.batch import IMAGE, IMAGES
from lerobot.policies.processing.normalization import Stats

logger = logging.getLogger(__name__)

IS_PADDING = "action_is_pad"
_OTHER_NAMES = {"wrist_image": "image2"}
"""What data sets call a camera that NVIDIA's files know by another name."""


def is_learning(transition: EnvTransition) -> bool:
    """Whether there is something to learn, so that what is seen may be changed a little."""
    return isinstance(transition.get(TransitionKey.ACTION), Tensor) and torch.is_grad_enabled()


class PackStep(ExtremesStep):
    """Fills states and actions up to one width, and says which numbers are real, and of which kind the robot is.

    Cameras become bytes under `video`, one after the other, each `(B, T, 3, H, W)`; `state` is `(B, 1, max_state_dim)`;
    the action is `(B, action_horizon, max_action_dim)`, and so is its `action_mask`, which is `(B, action_horizon)`
    where there is none; `embodiment_id` is `(B,)` int32. States and actions are scaled by the extremes of a data set,
    or part by part as NVIDIA's files say, and actions may become relative to the state.

    Raises:
        FeatureMismatchError: a camera is missing, or something has a wrong shape.
    """

    config: PackConfig

    def __init__(self, config: PackConfig, *, stats: Stats | None = None) -> None:
        statistics, described = config.raw_stats or {}, config.modality_config or {}
        self._parts = action_parts(statistics, described, percentiles=config.use_percentiles)
        self._state_parts = state_parts(statistics, described)
        self._raw_state: Tensor | None = None
        self._told: tuple[str, ...] = ()
        super().__init__(config, stats=stats)
        tag, numbers = config.embodiment_tag, config.embodiment_mapping
        if tag not in numbers:
            logger.warning("embodiment_tag %s is none of %s: its number is 0, as in training", tag, ", ".join(numbers))
        self._number = numbers.get(tag, 0)

    @property
    def scaled(self) -> tuple[str, ...]:
        """See `ExtremesStep.scaled`; parts of actions have extremes of their own."""
        return (OBSERVATION_STATE,) if self._parts else (OBSERVATION_STATE, ACTION)

    def raw_part(self, name: str) -> Tensor:
        """Give a part of the state that was seen last, `(B, D)` float32.

        Raises:
            FeatureMismatchError: there is no such part, or no state was seen.
        """
        if self._raw_state is None or name not in self._state_parts:
            raise FeatureMismatchError(
                "no state was seen yet" if self._raw_state is None else f"the state has no part {name}",
                keys=[OBSERVATION_STATE],
                expected="the pre-processor of the same policy, called with an observation first"
                if self._raw_state is None
                else ", ".join(self._state_parts),
            )
        return self._raw_state[:, self._state_parts[name]]

    def reset(self) -> None:
        """Forget the state."""
        super().reset()
        self._raw_state = None

    def __call__(self, transition: EnvTransition) -> EnvTransition:
        """Pack."""
        observation = copied(transition.get(TransitionKey.OBSERVATION) or {})
        data = dict(transition.get(TransitionKey.COMPLEMENTARY_DATA) or {})
        changed = {**transition, TransitionKey.OBSERVATION: observation, TransitionKey.COMPLEMENTARY_DATA: data}
        if cameras := self._cameras(observation):
            video = [self._aligned(as_bytes(key, observation[key])) for key in cameras]
            for key in [key for key in observation if key.startswith(IMAGES) or key == IMAGE]:
                del observation[key]
            observation[VIDEO] = video
        if OBSERVATION_STATE in observation:
            observation[STATE] = self._state(observation[OBSERVATION_STATE], learning=is_learning(transition))
        action = transition.get(TransitionKey.ACTION)
        tensors = [each for each in (*observation.values(), action) if isinstance(each, Tensor)]
        first = tensors[0] if tensors else observation[VIDEO][0] if cameras else None
        rows, device = (1, None) if first is None else (len(first), first.device)
        key = self.config.language_key
        data[LANGUAGE] = tasks_of(data.get(key), rows, key, kept="_" if self.config.formalize_language else None)
        if isinstance(action, Tensor):
            changed[TransitionKey.ACTION], data[ACTION_MASK] = self._action(action, data.get(IS_PADDING))
        elif ACTION_MASK not in data:
            steps = torch.arange(self.config.action_horizon, device=device) < self.config.valid_action_horizon
            data[ACTION_MASK] = steps.float().repeat(rows, 1)
        data[EMBODIMENT] = torch.full((rows,), self._number, dtype=torch.int32, device=device)
        return changed

    # --- cameras -----------------------------------------------------------------------------------------------------

    def _cameras(self, observation: Mapping[str, Any]) -> list[str]:
        there = sorted(key for key in observation if key.startswith(IMAGES))
        if not there:
            return [IMAGE] if IMAGE in observation else []
        wanted = self.config.video_modality_keys
        if wanted is None:
            return there
        found = []
        for name in wanted:
            keys = [f"{IMAGES}{each}" for each in (name, _OTHER_NAMES.get(name, name))]
            key = next((key for key in keys if key in there), None)
            if key is None:
                raise FeatureMismatchError(
                    f"there is no camera {keys[0]}",
                    keys=[keys[0]],
                    expected=f"cameras {', '.join(wanted)}; given: {', '.join(there)}",
                    hint="Rename the cameras: --rename_map, or names of the robot's cameras.",
                )
            found.append(key)
        self._tell(tuple(key for key in there if key not in found))
        return found

    def _tell(self, unused: tuple[str, ...]) -> None:
        """Say once which cameras nobody looks at."""
        if unused and unused != self._told:
            logger.warning("not looked at: %s", ", ".join(unused))
        self._told = unused

    def _aligned(self, images: Tensor) -> Tensor:
        """Images `(B, T, 3, H, W)`, as many of each as there shall be: the first again, or the last ones."""
        images, wanted = images[:, None], self.config.video_horizon
        if wanted is None or wanted <= 1:
            return images
        return images.expand(-1, wanted, -1, -1, -1)

    # --- state and actions -------------------------------------------------------------------------------------------

    def _state(self, state: Tensor, *, learning: bool) -> Tensor:
        if state.ndim != 2:
            raise FeatureMismatchError(
                f"the state has the shape {tuple(state.shape)}", keys=[OBSERVATION_STATE], expected="(B, Ds)"
            )
        self._raw_state = state.detach().float()
        scaled = self._clipped(self.to_unit(state, OBSERVATION_STATE))
        full, _ = filled(scaled[:, None], self.config.max_state_dim, OBSERVATION_STATE)
        if learning and self.config.state_dropout_prob > 0:
            left_out = torch.rand(len(full), device=full.device) < self.config.state_dropout_prob
            full = full.masked_fill(left_out[:, None, None], 0)
        return full

    def _clipped(self, values: Tensor) -> Tensor:
        clips = self.config.clip_outliers and self.config.normalize_min_max
        return values.clamp(-1.0, 1.0) if clips else values

    def _action(self, action: Tensor, is_padding: Any) -> tuple[Tensor, Tensor]:
        if action.ndim not in {2, 3} or (action.ndim == 3 and action.shape[1] > self.config.action_horizon):
            raise FeatureMismatchError(
                f"the action has the shape {tuple(action.shape)}",
                keys=[ACTION],
                expected=f"(B, Da) or (B, T, Da) with at most {self.config.action_horizon} steps",
            )
        action = action if action.ndim == 3 else action[:, None]
        rows, steps, _width = action.shape
        scaled = self._scaled_parts(action) if self._parts else self._clipped(self.to_unit(action, ACTION))
        full, real = filled(scaled, self.config.max_action_dim, ACTION)
        horizon = self.config.action_horizon
        full = torch.cat([full, full.new_zeros(rows, horizon - steps, full.shape[-1])], dim=1)
        learned = torch.arange(horizon, device=action.device) < min(steps, self.config.valid_action_horizon)
        learned = learned.repeat(rows, 1)
        if is_padding is not None:
            padding = torch.as_tensor(is_padding, dtype=torch.bool, device=action.device).reshape(rows, -1)[:, :horizon]
            learned[:, : padding.shape[1]] &= ~padding
        full = torch.where(learned[..., None], full, 0.0)
        return full, (learned[..., None] & real[:, :1]).to(torch.float32)

    def _scaled_parts(self, action: Tensor) -> Tensor:
        """Actions part by part, relative to the state if need be, scaled."""
        require_width(self._parts, action)
        found = []
        for part in self._parts:
            own = action[..., part.where]
            if part.relative_to is not None:
                if part.kind != "non_eef":
                    raise FeatureMismatchError(
                        f"the part {part.name} of actions is relative as {part.kind}",
                        keys=[ACTION],
                        expected="parts that are relative as non_eef: others can be acted with, and not learned",
                    )
                own = own - self.raw_part(part.relative_to).to(own)[:, None]
            if self.config.normalize_min_max:
                own = self._clipped(to_unit(own, *part.extremes(own.shape[1], own)))
            found.append(own)
        return torch.cat(found, dim=-1)


def require_width(parts: Sequence[Part], action: Tensor) -> None:
    """Check that an action `(..., D)` has the numbers of its parts, and no others.

    Raises:
        FeatureMismatchError: it has others.
    """
    width = parts[-1].where.stop
    if action.shape[-1] != width:
        raise FeatureMismatchError(
            f"the action has {action.shape[-1]} numbers",
            keys=[ACTION],
            expected=f"{width}: {', '.join(f'{part.name} {part.where.stop - part.where.start}' for part in parts)}",
        )
