"""Scaling by the statistics of a dataset, and back.

| mode | forward | inverse |
|---|---|---|
| MEAN_STD | (x - mean) / (std + eps) | x * std + mean |
| MIN_MAX | 2 (x - min) / (max - min) - 1 | (x + 1) / 2 * (max - min) + min |
| QUANTILES | 2 (x - q01) / (q99 - q01) - 1 | (x + 1) / 2 * (q99 - q01) + q01 |
| QUANTILE10 | as QUANTILES with q10 and q90 | as QUANTILES with q10 and q90 |
| IDENTITY | x | x |

An empty range counts as `eps`. Source: the formulas of huggingface/lerobot 0.6, so that its checkpoints act alike.
"""

import logging
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor

from lerobot.core.errors import CheckpointError, FeatureMismatchError
from lerobot.core.processors import EnvTransition, ProcessorStep, TransitionKey
from lerobot.core.processors.transition import copied
from lerobot.policies.features import ACTION, FeatureType, NormalizationMode, PolicyFeature
from lerobot.policies.processing.config import NormalizerConfig, UnnormalizerConfig
from lerobot.policies.processing.modes import FINE_TUNE, NEEDED

logger = logging.getLogger(__name__)

Stats = Mapping[str, Mapping[str, Any]]
"""Statistics by feature and name (`mean`, `std`, `min`, `max`, `q01`, ...): arrays, tensors or lists."""


class ScalingStep(ProcessorStep):
    """A step that scales by statistics of a dataset, whichever way."""

    @abstractmethod
    def check(self) -> None:
        """Check that every statistic that is needed is there.

        Raises:
            CheckpointError: some are not; names each.
        """

    def refuse_missing(self, missing: Sequence[str], others: Sequence[str]) -> None:
        """Refuse to run without statistics.

        Args:
            missing: those that are not there, as `<feature>.<statistic>`; none is fine.
            others: features that there are statistics of, and that are not asked for.

        Raises:
            CheckpointError: some are missing; names each.
        """
        if missing:
            of_others = f"; it has those of {', '.join(others)}" if others else ""
            raise CheckpointError(
                f"{self.registry_name} has no statistics {', '.join(missing)}{of_others}",
                expected="what the normalisation mode of each feature needs",
                hint=FINE_TUNE
                if others
                else "Compute the dataset's statistics, or load the checkpoint together with its processor files.",
            )


