"""A policy and its processors, as whoever drives with a policy meets it; see `lerobot.core.protocols.ActingPolicy`."""

import copy
import random
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lerobot.core.config.rtc import RTCConfig
from lerobot.core.errors import LeRobotError
from lerobot.core.protocols.acting import Place, PlannedActions
from lerobot.policies.assembly import PolicyWithProcessors, make_policy, make_pre_post_processors
from lerobot.policies.config import PreTrainedConfig
from lerobot.policies.features import ACTION, features_of_dataset
from lerobot.policies.processing.bridge import to_tensor
from lerobot.policies.rtc.continuation import Continuation, ContinuesChunks


def load_player(config: PreTrainedConfig, place: Place) -> "TrainedPlayer":
    """Load a policy and its processors for a place; see `PolicyConfig.acts`.

    Raises:
        CheckpointError: the policy is incomplete or damaged.
        FeatureMismatchError: the place does not provide what the policy needs.
    """
    chosen = config if place.device is None else config.model_copy(update={"device": place.device})
    loaded = make_policy(chosen, features_of_dataset(place.features), rename_map=place.rename_map, provider=place.label)
    return TrainedPlayer(
        PolicyWithProcessors(loaded, make_pre_post_processors(loaded.config, rename_map=place.rename_map))
    )


class TrainedPlayer:
    """Acts with a policy of this computer; see `ActingPolicy`.

    Args:
        trained: the policy and its processors.
        random_numbers: where its random numbers come from; None for torch's own, which everybody draws from.
    """

    def __init__(self, trained: PolicyWithProcessors, random_numbers: "RandomNumbers | None" = None) -> None:
        self._policy, self._processors = trained.policy, trained.processors
        self._random_numbers = random_numbers
        self.name = trained.policy.name
        """See `ActingPolicy.name`."""
        self.observation_steps = trained.policy.config.n_obs_steps
        """See `ActingPolicy.observation_steps`."""

    def reset(self) -> None:
        """See `ActingPolicy.reset`."""
        self._policy.reset()
        self._processors.reset()

    def seed(self, seed: int) -> None:
        """See `ActingPolicy.seed`; only a copy has random numbers of its own."""
        if self._random_numbers is not None:
            self._random_numbers.begin(seed)

    def select_action(self, frame: Mapping[str, Any], /) -> NDArray[np.float32]:
        """See `ActingPolicy.select_action`."""
        with torch.inference_mode(), self._policy.precision(), self._random_numbers or nullcontext():
            processed = self._processors.preprocessor(_sample(frame))
            action = self._processors.postprocessor(self._policy.select_action(processed))
        return _numbers(action).reshape(-1)

    def predict_chunk(
        self, window: Sequence[Mapping[str, Any]], /, planned: PlannedActions | None = None
    ) -> NDArray[np.float32]:
        """See `ActingPolicy.predict_chunk`."""
        # Not inference mode: guidance differentiates the network.
        with torch.no_grad(), self._policy.precision(), self._random_numbers or nullcontext():
            batch = self._batch(window, planned)
            previous = batch.pop(ACTION, None)
            if planned is None or previous is None or not isinstance(self._policy, ContinuesChunks):
                chunk = self._policy.predict_action_chunk(batch)
            else:
                continuation = Continuation(previous, planned.delay, planned.rtc)
                chunk = self._policy.continue_action_chunk(batch, continuation)
            actions = [_numbers(self._processors.postprocessor(action)) for action in chunk.unbind(dim=1)]
        return np.concatenate(actions)

    def require_continuing(self, rtc: RTCConfig, /) -> None:
        """See `ActingPolicy.require_continuing`."""
        if not isinstance(self._policy, ContinuesChunks):
            raise LeRobotError(
                f"policy {self.name!r} predicts its chunks at once, so that none can continue the one before",
                expected="a policy that takes noise away step by step, such as diffusion; or --inference.type=async",
            )
        if rtc.mode not in self._policy.rtc_modes:
            raise LeRobotError(
                f"policy {self.name!r} cannot be continued in the mode {rtc.mode!r}",
                expected=f"--inference.rtc.mode={' or '.join(sorted(self._policy.rtc_modes))}",
            )

    def copy(self) -> "TrainedPlayer":
        """See `ActingPolicy.copy`; weights and buffers are shared."""
        policy = self._policy
        shared = {id(tensor): tensor for tensor in (*policy.parameters(), *policy.buffers())}
        # Processors together: a step that makes actions absolute again is linked to the one that made them relative.
        copied = PolicyWithProcessors(copy.deepcopy(policy, shared).eval(), copy.deepcopy(self._processors))
        return TrainedPlayer(copied, RandomNumbers(next(iter(policy.parameters())).device))

    def close(self) -> None:
        """See `ActingPolicy.close`; it holds nothing."""

    def _batch(self, window: Sequence[Mapping[str, Any]], planned: PlannedActions | None) -> dict[str, Any]:
        """The processed observations, with a time axis `(1, n_obs_steps, ...)` if the policy takes several."""
        *before, newest = map(_sample, window)
        if planned is not None:
            # Like actions to learn from they go through the pre-processor: normalised, and relative to this state.
            newest[ACTION] = torch.from_numpy(planned.actions)[None]
        processed = [self._processors.preprocessor(frame) for frame in (*before, newest)]
        batch: dict[str, Any] = dict(processed[-1])
        if self.observation_steps > 1:
            processed = [processed[0]] * (self.observation_steps - len(processed)) + processed
            inputs = self._policy.config.input_features
            batch |= {key: torch.stack([each[key] for each in processed], dim=1) for key in inputs}
        return batch


class RandomNumbers:
    """Puts random states of its own in the place of the process's for a block, and takes them out with what was drawn.

    Those of torch, numpy and Python: a policy may draw from any of them.

    Args:
        device: where the policy computes.
    """

    def __init__(self, device: torch.device) -> None:
        self._cuda = device if device.type == "cuda" else None
        self._states: list[Any] = []
        self._outer: list[Any] = []

    def begin(self, seed: int) -> None:
        """Begin them anew."""
        self._states = []
        with self:
            torch.manual_seed(seed)
            np.random.seed(seed % 2**32)
            random.seed(seed)

    def __enter__(self) -> None:
        self._outer = self._get()
        if self._states:
            self._set(self._states)

    def __exit__(self, *exc_info: object) -> None:
        self._states = self._get()
        self._set(self._outer)

    def _get(self) -> list[Any]:
        states = [torch.get_rng_state(), np.random.get_state(), random.getstate()]
        return states if self._cuda is None else [*states, torch.cuda.get_rng_state(self._cuda)]

    def _set(self, states: Sequence[Any]) -> None:
        torch.set_rng_state(states[0])
        np.random.set_state(states[1])
        random.setstate(states[2])
        if self._cuda is not None:
            torch.cuda.set_rng_state(states[3], self._cuda)


def _sample(frame: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value if isinstance(value, str) else to_tensor(value) for key, value in frame.items()}


def _numbers(action: Tensor) -> NDArray[np.float32]:
    numbers: NDArray[np.float32] = action.float().cpu().numpy()
    return numbers
