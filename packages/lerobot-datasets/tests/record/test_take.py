"""One take, tick by tick: when the episode begins, which rows it has, how it ends."""

from types import SimpleNamespace

import numpy as np
import pytest

from lerobot.core.clock import MonotonicClock
from lerobot.core.control import Tick
from lerobot.core.types import Observation, Stamp
from lerobot.datasets.record.progress import Progress
from lerobot.datasets.record.requests import Request
from lerobot.datasets.record.take import FIRST_IMAGE_S, Take, TakePlan

FPS = 10.0


class Run:
    """A take whose ticks, images and requests are given; kept of each row is the index of its tick."""

    def __init__(self, *, ramp_s=0.2, reset_s=0.0, episode_s=0.5, camera_lag_s=0.0):
        self.rows, self.begun, self.request, self.button = [], [], None, None
        self.index = self.slot = 0
        self.is_free = True
        self.camera_lag_s = camera_lag_s
        self.take = Take(
            TakePlan(3, "Wave", ramp_s, reset_s, episode_s),
            SimpleNamespace(add_frame=lambda row, task: self.rows.append(row["index"]), waited_s=0.0),
            SimpleNamespace(row=self.row, cameras=["front"]),
            requests=SimpleNamespace(poll=self.poll),
            buttons=lambda: self.button,
            progress=Progress(),
            fps=FPS,
            is_free=lambda: self.is_free,
            begin=lambda: self.begun.append(self.index),
            saved=(0, 1),
            clock=MonotonicClock(),
        )

    def tick(self, *, skip=0, **state):
        self.request, self.button = state.get("request", self.request), state.get("button")
        time_s = self.slot / FPS
        self.image, self.state = state.get("image", self.index), state.get("state", self.index)
        stamps = {"front": Stamp(time_s - self.camera_lag_s, stale=state.get("stale", False))}
        observation = Observation({"front": np.zeros(1)}, stamps)
        gate = state.get("gate", {})
        sent_s = time_s + state.get("sent_after_s", 0.0)
        self.take.write(Tick(self.index, self.slot, time_s, time_s, observation, {}, {}, {}, time_s, sent_s, gate))
        self.index += 1
        self.slot += 1 + skip

    def poll(self):
        """A request is given once, as sources do."""
        request, self.request = self.request, None
        return request

    def row(self, tick, _begin_s):
        return {
            "index": tick.index,
            "observation.state": np.full(2, self.state),
            "observation.images.front": np.full((48, 64, 3), self.image, np.uint8),
        }

    def until_over(self):
        while not self.take.stop.is_set():
            self.tick()
        return self.take.result


def test_the_episode_begins_after_the_ramp_and_lasts_its_time():
    run = Run()
    result = run.until_over()
    assert run.begun == [2]
    assert run.rows == [3, 4, 5, 6, 7]
    assert (result.frames, result.outcome, result.ended_by, result.during_reset) == (5, "unknown", "duration", False)
    assert result.timing.achieved_hz == pytest.approx(FPS)


def test_a_slow_first_command_begins_the_ramp_later():
    run = Run()
    run.tick(sent_after_s=0.15)
    run.until_over()
    assert run.begun == [4]


def test_the_reset_lasts_its_time_or_until_somebody_has_enough():
    run = Run(reset_s=1.0)
    run.until_over()
    assert run.begun == [10]
    run = Run(reset_s=1.0)
    for _ in range(5):
        run.tick()
    run.tick(request=Request.NEXT)
    assert run.begun == [5]


def test_haste_does_not_cut_the_ramp_short():
    run = Run(ramp_s=0.5, reset_s=9.0)
    run.tick(request=Request.NEXT)
    run.until_over()
    assert run.begun == [5]


def test_the_reset_lasts_until_the_episode_before_is_saved():
    run = Run(reset_s=0.5)
    run.is_free = False
    for _ in range(20):
        run.tick()
    assert run.begun == []
    run.is_free = True
    run.until_over()
    assert run.begun == [20]


def test_what_is_being_saved_is_recorded_again_once_it_is_saved():
    run = Run(reset_s=1.0)
    run.is_free = False
    run.tick(request=Request.REDO)
    run.tick()
    assert not run.take.stop.is_set()
    run.is_free = True
    run.tick()
    assert run.take.stop.is_set()
    assert run.take.result.ended_by == Request.REDO
    assert run.rows == []


