"""A reward model and a detector that remember what they were shown."""

from typing import Any, ClassVar

import numpy as np

from lerobot.core.config.judges import RewardModelConfig, SuccessDetectorConfig

SHOWN: list[Any] = []


class CountConfig(RewardModelConfig):
    """Rewards the second element of the state, per frame seen; from 1.5 on that is success."""

    target: ClassVar[str] = "judges:Count"

    type: str = "count"
    inputs: tuple[str, ...] = ("observation.state", "observation.images.left")


class Count:
    def __init__(self, config: CountConfig) -> None:
        self.inputs = config.inputs

    def reset(self) -> None:
        SHOWN.append("reset")

    def rewards(self, frames: dict[str, Any], task: str) -> Any:
        SHOWN.append((task, {key: (value.shape, value.dtype.name) for key, value in frames.items()}))
        return frames["observation.state"][:, 1]


class LateConfig(SuccessDetectorConfig):
    """Solved once an episode is a while old."""

    target: ClassVar[str] = "judges:Late"

    type: str = "late"
    after_s: float = 0.0


class Late:
    def __init__(self, config: LateConfig, *, robot: Any) -> None:
        self._config, self._robot = config, robot
        SHOWN.append({key: each.shape for key, each in robot.observation_features.items()})

    def reset(self) -> None:
        SHOWN.append("reset")

    def is_success(self, observation: Any) -> bool:
        SHOWN.append({key: np.shape(value) for key, value in observation.items()})
        return self._robot.clock.now() > self._config.after_s
