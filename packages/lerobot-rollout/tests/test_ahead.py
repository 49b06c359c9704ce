"""Acting ahead of time: what is executed when, whatever the policy takes, on clocks that tests turn."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from lerobot.core.control import ControlLoop
from lerobot.core.errors import LeRobotError, SafetyError
from lerobot.core.fake.config import FakeRobotConfig
from lerobot.core.protocols.chunks import ActionChunk, ChunkRequest, ChunkSource
from lerobot.core.safety import SafetyConfig, SafetyGate
from lerobot.core.types import Observation
from lerobot.rollout.ahead.delay import WINDOW, DelayTracker
from lerobot.rollout.ahead.source import MOST_LATE, AheadSettings, AheadSource
from lerobot.rollout.ahead.timeline import Timeline, aggregate
from lerobot.rollout.ahead.worker import ClockWorker, ThreadWorker
from lerobot.rollout.interpolation import Interpolated

EMPTY = Observation({"a.pos": 0.0})


class TurnedClock:
    """Time passes when somebody waits."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def now(self) -> float:
        return self.now_s

    def sleep_until(self, deadline: float) -> None:
        self.now_s = max(self.now_s, deadline)


class Planner:
    """Plans `timestep + 0.001 * number of the chunk` for each timestep, so that an action says where it is from."""

    observation_steps = 1

    def __init__(self, length: int = 50, keys: tuple[str, ...] = ("a.pos",)) -> None:
        self.requests: list[ChunkRequest] = []
        self.length = length
        self.keys = keys
        self.resets = 0
        self.closed = False

    def reset(self) -> None:
        self.resets += 1

    def predict(self, request: ChunkRequest) -> ActionChunk:
        self.requests.append(request)
        values = [request.timestep + step + 0.001 * len(self.requests) for step in range(self.length)]
        return ActionChunk(request.timestep, tuple(dict.fromkeys(self.keys, value) for value in values))

    def close(self) -> None:
        self.closed = True


def ahead(
    planner: ChunkSource, clock: TurnedClock, latency_s: float, settings: AheadSettings | None = None
) -> AheadSource:
    worker = ClockWorker(planner, clock, seconds=latency_s)
    return AheadSource(worker, settings or AheadSettings(), observation_steps=planner.observation_steps, clock=clock)


def executed(source: AheadSource, clock: TurnedClock, ticks: int, period_s: float = 0.1) -> list[Any]:
    """The value of each tick; None where the robot held."""
    values = []
    for tick in range(ticks):
        action = source.next_action(EMPTY, tick)
        values.append(action["a.pos"] if action else None)
        clock.now_s += period_s
    return values


# --- the plan --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value"), [("weighted_average", 0.7), ("latest_only", 1.0), ("average", 0.5), ("conservative", 0.3)]
)
def test_chunks_that_overlap_are_joined_as_the_peer_does(name: Any, value: float) -> None:
    plan = Timeline(aggregate(name))
    plan.merge(ActionChunk(0, tuple({"a.pos": 0.0} for _ in range(3))))
    assert plan.take() == {"a.pos": 0.0}
    assert plan.merge(ActionChunk(0, tuple({"a.pos": 1.0} for _ in range(5)))) == 1
    assert [action["a.pos"] for action in plan.coming] == pytest.approx([value, value, 1.0, 1.0])
    assert plan.take() == {"a.pos": pytest.approx(value)}
    assert plan.timestep == 2


def test_only_what_was_executed_is_dropped() -> None:
    """In huggingface/lerobot a chunk is cut by the latency; here also a robot that had to wait goes on where it was."""
    plan = Timeline(aggregate("latest_only"))
    assert plan.take() is None
    assert plan.merge(ActionChunk(0, ({"a.pos": 0.0}, {"a.pos": 1.0}))) == 0
    assert plan.take() == {"a.pos": 0.0}


def test_a_spike_is_forgotten() -> None:
    delays = DelayTracker()
    assert delays.expected == 0
    delays.add(40)
    for _ in range(WINDOW - 1):
        delays.add(3)
        assert delays.expected == 40
    delays.add(3)
    assert delays.expected == 3


# --- the source ------------------------------------------------------------------------------------------------------


