"""Parts of states and actions that NVIDIA's files scale apart, such as an arm and a gripper.

Source: the formulas and keys of huggingface/lerobot 0.6, so that its checkpoints act alike.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from lerobot.core.errors import CheckpointError, FeatureMismatchError
from lerobot.groot.n17.step_configs import RawStatistics
from lerobot.policies.features import ACTION, OBSERVATION_STATE

_SPELLINGS = {"xyz_rot6d": "xyz+rot6d", "xyz_rotvec": "xyz+rotvec"}
_WIDTH_OF = ("mean", "q01", "min", "max", "std")


@dataclass(frozen=True, slots=True)
class Part:
    """A part of an action.

    Attributes:
        name: of it.
        where: its numbers in the action.
        low: what becomes -1, `(D,)` or for each action of a chunk `(T, D)` float32.
        high: what becomes 1.
        relative_to: part of the state that it is relative to; None if to none.
        kind: how: "non_eef" by a difference, "eef" by a motion of the hand.
        form: of a hand's pose, such as "xyz+rot6d".
    """

    name: str
    where: slice
    low: Tensor
    high: Tensor
    relative_to: str | None
    kind: str
    form: str

    def extremes(self, steps: int, like: Tensor) -> tuple[Tensor, Tensor]:
        """Give `low` and `high` for the first actions of a chunk.

        Raises:
            FeatureMismatchError: they are known of fewer.
        """
        if self.low.ndim == 2 and steps > len(self.low):
            raise FeatureMismatchError(
                f"{self.name} of {steps} actions",
                keys=[ACTION],
                expected=f"at most {len(self.low)}, as statistics have",
            )
        low, high = (each[:steps] if each.ndim == 2 else each for each in (self.low, self.high))
        return low.to(like), high.to(like)


def state_parts(statistics: RawStatistics, parts: Mapping[str, Any]) -> dict[str, slice]:
    """Say where each part of a state is.

    Args:
        statistics: by modality, part and name.
        parts: of each modality.
    """
    widths = {name: _width(statistics.get("state", {}).get(name, {})) for name in _names(parts, "state")}
    return {name: where for name, where in _places(widths).items() if widths[name]}


def action_parts(
    statistics: RawStatistics, parts: Mapping[str, Any], *, percentiles: bool, relative: bool = True
) -> list[Part]:
    """Give the parts of an action.

    Args:
        statistics: by modality, part and name.
        parts: of each modality.
        percentiles: extremes are q01 and q99, but of relative parts.
        relative: whether any part may be relative.

    Raises:
        CheckpointError: there are no statistics of one.
    """
    names, described = _names(parts, "action"), parts.get("action", {}).get("action_configs") or []
    configs = [described[index] if index < len(described) else {} for index in range(len(names))]
    found: list[Part] = []
    start = 0
    for name, config in zip(names, configs, strict=True):
        is_relative = relative and _word(config.get("rep")) == "relative"
        modality = "relative_action" if is_relative else "action"
        own = statistics.get(modality, {}).get(name, {})
        ends = ("q01", "q99") if percentiles and not is_relative else ("min", "max")
        if missing := [end for end in ends if end not in own]:
            raise CheckpointError(f"there are no statistics {', '.join(missing)} of {modality}.{name}")
        low, high = (torch.as_tensor(own[end], dtype=torch.float32) for end in ends)
        width = low.shape[-1]
        found.append(
            Part(
                name=name,
                where=slice(start, start + width),
                low=low,
                high=high,
                relative_to=(config.get("state_key") or name) if is_relative else None,
                kind=_word(config.get("type")),
                form=_word(config.get("format")),
            )
        )
        start += width
    return found


def _names(parts: Mapping[str, Any], modality: str) -> Sequence[str]:
    names: Sequence[str] = parts.get(modality, {}).get("modality_keys") or []
    return names


def _word(value: Any) -> str:
    """A word as NVIDIA's files spell it."""
    word = str(value).lower()
    return _SPELLINGS.get(word, word)


def _width(entry: Mapping[str, Any]) -> int:
    """Numbers that statistics are of; 0 without any."""
    value = next((entry[name] for name in _WIDTH_OF if entry.get(name)), None)
    return 0 if value is None else torch.as_tensor(value).shape[-1]


def _places(widths: Mapping[str, int]) -> dict[str, slice]:
    start, found = 0, {}
    for name, width in widths.items():
        found[name] = slice(start, start + width)
        start += width
    return found


def state_statistics(
    statistics: RawStatistics, parts: Mapping[str, Any], *, percentiles: bool
) -> dict[str, dict[str, Tensor]]:
    """Give extremes of states as a whole, by feature and name: those of the parts, one after the other.

    Args:
        statistics: by modality, part and name.
        parts: of each modality.
        percentiles: see `action_parts`.

    Raises:
        CheckpointError: there are none of a part.
    """
    own = statistics.get("state", {})
    found: dict[str, Tensor] = {}
    for end, wanted in (("min", "q01"), ("max", "q99")) if percentiles else (("min", "min"), ("max", "max")):
        values = []
        for name in _names(parts, "state"):
            if wanted not in own.get(name, {}):
                raise CheckpointError(f"there are no statistics {wanted} of state.{name}")
            values.append(torch.as_tensor(own[name][wanted], dtype=torch.float32))
        found |= {end: torch.cat(values)} if values else {}
    return {OBSERVATION_STATE: found}
