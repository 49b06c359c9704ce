"""Ticks that become rows, and rows that are cut into episodes."""

from collections.abc import Callable, Mapping
from typing import Any

from lerobot.core.hooks import Hooks
from lerobot.core.tick import Tick
from lerobot.core.types import EpisodeInfo
from lerobot.datasets.record.rows import OUTCOME, UNKNOWN
from lerobot.datasets.record.target import Target
from lerobot.datasets.writer.recorder import SavedEpisode
from lerobot.rollout.recording.background import BackgroundRecorder

QUEUE_S = 3.0
"""So many seconds of rows may wait while an episode is committed."""


class RecordingStream:
    """Records while the robot goes on; an episode begins with its first row.

    Args:
        target: the open dataset.
        task: what is done, in words; asked anew for each episode.
        fps: rows per second.
        hooks: told of episodes.
        say: where to say what was saved.
        more_rows: rows that may come at once, beside those of some seconds.
    """

    def __init__(
        self,
        target: Target,
        task: Callable[[], str],
        fps: float,
        hooks: Hooks,
        say: Callable[[str], None],
        *,
        more_rows: int = 0,
    ) -> None:
        self.episodes = 0
        """Episodes that are ended; the last ones may still be on their way."""
        self.rows = 0
        """Rows of the episode in progress."""
        self._target = target
        self._task = task
        self._hooks = hooks
        self._say = say
        self._first = target.recorder.info.total_episodes
        self._episode: EpisodeInfo | None = None
        self._begin_s = 0.0
        self._background = BackgroundRecorder(target.recorder, round(QUEUE_S * fps) + more_rows, self._saved)

    @property
    def waited_s(self) -> float:
        """Seconds that the control loop has waited for the encoders."""
        return self._background.waited_s

    def add(self, tick: Tick, columns: Mapping[str, Any] | None = None) -> None:
        """Record a tick.

        Args:
            tick: one turn of the control loop.
            columns: values of the columns that were added to the dataset.

        Raises:
            DatasetError: something could not be stored.
        """
        if self._episode is None:
            task = self._task()
            self._episode = EpisodeInfo(self._first + self.episodes, task, {"repo_id": self._target.repo_id})
            self._begin_s = tick.start_s
            self._hooks.call("episode_start", episode=self._episode)
        self._background.add({**self._target.rows.row(tick, self._begin_s), **(columns or {})}, self._episode.task)
        self.rows += 1

    def cut(self, outcome: str = UNKNOWN) -> None:
        """End the episode in progress, if there is one; it is saved meanwhile.

        Raises:
            DatasetError: something could not be stored.
        """
        if self._episode is None:
            return
        self._background.save({OUTCOME: outcome} if OUTCOME in self._target.rows.features else {})
        self._episode.metadata |= {"outcome": outcome, "frames": self.rows}
        self._hooks.call("episode_end", episode=self._episode)
        self._episode = None
        self.rows = 0
        self.episodes += 1

    def close(self) -> None:
        """Save the episode in progress too, and wait until everything is stored.

        Raises:
            DatasetError: something could not be.
        """
        try:
            self.cut()
        finally:
            self._background.close()

    def _saved(self, saved: SavedEpisode) -> None:
        waited = f", {saved.waited_s:.1f} s behind" if saved.waited_s else ""
        self._say(f"Episode {saved.index} saved: {saved.length} frames{waited}.")