def test_an_action_is_executed_at_its_timestep_while_the_next_chunk_is_predicted() -> None:
    clock, planner = TurnedClock(), Planner(length=10)
    source = ahead(planner, clock, 0.35, AheadSettings(0.5, "latest_only"))
    values = executed(source, clock, 40)
    # The first chunk takes four ticks, in which the robot holds; from then on there is an action for every tick.
    assert values[:4] == [None] * 4
    assert [round(value) for value in values[4:]] == list(range(36))
    assert source.report.starved == 4
    # At five planned actions the next one is asked for; it is there four actions later.
    assert [request.timestep for request in planner.requests] == [0, 5, 10, 15, 20, 25, 30, 35]
    assert [request.delay for request in planner.requests][:4] == [0, 0, 4, 4]
    assert source.report.delays == {0: 1, 4: 6}
    assert values[8] == pytest.approx(4.001)
    assert values[12] == pytest.approx(8.001)
    assert values[13] == pytest.approx(9.002)


def test_what_is_planned_goes_with_the_request() -> None:
    clock, planner = TurnedClock(), Planner(length=4)
    source = ahead(planner, clock, 0.0, AheadSettings(2.0, "latest_only"))
    executed(source, clock, 4)
    assert planner.requests[0].coming == ()
    assert [action["a.pos"] for action in planner.requests[1].coming] == pytest.approx([2.001, 3.001])
    assert planner.requests[1].timestep == 2


def test_the_newest_observation_is_the_one_that_is_predicted_from() -> None:
    class Remembering(Planner):
        observation_steps = 2

    clock, planner = TurnedClock(), Remembering(length=6)
    source = ahead(planner, clock, 0.25)
    for tick in range(12):
        source.next_action(Observation({"a.pos": float(tick)}), tick)
        clock.now_s += 0.1
    seen = [[each["a.pos"] for each in request.observations] for request in planner.requests]
    assert seen == [[0.0], [5.0, 6.0], [8.0, 9.0]]


def test_a_robot_that_stands_still_is_not_asked_about_unless_nothing_is_planned() -> None:
    for least, expected in ((0.0, [0, 5, 10, 15]), (1.0, [0, 10])):
        clock, planner = TurnedClock(), Planner(length=10)
        worker = ClockWorker(planner, clock, seconds=0.0)
        settings = AheadSettings(0.5, "latest_only", least_motion=least)
        source = AheadSource(worker, settings, observation_steps=1, clock=clock, state=("a.pos",))
        executed(source, clock, 16)
        assert [request.timestep for request in planner.requests] == expected


def test_the_loop_keeps_its_rate_whatever_the_policy_takes() -> None:
    """300 ms of inference at 30 Hz: no deadline is missed, and after the first chunk no tick is without an action."""
    robot = FakeRobotConfig().build()
    robot.connect()
    clock, keys = TurnedClock(), tuple(robot.action_features)
    source = ahead(Planner(length=40, keys=keys), clock, 0.3)
    gate = SafetyGate.for_robot(robot, SafetyConfig(enabled=False))
    report = ControlLoop(robot, source, gate, fps=30, clock=clock).run(duration_s=20)
    robot.disconnect()
    assert (report.ticks, report.overruns) == (600, 0)
    assert report.achieved_hz == pytest.approx(30.0)
    assert source.report.starved == 9
    assert source.report.actions == 591
    assert set(source.report.delays) == {0, 9, 10}, "0.3 s are 9 ticks, but for rounding"
    text = str(source.report)
    assert "591 actions, 9 ticks starved" in text
    # The first chunk waited 9 ticks for itself, was executed for 20, and for 9 more until the second one came.
    assert source.report.age.max_s == pytest.approx((9 + 20 + 9 - 1) / 30)
    assert 0.3 < source.report.inference_share < 0.6


def test_silence_ends_the_run_in_place_of_old_commands() -> None:
    robot = FakeRobotConfig().build()
    robot.connect()
    clock = TurnedClock()
    source = ahead(Planner(length=5, keys=tuple(robot.action_features)), clock, 60.0)
    gate = SafetyGate.for_robot(robot, SafetyConfig(stop_after_s=2.0))
    with pytest.raises(SafetyError, match="no usable command"):
        ControlLoop(robot, source, gate, fps=30, clock=clock).run(duration_s=20)
    robot.disconnect()
    assert 2.0 < clock.now_s < 2.2


def test_a_reset_drops_what_is_predicted_and_planned() -> None:
    clock, planner = TurnedClock(), Planner(length=10)
    source = ahead(planner, clock, 0.25)
    executed(source, clock, 2)
    source.reset()
    assert planner.resets == 1
    assert executed(source, clock, 4)[:3] == [None] * 3
    assert [request.timestep for request in planner.requests] == [0, 0]


