"""A policy on this computer as a source of chunks."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from lerobot.core.errors import FeatureMismatchError, LeRobotError
from lerobot.core.processors.dataset_features import DatasetFeatures, build_dataset_frame
from lerobot.core.protocols.chunks import ActionChunk, ChunkRequest
from lerobot.core.types import Action, Observation
from lerobot.policies.assembly import PolicyWithProcessors
from lerobot.policies.features import ACTION
from lerobot.policies.policy import PreTrainedPolicy
from lerobot.policies.processing.bridge import to_tensor
from lerobot.policies.rtc.config import RTCConfig
from lerobot.policies.rtc.continuation import Continuation, ContinuesChunks


class LocalChunks:
    """Predicts chunks; see `ChunkSource`.

    Args:
        trained: the policy and its processors.
        features: what a dataset stores of the robot: names and order of joints, and cameras.
        rtc: let each chunk continue what is planned; None to predict from the observation alone.
        actions_per_chunk: use so many actions of a chunk; None for all.

    Raises:
        LeRobotError: the policy's chunks cannot continue one another in that mode.
    """

    def __init__(
        self,
        trained: PolicyWithProcessors,
        features: DatasetFeatures,
        *,
        rtc: RTCConfig | None = None,
        actions_per_chunk: int | None = None,
    ) -> None:
        self._policy, self._processors = trained.policy, trained.processors
        self._features = features
        self._names: list[str] = features[ACTION]["names"]
        self._rtc = rtc if rtc is not None and rtc.enabled else None
        self._most = actions_per_chunk
        self.observation_steps = self._policy.config.n_obs_steps
        """See `ChunkSource.observation_steps`."""
        if self._rtc is not None:
            require_continuing(self._policy, self._rtc)

    def reset(self) -> None:
        """See `ChunkSource.reset`."""
        self._policy.reset()
        self._processors.reset()

    def close(self) -> None:
        """See `ChunkSource.close`; a policy here holds nothing."""

    def predict(self, request: ChunkRequest, /) -> ActionChunk:
        """See `ChunkSource.predict`.

        Raises:
            FeatureMismatchError: an observation is missing, or the actions have another size than the robot's.
        """
        # Not inference mode: guidance differentiates the network.
        with torch.no_grad(), self._policy.precision():
            batch = self._batch(request)
            previous = batch.pop(ACTION, None)
            if self._rtc is None or previous is None or not isinstance(self._policy, ContinuesChunks):
                chunk = self._policy.predict_action_chunk(batch)
            else:
                chunk = self._policy.continue_action_chunk(batch, Continuation(previous, request.delay, self._rtc))
            actions = [self._processors.postprocessor(action) for action in chunk[:, : self._most].unbind(dim=1)]
        return ActionChunk(request.timestep, tuple(map(self._as_action, actions)))

    def _batch(self, request: ChunkRequest) -> dict[str, Any]:
        """The processed observations, with a time axis `(1, n_obs_steps, ...)` if the policy takes several."""
        *before, newest = [self._frame(each, request.task) for each in request.observations]
        if self._rtc is not None and request.coming:
            # Like actions to learn from they go through the pre-processor: normalised, and relative to this state.
            newest[ACTION] = torch.tensor([[[action[name] for name in self._names] for action in request.coming]])
        processed = [self._processors.preprocessor(frame) for frame in (*before, newest)]
        batch: dict[str, Any] = dict(processed[-1])
        if self.observation_steps > 1:
            processed = [processed[0]] * (self.observation_steps - len(processed)) + processed
            batch |= {key: _stacked([each[key] for each in processed]) for key in self._policy.config.input_features}
        return batch

    def _frame(self, observation: Observation, task: str) -> dict[str, Any]:
        frame = build_dataset_frame(self._features, observation, "observation")
        return {**{key: to_tensor(value) for key, value in frame.items()}, "task": task}

    def _as_action(self, action: Tensor) -> Action:
        return named_action(action, self._names)


def _stacked(observations: Sequence[Tensor]) -> Tensor:
    return torch.stack(list(observations), dim=1)


def named_action(action: Tensor, names: Sequence[str]) -> Action:
    """Give an action `(1, Da)` in the robot's units under the names of its joints.

    Raises:
        FeatureMismatchError: it has another size.
    """
    values: list[float] = action.float().flatten().tolist()
    if len(values) != len(names):
        raise FeatureMismatchError(
            f"the policy gave {len(values)} numbers", keys=[ACTION], expected=f"one per {', '.join(names)}"
        )
    return dict(zip(names, values, strict=True))


def require_continuing(policy: PreTrainedPolicy, rtc: RTCConfig) -> None:
    """Check that a policy's chunks can continue one another as it is asked for.

    Raises:
        LeRobotError: they cannot.
    """
    if not isinstance(policy, ContinuesChunks):
        raise LeRobotError(
            f"policy {policy.name!r} predicts its chunks at once, so that none can continue the one before",
            expected="a policy that takes noise away step by step, such as diffusion; or --inference.type=async",
        )
    if rtc.mode not in policy.rtc_modes:
        raise LeRobotError(
            f"policy {policy.name!r} cannot be continued in the mode {rtc.mode!r}",
            expected=f"--inference.rtc.mode={' or '.join(sorted(policy.rtc_modes))}",
        )
