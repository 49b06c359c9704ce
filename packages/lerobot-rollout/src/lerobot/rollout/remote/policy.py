"""A policy of another computer, as a policy of this one."""

import weakref
from collections import deque
from collections.abc import Mapping
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from lerobot.core.errors import FeatureMismatchError, LeRobotError
from lerobot.core.processors import build_step
from lerobot.core.processors.config import RenameObservationsConfig
from lerobot.policies.features import ACTION, OBSERVATION_STATE, FeatureType, PolicyFeature, check_provided
from lerobot.policies.policy import PreTrainedPolicy
from lerobot.policies.processing.config import ToBatchConfig
from lerobot.policies.processing.normalization import Stats
from lerobot.policies.processing.pipelines import Processors, joined
from lerobot.remote.device.policy import PolicyClient
from lerobot.remote.openpi import LAYOUTS
from lerobot.remote.wire.errors import WireError
from lerobot.remote.wire.handshake import Description
from lerobot.remote.wire.pictures import PictureEncoder
from lerobot.rollout.remote.config import RemotePolicyConfig

IMAGES = "observation.images."
PROMPT = "prompt"
MOST_STEPS = 32
"""Longest window of observations that a server may ask for."""


class RemotePolicy(PreTrainedPolicy):
    """Asks a server for the coming actions, and executes some of them before it asks again.

    It has no weights and changes nothing: observations go to the server as they are, and its actions are in the
    robot's units.

    Args:
        config: where the server is.
        from_scratch: see `PreTrainedPolicy`; there is nothing to load.

    Raises:
        FeatureMismatchError: what the server needs is not there.
        LeRobotError: it cannot be reached, or serves something else.
    """

    config: RemotePolicyConfig

    def __init__(self, config: RemotePolicyConfig, *, from_scratch: bool = True) -> None:  # noqa: ARG002
        super().__init__(config)
        # Who has a policy asks its parameters where it computes: here, on the CPU.
        self.nothing = nn.Parameter(torch.zeros(0), requires_grad=False)
        self._encode = PictureEncoder(config.image_format, config.image_quality)
        self._client = PolicyClient(config)
        self._closing = weakref.finalize(self, self._client.close)
        self._within_s = config.first_reply_timeout_s
        described = self._client.description
        if config.layout == "lerobot":
            _check_features(config, described)
        self._needed = list(described.features["observation"]) if described else []
        steps = _fact(described, "n_obs_steps", MOST_STEPS)
        self._window: deque[dict[str, Any]] = deque(maxlen=steps)
        # Whoever predicts ahead asks the configuration how many observations to keep.
        self.config = config.model_copy(update={"n_obs_steps": steps})
        self._actions: deque[Tensor] = deque()

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Another one with a connection of its own, as every environment of an evaluation needs."""
        copied = type(self)(self.config)
        memo[id(self)] = copied
        return copied

    def close(self) -> None:
        """End the connection."""
        self._closing()

    # --- acting ------------------------------------------------------------------------------------------------------

    def reset(self) -> None:
        """See `Policy.reset`; the server is told, if it listens."""
        self._window.clear()
        self._actions.clear()
        self._client.reset(within_s=self._within_s)

    def select_action(self, batch: Mapping[str, Any]) -> Tensor:
        """See `Policy.select_action`."""
        self._window.append(self._sample(batch))
        if not self._actions:
            chunk = self._ask()
            self._actions.extend(chunk[:, : self._executed(chunk.shape[1])].unbind(dim=1))
        return self._actions.popleft()

    def predict_action_chunk(self, batch: Mapping[str, Any]) -> Tensor:
        """See `Policy.predict_action_chunk`; of a whole window, every input `(1, n_obs_steps, ...)`, if it is one."""
        kept = list(self._window)
        self._window.extend(map(self._sample, _steps(batch, self.config)))
        try:
            return self._ask()
        finally:
            self._window.clear()
            self._window.extend(kept)

    def forward(self, batch: Mapping[str, Any]) -> tuple[Tensor, dict[str, Any]]:  # noqa: ARG002
        """Nothing can be learned: the weights are the server's."""
        raise LeRobotError("a remote policy cannot be trained here", hint="Train where its weights are.")

    def _executed(self, horizon: int) -> int:
        said = self.config.n_action_steps or _fact(self._client.description, "executed_steps", horizon, horizon)
        if said > horizon:
            raise FeatureMismatchError(
                f"n_action_steps is {said}, and an answer holds {horizon} actions", expected=f"at most {horizon}"
            )
        return said

    # --- asking ------------------------------------------------------------------------------------------------------

    def _ask(self) -> Tensor:
        actions = self._client.infer(self._question(), within_s=self._within_s)
        self._within_s = self.config.reply_timeout_s
        wanted = self.config.output_features[ACTION].shape
        if actions.shape[1:] != wanted:
            raise FeatureMismatchError(
                f"the server's actions have the shape {actions.shape[1:]}", keys=[ACTION], expected=f"{wanted}"
            )
        return torch.from_numpy(np.ascontiguousarray(actions, np.float32))[None]

    def _question(self) -> dict[str, Any]:
        newest = self._window[-1]
        if self.config.layout != "lerobot":
            pictures = {self._camera(key): value for key, value in newest.items() if key.startswith(IMAGES)}
            state = newest[OBSERVATION_STATE]
            return LAYOUTS[self.config.layout].observation(state, pictures, newest[PROMPT])
        steps = self._window.maxlen or 1
        if steps == 1:
            # Only servers of ours know our way of compressing.
            return {key: self._encode(value) for key, value in newest.items()} if self._needed else newest
        window = [self._window[0]] * (steps - len(self._window)) + list(self._window)
        measured = {key: np.stack([each[key] for each in window]) for key in newest if key != PROMPT}
        return {**measured, PROMPT: newest[PROMPT]}

    def _camera(self, key: str) -> str:
        name = key.removeprefix(IMAGES)
        return self.config.cameras.get(name, name)

    def _sample(self, batch: Mapping[str, Any]) -> dict[str, Any]:
        """One observation as it was measured: pictures `(H, W, C)` uint8, everything else as numbers.

        Raises:
            FeatureMismatchError: there are several at once.
        """
        self.require_inputs(batch)
        sample: dict[str, Any] = {}
        for key, feature in self.config.input_features.items():
            if self._needed and key not in self._needed:
                continue
            value: Tensor = batch[key]
            if value.shape[0] != 1:
                raise FeatureMismatchError(f"{key} has a batch of {value.shape[0]}", keys=[key], expected="one")
            sample[key] = _measured(value[0], feature)
        task = batch.get("task", "")
        return {**sample, PROMPT: task[0] if isinstance(task, list) and task else str(task or "")}


