"""A policy as the player of one environment."""

from collections.abc import Mapping
from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray

from lerobot.core.errors import FeatureMismatchError
from lerobot.core.protocols import ActingPolicy, Place
from lerobot.policies.assembly import PolicyWithProcessors
from lerobot.policies.features import FeatureType, PolicyFeature, PolicyFeatures
from lerobot.policies.player import TrainedPlayer
from lerobot.policies.processing.observations import flatten, is_image, policy_shape


class PolicyActor:
    """Plays with a policy of its own: its weights are shared with others, its queues and random numbers are not.

    Each environment is asked for alone, because a batch of another size gives the last bits of an action another
    value, and a simulation makes another episode of that.

    Args:
        policy: with its processors, or as it acts.
        action_space: of the environment.
        features_map: names of the environment's observations, by path; see `flatten`.
    """

    def __init__(
        self,
        policy: PolicyWithProcessors | ActingPolicy,
        action_space: Any,
        features_map: Mapping[str, str] | None = None,
    ) -> None:
        acting = TrainedPlayer(policy) if isinstance(policy, PolicyWithProcessors) else policy
        self._policy = acting.copy()
        self._space = action_space
        self._features_map = features_map
        self._task = ""

    def start(self, seed: int, task: str) -> None:
        """See `Actor.start`."""
        self._policy.reset()
        self._policy.seed(seed)
        self._task = task

    def act(self, observation: Any) -> NDArray[Any]:
        """See `Actor.act`.

        Raises:
            FeatureMismatchError: the action does not have the shape of the environment's.
        """
        action = self._policy.select_action({**to_frame(observation, self._features_map), "task": self._task})
        chosen: NDArray[Any] = action.astype(self._space.dtype)
        if chosen.shape != self._space.shape:
            raise FeatureMismatchError(
                f"the policy's actions have the shape {chosen.shape}",
                keys=["action"],
                expected=f"{self._space.shape}, as the environment has it",
            )
        return chosen

    def close(self) -> None:
        """Release what the policy holds, such as a connection."""
        self._policy.close()


def to_frame(observation: Any, features_map: Mapping[str, str] | None = None) -> dict[str, NDArray[Any]]:
    """Name the parts of an observation, as a policy meets them: see `ActingPolicy`.

    Returns:
        Pictures `(H, W, 3)` uint8 as they are; floats as float32; copies of what an environment may write to.
    """
    frame: dict[str, NDArray[Any]] = {}
    for name, value in flatten(observation, features_map).items():
        array = np.asarray(value)
        frame[name] = array.astype(np.float32) if array.dtype.kind == "f" else array.copy()
    return frame


def place_of(provided: PolicyFeatures, label: str, rename_map: Mapping[str, str] | None = None) -> Place:
    """Describe an environment as a place to act in.

    Args:
        provided: from `provided_features`.
        label: what it is, for messages.
        rename_map: the policy's observation keys by those of the environment.
    """
    features: dict[str, dict[str, Any]] = {}
    for key, feature in provided.items():
        seen = feature.type is FeatureType.VISUAL
        shape = (*feature.shape[1:], feature.shape[0]) if seen else feature.shape
        features[key] = {"dtype": "video" if seen else "float32", "shape": shape, "names": None}
    return Place(label, features, rename_map=rename_map or {})


def provided_features(
    observation_space: Any, action_space: Any, features_map: Mapping[str, str] | None = None
) -> PolicyFeatures:
    """Say what a policy can get from an environment, and what it has to give.

    Args:
        observation_space: of one environment.
        action_space: of one environment; a box.
        features_map: see `flatten`.

    Raises:
        FeatureMismatchError: actions are not numbers.
    """
    if not isinstance(action_space, gymnasium.spaces.Box):
        raise FeatureMismatchError(
            f"the environment's actions are {action_space}", keys=["action"], expected="a box of numbers"
        )
    features: PolicyFeatures = {}
    for name, space in flatten(observation_space, features_map).items():
        if isinstance(space, gymnasium.spaces.Box | gymnasium.spaces.MultiBinary | gymnasium.spaces.MultiDiscrete):
            shape = policy_shape(space)
            features[name] = PolicyFeature(type=_type(name, space), shape=shape)
    return {**features, "action": PolicyFeature(type=FeatureType.ACTION, shape=tuple(action_space.shape))}


def _type(name: str, space: Any) -> FeatureType:
    if is_image(tuple(space.shape), space.dtype):
        return FeatureType.VISUAL
    return FeatureType.ENV if name == "observation.environment_state" else FeatureType.STATE
