"""Rewards and successes of a recording, given by a reward model or a success detector."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lerobot.core.config.judges import RewardModelConfig, SuccessDetectorConfig
from lerobot.core.errors import FeatureMismatchError
from lerobot.core.processors.dataset_features import picture_name
from lerobot.core.protocols import RewardModel, SuccessDetector
from lerobot.core.types import Features, FeatureSpec, Observation
from lerobot.dataset_tools.edit.features import add_features
from lerobot.dataset_tools.edit.outcome import EditResult
from lerobot.datasets.dataset.frames import FrameDataset
from lerobot.datasets.format.features import CAMERA_DTYPES, NUMERIC_DTYPES, element_names
from lerobot.datasets.lerobot_dataset import LeRobotDataset

REWARD, SUCCESS = "next.reward", "next.success"
_AT_ONCE = 64
"""Frames that a reward model judges at once: their images have to fit in memory."""

_REWARD = {"dtype": "float32", "shape": (1,), "names": None}
_SUCCESS = {"dtype": "bool", "shape": (1,), "names": None}


def label_success(
    root: Path, judge: RewardModelConfig | SuccessDetectorConfig, new_root: Path | None = None
) -> EditResult:
    """Add the column `next.success`, and of a reward model `next.reward`, for every frame.

    Args:
        root: the dataset.
        judge: who says so.
        new_root: see `carry_out`.

    Raises:
        FeatureMismatchError: the dataset has such a column already, or lacks what the judge looks at; nothing was
            changed.
    """
    dataset = LeRobotDataset(root.name, root)
    columns = [SUCCESS] if isinstance(judge, SuccessDetectorConfig) else [REWARD, SUCCESS]
    if taken := [key for key in columns if key in dataset.features]:
        raise FeatureMismatchError(
            f"{root} has {', '.join(taken)} already",
            keys=taken,
            expected="a dataset without labels",
            hint="rename or remove them: lerobot edit-dataset --operation.type=remove_feature",
        )
    features: dict[str, tuple[ArrayLike, dict[str, Any]]]
    if isinstance(judge, SuccessDetectorConfig):
        recording = Recording(dataset)
        detector: SuccessDetector = judge.build(robot=recording)
        found = np.array([detected for episode in recording.play(detector) for detected in episode])
        features = {SUCCESS: (found, _SUCCESS)}
    else:
        rewards = np.concatenate(list(_rewards(dataset, judge.build())))
        features = {REWARD: (rewards, _REWARD), SUCCESS: (rewards >= judge.success_from, _SUCCESS)}
    return add_features(root, features, new_root)


def _rewards(dataset: FrameDataset, model: RewardModel) -> Iterator[NDArray[np.float32]]:
    cameras = {key for key, feature in dataset.features.items() if feature["dtype"] in CAMERA_DTYPES}
    known = cameras | {key for key, feature in dataset.features.items() if feature["dtype"] in NUMERIC_DTYPES}
    if missing := [key for key in model.inputs if key not in known]:
        raise FeatureMismatchError(
            f"{dataset.repo_id} has no {', '.join(missing)}, which the reward model looks at",
            keys=missing,
            expected=", ".join(sorted(known)),
        )
    reader = dataset.reader
    for start, stop in zip(*dataset.episode_bounds, strict=True):
        model.reset()
        for first in range(int(start), int(stop), _AT_ONCE):
            positions = np.arange(first, min(first + _AT_ONCE, int(stop)))
            numbers = reader.numbers.fetch({key: positions for key in model.inputs if key not in cameras})
            images = {key: np.stack(reader.read_camera(key, positions)) for key in model.inputs if key in cameras}
            task = dataset.meta.tasks.name(int(reader.numbers.fetch({"task_index": positions[:1]})["task_index"][0]))
            yield np.asarray(model.rewards({**numbers, **images}, task), np.float32).reshape(len(positions))


class Recording:
    """A recording as the robot that made it, for detectors: what it measured, and when.

    Args:
        dataset: the recording.
    """

    def __init__(self, dataset: FrameDataset) -> None:
        self._dataset = dataset
        self._vectors: dict[str, list[str]] = {}
        features: dict[str, FeatureSpec] = {}
        for key, feature in dataset.features.items():
            if not key.startswith("observation."):
                continue
            if feature["dtype"] in CAMERA_DTYPES:
                features[picture_name(key)] = FeatureSpec("uint8", tuple(feature["shape"]))
            elif feature["dtype"] in NUMERIC_DTYPES and len(feature["shape"]) == 1:
                self._vectors[key] = element_names(feature)
                features |= dict.fromkeys(self._vectors[key], FeatureSpec(feature["dtype"]))
        self.observation_features: Features = features
        self.clock = _RecordedTime()

    def __str__(self) -> str:
        return f"of {self._dataset.repo_id}"

    def play(self, detector: SuccessDetector) -> Iterator[list[bool]]:
        """Show every episode, tick by tick; gives what the detector says of each."""
        for start, stop in zip(*self._dataset.episode_bounds, strict=True):
            detector.reset()
            yield [detector.is_success(self._observation(index)) for index in range(int(start), int(stop))]

    def _observation(self, index: int) -> Observation:
        (frame,) = self._dataset.read_arrays([index])
        self.clock.time_s = float(frame["timestamp"])
        values: dict[str, Any] = {}
        for key, value in frame.items():
            if key in self._vectors:
                values |= zip(self._vectors[key], np.ravel(value).tolist(), strict=True)
            elif picture_name(key) in self.observation_features:
                values[picture_name(key)] = value
        return Observation(values)


class _RecordedTime:
    """The time at which a frame was recorded, from the begin of its episode."""

    time_s = 0.0

    def now(self) -> float:
        """See `Clock.now`."""
        return self.time_s

    def sleep_until(self, deadline: float) -> None:
        """See `Clock.sleep_until`; nobody waits for what has happened."""