def test_chunks_that_come_too_late_are_dropped_where_they_must_not_and_end_the_run() -> None:
    class Slower(ClockWorker):
        """Takes longer each time."""

        def start(self, request: ChunkRequest) -> None:
            self._seconds = 0.1 * len(planner.requests)
            super().start(request)

    clock, planner = TurnedClock(), Planner(length=60)
    worker = Slower(planner, clock)
    settings = AheadSettings(59.0, "latest_only", drop_late=True)
    source = AheadSource(worker, settings, observation_steps=1, clock=clock)
    with pytest.raises(SafetyError, match=f"{MOST_LATE} chunks in a row came too late"):
        executed(source, clock, 60)
    assert source.report.late >= MOST_LATE
    # Until then the robot went on with the plan it had.
    assert source.report.starved == 0


# --- threads ---------------------------------------------------------------------------------------------------------


class Held(Planner):
    """Predicts when it is let."""

    def __init__(self, error: BaseException | None = None) -> None:
        super().__init__(length=4)
        self.let, self.begun = threading.Semaphore(0), threading.Semaphore(0)
        self.error = error

    def predict(self, request: ChunkRequest) -> ActionChunk:
        self.begun.release()
        assert self.let.acquire(timeout=10)
        if self.error is not None:
            raise self.error
        return super().predict(request)


@pytest.fixture
def threaded() -> Any:
    """Makes workers that are closed at the end."""
    made: list[tuple[ThreadWorker, Held]] = []

    def make(error: BaseException | None = None) -> tuple[ThreadWorker, Held]:
        planner = Held(error)
        made.append((ThreadWorker(planner), planner))
        return made[-1]

    yield make
    for worker, planner in made:
        planner.let.release(100)
        worker.close()
        assert planner.closed


def wait_for(condition: Callable[[], Any]) -> Any:
    """Ask until there is something; ten seconds at most."""
    pause = threading.Event()
    for _ in range(1000):
        if found := condition():
            return found
        pause.wait(0.01)
    raise AssertionError("nothing came")


def test_a_thread_predicts_while_the_loop_goes_on(threaded: Any) -> None:
    worker, planner = threaded()
    worker.start(ChunkRequest((EMPTY,), timestep=7))
    assert planner.begun.acquire(timeout=10)
    assert worker.busy
    assert worker.finished() is None
    planner.let.release()
    answer = wait_for(worker.finished)
    assert answer.chunk.timestep == 7
    assert not worker.busy


def test_a_thread_drops_the_chunk_of_before_a_reset(threaded: Any) -> None:
    worker, planner = threaded()
    worker.start(ChunkRequest((EMPTY,), timestep=7))
    assert planner.begun.acquire(timeout=10)
    worker.reset()
    assert planner.resets == 0, "not while it predicts"
    planner.let.release()
    wait_for(lambda: not worker.busy)
    assert worker.finished() is None
    worker.start(ChunkRequest((EMPTY,), timestep=0))
    planner.let.release()
    assert wait_for(worker.finished).chunk.timestep == 0
    assert planner.resets == 1


def test_an_error_in_the_thread_is_raised_where_the_robot_is_driven(threaded: Any) -> None:
    worker, planner = threaded(LeRobotError("the server is gone"))
    source = AheadSource(worker, AheadSettings(), observation_steps=1, clock=TurnedClock())
    source.next_action(EMPTY, 0)
    planner.let.release()
    with pytest.raises(LeRobotError, match="the server is gone"):
        wait_for(lambda: source.next_action(EMPTY, 1))


# --- between actions -------------------------------------------------------------------------------------------------


def test_a_faster_loop_gets_steps_of_the_way_and_the_action_itself() -> None:
    clock = TurnedClock()
    source = Interpolated(ahead(Planner(length=10), clock, 0.0, AheadSettings(0.0, "latest_only")), 4)
    values = [source.next_action(EMPTY, tick)["a.pos"] for tick in range(12)]  # type: ignore[index]
    assert values == pytest.approx([0.001] * 4 + [0.251, 0.501, 0.751, 1.001] + [1.251, 1.501, 1.751, 2.001])
    source.reset()
    assert [source.next_action(EMPTY, tick)["a.pos"] for tick in range(4)] == pytest.approx([0.002] * 4)  # type: ignore[index]
