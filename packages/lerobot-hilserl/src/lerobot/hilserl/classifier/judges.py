"""The classifier as a reward model, and as a detector of success."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from lerobot.core.errors import FeatureMismatchError
from lerobot.core.images import network_images
from lerobot.core.processors.dataset_features import picture_name
from lerobot.core.protocols.robot import Robot
from lerobot.core.types import Observation
from lerobot.hilserl.classifier.files import TrainedClassifier
from lerobot.hilserl.classifier_config import ClassifierDetectorConfig, RewardClassifierConfig


class ClassifierRewards:
    """See `RewardModel`: the probability of success of each frame.

    Args:
        config: see there.

    Raises:
        CheckpointError: there is no such classifier.
    """

    def __init__(self, config: RewardClassifierConfig) -> None:
        self.config = config
        self._trained = TrainedClassifier.load(config.path, config.device)

    @property
    def inputs(self) -> Sequence[str]:
        """See `RewardModel.inputs`."""
        return self._trained.network.cameras

    def reset(self) -> None:
        """It remembers nothing."""

    def rewards(self, frames: Mapping[str, NDArray[Any]], task: str) -> NDArray[np.float32]:  # noqa: ARG002 - protocol
        """See `RewardModel.rewards`."""
        return judged(self._trained, {key: frames[key] for key in self.inputs if key in frames})


class ClassifierDetector:
    """See `SuccessDetector`.

    Args:
        config: see there.
        robot: need not be connected.

    Raises:
        CheckpointError: there is no such classifier.
        FeatureMismatchError: the robot lacks a camera that it looks at.
    """

    def __init__(self, config: ClassifierDetectorConfig, *, robot: Robot) -> None:
        self.config = config
        self._trained = TrainedClassifier.load(config.path, config.device)
        self._names = {key: picture_name(key) for key in self._trained.network.cameras}
        missing = [name for name in self._names.values() if name not in robot.observation_features]
        if missing:
            raise FeatureMismatchError(
                f"the classifier {config.path} looks at {', '.join(missing)}, which {robot} does not show",
                keys=missing,
                expected="a robot with the cameras of the classifier's dataset",
            )
        self._seen = 0

    def reset(self) -> None:
        """See `SuccessDetector.reset`."""
        self._seen = 0

    def is_success(self, observation: Observation, /) -> bool:
        """See `SuccessDetector.is_success`."""
        frames = {key: np.asarray(observation[name])[None] for key, name in self._names.items()}
        solved = bool(judged(self._trained, frames)[0] >= self.config.success_from)
        self._seen = self._seen + 1 if solved else 0
        return self._seen >= self.config.ticks


def judged(trained: TrainedClassifier, frames: Mapping[str, NDArray[Any]]) -> NDArray[np.float32]:
    """Judge frames.

    Args:
        trained: the classifier.
        frames: pictures `(N, H, W, C)` uint8, by the key of the dataset.

    Returns:
        `(N,)`.
    """
    images = {key: network_images(torch.from_numpy(np.ascontiguousarray(value))) for key, value in frames.items()}
    rewards: NDArray[np.float32] = trained.network.rewards(trained.preprocessor(images)).cpu().float().numpy()
    return rewards
