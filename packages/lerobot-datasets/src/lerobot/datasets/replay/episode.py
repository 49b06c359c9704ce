"""The episode to replay: when each of its actions was sent, and where the robot was then."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lerobot.core.errors import DatasetError
from lerobot.core.words import numbers_of
from lerobot.datasets.dataset.metadata import LeRobotDatasetMetadata
from lerobot.datasets.format.extra_columns import capture_time_key
from lerobot.datasets.storage.numbers import NumericColumns
from lerobot.datasets.storage.rows import data_files


@dataclass(frozen=True, slots=True)
class RecordedEpisode:
    """One episode, without its images.

    Attributes:
        name: the dataset's name.
        index: number of the episode.
        task: what was done, in words.
        robot_type: robot it was recorded with.
        fps: its rate in Hz.
        times_s: when each row's action was given, seconds since the first `(n,)`; measured where the dataset says so.
        action_names: name of each element of an action.
        actions: `(n, Da)` float32, in the robot's units.
        state_names: name of each element of the state; empty if there is none.
        states: `(n, Ds)` float32.
    """

    name: str
    index: int
    task: str
    robot_type: str | None
    fps: float
    times_s: NDArray[np.float64]
    action_names: list[str]
    actions: NDArray[Any]
    state_names: list[str]
    states: NDArray[Any]

    def __len__(self) -> int:
        return len(self.times_s)

    @property
    def duration_s(self) -> float:
        """Seconds from the first action to the last."""
        return float(self.times_s[-1])

    def action(self, row: int) -> dict[str, float]:
        """Action of a row, by name."""
        return dict(zip(self.action_names, self.actions[row].tolist(), strict=True))

    def state(self, row: int) -> dict[str, float]:
        """State of a row, by name."""
        return dict(zip(self.state_names, self.states[row].tolist(), strict=True))


def load_episode(repo_id: str, root: Path | None, index: int) -> RecordedEpisode:
    """Read an episode of a dataset of any version.

    Args:
        repo_id: the dataset's name.
        root: its folder; under `$HF_LEROBOT_HOME` if None.
        index: number of the episode.

    Raises:
        DatasetError: there is no such dataset or episode, or it has no actions with a name each.
    """
    meta = LeRobotDatasetMetadata(repo_id, root)
    if index >= meta.total_episodes:
        raise DatasetError(
            f"{repo_id} has no episode {index}", expected=f"--dataset.episode: {numbers_of(meta.total_episodes)}"
        )
    # Slow to import; downloads nothing for a dataset that was made here.
    from lerobot.datasets.hub.pull import episode_files, fetch_files

    fetch_files(meta.root, repo_id, episode_files(meta.info, meta.episodes, [index], videos=False))
    files = data_files(meta.root, meta.info, meta.episodes)
    columns = NumericColumns(files, meta.features, check_episodes=not meta.info.is_legacy)
    row = meta.episodes[index]
    positions = np.arange(row["dataset_from_index"], row["dataset_to_index"])
    clock = capture_time_key("action") if capture_time_key("action") in meta.features else "timestamp"
    wanted = [key for key in ("action", "observation.state", clock) if key in meta.features]
    values = columns.fetch(dict.fromkeys(wanted, positions))
    if "action" not in values:
        raise DatasetError(f"{repo_id} has no 'action'", expected="a dataset recorded with a robot")
    times = values[clock].reshape(-1).astype(np.float64)
    no_state: NDArray[Any] = np.zeros((len(positions), 0), np.float32)
    return RecordedEpisode(
        name=repo_id,
        index=index,
        task=row["tasks"][0] if row["tasks"] else "",
        robot_type=meta.robot_type,
        fps=float(meta.fps),
        times_s=times - times[0],
        action_names=_names(meta.features["action"], f"action of {repo_id}"),
        actions=values["action"],
        state_names=_names(meta.features["observation.state"], "state") if "observation.state" in values else [],
        states=values.get("observation.state", no_state),
    )


def _names(feature: Mapping[str, Any], what: str) -> list[str]:
    """One name per element; older datasets keep them one level down, as `{"motors": [...]}`."""
    names = feature["names"]
    if isinstance(names, Mapping) and len(names) == 1:
        names = next(iter(names.values()))
    if not isinstance(names, list | tuple) or len(names) != feature["shape"][0]:
        raise DatasetError(f"the {what} has the names {names!r}", expected=f"{feature['shape'][0]} names")
    return [str(name) for name in names]
