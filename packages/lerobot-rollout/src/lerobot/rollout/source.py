"""A policy as the source of a robot's commands."""

import time
from collections.abc import Mapping
from typing import Any

import numpy as np

from lerobot.core.processors.dataset_features import DatasetFeatures, build_dataset_frame, picture_name
from lerobot.core.protocols.acting import ActingPolicy
from lerobot.core.safety import Limit
from lerobot.core.types import Action, Observation
from lerobot.rollout.ahead.report import SyncReport
from lerobot.rollout.local import named_action


class PolicySource:
    """Asks a policy once a tick; see `lerobot.core.control.CommandSource`.

    Args:
        policy: whom to ask.
        features: what a dataset stores of the robot: names and order of joints, and cameras.
        task: what to do, in words.
    """

    def __init__(self, policy: ActingPolicy, features: DatasetFeatures, task: str = "") -> None:
        self._policy = policy
        self.features = features
        """What a dataset stores of the robot."""
        self._names: list[str] = features["action"]["names"]
        self.task = task
        """What to do, in words."""
        self.report = SyncReport()
        """How long the loop waited for the policy."""

    def reset(self) -> None:
        """Forget the episode so far."""
        self._policy.reset()

    def rehearse(self) -> None:
        """Ask once for a made-up observation, so that nothing is loaded, compiled or found wrong while moving.

        Raises:
            LeRobotError: observation, processors and policy do not fit each other.
        """
        self.next_action(blank_observation(self.features), 0)
        self.reset()
        self.report = SyncReport()

    def next_action(self, observation: Observation, _tick: int, /) -> Action:
        """Choose the command of this tick, in the robot's keys and units.

        Raises:
            FeatureMismatchError: an observation is missing, or the action has another size than the robot's.
        """
        begun_s = time.perf_counter()
        frame = build_dataset_frame(self.features, observation, "observation")
        action = self._policy.select_action({**frame, "task": self.task})
        command = named_action(action, self._names)
        self.report.predicted(begun_s, time.perf_counter())
        return command

    def close(self) -> None:
        """Release what the policy holds."""
        self._policy.close()


def blank_observation(features: DatasetFeatures) -> Observation:
    """Make up an observation: black images, and zeros.

    Args:
        features: what a dataset stores of the robot.
    """
    blank: dict[str, Any] = {}
    for key, feature in features.items():
        if feature["dtype"] in {"image", "video"}:
            depth = feature["info"]["is_depth_map"]
            blank[picture_name(key)] = np.zeros(feature["shape"], np.uint16 if depth else np.uint8)
        else:
            blank |= dict.fromkeys(feature["names"], 0.0)
    return Observation(blank)


def way_back(
    limits: Mapping[str, Limit], start: Mapping[str, Any], goal: Mapping[str, Any], ticks: int
) -> list[Action]:
    """Give the commands of a straight motion of all positions; what is commanded as a velocity stands still.

    Args:
        limits: of the robot's safety gate: which commands are positions and which velocities.
        start: what was measured where it begins.
        goal: what was measured where it ends.
        ticks: number of commands; the last one is the goal.
    """
    still = {key: 0.0 for key, limit in limits.items() if limit.kind == "velocity"}
    ways = {
        key: (float(start[key]), float(goal[key]))
        for key, limit in limits.items()
        if limit.kind == "position" and key in start and key in goal
    }
    return [
        {**still, **{key: low + (high - low) * tick / ticks for key, (low, high) in ways.items()}}
        for tick in range(1, ticks + 1)
    ]
