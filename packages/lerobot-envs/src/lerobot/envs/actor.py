"""A policy as the player of one environment."""

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import gymnasium
import numpy as np
import torch
from numpy.typing import NDArray

from lerobot.core.errors import FeatureMismatchError
from lerobot.core.images import network_images
from lerobot.policies.assembly import PolicyWithProcessors
from lerobot.policies.features import FeatureType, PolicyFeature, PolicyFeatures
from lerobot.policies.processing.observations import flatten, is_image, policy_shape


class PolicyActor:
    """Plays with a policy of its own: its weights are shared with others, its queues and random numbers are not.

    Each environment is asked for alone, because a batch of another size gives the last bits of an action another
    value, and a simulation makes another episode of that.

    Args:
        trained: the policy and its processors.
        action_space: of the environment.
        features_map: names of the environment's observations, by path; see `flatten`.
    """

    def __init__(
        self, trained: PolicyWithProcessors, action_space: Any, features_map: Mapping[str, str] | None = None
    ) -> None:
        policy = trained.policy
        shared = {id(tensor): tensor for tensor in (*policy.parameters(), *policy.buffers())}
        self._policy = copy.deepcopy(policy, shared).eval()
        # Copied together: a step that makes actions absolute again is linked to the one that made them relative.
        self._processors = copy.deepcopy(trained.processors)
        self._space = action_space
        self._features_map = features_map
        self._task = ""
        self._generators: list[torch.Tensor] = []
        self._device = next(iter(policy.parameters())).device

    def start(self, seed: int, task: str) -> None:
        """See `Actor.start`."""
        self._policy.reset()
        self._processors.reset()
        self._task = task
        with self._own_generators(fresh=True):
            torch.manual_seed(seed)

    def act(self, observation: Any) -> NDArray[Any]:
        """See `Actor.act`.

        Raises:
            FeatureMismatchError: the action does not have the shape of the environment's.
        """
        batch = {**to_batch(observation, self._features_map), "task": [self._task]}
        with torch.inference_mode(), self._policy.precision(), self._own_generators():
            action = self._processors.postprocessor(self._policy.select_action(self._processors.preprocessor(batch)))
        chosen: NDArray[Any] = action[0].float().numpy().astype(self._space.dtype)
        if chosen.shape != self._space.shape:
            raise FeatureMismatchError(
                f"the policy's actions have the shape {chosen.shape}",
                keys=["action"],
                expected=f"{self._space.shape}, as the environment has it",
            )
        return chosen

    def _own_generators(self, *, fresh: bool = False) -> "_Generators":
        return _Generators(self._generators, self._device, fresh=fresh)


class _Generators:
    """Puts an episode's random states in the place of torch's, and takes them out again with what was drawn."""

    def __init__(self, states: list[torch.Tensor], device: torch.device, *, fresh: bool) -> None:
        self._states = states
        self._cuda = device if device.type == "cuda" else None
        self._fresh = fresh
        self._outer: list[torch.Tensor] = []

    def __enter__(self) -> None:
        self._outer = self._get()
        if not self._fresh:
            self._set(self._states)

    def __exit__(self, *exc_info: object) -> None:
        self._states[:] = self._get()
        self._set(self._outer)

    def _get(self) -> list[torch.Tensor]:
        states = [torch.get_rng_state()]
        return states if self._cuda is None else [*states, torch.cuda.get_rng_state(self._cuda)]

    def _set(self, states: Sequence[torch.Tensor]) -> None:
        torch.set_rng_state(states[0])
        if self._cuda is not None:
            torch.cuda.set_rng_state(states[1], self._cuda)


def to_batch(observation: Any, features_map: Mapping[str, str] | None = None) -> dict[str, torch.Tensor]:
    """Make a batch of one of an observation.

    Returns:
        Colour pictures as `(1, C, H, W)` float32 in [0, 1], as datasets give them; floats as float32 `(1, ...)`.
    """
    batch: dict[str, torch.Tensor] = {}
    for name, value in flatten(observation, features_map).items():
        array = np.asarray(value)
        if is_image(array.shape, array.dtype):
            tensor = network_images(torch.from_numpy(array.copy()))
        else:
            tensor = torch.from_numpy(array.astype(np.float32 if array.dtype.kind == "f" else array.dtype))
        batch[name] = tensor.unsqueeze(0)
    return batch


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
