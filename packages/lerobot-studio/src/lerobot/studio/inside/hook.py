"""The hook of a command that the studio started: tells what happens, and stops the robot when nobody is there."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lerobot.core.config.base import RobotConfig
from lerobot.core.hooks import hookimpl
from lerobot.core.safety.gate import as_number
from lerobot.core.safety.latch import stop_latch
from lerobot.studio.inside.config import BrowserConfig
from lerobot.studio.inside.link import Link, studio_link
from lerobot.studio.inside.wire import json_frame

if TYPE_CHECKING:
    from lerobot.core.tick import Tick
    from lerobot.core.types import EpisodeInfo, JointTravel
    from lerobot.studio.inside.feed import Feed

PATIENCE_S = 1.5
"""A robot holds when the page that controls has shown no sign of life for so long: six of its beats."""
METRICS_S = 0.2
"""Between two messages on the progress of a training."""
GONE = "the page that controls is gone"


class StudioHook:
    """Does nothing in a command that the studio did not start.

    A turn of the control loop costs a reference, a lock that is released and a look at the clock. The look is here,
    where the robot is driven: whatever is lost on the way from the page, a tab, a browser, the studio, a socket or a
    thread, nothing is heard, and the next command is not followed.
    """

    def __init__(self) -> None:
        self._link: Link | None = None
        self._feed: Feed | None = None
        self._drives = False
        self._runs = 0
        self._first: int | None = None
        self._metrics_s = 0.0

    @hookimpl
    def run_start(self, command: str, config: Any) -> None:
        """See `RunHooks.run_start`."""
        link = studio_link()
        if link is None:
            return
        self._runs += 1
        if self._link is not None:  # a command that runs another one
            return
        from lerobot.studio.inside.feed import Feed  # what it takes to make pictures is of no use elsewhere

        values = dict(config)
        robots = [value for value in values.values() if isinstance(value, RobotConfig)]
        keys = next((value.keys for value in values.values() if isinstance(value, BrowserConfig)), ())
        self._drives = bool(robots)
        link.facts |= {
            "command": command,
            "robot": ", ".join(robot.type for robot in robots) or None,
            "jog": list(keys),
            "episode": None,
        }
        link.start()
        self._link = link
        self._feed = Feed(link, _place_of(values.get("dataset")))
        self._feed.start()

    @hookimpl
    def run_end(self, command: str, error: BaseException | None) -> None:
        """See `RunHooks.run_end`."""
        self._runs -= self._runs > 0
        if self._link is None or self._runs:
            return
        said = None if error is None else f"{type(error).__name__}: {error}"
        self._link.tell({"type": "run_end", "command": command, "error": said})
        if self._feed is not None:
            self._feed.stop()
        self._link.close()
        self._link = self._feed = None

    @hookimpl
    def control_tick(self, tick: "Tick") -> None:
        """See `ControlHooks.control_tick`."""
        link = self._link
        if link is None:
            return
        link.take_tick(tick)
        if self._drives and time.monotonic() - link.heard_s > PATIENCE_S:
            latch = stop_latch()
            if latch.present is None:
                latch.set(f"{GONE}: no sign of life for {PATIENCE_S:g} s", "the studio")

    @hookimpl
    def episode_start(self, episode: "EpisodeInfo") -> None:
        """See `EpisodeHooks.episode_start`."""
        self._tell_episode("episode_start", episode)

    @hookimpl
    def episode_end(self, episode: "EpisodeInfo") -> None:
        """See `EpisodeHooks.episode_end`."""
        self._tell_episode("episode_end", episode)

    def _tell_episode(self, kind: str, episode: "EpisodeInfo") -> None:
        if self._link is not None:
            known = {key: value for key, value in episode.metadata.items() if isinstance(value, str | int | None)}
            # Episodes are numbered by what is saved: one that is thrown away gives its number to the next.
            self._first = episode.index if self._first is None else self._first
            saved = episode.index - self._first
            told = {"type": kind, "index": episode.index, "task": episode.task, "saved": saved, "metadata": known}
            self._link.facts["episode"] = told
            self._link.tell(told)

    @hookimpl
    def calibration_progress(self, joints: Mapping[str, "JointTravel"]) -> None:
        """See `CalibrationHooks.calibration_progress`; the newest of each `METRICS_S / 2` is told."""
        now = time.monotonic()
        if self._link is not None and now - self._metrics_s >= METRICS_S / 2:
            self._metrics_s = now
            self._link.put("calibration", json_frame({"type": "calibration", "joints": dict(joints)}))

    @hookimpl
    def train_step(self, step: int, metrics: Mapping[str, float]) -> None:
        """See `LearningHooks.train_step`; the newest of each `METRICS_S` is told."""
        now = time.monotonic()
        if self._link is not None and now - self._metrics_s >= METRICS_S:
            self._metrics_s = now
            self._link.tell({"type": "metrics", "step": step, "metrics": _plain(metrics)})

    @hookimpl
    def evaluation_done(self, step: int | None, results: Mapping[str, Any]) -> None:
        """See `LearningHooks.evaluation_done`."""
        if self._link is not None:
            self._link.tell({"type": "evaluation", "step": step, "results": _plain(results)})

    @hookimpl
    def checkpoint_saved(self, step: int, path: Path) -> None:
        """See `LearningHooks.checkpoint_saved`."""
        if self._link is not None:
            self._link.tell({"type": "checkpoint", "step": step, "path": str(path)})


def _place_of(dataset: Any) -> Path | None:
    """Where a command records to, by its own configuration."""
    given = dict(dataset).get("root") if dataset is not None else None
    return None if given is None else Path(given)


def _plain(value: Any) -> Any:
    """Results as JSON has them."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value if value is None or isinstance(value, str | bool) else as_number(value)