class NormalizationStep(ScalingStep):
    """Statistics of the configured features, in the type they were given in; they are never changed by a call.

    Args:
        config: which features, and how.
        stats: statistics that count whatever a file says; None to load them.

    Raises:
        FeatureMismatchError: a statistic does not have the shape of its feature.
    """

    state_framework: ClassVar[str] = "torch"

    choices = 0
    """Numbers at the end of an action that are choices, such as a gripper's, and stay as they are."""

    def __init__(self, config: NormalizerConfig | UnnormalizerConfig, *, stats: Stats | None = None) -> None:
        super().__init__(config)
        self._given = bool(stats)
        self._stats: dict[str, dict[str, Tensor]] = {}
        self._placed: dict[torch.device, dict[str, dict[str, Tensor]]] = {}
        entries = {key: dict(entry) for key, entry in (stats or {}).items() if key in config.features}
        self._take(
            {f"{key}.{name}": as_tensor(value) for key, entry in entries.items() for name, value in entry.items()}
        )

    # --- statistics --------------------------------------------------------------------------------------------------

    def _take(self, flat: Mapping[str, Tensor]) -> None:
        self._stats, self._placed = {}, {}
        self._others = sorted({flat_key.rpartition(".")[0] for flat_key in flat} - self.config.features.keys())
        for flat_key, value in flat.items():
            key, _, name = flat_key.rpartition(".")
            # Statistics of bookkeeping columns are of no use to a policy.
            if (feature := self.config.features.get(key)) is not None:
                self._stats.setdefault(key, {})[name] = _shaped(flat_key, value, feature)
        for key, names in self._needed().items():
            _warn_of_constants(key, self._stats.get(key, {}), names)

    def _needed(self) -> dict[str, tuple[str, ...]]:
        return {key: NEEDED[self._mode(feature)] for key, feature in self.config.features.items() if self._chosen(key)}

    def _mode(self, feature: PolicyFeature) -> NormalizationMode:
        mode: NormalizationMode = self.config.norm_map.get(feature.type, NormalizationMode.IDENTITY)
        return mode

    def _chosen(self, key: str) -> bool:
        keys = self.config.normalize_observation_keys
        return keys is None or key in keys or self.config.features[key].type is FeatureType.ACTION

    def check(self) -> None:
        """See `ScalingStep.check`."""
        missing = [
            f"{key}.{name}"
            for key, names in self._needed().items()
            for name in names
            if name not in self._stats.get(key, {})
        ]
        self.refuse_missing(missing, self._others)

    def state_dict(self) -> dict[str, Any]:
        """Give the statistics as `<feature>.<statistic>`."""
        return {f"{key}.{name}": value for key, entry in self._stats.items() for name, value in entry.items()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over statistics, unless the step was built with some."""
        if not self._given:
            self._take(state)

    # --- scaling -----------------------------------------------------------------------------------------------------

    def __call__(self, transition: EnvTransition) -> EnvTransition:
        """Scale the configured features that are there."""
        changed = dict(transition)
        if (observation := transition.get(TransitionKey.OBSERVATION)) is not None:
            scaled = {
                key: self._scaled(key, observation[key])
                for key, feature in self.config.features.items()
                if feature.type is not FeatureType.ACTION and key in observation and self._chosen(key)
            }
            changed[TransitionKey.OBSERVATION] = new = copied(observation)
            new.update(scaled)
        if (action := transition.get(TransitionKey.ACTION)) is not None and ACTION in self.config.features:
            changed[TransitionKey.ACTION] = self._scaled(ACTION, action)
        return changed

    def _scaled(self, key: str, value: Any) -> Tensor:
        tensor = torch.as_tensor(value)
        if key == ACTION and self.choices:
            return torch.cat([self._scaled_whole(key, tensor[..., : -self.choices]), tensor[..., -self.choices :]], -1)
        return self._scaled_whole(key, tensor)

    def _scaled_whole(self, key: str, tensor: Tensor) -> Tensor:
        feature: PolicyFeature = self.config.features[key]
        # Images may have another size; elements and channels must be those of the statistics.
        if tensor.ndim < len(feature.shape) or tensor.shape[-len(feature.shape)] != feature.shape[0]:
            raise FeatureMismatchError(
                f"{self.registry_name} got {key!r} of the shape {tuple(tensor.shape)}",
                keys=[key],
                expected=f"(..., {', '.join(map(str, feature.shape))})",
            )
        mode = self._mode(feature)
        if mode is NormalizationMode.IDENTITY:
            return tensor
        stats = self._on(tensor.device).get(key, {})
        try:
            first, second = (stats[name] for name in NEEDED[mode])
        except KeyError as error:
            raise FeatureMismatchError(
                f"{self.registry_name} has no statistic {error.args[0]!r} of {key!r}",
                keys=[key],
                expected=f"{' and '.join(NEEDED[mode])}, which {mode} needs",
            ) from error
        result = self._scale(tensor, mode, first, second)
        return result.to(tensor.dtype) if tensor.is_floating_point() else result

    @abstractmethod
    def _scale(self, tensor: Tensor, mode: NormalizationMode, first: Tensor, second: Tensor) -> Tensor:
        """Apply the formula of a mode; `first` and `second` are the statistics it needs."""

    def _range(self, low: Tensor, high: Tensor) -> Tensor:
        width = high - low
        return torch.where(width == 0, torch.full_like(width, self.config.eps), width)

    def _on(self, device: torch.device) -> dict[str, dict[str, Tensor]]:
        if device not in self._placed:
            self._placed[device] = {
                key: {name: value.to(device) for name, value in entry.items()} for key, entry in self._stats.items()
            }
        return self._placed[device]


class NormalizerProcessorStep(NormalizationStep):
    """Scales by the statistics: what goes into a policy."""

    def _scale(self, tensor: Tensor, mode: NormalizationMode, first: Tensor, second: Tensor) -> Tensor:
        if mode is NormalizationMode.MEAN_STD:
            scaled: Tensor = (tensor - first) / (second + self.config.eps)
            return scaled
        return 2 * (tensor - first) / self._range(first, second) - 1


class UnnormalizerProcessorStep(NormalizationStep):
    """Undoes the scaling: what comes out of a policy."""

    def _scale(self, tensor: Tensor, mode: NormalizationMode, first: Tensor, second: Tensor) -> Tensor:
        if mode is NormalizationMode.MEAN_STD:
            return tensor * second + first
        return (tensor + 1) / 2 * self._range(first, second) + first


def as_tensor(value: Any) -> Tensor:
    """Make a tensor of one statistic; float64 becomes float32, which is what files hold, counts stay integers."""
    tensor = torch.as_tensor(value)
    return tensor.float() if tensor.dtype == torch.float64 else tensor


def _shaped(name: str, value: Tensor, feature: PolicyFeature) -> Tensor:
    if feature.type is FeatureType.VISUAL and value.ndim == 1 and not name.endswith(".count"):
        value = value.reshape(-1, 1, 1)
    sizes = zip(reversed(value.shape), reversed(feature.shape), strict=False)
    fits = value.ndim <= len(feature.shape) and all(own in {1, size} for own, size in sizes)
    if not fits and not name.endswith(".count"):
        raise FeatureMismatchError(
            f"statistic {name} has the shape {tuple(value.shape)}",
            keys=[name],
            expected=f"one that fits the feature's shape {feature.shape}",
        )
    return value


def _warn_of_constants(key: str, stats: Mapping[str, Tensor], names: tuple[str, ...]) -> None:
    """Say which elements never varied: scaling magnifies the slightest deviation from them a hundred million times."""
    if not set(names) <= set(stats) or not names:
        return
    width = stats["std"] if "std" in names else stats[names[1]] - stats[names[0]]
    if constant := (width.flatten() == 0).nonzero().flatten().tolist():
        logger.warning("elements %s of %r never vary in the dataset: any other value is scaled by 1/eps", constant, key)
