"""D4RL HDF5 files: flat arrays in which `terminals` and `timeouts` mark the last step of each episode.

Source:
    https://github.com/Farama-Foundation/D4RL (README, "Using D4RL"): observations, actions, rewards, terminals,
    timeouts, infos/*.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from lerobot.core.errors import DatasetError
from lerobot.dataset_tools.formats import targets
from lerobot.dataset_tools.formats.arrays import FlatArrays, Rows
from lerobot.dataset_tools.formats.config import D4RLConfig
from lerobot.dataset_tools.formats.files import datasets_below, kept_open
from lerobot.dataset_tools.formats.source import EpisodeSource

_TARGETS = {
    "observations": targets.STATE,
    "actions": targets.ACTION,
    "rewards": targets.REWARD,
    "terminals": targets.DONE,
}


def open_d4rl(config: D4RLConfig) -> EpisodeSource:
    """Open a file; steps after the last mark are an episode too.

    Raises:
        DatasetError: the file is missing or damaged, lacks actions or terminals, or does not say where episodes end.
    """
    with kept_open(config.path) as file:
        return _open(file, config)


def _open(file: Any, config: D4RLConfig) -> EpisodeSource:
    arrays = datasets_below(file)
    if missing := sorted({"observations", "actions", "terminals"} - arrays.keys()):
        raise DatasetError(f"{config.path} lacks {', '.join(missing)}", expected="the arrays of a D4RL file")
    if "timeouts" not in arrays and config.max_episode_steps is None:
        raise DatasetError(
            f"{config.path} lacks timeouts, so it does not say where episodes end",
            expected="--from.max_episode_steps, the length at which its environment ends an episode",
        )
    ends = _ends(arrays, config.max_episode_steps)
    return FlatArrays(str(config.path), arrays, ends, lambda name, *_: _TARGETS.get(name), close=file.close)


def _ends(arrays: dict[str, Rows], max_episode_steps: int | None) -> npt.NDArray[np.int64]:
    length = arrays["actions"].shape[0]
    marks = {name: np.asarray(arrays[name][:], bool).ravel() for name in ("terminals", "timeouts") if name in arrays}
    for name, mark in marks.items():
        if len(mark) != length:
            raise DatasetError(f"{name} has {len(mark)} rows", expected=f"{length}, as actions have")
    ended = np.logical_or.reduce(list(marks.values()))
    if length:
        ended[-1] = True
    ends: list[int] = []
    start = 0
    for end in (np.flatnonzero(ended) + 1).tolist():
        ends += range(start + max_episode_steps, end, max_episode_steps) if max_episode_steps else []
        ends.append(end)
        start = end
    return np.array(ends, np.int64)
