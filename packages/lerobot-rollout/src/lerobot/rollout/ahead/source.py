"""Planned actions as the source of a robot's commands, while further ones are predicted."""

import math
from collections import deque
from dataclasses import dataclass

from lerobot.core.clock import Clock
from lerobot.core.errors import SafetyError
from lerobot.core.protocols.chunks import ChunkRequest
from lerobot.core.types import Action, Observation
from lerobot.rollout.ahead.delay import DelayTracker
from lerobot.rollout.ahead.report import ActingReport
from lerobot.rollout.ahead.timeline import AggregateName, Timeline, aggregate
from lerobot.rollout.ahead.worker import Answer, Worker

MOST_LATE = 5
"""So many chunks in a row may come too late for what they were made for."""


@dataclass(frozen=True, slots=True)
class AheadSettings:
    """When to predict, and what to do with it.

    Attributes:
        threshold: predict when so many planned actions are left, or fewer; a part of a chunk if below 1, and 0 for
            none left.
        aggregate: see `timeline.aggregate`.
        least_motion: while actions are planned, do not predict again before the measured state has changed by so much,
            as the length of its difference in the robot's units; 0 for no such rule.
        drop_late: drop chunks that arrive after more actions than they were made for.
    """

    threshold: float = 0.5
    aggregate: AggregateName = "weighted_average"
    least_motion: float = 0.0
    drop_late: bool = False


class AheadSource:
    """Gives the planned action of every tick at once, whatever the policy takes; see `CommandSource`.

    Each prediction starts from the newest observation. Its actions are for the timesteps from that one on, and
    timesteps are counted in executed actions: what was executed meanwhile is dropped, and nothing else, also if the
    robot had to wait. With nothing planned the command is empty: the gate holds, and ends the run if that lasts.

    Args:
        worker: predicts.
        settings: when, and what to do with it.
        observation_steps: observations of a prediction, the newest included.
        clock: the control loop's.
        state: keys of the observation that say where the robot is.
        task: what to do, in words.
    """

    def __init__(
        self,
        worker: Worker,
        settings: AheadSettings,
        *,
        observation_steps: int,
        clock: Clock,
        state: tuple[str, ...] = (),
        task: str = "",
    ) -> None:
        self.task = task
        self.report = ActingReport()
        self._worker = worker
        self._settings = settings
        self._clock = clock
        self._state = state
        self._delays = DelayTracker()
        self._timeline = Timeline(aggregate(settings.aggregate))
        self._history: deque[Observation] = deque(maxlen=observation_steps)
        self._forget()

    def _forget(self) -> None:
        self._timeline.reset()
        self._history.clear()
        self._chunk_size = 0
        self._asked_s = self._observed_s = 0.0
        self._asked_state: tuple[float, ...] | None = None
        self._taken_over = False
        self._late_in_a_row = 0

    def reset(self) -> None:
        """Forget the episode so far; a chunk that is being predicted is dropped."""
        self._worker.reset()
        self._forget()
        self.report.last = None

    def close(self) -> None:
        """End the predictions."""
        self._worker.close()

    def next_action(self, observation: Observation, _tick: int, /) -> Action | None:
        """Give the planned action; see `CommandSource.next_action`.

        Raises:
            LeRobotError: a prediction failed.
            SafetyError: predictions come too late again and again.
        """
        now = self._clock.now()
        self.report.ticked(now)
        self._history.append(observation)
        if (answer := self._worker.finished()) is not None:
            self._take_over(answer)
        if not self._worker.busy and self._is_due(observation):
            self._ask(observation, now)
            # On a clock that stands still meanwhile, it may be there already.
            if not self._timeline.coming and (answer := self._worker.finished()) is not None:
                self._take_over(answer)
        action = self._timeline.take()
        if action is None:
            self.report.starved += 1
            return {}
        self.report.executed(action, now - self._observed_s, taken_over=self._taken_over)
        self._taken_over = False
        return action

    def _is_due(self, observation: Observation) -> bool:
        left = len(self._timeline)
        if left == 0:
            return True
        threshold = self._settings.threshold
        if left > (threshold * self._chunk_size if threshold < 1 else threshold):
            return False
        before = self._asked_state
        moved = math.inf if before is None else math.dist(self._state_of(observation), before)
        return moved >= self._settings.least_motion

    def _state_of(self, observation: Observation) -> tuple[float, ...]:
        return tuple(float(observation[key]) for key in self._state)

    def _ask(self, observation: Observation, now: float) -> None:
        self._asked_s = now
        self._asked_state = self._state_of(observation)
        request = ChunkRequest(
            observations=tuple(self._history),
            timestep=self._timeline.timestep,
            coming=self._timeline.coming,
            delay=min(self._delays.expected, len(self._timeline)),
            task=self.task,
        )
        self._worker.start(request)

    def _take_over(self, answer: Answer) -> None:
        delay = self._timeline.timestep - answer.chunk.timestep
        self._delays.add(delay)
        self.report.predicted(answer.seconds, delay)
        if self._settings.drop_late and answer.request.coming and delay > answer.request.delay:
            self.report.late += 1
            self._late_in_a_row += 1
            if self._late_in_a_row >= MOST_LATE:
                raise SafetyError(
                    f"{MOST_LATE} chunks in a row came too late for what was executed meanwhile",
                    expected=f"at most {answer.request.delay} actions; the last one took {delay}",
                )
            return
        self._late_in_a_row = 0
        self._chunk_size = len(answer.chunk.actions)
        self._observed_s = self._asked_s
        self._timeline.merge(answer.chunk)
        self._taken_over = True