def _steps(batch: Mapping[str, Any], config: RemotePolicyConfig) -> list[Mapping[str, Any]]:
    """The observations of a batch, the oldest first."""
    key, feature = next(iter(config.input_features.items()))
    if batch[key].ndim != len(feature.shape) + 2:
        return [batch]
    return [
        {**batch, **{name: batch[name][:, step] for name in config.input_features}}
        for step in range(batch[key].shape[1])
    ]


def remote_processors(config: RemotePolicyConfig, stats: Stats | None = None) -> Processors:  # noqa: ARG001
    """Make processors that change nothing: the server has its own."""
    return joined([build_step(RenameObservationsConfig()), build_step(ToBatchConfig())], [])


def _measured(value: Tensor, feature: PolicyFeature) -> NDArray[Any]:
    array: NDArray[Any] = value.detach().cpu().numpy()
    if feature.type is not FeatureType.VISUAL:
        return np.ascontiguousarray(array, np.float32)
    picture = array.transpose(1, 2, 0)
    if picture.shape[2] == 1:
        return np.ascontiguousarray(np.rint(picture), np.uint16)
    # Exact for pictures that were uint8 before.
    return np.ascontiguousarray(np.rint(picture * 255).clip(0, 255), np.uint8)


def _check_features(config: RemotePolicyConfig, described: Description | None) -> None:
    """Check that the server's policy gets what it needs, and gives what is needed.

    Raises:
        FeatureMismatchError: it does not.
    """
    if described is None:
        return
    needed = {
        key: PolicyFeature(
            type=FeatureType.VISUAL if spec.is_image else FeatureType.STATE,
            shape=(spec.shape[2], *spec.shape[:2]) if spec.is_image else spec.shape,
        )
        for key, spec in described.features.get("observation", {}).items()
    }
    resized = described.facts.get("resizes_images") is True
    check_provided(needed, config.input_features, "what there is", resized=resized)
    given = {key: spec.shape for key, spec in described.features.get("action", {}).items()}
    wanted = {key: feature.shape for key, feature in config.output_features.items()}
    if given != wanted:
        raise FeatureMismatchError(f"the served policy gives {given}", keys=list(given), expected=f"{wanted}")


def _fact(described: Description | None, name: str, most: int, default: int = 1) -> int:
    """A whole number that the server says of its policy.

    Raises:
        WireError: it says something else.
    """
    if described is None:
        return default
    value = described.facts.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
        raise WireError(f"the server says {name}={str(value)[:20]}", expected=f"a number from 1 to {most}")
    return value
