"""From ticks of the control loop to transitions."""

import threading
from typing import Any

import numpy as np

from lerobot.core.processors.dataset_features import DatasetFeatures, build_dataset_frame
from lerobot.core.tick import Tick
from lerobot.rl.play.judge import Judge
from lerobot.rl.play.source import ShareableSource
from lerobot.rl.transition import Episode, Frame, Transition


class TransitionSink:
    """Makes an episode of ticks; see `Sink`.

    A transition is complete when the tick after it tells what was seen then. That tick's own action is sent as well
    when the episode ends with it, and is no part of it.

    Args:
        features: what a dataset stores: of the robot what it measures, and the action.
        source: says who acted.
        judge: says what came of it.
        stop: set when the episode is over.
        as_sent: the action is what the robot was sent; false where steps make that of it, such as joints of motions of
            the hand.
    """

    def __init__(
        self,
        features: DatasetFeatures,
        source: ShareableSource,
        judge: Judge,
        stop: threading.Event,
        *,
        as_sent: bool = True,
    ) -> None:
        self.began = False
        """Whether the episode has begun."""
        self._features = features
        self._source = source
        self._judge = judge
        self._stop = stop
        self._as_sent = as_sent
        self._rows: list[Transition] = []
        self._acted: tuple[Frame, np.ndarray[Any, Any], bool] | None = None
        self._last: Frame | None = None

    def begin(self) -> None:
        """From the next tick on it is the episode."""
        self._judge.reset()
        self.began = True

    def write(self, tick: Tick) -> None:
        """See `Sink.write`."""
        # While nothing may move nobody acts: what the action before it led to is seen after the release.
        if not self.began or self._last is not None or tick.stopped:
            return
        seen = build_dataset_frame(self._features, tick.observation, "observation")
        if self._acted is not None:
            observation, action, corrected = self._acted
            verdict = self._judge.verdict(tick.observation, len(self._rows) + 1)
            self._rows.append(
                Transition(observation, action, verdict.reward, verdict.terminal, verdict.success, corrected)
            )
            if verdict.end:
                self._last = seen
                self._stop.set()
                return
        chosen = {**tick.gated, **tick.sent} if self._as_sent else self._source.chosen
        action = build_dataset_frame(self._features, chosen, "action")["action"]
        self._acted = seen, np.asarray(action, np.float32), self._source.corrects
        self._judge.acted()

    def episode(self, name: str, task: str) -> Episode | None:
        """The episode, if it came to its end."""
        return None if self._last is None else Episode(name, self._rows, self._last, task)
