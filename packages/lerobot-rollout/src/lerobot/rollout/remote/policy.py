"""A policy of another computer, as a policy of this one."""

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lerobot.core.config.rtc import RTCConfig
from lerobot.core.errors import FeatureMismatchError, LeRobotError
from lerobot.core.protocols.acting import Place, PlannedActions
from lerobot.remote.device.policy import PolicyClient
from lerobot.remote.openpi import LAYOUTS
from lerobot.remote.wire.errors import WireError
from lerobot.remote.wire.handshake import Description
from lerobot.remote.wire.pictures import PictureEncoder
from lerobot.rollout.remote.config import RemotePolicyConfig

STATE, IMAGES, ACTION = "observation.state", "observation.images.", "action"
PROMPT, TASK = "prompt", "task"
MOST_STEPS = 32
"""Longest window of observations that a server may ask for."""


class RemotePolicy:
    """Asks a server for the coming actions, and executes some of them before it asks again; see `ActingPolicy`.

    It changes nothing: observations go to the server as they are, and its actions are in the robot's units.

    Args:
        config: where the server is.
        place: where it is to act.

    Raises:
        FeatureMismatchError: what the server needs is not there.
        LeRobotError: it cannot be reached, or serves something else.
    """

    name = "remote"

    def __init__(self, config: RemotePolicyConfig, place: Place) -> None:
        self._config, self._place = config, place
        self._encode = PictureEncoder(config.image_format, config.image_quality)
        provided = {place.rename_map.get(key, key): feature for key, feature in place.features.items()}
        self._action_shape = tuple(provided[ACTION]["shape"])
        self._client = PolicyClient(config)
        self._within_s = config.first_reply_timeout_s
        try:
            described = self._client.description
            if config.layout == "lerobot":
                _check_features(described, provided, place.label)
            needed = described.features.get("observation", {}) if described else {}
            self._inputs = [key for key in provided if key.startswith("observation") and (not needed or key in needed)]
            self._knows_ours = bool(needed)
            self.observation_steps = _fact(described, "n_obs_steps", MOST_STEPS)
        except BaseException:
            self._client.close()
            raise
        self._window: deque[Mapping[str, Any]] = deque(maxlen=self.observation_steps)
        self._actions: deque[NDArray[np.float32]] = deque()

    def close(self) -> None:
        """See `ActingPolicy.close`."""
        self._client.close()

    def copy(self) -> "RemotePolicy":
        """See `ActingPolicy.copy`; it has a connection of its own."""
        return RemotePolicy(self._config, self._place)

    def seed(self, seed: int) -> None:
        """See `ActingPolicy.seed`; the server draws."""

    def require_continuing(self, rtc: RTCConfig, /) -> None:
        """See `ActingPolicy.require_continuing`; it never can."""
        raise LeRobotError(
            f"a remote policy cannot be continued in the mode {rtc.mode!r}: its server is sent no planned actions",
            expected="--inference.type=async, which joins chunks where they overlap",
        )

    # --- acting ------------------------------------------------------------------------------------------------------

    def reset(self) -> None:
        """See `ActingPolicy.reset`; the server is told, if it listens."""
        self._window.clear()
        self._actions.clear()
        self._client.reset(within_s=self._within_s)

    def select_action(self, frame: Mapping[str, Any], /) -> NDArray[np.float32]:
        """See `ActingPolicy.select_action`."""
        self._window.append(frame)
        if not self._actions:
            chunk = self.predict_chunk(tuple(self._window))
            self._actions.extend(chunk[: self._executed(len(chunk))])
        return self._actions.popleft()

    def predict_chunk(
        self,
        window: Sequence[Mapping[str, Any]],
        /,
        planned: PlannedActions | None = None,  # noqa: ARG002 - refused by `require_continuing`
    ) -> NDArray[np.float32]:
        """See `ActingPolicy.predict_chunk`."""
        actions = self._client.infer(self._question([self._sample(frame) for frame in window]), within_s=self._within_s)
        self._within_s = self._config.reply_timeout_s
        if actions.shape[1:] != self._action_shape:
            raise FeatureMismatchError(
                f"the server's actions have the shape {actions.shape[1:]}",
                keys=[ACTION],
                expected=f"{self._action_shape}",
            )
        return np.ascontiguousarray(actions, np.float32)

    def _executed(self, horizon: int) -> int:
        said = self._config.n_action_steps or _fact(self._client.description, "executed_steps", horizon, horizon)
        if said > horizon:
            raise FeatureMismatchError(
                f"n_action_steps is {said}, and an answer holds {horizon} actions", expected=f"at most {horizon}"
            )
        return said

    # --- asking ------------------------------------------------------------------------------------------------------

    def _question(self, window: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        newest = dict(window[-1])
        if self._config.layout != "lerobot":
            pictures = {self._camera(key): value for key, value in newest.items() if key.startswith(IMAGES)}
            return LAYOUTS[self._config.layout].observation(newest[STATE], pictures, newest[PROMPT])
        if self.observation_steps == 1:
            # Only servers of ours know our way of compressing.
            return {key: self._encode(value) for key, value in newest.items()} if self._knows_ours else newest
        full = [window[0]] * (self.observation_steps - len(window)) + list(window)
        measured = {key: np.stack([each[key] for each in full]) for key in self._inputs}
        return {**measured, PROMPT: newest[PROMPT]}

    def _camera(self, key: str) -> str:
        name = key.removeprefix(IMAGES)
        return self._config.cameras.get(name, name)

    def _sample(self, frame: Mapping[str, Any]) -> dict[str, Any]:
        """One observation by the server's keys: pictures as they are, everything else as numbers.

        Raises:
            FeatureMismatchError: an input is missing.
        """
        renamed = {self._place.rename_map.get(key, key): value for key, value in frame.items()}
        if missing := [key for key in self._inputs if key not in renamed]:
            raise FeatureMismatchError(f"there is no {', '.join(missing)}", keys=missing)
        sample: dict[str, Any] = {key: _measured(renamed[key]) for key in self._inputs}
        return {**sample, PROMPT: str(renamed.get(TASK) or "")}


def _measured(value: Any) -> NDArray[Any]:
    array: NDArray[Any] = np.asarray(value)
    return np.ascontiguousarray(array, array.dtype if array.ndim == 3 else np.float32)


def _check_features(described: Description | None, provided: Mapping[str, Mapping[str, Any]], label: str) -> None:
    """Check that the server's policy gets what it needs, and gives what is needed.

    Raises:
        FeatureMismatchError: it does not.
    """
    if described is None:
        return
    resized = described.facts.get("resizes_images") is True
    problems: dict[str, str] = {}
    for key, spec in described.features.get("observation", {}).items():
        found = tuple(provided[key]["shape"]) if key in provided else None
        if found is None:
            problems[key] = f"{key} is missing"
        elif (found[2:] != spec.shape[2:]) if spec.is_image and resized else (found != spec.shape):
            problems[key] = f"{key} has the shape {found} instead of {spec.shape}"
    if problems:
        raise FeatureMismatchError(
            f"{label} does not provide what the served policy needs: {'; '.join(problems.values())}",
            keys=list(problems),
            expected=f"{', '.join(described.features['observation'])}; there is {', '.join(provided)}",
            hint="Rename what has another name: --rename_map='{observation.images.NAME: observation.images.OTHER}'",
        )
    given = {key: spec.shape for key, spec in described.features.get(ACTION, {}).items()}
    wanted = {ACTION: tuple(provided[ACTION]["shape"])}
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
