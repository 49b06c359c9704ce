"""The simulated leader arm: its handle follows a path instead of a hand."""

import csv
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lerobot.core.clock import Clock, MonotonicClock
from lerobot.core.errors import DeviceError
from lerobot.core.prompts import Prompter
from lerobot.core.teleoperator import PlainTeleoperator
from lerobot.core.types import Action, FeatureSpec
from lerobot.sim.config import SimLeaderConfig
from lerobot.sim.expert import Expert
from lerobot.sim.joints import KEYS, Joints, features, to_units
from lerobot.sim.tasks import TASKS
from lerobot.sim.world import World

_STEP_S = 1 / 30
_LONGEST_S = 30.0
_RETURN_SPEED = 45.0
"""Of the way back to where a path began, in the joints' units per second."""


@dataclass(frozen=True, slots=True)
class Path6:
    """Joint positions over time.

    Attributes:
        times: `(N,)` float64, seconds from the start, growing.
        positions: `(N, 6)` float64, robot units in the order of the joints.
    """

    times: Joints
    positions: Joints

    def at(self, time_s: float) -> dict[str, float]:
        """Positions by key, interpolated; the ends are held."""
        return {key: float(np.interp(time_s, self.times, self.positions[:, i])) for i, key in enumerate(KEYS)}


class SimLeader(PlainTeleoperator):
    """An SO-101 leader that moves by itself.

    Args:
        config: see `SimLeaderConfig`.
        prompter: who answers questions; it asks none.
        clock: what time it is; the system's monotonic clock if None.
    """

    name = "sim_leader"

    def __init__(
        self, config: SimLeaderConfig, *, prompter: Prompter | None = None, clock: Clock | None = None
    ) -> None:
        super().__init__(config.id, prompter=prompter)
        self.config = config
        self._clock: Clock = clock or MonotonicClock()
        self._path: Path6 | None = None
        self._started_s: float | None = None

    @property
    def action_features(self) -> dict[str, FeatureSpec]:
        """Joint positions of the handle, `<joint>.pos`, degrees and percent."""
        return features()

    def _open(self) -> None:
        """Read or work out the path.

        Raises:
            DeviceError: the file cannot be read or is not a path.
        """
        config = self.config
        self._path = read_path(config.path) if config.path else solve(config.task, config.seed, config.episode)
        self._started_s = None

    def get_action(self) -> Action:
        """See `Teleoperator.get_action`; the path begins with the first call."""
        self.require_connected()
        if self._path is None:
            raise AssertionError("a connected leader has a path")
        now = self._clock.now()
        if self._started_s is None:
            self._started_s = now
        elapsed = now - self._started_s
        if self.config.repeat:
            elapsed %= float(self._path.times[-1]) or math.inf
        return self._path.at(elapsed)


def solve(task: str, seed: int, episode: int) -> Path6:
    """Path of an expert's hand through one episode and back home, so that it may be followed again and again."""
    world = World(TASKS[task](), seed=seed)
    world.reset(seed=seed, episode=episode)
    expert = Expert(world)
    rows = []
    for world.episode_over in (False, True):
        done = False
        while not done and world.elapsed_s < _LONGEST_S:
            command = expert.command()
            rows.append([world.elapsed_s, *to_units(command).values()])
            world.command(command)
            world.advance(_STEP_S)
            done = expert.is_done
    # An expert may wait for the next episode anywhere; a path that is repeated closes.
    farthest = max(abs(last - first) for first, last in zip(rows[0][1:], rows[-1][1:], strict=True))
    rows.append([rows[-1][0] + _STEP_S + farthest / _RETURN_SPEED, *rows[0][1:]])
    table = np.array(rows)
    return Path6(table[:, 0], table[:, 1:])


def read_path(file: Path) -> Path6:
    """Read a path from a CSV file with a header: `time_s` and one column per joint.

    Raises:
        DeviceError: the file is missing, a column or number is, the time does not grow, or a joint leaves its range.
    """
    columns = ["time_s", *KEYS]
    try:
        with file.open(newline="", encoding="utf-8") as text:
            table = np.array([[float(row[column]) for column in columns] for row in csv.DictReader(text)])
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise _not_a_path(file, f"{type(error).__name__}: {error}") from error
    if len(table) == 0 or not np.isfinite(table).all() or (np.diff(table[:, 0]) <= 0).any():
        raise _not_a_path(file, "its times do not grow, or it has no rows or values that are not numbers")
    for i, (key, feature) in enumerate(features().items(), start=1):
        low, high = feature.range or (-math.inf, math.inf)
        if table[:, i].min() < low or table[:, i].max() > high:
            raise _not_a_path(file, f"{key} leaves its range of {low:.1f} to {high:.1f}")
    return Path6(table[:, 0] - table[0, 0], table[:, 1:])


def _not_a_path(file: Path, why: str) -> DeviceError:
    return DeviceError(
        f"sim_leader cannot follow {file}: {why}",
        device="sim_leader",
        expected=f"a CSV file with the columns time_s, {', '.join(KEYS)}",
    )
