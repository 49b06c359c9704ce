"""An exported policy that acts."""

import copy
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from lerobot.core.config.rtc import RTCConfig
from lerobot.core.errors import FeatureMismatchError, LeRobotError
from lerobot.core.protocols.acting import Place, PlannedActions
from lerobot.runtime.chunks import Acting, ActionQueue, TemporalEnsembler
from lerobot.runtime.config import ExportedPolicyConfig
from lerobot.runtime.description import Description, Input, read_description
from lerobot.runtime.fit import require_fit
from lerobot.runtime.session import Session

TASK = "task"


class ExportedPolicy:
    """Acts by ONNX Runtime; see `ActingPolicy`.

    Args:
        config: which one.
        place: where it is to act.

    Raises:
        CheckpointError: the export is incomplete or damaged.
        FeatureMismatchError: the place is not what it was exported for.
        LeRobotError: what shall compute is not there.
    """

    def __init__(self, config: ExportedPolicyConfig, place: Place) -> None:
        self._description, files = read_description(config.folder)
        require_fit(self._description, place)
        self._session = Session(config, self._description, files)
        self._renamed = dict(place.rename_map)
        self._config = config
        self.name = f"exported {self._description.policy}"
        """See `ActingPolicy.name`."""
        self.observation_steps = self._description.observation_steps
        """See `ActingPolicy.observation_steps`."""
        self._window: deque[Mapping[str, Any]] = deque(maxlen=self.observation_steps)
        self._acting = _acting(config, self._description)
        self._random = np.random.default_rng(config.seed)

    def reset(self) -> None:
        """See `ActingPolicy.reset`."""
        self._window.clear()
        self._acting.reset()

    def seed(self, seed: int) -> None:
        """See `ActingPolicy.seed`."""
        self._random = np.random.default_rng(seed)

    def select_action(self, frame: Mapping[str, Any], /) -> NDArray[np.float32]:
        """See `ActingPolicy.select_action`."""
        self._window.append(frame)
        return self._acting.next(lambda: self.predict_chunk(tuple(self._window)))

    def predict_chunk(
        self,
        window: Sequence[Mapping[str, Any]],
        /,
        planned: PlannedActions | None = None,  # noqa: ARG002 - refused by `require_continuing`
    ) -> NDArray[np.float32]:
        """See `ActingPolicy.predict_chunk`."""
        frames = [{self._renamed.get(key, key): value for key, value in frame.items()} for frame in window]
        self._require_task(frames[-1].get(TASK) or "")
        frames = [frames[0]] * (self.observation_steps - len(frames)) + frames
        return self._session.run({port.name: self._input(port, frames) for port in self._description.inputs})

    def require_continuing(self, rtc: RTCConfig, /) -> None:
        """See `ActingPolicy.require_continuing`; it never can."""
        raise LeRobotError(
            f"the {self.name} policy cannot be continued in the mode {rtc.mode!r}: an export takes no planned actions",
            expected="--inference.type=async, which joins chunks where they overlap; or the checkpoint itself",
        )

    def copy(self) -> Self:
        """See `ActingPolicy.copy`; the session is shared."""
        other = copy.copy(self)
        other._window = deque(maxlen=self.observation_steps)
        other._acting = _acting(self._config, self._description)
        other._random = np.random.default_rng(self._config.seed)
        return other

    def close(self) -> None:
        """See `ActingPolicy.close`; memory is freed with the last copy."""

    def _input(self, port: Input, frames: Sequence[Mapping[str, Any]]) -> NDArray[Any]:
        if port.noise is not None:
            draw = self._random.standard_normal if port.noise == "normal" else self._random.standard_exponential
            return draw((1, *port.shape), dtype=np.float32)
        if port.steps is None:
            return _measured(port, frames[-1])[None]
        return np.stack([_measured(port, frame) for frame in frames[-port.steps :]])[None]

    def _require_task(self, task: str) -> None:
        told = self._description.task
        if told is not None and task not in ("", told):
            raise FeatureMismatchError(
                f"the policy was exported for the task {told!r}, and is told {task!r}",
                keys=[TASK],
                expected="an export for that task",
            )


def _acting(config: ExportedPolicyConfig, description: Description) -> Acting:
    horizon = description.action.shape[0]
    steps = config.n_action_steps
    if steps is not None and steps > horizon:
        raise FeatureMismatchError(
            f"n_action_steps is {steps}, and a chunk holds {horizon} actions", expected=f"at most {horizon}"
        )
    coefficient = config.temporal_ensemble_coeff
    if coefficient is None and steps is None:
        coefficient = description.temporal_ensemble_coeff
    return ActionQueue(steps or description.n_action_steps) if coefficient is None else TemporalEnsembler(coefficient)


def _measured(port: Input, frame: Mapping[str, Any]) -> NDArray[Any]:
    """One input as the file takes it.

    Raises:
        FeatureMismatchError: it is missing, or has another shape.
    """
    if port.name not in frame:
        raise FeatureMismatchError(
            f"the policy got no {port.name}", keys=[port.name], expected=f"{port.name}; given: {', '.join(frame)}"
        )
    value = np.asarray(frame[port.name])
    if value.shape != port.observed or (port.dtype == "uint8") != (value.dtype == np.uint8):
        raise FeatureMismatchError(
            f"{port.name} is {value.shape} {value.dtype}", keys=[port.name], expected=f"{port.observed} {port.dtype}"
        )
    return np.ascontiguousarray(value, port.dtype)