@pytest.mark.parametrize("request_", [Request.STOP, Request.REDO])
def test_stop_and_redo_end_the_reset(request_):
    run = Run(reset_s=1.0)
    run.tick(request=request_)
    assert run.take.stop.is_set()
    assert run.take.result.during_reset
    assert run.take.result.ended_by == request_
    assert run.rows == []
    assert run.begun == []


def test_the_first_row_has_images_taken_since_the_episode_began():
    run = Run(camera_lag_s=0.25)
    run.until_over()
    # Began at 0.2 s; the image of tick 5, at 0.5 s, is from 0.25 s.
    assert run.rows[0] == 5
    assert len(run.rows) == 5


def test_a_camera_that_never_catches_up_does_not_keep_the_episode_waiting():
    run = Run(camera_lag_s=3.0)
    run.until_over()
    assert run.rows[0] == run.begun[0] + round(FIRST_IMAGE_S * FPS) + 1


def test_missed_deadlines_count_as_time_and_are_reported():
    run = Run(episode_s=0.6)
    for _ in range(4):
        run.tick()
    run.tick(skip=2)
    result = run.until_over()
    assert result.frames == 4
    assert result.timing.overruns == 2
    assert result.timing.worst_gap_ms == pytest.approx(300)


@pytest.mark.parametrize(
    ("how", "outcome", "ended_by"),
    [
        ({"request": Request.SUCCESS}, "success", "success"),
        ({"button": Request.FAILURE}, "failure", "failure"),
        ({"request": Request.NEXT, "button": Request.FAILURE}, "unknown", "next"),
        ({"request": Request.STOP}, "unknown", "stop"),
    ],
)
def test_the_tick_that_ends_an_episode_belongs_to_it(how, outcome, ended_by):
    run = Run()
    for _ in range(5):
        run.tick()
    run.tick(**how)
    assert run.rows == [3, 4, 5]
    assert run.take.stop.is_set()
    assert (run.take.result.outcome, run.take.result.ended_by) == (outcome, ended_by)


@pytest.mark.parametrize(
    ("how", "outcome", "ended_by"),
    [
        ({"request": Request.SUCCESS}, "success", "success"),
        ({"button": Request.FAILURE}, "failure", "failure"),
        ({"request": Request.REDO}, "unknown", "redo"),
        ({"request": Request.STOP}, "unknown", "stop"),
    ],
)
def test_a_request_before_the_first_image_ends_the_episode_at_its_first_row(how, outcome, ended_by):
    run = Run(camera_lag_s=0.25)
    for _ in range(3):
        run.tick()
    run.tick(**how)
    run.tick(request=Request.NEXT)
    assert run.rows == []
    run.tick()
    assert run.rows == [5]
    assert run.take.stop.is_set()
    assert (run.take.result.outcome, run.take.result.ended_by) == (outcome, ended_by)
    # What was asked for after it is for the next take.
    assert run.request == Request.NEXT


def test_buttons_mean_nothing_before_the_episode():
    run = Run()
    run.tick(button=Request.SUCCESS)
    assert not run.take.stop.is_set()


def test_old_images_and_changed_commands_are_counted_in_the_episode_only():
    run = Run()
    for _ in range(3):
        run.tick(stale=True, gate={"a.pos": "velocity"})
    run.tick(stale=True, gate={"a.pos": "velocity"})
    run.tick(gate={"a.pos": "step"})
    timing = run.until_over().timing
    assert timing.stale == {"front": 1}
    assert timing.interventions == {"a.pos": {"velocity": 1, "step": 1}}


@pytest.mark.parametrize(
    ("image", "lag_per_tick_s", "state", "repeated_s"),
    [
        (lambda i: 7, 0.0, lambda i: i, {"front": 1.5}),
        (lambda i: i, 0.0, lambda i: i, {}),
        (lambda i: i // 10, 0.0, lambda i: i, {}),
        (lambda i: i // 11, 0.0, lambda i: i, {"front": 1.0}),
        (lambda i: 7, 1 / FPS, lambda i: i, {}),
        (lambda i: 7, 0.0, lambda i: 5, {}),
    ],
    ids=["always", "never", "for 0.9 s", "for 1 s", "with its old time", "while nothing moves"],
)
def test_a_camera_that_gives_one_image_as_if_it_were_new_is_noticed(image, lag_per_tick_s, state, repeated_s):
    run = Run(ramp_s=0.0, episode_s=1.6)
    for number in range(17):
        run.camera_lag_s = max(number - 1, 0) * lag_per_tick_s
        run.tick(image=image(number - 1), state=state(number))
    assert run.rows == list(range(1, 17))
    assert run.take.result.repeated_s == pytest.approx(repeated_s)
