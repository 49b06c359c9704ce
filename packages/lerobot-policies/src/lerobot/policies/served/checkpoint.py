"""A checkpoint as a policy that is served."""

import hashlib
import time
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lerobot.core.errors import FeatureMismatchError
from lerobot.core.protocols.served import PolicyDescription
from lerobot.core.types import FeatureSpec
from lerobot.policies.assembly import PolicyWithProcessors
from lerobot.policies.checkpoint.files import (
    ADAPTER_WEIGHTS,
    CONFIG,
    POSTPROCESSOR,
    PREPROCESSOR,
    WEIGHTS,
    Checkpoint,
)
from lerobot.policies.features import ACTION, FeatureType, PolicyFeature
from lerobot.policies.processing.bridge import to_tensor
from lerobot.policies.served.config import ServedCheckpointConfig

PROMPT = "prompt"
COLOURS = {1, 3}


class ServedCheckpoint:
    """Answers what whoever serves it asks; see `ServedPolicy`.

    Inputs come under the policy's own keys, with dots or slashes, or under those of `rename_map`; entries of nested
    maps are called `outer/inner`. Pictures are `(H, W, 3)` or `(3, H, W)`, uint8 or float in [0, 1]. A policy that
    looks at several observations is sent a window of them, every input with one more axis in front; a single one is
    repeated.

    Args:
        config: which one.

    Raises:
        CheckpointError: it is missing, damaged or incomplete.
    """

    def __init__(self, config: ServedCheckpointConfig) -> None:
        checkpoint = Checkpoint.at(config.checkpoint, config.revision)
        saved = checkpoint.config()
        chosen = saved if config.device is None else saved.model_copy(update={"device": config.device})
        self._trained = PolicyWithProcessors.from_pretrained(config.checkpoint, config=chosen, revision=config.revision)
        self._config = config
        self._inputs = chosen.input_features
        self._horizon = 1
        self._hash = hash_of(checkpoint)

    @property
    def description(self) -> PolicyDescription:
        """See `ServedPolicy.description`."""
        config = self._trained.policy.config
        action = config.output_features[ACTION]
        return PolicyDescription(
            config.type,
            {
                "observation": {key: _spec(feature) for key, feature in self._inputs.items()},
                "action": {ACTION: FeatureSpec("float32", action.shape)},
            },
            {
                "hash": self._hash,
                "horizon": self._horizon,
                "n_obs_steps": config.n_obs_steps,
                "executed_steps": config.executed_steps,
                "resizes_images": config.resizes_images,
            },
        )

    def warm_up(self) -> None:
        """See `ServedPolicy.warm_up`."""
        blank = {key: np.zeros(_spec(feature).shape, _spec(feature).dtype) for key, feature in self._inputs.items()}
        self._horizon = len(self.infer(blank)["actions"])
        self.reset()

    def reset(self) -> None:
        """See `ServedPolicy.reset`."""
        self._trained.policy.reset()
        self._trained.processors.reset()

    def infer(self, observation: Mapping[str, Any]) -> dict[str, Any]:
        """See `ServedPolicy.infer`."""
        policy, processors = self._trained.policy, self._trained.processors
        frames = self._frames(observation)
        started_s = time.perf_counter()
        with torch.inference_mode(), policy.precision():
            batches = [processors.preprocessor(frame) for frame in frames]
            newest = batches[-1]
            if len(batches) > 1:
                windows = {key: torch.stack([batch[key] for batch in batches], dim=1) for key in self._inputs}
                newest = {**newest, **windows}
            chunk: Tensor = processors.postprocessor(policy.predict_action_chunk(newest))
        actions: NDArray[np.float32] = chunk[0].float().cpu().numpy()
        return {"actions": actions, "policy_timing": {"infer_ms": 1000 * (time.perf_counter() - started_s)}}

    def _frames(self, observation: Mapping[str, Any]) -> list[dict[str, Any]]:
        """One sample per observation of the window, the oldest first, as a dataset gives it."""
        found = self._by_key(observation)
        prompt = observation.get(PROMPT, "") or self._config.task
        task = prompt.decode("utf-8", "replace") if isinstance(prompt, bytes) else str(prompt)
        windows = {key: self._window(key, found[key]) for key in self._inputs}
        lengths = {len(window) for window in windows.values()}
        if len(lengths) != 1:
            raise FeatureMismatchError("the inputs have windows of different lengths", keys=list(windows))
        return [
            {**{key: window[step] for key, window in windows.items()}, "task": task} for step in range(lengths.pop())
        ]

    def _by_key(self, observation: Mapping[str, Any]) -> dict[str, Any]:
        """What was sent, by the policy's own keys.

        Raises:
            FeatureMismatchError: an input is missing.
        """
        flat = flattened(observation)
        known = {key: key for key in self._inputs}
        known |= {key.replace(".", "/"): key for key in self._inputs} | self._config.rename_map
        found = {known[key]: value for key, value in flat.items() if key in known}
        if missing := [key for key in self._inputs if key not in found]:
            raise FeatureMismatchError(
                f"the policy got no {', '.join(missing)}",
                keys=missing,
                expected=f"{', '.join(self._inputs)}; given: {', '.join(flat) or 'nothing'}"[:500],
                hint="Serve it with --policy.rename_map='{theirs: ours}' if a client calls it otherwise.",
            )
        return found

    def _window(self, key: str, value: Any) -> list[Tensor]:
        feature = self._inputs[key]
        array = np.asarray(value)
        if array.dtype.kind not in "fiub":
            raise FeatureMismatchError(f"{key} is no array of numbers", keys=[key])
        if feature.type is FeatureType.VISUAL:
            window = array if array.ndim == 4 else array[np.newaxis]
            tensors = [_picture(key, each) for each in window]
        else:
            window = array if array.ndim == len(feature.shape) + 1 else array.reshape(1, *(array.shape or (1,)))
            tensors = [torch.from_numpy(each.astype(np.float32)) for each in window]
        self._check(key, feature, tensors)
        return tensors

    def _check(self, key: str, feature: PolicyFeature, tensors: list[Tensor]) -> None:
        config = self._trained.policy.config
        for tensor in tensors:
            shape = tuple(tensor.shape)
            resized = feature.type is FeatureType.VISUAL and config.resizes_images
            if (shape[0] != feature.shape[0]) if resized else (shape != feature.shape):
                raise FeatureMismatchError(f"{key} has the shape {shape}", keys=[key], expected=f"{feature.shape}")
            if not torch.isfinite(tensor).all():
                raise FeatureMismatchError(f"{key} holds what is no number", keys=[key], expected="finite numbers")
        if len(tensors) not in {1, config.n_obs_steps}:
            raise FeatureMismatchError(
                f"{key} is a window of {len(tensors)}", keys=[key], expected=f"1 or {config.n_obs_steps} observations"
            )


