"""A policy as a source of chunks."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lerobot.core.config.rtc import RTCConfig
from lerobot.core.errors import FeatureMismatchError
from lerobot.core.processors.dataset_features import DatasetFeatures, build_dataset_frame
from lerobot.core.protocols.acting import ActingPolicy, PlannedActions
from lerobot.core.protocols.chunks import ActionChunk, ChunkRequest
from lerobot.core.types import Action, Observation

ACTION = "action"


class LocalChunks:
    """Predicts chunks; see `ChunkSource`.

    Args:
        policy: whom to ask.
        features: what a dataset stores of the robot: names and order of joints, and cameras.
        rtc: let each chunk continue what is planned; None to predict from the observation alone.
        actions_per_chunk: use so many actions of a chunk; None for all.

    Raises:
        LeRobotError: the policy's chunks cannot continue one another in that mode.
    """

    def __init__(
        self,
        policy: ActingPolicy,
        features: DatasetFeatures,
        *,
        rtc: RTCConfig | None = None,
        actions_per_chunk: int | None = None,
    ) -> None:
        self._policy = policy
        self._features = features
        self._names: list[str] = features[ACTION]["names"]
        self._rtc = rtc if rtc is not None and rtc.enabled else None
        self._most = actions_per_chunk
        self.observation_steps = policy.observation_steps
        """See `ChunkSource.observation_steps`."""
        if self._rtc is not None:
            policy.require_continuing(self._rtc)

    def reset(self) -> None:
        """See `ChunkSource.reset`."""
        self._policy.reset()

    def close(self) -> None:
        """See `ChunkSource.close`."""
        self._policy.close()

    def predict(self, request: ChunkRequest, /) -> ActionChunk:
        """See `ChunkSource.predict`.

        Raises:
            FeatureMismatchError: an observation is missing, or the actions have another size than the robot's.
        """
        window = [self._frame(each, request.task) for each in request.observations]
        chunk = self._policy.predict_chunk(window, self._planned(request))[: self._most]
        return ActionChunk(request.timestep, tuple(named_action(action, self._names) for action in chunk))

    def _planned(self, request: ChunkRequest) -> PlannedActions | None:
        if self._rtc is None or not request.coming:
            return None
        actions = [[action[name] for name in self._names] for action in request.coming]
        return PlannedActions(np.array(actions, np.float32), request.delay, self._rtc)

    def _frame(self, observation: Observation, task: str) -> dict[str, Any]:
        return {**build_dataset_frame(self._features, observation, "observation"), "task": task}


def named_action(action: NDArray[np.float32], names: Sequence[str]) -> Action:
    """Give an action `(Da,)` in the robot's units under the names of its joints.

    Raises:
        FeatureMismatchError: it has another size.
    """
    values: list[float] = action.tolist()
    if len(values) != len(names):
        raise FeatureMismatchError(
            f"the policy gave {len(values)} numbers", keys=[ACTION], expected=f"one per {', '.join(names)}"
        )
    return dict(zip(names, values, strict=True))
