"""When each row is sent, and what is counted, without a robot."""

import math

import numpy as np
import pytest

from lerobot.core.control import Tick
from lerobot.core.types import Observation
from lerobot.datasets.replay.episode import RecordedEpisode
from lerobot.datasets.replay.playback import SETTLE_S, Deviation, Playback

FPS = 10.0


def episode(times=(0.0, 0.1, 0.2, 0.3), states=True) -> RecordedEpisode:
    values = np.arange(len(times), dtype=np.float32)[:, None]
    names, recorded = (["a.pos"], values * 2) if states else ([], values[:, :0])
    return RecordedEpisode("me/x", 0, "", None, FPS, np.array(times), ["a.pos"], values + 10, names, recorded)


class Run:
    """Ticks at chosen slots, as the control loop would make them."""

    def __init__(self, recorded, ramp_s=0.0):
        self.missed = self.index = 0
        self.begun = []
        self.playback = Playback(
            recorded, ramp_s=ramp_s, missed=lambda: self.missed, begin=lambda: self.begun.append(self.index)
        )

    def tick(self, *, skip=0, sent=None, measured=0.0):
        """The command of the next tick, `skip` deadlines later than due; None at the end."""
        action = self.playback.next_action(Observation(), self.index)
        if action is None:
            return None
        slot = self.index + self.missed
        time_s = slot / FPS
        self.playback.write(
            Tick(
                self.index, slot, time_s, time_s, Observation({"a.pos": measured}), action, action,
                {"a.pos": action["a.pos"] if sent is None else sent}, time_s, time_s,
            )
        )  # fmt: skip
        self.index += 1
        self.missed += skip
        return action["a.pos"]

    def arrive(self):
        while not self.begun:
            assert self.tick() == 10.0


def test_the_clock_starts_when_the_first_pose_is_reached_and_the_ramp_is_over():
    run = Run(episode(), ramp_s=1.0)
    for step in range(25):
        # The gate moves the command for two seconds.
        run.tick(sent=min(step, 20) / 2)
    assert not run.begun
    run.arrive()
    assert run.begun[0] / FPS == pytest.approx(2.0 + SETTLE_S)


def test_each_row_at_its_time_then_the_end():
    run = Run(episode())
    run.arrive()
    assert [run.tick() for _ in range(5)] == [10.0, 11.0, 12.0, 13.0, None]
    assert run.playback.result.rows == 4
    assert run.playback.result.duration_s == pytest.approx(0.3)


def test_a_missed_deadline_leaves_a_row_out_and_the_end_stays():
    run = Run(episode())
    run.arrive()
    assert [run.tick(skip=1), run.tick(), run.tick(), run.tick()] == [10.0, 12.0, 13.0, None]
    assert run.playback.result.duration_s == pytest.approx(0.3)


def test_a_gap_in_the_recording_is_a_gap_in_the_replay():
    run = Run(episode(times=(0.0, 0.11, 0.39, 0.5)))
    run.arrive()
    assert [run.tick() for _ in range(7)] == [10.0, 11.0, 11.0, 11.0, 12.0, 13.0, None]


def test_one_row_is_enough():
    run = Run(episode(times=(0.0,)))
    run.arrive()
    assert [run.tick(), run.tick()] == [10.0, None]


@pytest.mark.parametrize(("states", "offset", "compared"), [(True, 0.0, "state"), (False, 10.0, "action")])
def test_the_error_is_the_difference_to_the_same_row(states, offset, compared):
    run = Run(episode(states=states))
    run.arrive()
    factor = 2 if states else 1
    for row, error in enumerate((0.0, 3.0, -4.0, 0.0)):
        run.tick(measured=offset + factor * row + error)
    found = run.playback.result.error["a.pos"]
    assert run.playback.result.compared_with == compared
    assert found.rms == pytest.approx(math.sqrt(25 / 4))
    assert found.largest == pytest.approx(4.0)


def test_nothing_deviates_from_nothing():
    assert Deviation().rms == 0.0