def flattened(observation: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Entries of nested maps, as `outer/inner`."""
    flat: dict[str, Any] = {}
    for key, value in observation.items():
        if isinstance(value, Mapping):
            flat |= flattened(value, f"{prefix}{key}/")
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def hash_of(checkpoint: Checkpoint) -> str:
    """Hash of everything that decides what a policy does: its weights, configuration and processors."""
    whole = hashlib.sha256()
    for name in (CONFIG, f"{PREPROCESSOR}.json", f"{POSTPROCESSOR}.json", WEIGHTS, ADAPTER_WEIGHTS):
        if (file := checkpoint.find(name)) is not None:
            with file.open("rb") as opened:
                whole.update(hashlib.file_digest(opened, "sha256").digest())
    return whole.hexdigest()[:32]


def _spec(feature: PolicyFeature) -> FeatureSpec:
    if feature.type is not FeatureType.VISUAL:
        return FeatureSpec("float32", feature.shape)
    channels, height, width = feature.shape
    dtype = "uint16" if channels == 1 else "uint8"
    return FeatureSpec(dtype, (height, width, channels), ("height", "width", "channels"))


def _picture(key: str, value: NDArray[Any]) -> Tensor:
    """A picture as datasets give it: `(C, H, W)` float32."""
    if value.ndim != 3:
        raise FeatureMismatchError(f"{key} has the shape {value.shape}", keys=[key], expected="(H, W, C)")
    image = value if value.shape[2] in COLOURS else value.transpose(1, 2, 0)
    if image.dtype.kind == "f":
        return torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1), np.float32))
    return to_tensor(image)
