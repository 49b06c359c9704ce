"""What of a tick becomes a row of the dataset."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lerobot.core.control import Tick
from lerobot.core.processors import robot_action_pipeline
from lerobot.core.processors.dataset_features import (
    DatasetFeatures,
    aggregate_pipeline_dataset_features,
    build_dataset_frame,
    combine_feature_dicts,
    create_initial_features,
    picture_name,
)
from lerobot.core.processors.robot import ActionPipeline, ObservationPipeline
from lerobot.core.protocols.robot import HasReward, HasSceneValues, Robot
from lerobot.core.safety import as_number
from lerobot.core.types import Stamp
from lerobot.datasets.commands.record import ExtraColumn
from lerobot.datasets.format.extra_columns import (
    REQUESTED_ACTION,
    capture_time_key,
    capture_time_values,
    extra_features,
)
from lerobot.datasets.format.info import Info

OUTCOME = "outcome"
"""Column with the episode's outcome: `success`, `failure` or `unknown`, the same in each of its rows."""
UNKNOWN = "unknown"

SCENE_VALUES = "scene_values"
"""Column with what was drawn for the episode's scene (`HasSceneValues`), the same in each of its rows."""

REWARD, DONE, SUCCESS = "next.reward", "next.done", "next.success"
"""Columns with what came of a row's action where the robot is told (`HasReward`), by the field's names."""


class RowBuilder:
    """Declares the columns of a recording and fills them from ticks.

    Args:
        robot: the robot; need not be connected.
        observation: pipeline of observations, the one of the control loop.
        action: pipeline from the robot's action to the stored one.
        extra_columns: which optional columns there are.
        video: store images as video, otherwise as single images.
        depth_video: store depth as video too.

    Raises:
        FeatureMismatchError: something the robot measures cannot be stored; names it.
    """

    def __init__(
        self,
        robot: Robot,
        *,
        observation: ObservationPipeline,
        action: ActionPipeline | None = None,
        extra_columns: Sequence[ExtraColumn] = (),
        video: bool = True,
        depth_video: bool = True,
    ) -> None:
        self._action = action or robot_action_pipeline()
        commanded = create_initial_features(action=robot.action_features)
        measured = create_initial_features(observation=robot.observation_features)
        self.stored: DatasetFeatures = combine_feature_dicts(
            aggregate_pipeline_dataset_features(self._action, commanded),
            aggregate_pipeline_dataset_features(observation, measured, use_videos=video, depth_videos=depth_video),
        )
        """Declarations of what every recording has."""
        self.features: DatasetFeatures = {
            **self.stored,
            **extra_features(
                self.stored,
                capture_times="capture_times" in extra_columns,
                requested_action="requested_action" in extra_columns,
            ),
        }
        """Declarations of every column."""
        if "outcome" in extra_columns:
            self.features[OUTCOME] = {"dtype": "string", "shape": (1,), "names": None}
        self._scene = robot if isinstance(robot, HasSceneValues) and robot.scene_values else None
        if self._scene is not None:
            names = list(self._scene.scene_values)
            self.features[SCENE_VALUES] = {"dtype": "float32", "shape": (len(names),), "names": names}
        self._judged = robot if isinstance(robot, HasReward) else None
        if self._judged is not None:
            self.features[REWARD] = {"dtype": "float32", "shape": (1,), "names": None}
            self.features |= {key: {"dtype": "bool", "shape": (1,), "names": None} for key in (DONE, SUCCESS)}
        self.cameras = [picture_name(key) for key, feature in self.stored.items() if _is_picture(feature)]
        """Names of the cameras."""
        self._measured_by = {key: _sources(key, feature) for key, feature in self.stored.items() if key != "action"}

    def row(self, tick: Tick, begin_s: float) -> dict[str, Any]:
        """Build the row of a tick.

        Args:
            tick: one turn of the control loop.
            begin_s: begin of the episode, monotonic seconds.

        Returns:
            A value per feature, as `DatasetRecorder.add_frame` takes them.

        Raises:
            FeatureMismatchError: the tick lacks a value; names it.
        """
        sent = {**tick.gated, **tick.sent}
        row = build_dataset_frame(self.stored, tick.observation, "observation")
        row |= build_dataset_frame(self.stored, self._action((sent, tick.observation)), "action")
        if REQUESTED_ACTION in self.features:
            # What the source left out or gave as no number was held by the gate, so the held value was wanted.
            usable = {key: value for key, value in tick.requested.items() if as_number(value) is not None}
            wanted = self._action(({**sent, **usable}, tick.observation))
            row[REQUESTED_ACTION] = build_dataset_frame(self.stored, wanted, "action")["action"]
        if capture_time_key("action") in self.features:
            row |= capture_time_values(self._capture_times(tick), begin_s)
        if OUTCOME in self.features:
            row[OUTCOME] = UNKNOWN
        if self._scene is not None:
            row[SCENE_VALUES] = np.array(list(self._scene.scene_values.values()), np.float32)
        if self._judged is not None:
            result = self._judged.step_result
            row |= {REWARD: result.reward, DONE: result.done, SUCCESS: result.success}
        return row

    def _capture_times(self, tick: Tick) -> dict[str, float]:
        """When each feature was measured; a vector with the oldest of its elements, a command when it was given."""
        now = Stamp(tick.start_s)
        stamps = tick.observation.stamps
        times = {
            key: min((stamps.get(source, now).time_s for source in sources), default=tick.start_s)
            for key, sources in self._measured_by.items()
        }
        return {**times, "action": tick.command_time_s}


def _sources(key: str, feature: Mapping[str, Any]) -> list[str]:
    """Entries of an observation that a stored feature is made of."""
    return [picture_name(key)] if _is_picture(feature) else list(feature["names"])


def _is_picture(feature: Mapping[str, Any]) -> bool:
    return feature["dtype"] in {"image", "video"}


def extra_columns_of(info: Info) -> tuple[ExtraColumn, ...]:
    """Which optional columns an existing dataset has."""
    columns: list[ExtraColumn] = []
    if REQUESTED_ACTION in info.features:
        columns.append("requested_action")
    if OUTCOME in info.features:
        columns.append("outcome")
    if capture_time_key("action") in info.features:
        columns.append("capture_times")
    return tuple(columns)
